import type { RegionMemory } from './region-memory.js'

/** What travels by postMessage (or workerData) to another thread of this process. */
export interface RegionHandle {
  readonly sabway: 'region'
  readonly memory: RegionMemory
  /** The library's compiled code, so that the other thread need not compile it. */
  readonly module?: WebAssembly.Module
  /** Of a region that processes share. */
  readonly token?: string
  /** The memory is a private copy: open the token. */
  readonly copied?: true
}
