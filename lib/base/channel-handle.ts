import type { RegionMemory } from './region-memory.js'

/** What travels by postMessage (or workerData) to the thread that takes the other side. */
export interface ChannelHandle {
  readonly sabway: 'channel'
  readonly memory: RegionMemory
  /** The library's compiled code, so that the other thread need not compile it. */
  readonly module?: WebAssembly.Module
  /** Of a channel that processes share. */
  readonly token?: string
  /** The memory is a private copy: the token counts. */
  readonly copied?: true
  /** The name of the codec, where messages are not bytes. */
  readonly codec?: string
  /**
   * Where the channel is, in a region with any number of them, and which of those that were there.
   */
  readonly channel?: number
  readonly generation?: number
}

/** A channel, as a region sees it. */
export interface HasChannelHandle {
  readonly handle: ChannelHandle
}
