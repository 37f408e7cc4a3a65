// What a heap needs to know of its region.
import type { CoreHost, GuardedCore } from '../base/core.js'
import type { RegionHandle } from '../base/region-handle.js'
import type { RegionMemory } from '../base/region-memory.js'
import type { SharedBytes } from '../base/shared-bytes.js'

export interface HeapRegion {
  readonly bytes: SharedBytes
  readonly words: Int32Array
  readonly core: GuardedCore
  readonly codeHost: CoreHost
  readonly commons: { peek(): RegionMemory }
  readonly size: bigint
  readonly endpoint: number
  /** This thread's own block. */
  readonly instance: number
  /** Why the memory is a private copy; undefined where it is the shared one. */
  readonly copied: string | undefined
  readonly handle: RegionHandle
  /** Errors: ERR_SABWAY_CLOSED. */
  onClose(act: () => void): () => void
}
