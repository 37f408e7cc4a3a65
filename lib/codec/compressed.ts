// A codec that compresses what another one makes.
//
//   u8 0x5a | u8 0 | u16 0 | u32 0      | the bytes as they are: they are few, or grow no smaller
//   u8 0x5a | u8 1 | u16 0 | u32 length | u32 CRC-32 of the bytes | DEFLATE
//
// A reader believes none of it: before memory is set aside, the length must be allowed, and no more
// than the bytes that are there can stand for; afterwards length and checksum must be right.
import { copyOf, lengthOf } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { reason } from '../base/shown.js'
import type { Codec } from './codec.js'
import { crc32, deflate, MOST_PER_BYTE } from './deflate.js'
import { bytesOf, isSame, type Wrapped, wrappedFormat, wrapperName } from './inner.js'
import type { Level } from './means.js'

export interface CompressionOptions {
  /** Bytes from which a message is compressed: 1024, where nothing else is said. */
  threshold?: number
  /** From 1, the fastest, which is the default, to 9, the smallest. */
  level?: Level
  /**
   * Bytes that a message may have before it is compressed, or when it is decompressed: 64 MiB,
   * where nothing else is said.
   */
  maxBytes?: number
}

const TAG = 0x5a
const STORED = 0
const DEFLATED = 1
/** Of a message that is stored; one that is compressed has four more, of a checksum. */
const HEAD = 8
const LARGEST = 2 ** 30

/**
 * The same values as messages that are compressed where that makes them smaller. Both sides wrap
 * the same codec; `threshold` and `level` may differ. Errors of it: ERR_SABWAY_INVALID_TYPE,
 * ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE; of `encode`: those of the wrapped codec,
 * ERR_SABWAY_NOT_ENCODABLE beyond `maxBytes`; of `decode`: ERR_SABWAY_NOT_COMPRESSED,
 * ERR_SABWAY_EXPANDS_TOO_MUCH, and those of the wrapped codec.
 */
export function compressed(codec: 'bytes', options?: CompressionOptions): Codec<Uint8Array>
export function compressed<T = unknown>(codec?: Wrapped<T>, options?: CompressionOptions): Codec<T>
export function compressed(codec?: unknown, options?: CompressionOptions): Codec<unknown> {
  const {
    threshold = 1024,
    level = 1,
    maxBytes = 2 ** 26,
  } = check.options(options, 'compression options', ['threshold', 'level', 'maxBytes'])
  check.count(threshold, 'threshold')
  check.integer(level, 'level', 1, 9)
  check.integer(maxBytes, 'maxBytes', 1, LARGEST)
  const format = wrappedFormat(codec)

  /** The bytes that a message stands for, in memory of their own. */
  function inside(message: Uint8Array): Uint8Array {
    const own = copyOf(message, lengthOf(message))
    if (own.length < HEAD) refuse('it is too short for one')
    const view = new DataView(own.buffer)
    const [kind, length] = [view.getUint8(1), view.getUint32(4, true)]
    if (view.getUint8(0) !== TAG || kind > DEFLATED || view.getUint16(2) !== 0)
      refuse('it does not begin like one; do both sides use the same codec?')
    if (kind === STORED) {
      if (length !== 0) refuse('it does not begin like one')
      if (own.length - HEAD > maxBytes) tooMuch(own.length - HEAD, maxBytes)
      return own.subarray(HEAD)
    }
    if (own.length <= HEAD + 4) refuse('it is too short for one')
    if (length > maxBytes) tooMuch(length, maxBytes)
    const packed = own.subarray(HEAD + 4)
    if (length === 0 || length > packed.length * MOST_PER_BYTE) refuse('its length cannot be right')
    const bytes = inflated(packed, length)
    if (bytes.length !== length || crc32(bytes) !== view.getUint32(HEAD, true)) refuse('it was damaged')
    return bytes
  }

  return {
    name: wrapperName('compressed', format),
    takes: format.takes === 'all' ? 'all' : 'text',
    encode(value: unknown, place?: string) {
      const bytes = bytesOf(format, value, place)
      if (bytes.length > maxBytes)
        throw new SabwayError(
          'ERR_SABWAY_NOT_ENCODABLE',
          `it has ${bytes.length} bytes, and maxBytes of the compression is ${maxBytes}; set it higher on both sides`,
        )
      const packed = bytes.length < threshold || bytes.length === 0 ? bytes : deflate().deflate(bytes, level)
      return packed.length + 4 < bytes.length ? deflated(bytes, packed) : stored(bytes)
    },
    decode: (message, place) => format.decode(inside(message), undefined, place),
    same: (message, value, place) => isSame(format, inside(message), value, place),
  }
}

function stored(bytes: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEAD + bytes.length)
  message[0] = TAG
  message.set(bytes, HEAD)
  return message
}

function deflated(bytes: Uint8Array, packed: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEAD + 4 + packed.length)
  const view = new DataView(message.buffer)
  view.setUint8(0, TAG)
  view.setUint8(1, DEFLATED)
  view.setUint32(4, bytes.length, true)
  view.setUint32(HEAD, crc32(bytes), true)
  message.set(packed, HEAD + 4)
  return message
}

function inflated(packed: Uint8Array, length: number): Uint8Array {
  try {
    return deflate().inflate(packed, length)
  } catch (cause) {
    throw new SabwayError('ERR_SABWAY_NOT_COMPRESSED', `it was damaged: ${reason(cause)}`, { cause })
  }
}

function refuse(why: string): never {
  throw new SabwayError('ERR_SABWAY_NOT_COMPRESSED', why)
}

function tooMuch(length: number, most: number): never {
  throw new SabwayError(
    'ERR_SABWAY_EXPANDS_TOO_MUCH',
    `it stands for ${length} bytes, and maxBytes of the compression is ${most}; set it higher if the sender can be trusted`,
  )
}
