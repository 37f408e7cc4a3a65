// How bytes get into and out of a region: the one place that knows what V8 is fast and slow at.
//
// Measured on Node 20 to 26 (docs/layout.md): up to 16 bytes a loop over words wins; then TypedArray.set, which into shared memory
// moves 8 bytes at a time only where source and target agree modulo 8, and is 5 times slower where they do not; from some
// size on the addon's memcpy, which pays a call and then does not care.
import type { RegionBinding } from './addon.js'

const WORDS_IN_UP_TO = 16
const NATIVE_FROM = 4096
const NATIVE_FROM_MISALIGNED = 256

/** Where the payload should start behind an 8-byte boundary, so that a copy without the addon finds both sides alike. */
export function lead(message: Uint8Array, length: number, binding: RegionBinding | null): number {
  return binding?.copyIn === undefined && length >= NATIVE_FROM_MISALIGNED ? message.byteOffset & 7 : 0
}

/** Small payloads must go to a multiple of 4, as `lead` has it; `words` are the same memory as `bytes`. */
export function copyIn(
  bytes: Uint8Array,
  at: number,
  message: Uint8Array,
  length: number,
  binding: RegionBinding | null,
  words: Int32Array,
): void {
  if (length <= WORDS_IN_UP_TO) {
    const whole = length & ~3
    let i = 0
    for (let word = at >>> 2; i < whole; i += 4) {
      words[word++] = message[i]! | (message[i + 1]! << 8) | (message[i + 2]! << 16) | (message[i + 3]! << 24)
    }
    for (; i < length; i++) bytes[at + i] = message[i]!
  } else if (length < NATIVE_FROM_MISALIGNED || binding?.copyIn === undefined) {
    bytes.set(message, at)
  } else if (length >= NATIVE_FROM || ((message.byteOffset ^ at) & 7) !== 0) {
    binding.copyIn(at, message)
  } else {
    bytes.set(message, at)
  }
}

const SLAB_BYTES = 1 << 16
const SLAB_UP_TO = 1 << 12
const WORDS_OUT_UP_TO = 64

let slab = new ArrayBuffer(0)
let slabWords = new Int32Array(slab)
let slabUsed = 0

/** Memory of its own for a received message; small ones share slabs, as Node's Buffers do. Every byte of it will be written. */
function allocate(length: number, misalignment: number): Uint8Array<ArrayBuffer> {
  if (length > SLAB_UP_TO) return new Uint8Array(uninitialised(length + misalignment), misalignment, length)
  if (slabUsed + misalignment + length > slab.byteLength) {
    slab = uninitialised(SLAB_BYTES)
    slabWords = new Int32Array(slab)
    slabUsed = 0
  }
  const view = new Uint8Array(slab, slabUsed + misalignment, length)
  slabUsed = (slabUsed + misalignment + length + 7) & ~7
  return view
}

/** Zeroing 64 KiB costs more than copying them. Only Node can leave it out. */
function uninitialised(length: number): ArrayBuffer {
  return typeof Buffer === 'undefined' ? new ArrayBuffer(length) : Buffer.allocUnsafeSlow(length).buffer
}

/** A copy of the bytes from start to end; `words`, if there are any, are the same memory, and faster for small copies. */
export function copyOut(bytes: Uint8Array, start: number, end: number, words?: Int32Array): Uint8Array<ArrayBuffer> {
  const length = end - start
  const copy = allocate(length, start & 7)
  if (words !== undefined && length <= WORDS_OUT_UP_TO && (start & 7) === 0) {
    // The last word may carry up to three bytes more than the message has, into the slab's own padding.
    let to = (slabUsed - ((length + 7) & ~7)) >>> 2
    for (let from = start >>> 2, last = (end + 3) >>> 2; from < last; from++) slabWords[to++] = words[from]!
  } else {
    copy.set(bytes.subarray(start, end))
  }
  return copy
}
