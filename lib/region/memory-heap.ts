// A heap with a region of its own, and a way into one that others have made. The names are those of
// the package @daneren2005/shared-memory-objects.
import * as check from '../base/check.js'
import type { RegionHandle } from '../base/region-handle.js'
import { Heap } from '../heap/heap.js'
import type { ShareOptions } from './create.js'
import { Region } from './region.js'

export interface MemoryHeapConfig extends ShareOptions {
  /** Bytes of the region, at most 4 GiB; 1 GiB by default. Memory is taken as it is used. */
  size?: number
  /** Has no effect: the heap is one memory, which is used from its beginning on. */
  bufferSize?: number
  /** Has no effect, likewise. */
  initialBuffers?: number
}

/** What another thread makes its own MemoryHeap of. Structured-cloneable. */
export type MemoryHeapMemory = RegionHandle

const DEFAULT_SIZE = 2 ** 30

/**
 * A heap, and the region that it is in. Participants meet in it by `getSharedMemory()`, a token or
 * a name.
 */
export class MemoryHeap extends Heap {
  /** `close()` ends this thread's part in the region. */
  readonly region: Region

  /**
   * A new heap, in a region of its own; or the one that another thread's getSharedMemory() or
   * handle, another process's token, or a Region leads to. Errors: as Region.create and
   * Region.open; ERR_SABWAY_UNSUPPORTED: the region has no heap.
   */
  constructor(config?: MemoryHeapConfig | MemoryHeapMemory | Region | string) {
    const region = regionOf(config)
    try {
      super(region)
    } catch (error) {
      if (region !== config) region.close()
      throw error
    }
    this.region = region
  }

  override get [Symbol.toStringTag](): string {
    return 'MemoryHeap'
  }
}

function regionOf(config: unknown): Region {
  if (typeof config === 'string') return Region.open(config)
  if (typeof config === 'object' && config !== null) {
    if (Region.isRegion(config)) return config
    if (check.fields(config, 'heap config', ['sabway']).sabway !== undefined) return Region.open(config as RegionHandle)
  }
  const names = ['size', 'share', 'name', 'bufferSize', 'initialBuffers'] as const
  const {
    size = DEFAULT_SIZE,
    bufferSize,
    initialBuffers,
    ...share
  } = check.options(config as MemoryHeapConfig | undefined, 'heap config', names)
  for (const [name, value] of Object.entries({ bufferSize, initialBuffers })) {
    if (value !== undefined) check.integer(value, name, 1, 2 ** 32)
  }
  return Region.create({ size, ...share })
}
