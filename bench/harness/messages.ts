// What is sent, and how a receiver shows that it has really seen it. Every benchmark sends the same
// messages and does the same work for each one it receives.

export const SIZES = [16, 64, 256, 4096, 65_536, 1_048_576] as const

/** What a receiver saw. */
export interface Check {
  count: number
  /** Of the messages' first words, in the order of arrival. */
  hash: number
  /** Of all words of all messages; 0 where a receiver reads only the first. */
  sum: number
}

/** How many different messages are sent in turn: as many as stay in a core's own cache. */
const distinct = (size: number) => Math.min(64, Math.max(2, 262_144 / size))

/**
 * The messages, `lead` bytes behind an 8-byte boundary; each in a buffer of its own, because
 * postMessage copies whole buffers.
 */
export function makeMessages(size: number, lead = 0): Uint8Array[] {
  return Array.from({ length: distinct(size) }, (_, number) => {
    const message = new Uint8Array(new ArrayBuffer(size + 8), lead, size)
    for (let i = 0; i < size; i++) message[i] = number * 37 + i * 11 + (i >>> 8)
    return lead === 0 ? new Uint8Array(message.slice().buffer) : message
  })
}

/** The same messages again and again: a batch of about 64 KiB. */
export function makeBatch(messages: Uint8Array[]): Uint8Array[] {
  const length = Math.min(512, Math.max(messages.length, 65_536 / messages[0]!.length))
  return Array.from({ length }, (_, i) => messages[i % messages.length]!)
}

export function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

export const mix = (hash: number, word: number) => (Math.imul(hash, 31) + word) | 0

/** Reads all bytes, four at a time: the same loop for every benchmark that reads all. */
export function sumWords(words: Int32Array, from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i++) sum = (sum + words[i]!) | 0
  return sum
}

export function expected(messages: Uint8Array[], count: number): Check {
  const words = messages.map((message) => wordAt(message, 0))
  const sums = messages.map((message) => sumWords(new Int32Array(message.slice().buffer), 0, message.length / 4))
  let hash = 0
  let sum = 0
  for (let i = 0, k = 0; i < count; i++) {
    hash = mix(hash, words[k]!)
    sum = (sum + sums[k]!) | 0
    if (++k === words.length) k = 0
  }
  return { count, hash, sum }
}

/** Throws unless `seen` is what `count` of the messages make. */
export function verify(seen: Check, messages: Uint8Array[], count: number): void {
  const wanted = expected(messages, count)
  if (seen.count === count && seen.hash === wanted.hash && (seen.sum === 0 || seen.sum === wanted.sum)) return
  throw new Error(`received ${JSON.stringify(seen)}, sent ${JSON.stringify(wanted)}`)
}

export const STALLED_MS = 60_000

/** For loops that spin: an error in place of a hang when the other side has gone. */
export class Watchdog {
  private checks = 0
  private readonly deadline = performance.now() + STALLED_MS

  check(): void {
    if ((++this.checks & 0xfffff) === 0 && performance.now() > this.deadline)
      throw new Error('the other side has stalled')
  }
}

/** Long enough for both event loops to be asleep when a round trip begins. */
export const pause = () => new Promise((resolve) => setTimeout(resolve, 1))

export const label = (size: number) =>
  size < 1024 ? `${size} B` : size < 1 << 20 ? `${size >> 10} KiB` : `${size >> 20} MiB`
