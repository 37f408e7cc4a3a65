// What codecs that wrap another one share: the wrapped one as a format, and the bytes that it
// makes.
import { copyOf, isSharedArrayBuffer, isUint8Array, lengthOf, plain } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { type Codec, type CodecName, formatOf, together } from './codec.js'
import type { Format } from './format.js'

/** What may be wrapped. */
export type Wrapped<T> = CodecName | Codec<T>

/** For 'bytes': what is sent is what is wrapped. */
const bytesFormat: Format = {
  name: 'bytes',
  id: 0,
  takes: 'text',
  encode(value) {
    if (isUint8Array(value)) return [plain(value, check.message(value))]
    throw new SabwayError(
      'ERR_SABWAY_NOT_ENCODABLE',
      `the codec 'bytes' is for a Uint8Array, got ${check.shown(value)}; for other values wrap 'structured'`,
    )
  },
  decode: (message) => copyOf(message, message.length),
}

/** Errors: as formatOf. */
export const wrappedFormat = (codec: unknown): Format => formatOf(codec ?? 'structured') ?? bytesFormat

/** The name of what wraps that format. Errors: ERR_SABWAY_INVALID_ARGUMENT: it is too long. */
export const wrapperName = (wrapper: string, { name }: Format): string =>
  check.text(
    `${wrapper}(${name.startsWith('own:') ? name.slice('own:'.length) : name})`,
    'codec.name',
    check.LONGEST_CODEC_NAME,
  )

/**
 * The bytes of the value, in memory that no other thread changes meanwhile. Errors: as
 * Format.encode.
 */
export function bytesOf(format: Format, value: unknown, place: string | undefined): Uint8Array {
  const bytes = together(format.encode(value, undefined, place))
  return isSharedArrayBuffer(bytes.buffer) ? copyOf(bytes, lengthOf(bytes)) : plain(bytes)
}

/** Is it what the format makes of the value? */
export function isSame(format: Format, bytes: Uint8Array, value: unknown, place: string | undefined): boolean {
  if (format.same !== undefined) return format.same(bytes, value, place)
  const expected = bytesOf(format, value, place)
  return expected.length === bytes.length && expected.every((byte, i) => byte === bytes[i])
}
