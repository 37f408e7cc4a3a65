// What a region lies on: a WebAssembly.Memory that the library made, or a SharedArrayBuffer that
// the program has.
import { SW_PAGE } from '../generated/abi.js'

/** A SharedArrayBuffer in place of a WebAssembly.Memory. */
export interface BufferMemory {
  readonly buffer: SharedArrayBuffer
}

export type RegionMemory = WebAssembly.Memory | BufferMemory

const MOST_PAGES = 65536

/** The region's bytes: the whole pages in the memory, up to 4 GiB. */
export function bytesOf(memory: RegionMemory): Uint8Array<SharedArrayBuffer> {
  const buffer = memory.buffer as SharedArrayBuffer
  const { byteLength } = new DataView(buffer) // a class of the program's may say something else
  return new Uint8Array(buffer, 0, Math.min(Math.floor(byteLength / SW_PAGE), MOST_PAGES) * SW_PAGE)
}
