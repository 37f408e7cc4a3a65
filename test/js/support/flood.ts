// The messages of the flood: sequence number, size and content of each follow from its number, so
// both ends can check them.
import assert from 'node:assert/strict'
import { crc32c } from 'sabway'
import { fill, random } from './bytes.js'
import { times } from './effort.js'

/** Says the run: change it to have another. */
export const SEED = 20_260_214
/** Messages that cross the channels, both ways and all floods together. */
export const TOTAL = times(10_000_000)

const KINDS = 4096
const LARGEST = 65_536

interface Kind {
  /** As it is sent: from 4 bytes on, the first four are the sequence number. */
  bytes: Uint8Array
  number: DataView
  crc: number
}

/**
 * Mostly small, some of each size up to 64 KiB: 150 bytes on average, with both ends of the range
 * among them.
 */
function sizes(): number[] {
  const next = random(SEED)
  const list = Array.from({ length: KINDS }, () => {
    const most = [64, 64, 64, 64, 64, 64, 64, 64, 64, 1024][Math.floor(next() * 10)]!
    return Math.floor(next() * (most + 1))
  })
  for (let i = 0; i < 24; i++) list[Math.floor(next() * KINDS)] = Math.floor(next() ** 3 * (LARGEST + 1))
  list[1] = 0
  list[2] = LARGEST
  return list
}

const kinds: Kind[] = sizes().map((size, i) => {
  // At every alignment, so that every way of copying is used.
  const bytes = new Uint8Array(new ArrayBuffer(size + 8), i & 7, size)
  fill(bytes, i)
  return { bytes, number: new DataView(bytes.buffer, bytes.byteOffset), crc: crc32c(bytes.subarray(Math.min(4, size))) }
})

const kindOf = (sequence: number): Kind => kinds[Math.imul(sequence, 2654435761) >>> 20]!

/** Message number `sequence`. Valid until the next call. */
export function message(sequence: number): Uint8Array {
  const { bytes, number } = kindOf(sequence)
  if (bytes.length >= 4) number.setUint32(0, sequence, true)
  return bytes
}

/** Is this message number `sequence`, whole and unchanged? */
export function check(sequence: number, received: Uint8Array): void {
  const { bytes, crc } = kindOf(sequence)
  const size = bytes.length
  if (received.length !== size) assert.fail(`message ${sequence} has ${received.length} bytes, not ${size}`)
  if (size >= 4) {
    const number = received[0]! | (received[1]! << 8) | (received[2]! << 16) | (received[3]! << 24)
    if (number >>> 0 !== sequence) assert.fail(`message ${number >>> 0} where ${sequence} was due`)
  }
  if (crc32c(received.subarray(Math.min(4, size))) !== crc) assert.fail(`message ${sequence} was changed on its way`)
}
