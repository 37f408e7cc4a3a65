// What managers send each other.
//
//   hello      | 1 | version | flags | 0 | largest message, u32 | data in a slot, u32 |
//   messages   | 2 | flags | 0 | 0 |, then for each: | channel, 8 bits; length, 24 bits | data |
//   fragment   | 3 | channel | flags | 0 | id, u32 | total, u32 | index, u16 | count, u16 | data |
//
// Numbers are little-endian. Flags of messages and fragments: 1: they were sent as reliable. The
// fragments of a message are all as long as total / count, rounded up, and the last one has the
// rest. The flag of a hello, 1: it answers one that came again, of a peer that has begun anew.
// Everything of a peer's is checked here: a frame that is not like this is malformed, whole.

export const VERSION = 1
export const HELLO = 1
export const MESSAGES = 2
export const FRAGMENT = 3

export const HELLO_BYTES = 12
export const FRAME_HEAD = 4
export const RECORD_HEAD = 4
export const FRAGMENT_HEAD = 16
/** The least data of all fragments but the last: a peer must not make many of a short message. */
export const FRAGMENT_LEAST = 128
export const CHANNELS = 64
export const RELIABLE = 1
const ANSWER = 1

const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8)
const u24 = (bytes: Uint8Array, at: number): number => u16(bytes, at) | (bytes[at + 2]! << 16)
const u32 = (bytes: Uint8Array, at: number): number => (u24(bytes, at) | (bytes[at + 3]! << 24)) >>> 0

function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

/** What a peer says of itself first. */
export interface Hello {
  /** The most bytes of a message that it puts together of fragments; 0: it does not. */
  largest: number
  /** The most bytes of a message that fits a slot of its queues. */
  slotData: number
  /** It is an answer to one that came again, and wants none. */
  isAnswer: boolean
}

export function encodeHello({ largest, slotData, isAnswer }: Hello): Uint8Array {
  const bytes = new Uint8Array(HELLO_BYTES)
  bytes[0] = HELLO
  bytes[1] = VERSION
  bytes[2] = isAnswer ? ANSWER : 0
  put32(bytes, 4, largest)
  put32(bytes, 8, slotData)
  return bytes
}

/** A later version says more behind that; undefined: it is malformed. */
export function decodeHello(bytes: Uint8Array): Hello | undefined {
  if (bytes.length < HELLO_BYTES || bytes[1]! < VERSION) return undefined
  return { largest: u32(bytes, 4), slotData: u32(bytes, 8), isAnswer: (bytes[2]! & ANSWER) !== 0 }
}

/** Told of each message of a frame, by its place in it. */
export type OnRecord = (channel: number, reliable: boolean, start: number, end: number) => void

/** False: it is malformed, and `tell` was not called. */
export function decodeMessages(bytes: Uint8Array, tell: OnRecord): boolean {
  let at = FRAME_HEAD
  while (at + RECORD_HEAD <= bytes.length) {
    if (bytes[at]! >= CHANNELS) return false
    at += RECORD_HEAD + u24(bytes, at + 1)
  }
  if (at !== bytes.length || at === FRAME_HEAD) return false
  const reliable = (bytes[1]! & RELIABLE) !== 0
  for (at = FRAME_HEAD; at < bytes.length; ) {
    const channel = bytes[at]!
    const start = at + RECORD_HEAD
    at = start + u24(bytes, at + 1)
    tell(channel, reliable, start, at)
  }
  return true
}

export interface Fragment {
  readonly channel: number
  readonly reliable: boolean
  readonly id: number
  readonly total: number
  readonly index: number
  readonly count: number
  /** Where its data begin in the message. */
  readonly at: number
  readonly data: Uint8Array
}

/** Undefined: it is malformed. */
export function decodeFragment(bytes: Uint8Array): Fragment | undefined {
  if (bytes.length <= FRAGMENT_HEAD || bytes[1]! >= CHANNELS) return undefined
  const total = u32(bytes, 8)
  const index = u16(bytes, 12)
  const count = u16(bytes, 14)
  const each = Math.ceil(total / count)
  if (count < 2 || index >= count || each < FRAGMENT_LEAST) return undefined
  const at = index * each
  const data = bytes.subarray(FRAGMENT_HEAD)
  if (at >= total || data.length !== Math.min(each, total - at)) return undefined
  return {
    channel: bytes[1]!,
    reliable: (bytes[2]! & RELIABLE) !== 0,
    id: u32(bytes, 4),
    total,
    index,
    count,
    at,
    data,
  }
}

/** The message in pieces of at most `most` bytes, one after the other in the same memory. */
export function* encodeFragments(
  channel: number,
  reliable: boolean,
  id: number,
  data: Uint8Array,
  most: number,
): Generator<Uint8Array> {
  const total = data.length
  const each = Math.ceil(total / Math.max(Math.ceil(total / (most - FRAGMENT_HEAD)), 2))
  const count = Math.ceil(total / each)
  const frame = new Uint8Array(FRAGMENT_HEAD + each)
  frame[0] = FRAGMENT
  frame[1] = channel
  frame[2] = reliable ? RELIABLE : 0
  put32(frame, 4, id)
  put32(frame, 8, total)
  frame[14] = count
  frame[15] = count >>> 8
  for (let index = 0, at = 0; at < total; index++, at += each) {
    const part = data.subarray(at, at + each)
    frame[12] = index
    frame[13] = index >>> 8
    frame.set(part, FRAGMENT_HEAD)
    yield frame.subarray(0, FRAGMENT_HEAD + part.length)
  }
}

/** Does a message of that length fit a frame of its own? */
export const fitsFrame = (length: number, frameBytes: number): boolean =>
  FRAME_HEAD + RECORD_HEAD + length <= frameBytes

/** Messages that become one frame. */
export class Batch {
  readonly #bytes: Uint8Array
  readonly #several: number
  #length = FRAME_HEAD
  /** Messages in it, and bytes of their data. */
  count = 0
  dataBytes = 0

  /** Of at most `most` bytes, and with several messages `several`. */
  constructor(most: number, several: number, reliable: boolean) {
    this.#bytes = new Uint8Array(most)
    this.#several = several
    this.#bytes[0] = MESSAGES
    this.#bytes[1] = reliable ? RELIABLE : 0
  }

  /** Is there room for a message of that length? */
  hasRoom(length: number): boolean {
    return this.#length + RECORD_HEAD + length <= (this.count === 0 ? this.#bytes.length : this.#several)
  }

  add(channel: number, data: Uint8Array): void {
    const at = this.#length
    put32(this.#bytes, at, channel | (data.length << 8))
    this.#bytes.set(data, at + RECORD_HEAD)
    this.#length = at + RECORD_HEAD + data.length
    this.count++
    this.dataBytes += data.length
  }

  /** The frame, until the next `clear`. */
  get frame(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = FRAME_HEAD
    this.count = 0
    this.dataBytes = 0
  }
}
