// Text in shared memory: as bytes of UTF-8, and half a surrogate pair as three bytes of its own
// (WTF-8), so that each text of JavaScript comes back as it was. Whatever bytes there are, some
// text is read: a peer may have written them.
//
// Short texts are read and written here, byte by byte; longer ones by the host where it has means
// for that, which an AudioWorklet has not.

/** Up to so many UTF-16 units a loop is faster than a call of TextEncoder. */
const ENCODED_HERE = 48
/** The same of bytes, and TextDecoder. */
const DECODED_HERE = 192
/** The same of bytes that are all ASCII, and Node's own slice. */
const ASCII_HERE = 8
/** Bytes that the language turns into text at a time, as arguments of one call. */
const ARGUMENTS = 4096
const REPLACEMENT = 0xfffd

interface WellFormed {
  /** Not in each host that Sabway runs in. */
  isWellFormed?(): boolean
}

type Slice = (this: Uint8Array, begin: number, end: number) => string

/** Node's, of bytes that are all ASCII: it copies them out of shared memory itself. */
const slice: Slice | undefined = (globalThis as { Buffer?: { prototype: { latin1Slice?: Slice } } }).Buffer?.prototype
  .latin1Slice
const encoder = typeof TextEncoder === 'undefined' ? undefined : new TextEncoder()
const decoder =
  typeof TextDecoder === 'undefined' ? undefined : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes of the text: at most three for each of its UTF-16 units. */
export function textBytes(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    bytes += unit < 0x800 || isPair(text, i) ? 1 : 2
    // of a pair, four for two units
    if (isPair(text, i)) {
      i++
      bytes++
    }
  }
  return bytes
}

/**
 * Write the text to `bytes[at]` and what follows, up to `end`. Returns the place behind it, or -1
 * when there is too little room; then part of it may have been written.
 */
export function writeText(bytes: Uint8Array, at: number, end: number, text: string): number {
  if (text.length > end - at) return -1
  if (text.length > ENCODED_HERE && encoder !== undefined && (text as WellFormed).isWellFormed?.() === true) {
    const written = encodeInto(encoder, bytes, at, end, text)
    if (written !== undefined) return written
  }
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) return writeRest(bytes, at + i, end, text, i)
    bytes[at + i] = unit
  }
  return at + text.length
}

/** The same from unit `i` on, which is no ASCII. */
function writeRest(bytes: Uint8Array, at: number, end: number, text: string, i: number): number {
  for (; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) {
      if (at >= end) return -1
      bytes[at++] = unit
    } else if (unit < 0x800) {
      if (at + 2 > end) return -1
      bytes[at++] = 0xc0 | (unit >> 6)
      bytes[at++] = 0x80 | (unit & 0x3f)
    } else if (isPair(text, i)) {
      if (at + 4 > end) return -1
      const point = 0x10000 + ((unit & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff)
      bytes[at++] = 0xf0 | (point >> 18)
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f)
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f)
      bytes[at++] = 0x80 | (point & 0x3f)
    } else {
      if (at + 3 > end) return -1
      bytes[at++] = 0xe0 | (unit >> 12)
      bytes[at++] = 0x80 | ((unit >> 6) & 0x3f)
      bytes[at++] = 0x80 | (unit & 0x3f)
    }
  }
  return at
}

const isPair = (text: string, i: number): boolean =>
  (text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00

/** Undefined: the host does not write to shared memory. */
function encodeInto(
  encoder: TextEncoder,
  bytes: Uint8Array,
  at: number,
  end: number,
  text: string,
): number | undefined {
  let done: { read?: number; written?: number }
  try {
    done = encoder.encodeInto(text, bytes.subarray(at, end))
  } catch {
    return undefined
  }
  return done.read === text.length ? at + done.written! : -1
}

/** The text of `length` bytes from `at` on. */
export function readText(bytes: Uint8Array, at: number, length: number): string {
  const end = at + length
  let i = at
  while (i < end && bytes[i]! < 0x80) i++
  if (i < end) return readUnicode(bytes, at, end)
  if (length <= ASCII_HERE) return readFew(bytes, at, end)
  if (slice !== undefined) return slice.call(bytes, at, end)
  return length > DECODED_HERE && decoder !== undefined
    ? decoder.decode(bytes.slice(at, end))
    : readUnits(bytes, at, end)
}

function readFew(bytes: Uint8Array, at: number, end: number): string {
  let text = ''
  for (; at + 4 <= end; at += 4) text += String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!)
  for (; at < end; at++) text += String.fromCharCode(bytes[at]!)
  return text
}

function readUnicode(bytes: Uint8Array, at: number, end: number): string {
  if (end - at > DECODED_HERE && decoder !== undefined) {
    try {
      // of a copy: pages refuse to decode shared memory, and no peer can write to it meanwhile
      return decoder.decode(bytes.slice(at, end))
    } catch {
      // Half a surrogate pair, or no text.
    }
  }
  return readUnits(bytes, at, end)
}

/** By the language alone. What is no text becomes U+FFFD, byte by byte. */
function readUnits(bytes: Uint8Array, at: number, end: number): string {
  let text = ''
  while (at < end) {
    const units: number[] = []
    while (at < end && units.length < ARGUMENTS) {
      const point = pointAt(bytes, at, end)
      if (point < 0) {
        units.push(REPLACEMENT)
        at++
      } else if (point < 0x10000) {
        units.push(point)
        at += point < 0x80 ? 1 : point < 0x800 ? 2 : 3
      } else {
        units.push(0xd800 | ((point - 0x10000) >> 10), 0xdc00 | (point & 0x3ff))
        at += 4
      }
    }
    text += String.fromCharCode.apply(null, units)
  }
  return text
}

/** The code point there, or half a surrogate pair; -1: neither. */
function pointAt(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!
  if (first < 0x80) return first
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (length === 0 || at + length > end) return -1
  let point = first & (0x7f >> length)
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i]!
    if ((next & 0xc0) !== 0x80) return -1
    point = (point << 6) | (next & 0x3f)
  }
  const least = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000
  return point < least || point > 0x10ffff ? -1 : point
}
