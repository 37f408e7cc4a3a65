// Offsets into a region, for tests that write into it what no peer should.
import { readFileSync } from 'node:fs'
import { root } from './paths.js'

interface Abi {
  sw_region_header: { sizeof: number; magic: number; layout_hash: number; pages: number }
  sw_endpoint: { sizeof: number; pid: number; doorbell: number; sleeping: number; skills: number; request: number }
  sw_ring: {
    sizeof: number
    capacity: number
    data: number
    producer: number
    consumer: number
    head: number
    tail: number
    closed: number
  }
  sw_channel: { sizeof: number; rings: number }
  sw_frame: { sizeof: number; length: number; info: number }
  SW_PAGE: number
  SW_RELAYS: number
  SW_ENDPOINTS: number
  SW_HEAP_AT: number
  SW_RING_MIN: number
  SW_RING_MAX: number
  ERRORS: Record<string, { number: number; text: string }>
}

/**
 * lib/generated/abi.ts is JavaScript but for `export` and `as const`; the library does not export it. Read without top-level
 * await: V8 aborts the process when a thread is terminated inside a module that had to wait for another (Node 22 to 26).
 */
function read(): Abi {
  const source = readFileSync(new URL('lib/generated/abi.ts', root), 'utf8')
  const found = {}
  new Function('found', source.replaceAll(' as const', '').replaceAll('export const ', 'found.'))(found)
  return found as Abi
}

export const abi = read()

/** Index, in an Int32Array over the region, of a word of the ring that this side produces into. */
export function ringWord(producer: 'renderer' | 'native', field: number): number {
  const side = producer === 'renderer' ? 0 : 1
  return (abi.SW_HEAP_AT + abi.sw_channel.rings + side * abi.sw_ring.sizeof + field) >>> 2
}
