// Copies that share their ArrayBuffer with others.

import { bounce, copyOut, NATIVE_FROM_MISALIGNED, uninitialised } from './copy.js'
import { markUntransferable } from './host.js'

const SLAB_BYTES = 1 << 16
const SLAB_UP_TO = 1 << 12
const WORDS_POOLED_UP_TO = 64

let slab = new ArrayBuffer(0)
let slabWords = new Int32Array(slab)
let slabUsed = 0

/**
 * A copy that, when it is small, shares its ArrayBuffer with others, as Node's Buffers do, 8-byte
 * aligned in it: `words` as above.
 */
export function copyPooled(bytes: Uint8Array, start: number, end: number, words: Int32Array): Uint8Array<ArrayBuffer> {
  const length = end - start
  if (length > SLAB_UP_TO) return copyOut(bytes, start, end)
  const copy = pooled(length)
  if (length <= WORDS_POOLED_UP_TO && (start & 7) === 0) {
    // The last word may carry up to three bytes more than the message has, into the slab's own
    // padding.
    let to = (slabUsed - ((length + 7) & ~7)) >>> 2
    for (let from = start >>> 2, last = (end + 3) >>> 2; from < last; from++) slabWords[to++] = words[from]!
  } else if (length >= NATIVE_FROM_MISALIGNED && ((bytes.byteOffset + start) & 7) !== 0) {
    bounce(copy, bytes, start, end)
  } else {
    copy.set(bytes.subarray(start, end))
  }
  return copy
}

/**
 * Room in the slab, every byte of which will be written. It starts at a multiple of 8, so that
 * views of any kind can be made of it.
 */
function pooled(length: number): Uint8Array<ArrayBuffer> {
  if (slabUsed + length > slab.byteLength) {
    slab = uninitialised(SLAB_BYTES)
    markUntransferable(slab)
    slabWords = new Int32Array(slab)
    slabUsed = 0
  }
  const view = new Uint8Array(slab, slabUsed, length)
  slabUsed = (slabUsed + length + 7) & ~7
  return view
}
