// Messages that carry their number and a check-sum: number, CRC-32C of the rest, content of any
// length.
import { crc32c } from 'sabway'
import { fill } from './bytes.js'

export function numbered(number: number, content: number): Uint8Array {
  const message = new Uint8Array(8 + content)
  const view = new DataView(message.buffer)
  view.setUint32(0, number, true)
  fill(message.subarray(8), number)
  view.setUint32(4, crc32c(message.subarray(8), number), true)
  return message
}

/** The number of a message that is whole; -1 for any other. */
export function numberOf(message: Uint8Array): number {
  if (message.length < 8) return -1
  const view = new DataView(message.buffer, message.byteOffset, message.length)
  const number = view.getUint32(0, true)
  return view.getUint32(4, true) === crc32c(message.subarray(8), number) ? number : -1
}

/** Words in which a thread that may be terminated leaves how far it is. */
export const DONE = 0
export const WRONG = 1
export const SENT = 2
