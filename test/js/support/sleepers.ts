// What shared memory tells of its sleepers.
import type { ChannelHandle, Side } from 'sabway'
import { abi } from './abi.js'

const HEADER = 4096

/** Where, in an Int32Array over the region, a word of an endpoint lies. */
export const endpointWord = (endpoint: number, field: keyof typeof abi.sw_endpoint): number =>
  (HEADER + endpoint * abi.sw_endpoint.sizeof + abi.sw_endpoint[field]) >>> 2

const wordsOf = (handle: ChannelHandle) => new Int32Array(handle.memory.buffer)

/** The endpoint that receives for a side, or -1. */
export function receiverOf(handle: ChannelHandle, side: Side): number {
  const ring =
    (handle.channel ?? abi.SW_HEAP_AT) + abi.sw_channel.rings + (side === 'renderer' ? 1 : 0) * abi.sw_ring.sizeof
  return (Atomics.load(wordsOf(handle), (ring + abi.sw_ring.consumer) >>> 2) & 0xff) - 1
}

/** Has the side's receiver announced that it sleeps? */
export function sleeps(handle: ChannelHandle, side: Side): boolean {
  const endpoint = receiverOf(handle, side)
  return endpoint >= 0 && Atomics.load(wordsOf(handle), endpointWord(endpoint, 'sleeping')) !== 0
}

/** As if no thread of the process had the addon: rings are not passed on. */
export function withoutRelays(handle: ChannelHandle): void {
  const words = wordsOf(handle)
  for (let endpoint = 0; endpoint < abi.SW_ENDPOINTS; endpoint++) {
    Atomics.and(words, endpointWord(endpoint, 'skills'), ~abi.SW_RELAYS)
  }
}

const unrung = new Int32Array(new SharedArrayBuffer(4))

/** Block this thread. */
export const pause = (milliseconds: number) => void Atomics.wait(unrung, 0, 0, milliseconds)
