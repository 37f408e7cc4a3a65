// What a codec is inside this library, and what becomes of what one throws.
import { SabwayError } from '../base/errors.js'
import { reason } from '../base/shown.js'

/** How a format writes a MessagePort that travels along: by number. */
export interface PortsOut {
  /** Errors: ERR_SABWAY_NOT_ENCODABLE for one that is not transferred. */
  numberOf(port: MessagePort): number
}
export interface PortsIn {
  portOf(number: number): MessagePort
}

/**
 * Which values a structure gives to its codec. 'objects': those that it has no way of its own for.
 * 'text': strings and byte arrays, too. 'all': numbers as well, and the codec is told the place of
 * each message, so that what it writes for one place is of no use in another.
 */
export type Takes = 'objects' | 'text' | 'all'

/**
 * A codec as this library uses it: it writes in parts, so that large arrays need not be copied
 * together.
 */
export interface Format {
  readonly name: string
  /** In frames that name their format; 0 for a codec of the user's own. */
  readonly id: number
  /**
   * The parts of a message, each of which starts at a multiple of 8 bytes. Errors:
   * ERR_SABWAY_NOT_ENCODABLE.
   */
  encode(value: unknown, ports?: PortsOut, place?: string): readonly Uint8Array[]
  /** Errors: ERR_SABWAY_NOT_DECODABLE. */
  decode(message: Uint8Array, ports?: PortsIn, place?: string): unknown
  /** 'objects' where it is not there. */
  readonly takes?: Takes
  /**
   * Is it a message of that value? Not there where one value has one message. Errors: as `decode`
   * and `encode`.
   */
  same?(message: Uint8Array, value: unknown, place?: string): boolean
}

/**
 * The format for a side of a channel: what the side `own` sends is of no use to a reader of what
 * `other` sends.
 */
export function between(format: Format | null, own: string, other: string): Format | null {
  if (format?.takes !== 'all') return format
  return {
    ...format,
    encode: (value) => format.encode(value, undefined, own),
    decode: (message) => format.decode(message, undefined, other),
  }
}

export const V8_ID = 1
export const MSGPACK_ID = 2
/** What V8's serializer writes first. */
export const V8_FIRST_BYTE = 0xff

/** What `act` throws becomes the cause of an ERR_SABWAY_NOT_ENCODABLE. */
export function encoding<T>(act: () => T): T {
  try {
    return act()
  } catch (cause) {
    if (cause instanceof SabwayError) throw cause
    throw new SabwayError('ERR_SABWAY_NOT_ENCODABLE', reason(cause), { cause })
  }
}

/** What `act` throws becomes the cause of an ERR_SABWAY_NOT_DECODABLE. */
export function decoding<T>(act: () => T): T {
  try {
    return act()
  } catch (cause) {
    if (cause instanceof SabwayError) throw cause
    throw new SabwayError('ERR_SABWAY_NOT_DECODABLE', reason(cause), { cause })
  }
}
