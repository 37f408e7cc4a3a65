// How bytes get into and out of a region: the one place that knows what V8 is fast and slow at.
//
// Measured on Node 20 to 26 (docs/benchmarks.md): up to 32 bytes a loop over words wins; then
// TypedArray.set, which to and from shared memory moves 8 bytes at a time only where source and
// target agree modulo 8, and is 5 times slower where they do not; from some size on the addon's
// memcpy, which pays a call and then does not care.
//
// A message is of whatever class its sender likes, and its memory may grow while it is copied. So
// nothing here calls a method of it or asks it for its length: the caller has read the length once,
// and no more than that is copied.
import type { RegionBinding } from './addon.js'
import { byteOffsetOf, mayGrow, plain } from './brand.js'

const WORDS_IN_UP_TO = 16
const WORDS_BOUNDED_UP_TO = 32
/**
 * V8 keeps arrays up to this size on its heap, and makes a buffer for one when the buffer is first
 * asked for: slowly.
 */
const ON_HEAP_UP_TO = 64
const NATIVE_FROM = 4096
export const NATIVE_FROM_MISALIGNED = 256

/**
 * Where the payload should start behind an 8-byte boundary, so that a copy without the addon finds
 * both sides alike.
 */
export function lead(message: Uint8Array, length: number, binding: RegionBinding | null): number {
  return length >= NATIVE_FROM_MISALIGNED && binding?.copyIn === undefined ? byteOffsetOf(message) & 7 : 0
}

/**
 * Views from a region's first byte to the end of each of its up to 1024 parts, made when they are
 * first needed. What is set into one ends there at the latest.
 */
export class Windows {
  readonly #bytes: Uint8Array
  readonly #shift: number
  readonly #views: (Uint8Array | null)[]

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    let shift = 12
    while (bytes.length / 2 ** shift > 1024) shift++
    this.#shift = shift
    this.#views = new Array<Uint8Array | null>(Math.floor(bytes.length / 2 ** shift) + 1).fill(null)
  }

  /** The widest that ends at `end` or before it. */
  within(end: number): Uint8Array {
    const parts = end >>> this.#shift
    return this.#views[parts] ?? this.#make(parts)
  }

  #make(parts: number): Uint8Array {
    const bytes = this.#bytes
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset, parts * 2 ** this.#shift)
    this.#views[parts] = view
    return view
  }
}

/**
 * As `copyIn`, where the memory from `at` to the end of `free`, a view from the same first byte,
 * may be written: what a message that has grown meanwhile writes too much ends there, and does no
 * harm, so the message need not be asked whether it may grow. `free` may also end before the
 * message does, or before `at`; then it is not used.
 */
export function copyInFree(
  free: Uint8Array,
  bytes: Uint8Array,
  at: number,
  message: Uint8Array,
  length: number,
  binding: RegionBinding | null,
  words: Int32Array,
): void {
  if (length <= WORDS_IN_UP_TO) {
    copyWords(bytes, at, message, length, words)
    return
  }
  if (at + length <= free.length && isSet(at, message, length, binding)) {
    try {
      free.set(message, at)
      return
    } catch {
      // It has grown beyond what is free.
    }
  }
  copyIn(bytes, at, message, length, binding, words)
}

function copyWords(bytes: Uint8Array, at: number, message: Uint8Array, length: number, words: Int32Array): void {
  const whole = length & ~3
  let i = 0
  for (let word = at >>> 2; i < whole; i += 4) {
    words[word++] = message[i]! | (message[i + 1]! << 8) | (message[i + 2]! << 16) | (message[i + 3]! << 24)
  }
  for (; i < length; i++) bytes[at + i] = message[i]!
}

/** Is TypedArray.set the best way for a message that is not small? */
const isSet = (at: number, message: Uint8Array, length: number, binding: RegionBinding | null): boolean =>
  length < NATIVE_FROM_MISALIGNED ||
  binding?.copyIn === undefined ||
  (length < NATIVE_FROM && ((byteOffsetOf(message) ^ at) & 7) === 0)

/**
 * Small payloads must go to a multiple of 4, as `lead` has it; `words` are the same memory as
 * `bytes`.
 */
export function copyIn(
  bytes: Uint8Array,
  at: number,
  message: Uint8Array,
  length: number,
  binding: RegionBinding | null,
  words: Int32Array,
): void {
  if (length <= WORDS_BOUNDED_UP_TO) {
    copyWords(bytes, at, message, length, words)
  } else if (length <= ON_HEAP_UP_TO) {
    copyByStage(bytes, at, message, length, words)
  } else if (isSet(at, message, length, binding)) {
    bytes.set(mayGrow(message) ? plain(message, length) : message, at)
  } else {
    binding!.copyIn!(at, message, length)
  }
}

const stage = new Uint8Array(ON_HEAP_UP_TO)
const stageWords = new Int32Array(stage.buffer)

/** By way of memory of this thread's own, where a message that has grown meanwhile does no harm. */
function copyByStage(bytes: Uint8Array, at: number, message: Uint8Array, length: number, words: Int32Array): void {
  try {
    stage.set(message)
  } catch {
    stage.set(plain(message, length)) // it has outgrown the stage
  }
  const whole = length >>> 2
  const word = at >>> 2
  let i = 0
  for (; i + 4 <= whole; i += 4) {
    words[word + i] = stageWords[i]!
    words[word + i + 1] = stageWords[i + 1]!
    words[word + i + 2] = stageWords[i + 2]!
    words[word + i + 3] = stageWords[i + 3]!
  }
  for (; i < whole; i++) words[word + i] = stageWords[i]!
  for (let i = length & ~3; i < length; i++) bytes[at + i] = stage[i]!
}

const WORDS_OUT_UP_TO = 24
const sliceOf = Uint8Array.prototype.slice as (this: Uint8Array, start: number, end: number) => Uint8Array<ArrayBuffer>

/**
 * A copy of the bytes from start to end, in an ArrayBuffer of its own. `words`, if there are any,
 * are the same memory, and faster for small copies.
 */
export function copyOut(bytes: Uint8Array, start: number, end: number, words?: Int32Array): Uint8Array<ArrayBuffer> {
  const length = end - start
  if (length <= WORDS_OUT_UP_TO && words !== undefined && (start & 3) === 0) {
    const copy = new Uint8Array(length)
    const whole = length & ~3
    let i = 0
    for (let from = start >>> 2; i < whole; i += 4) {
      const word = words[from++]!
      copy[i] = word
      copy[i + 1] = word >>> 8
      copy[i + 2] = word >>> 16
      copy[i + 3] = word >>> 24
    }
    for (; i < length; i++) copy[i] = bytes[start + i]!
    return copy
  }
  const misaligned = length >= NATIVE_FROM_MISALIGNED && ((bytes.byteOffset + start) & 7) !== 0
  if (length < UNINITIALISED_FROM && !misaligned) return sliceOf.call(bytes, start, end)
  const copy = new Uint8Array(uninitialised(length))
  if (misaligned) bounce(copy, bytes, start, end)
  else copy.set(bytes.subarray(start, end))
  return copy
}

const UNINITIALISED_FROM = 8192

/** Zeroing 64 KiB costs more than copying them. Only Node can leave it out. */
export function uninitialised(length: number): ArrayBuffer {
  return typeof Buffer === 'undefined' ? new ArrayBuffer(length) : Buffer.allocUnsafeSlow(length).buffer
}

const BOUNCE_BYTES = 1 << 14
let bouncing: ArrayBuffer | null = null

/**
 * From a start that is no multiple of 8, where a copy out of shared memory is slow: first to where
 * source and target agree, and from there, which is private memory, to the target.
 */
export function bounce(copy: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
  bouncing ??= new ArrayBuffer(BOUNCE_BYTES + 8)
  const shift = (bytes.byteOffset + start) & 7
  for (let from = start; from < end; from += BOUNCE_BYTES) {
    const part = new Uint8Array(bouncing, shift, Math.min(BOUNCE_BYTES, end - from))
    part.set(bytes.subarray(from, from + part.length))
    copy.set(part, from - start)
  }
}
