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
  encode(value: unknown, ports?: PortsOut): readonly Uint8Array[]
  /** Errors: ERR_SABWAY_NOT_DECODABLE. */
  decode(message: Uint8Array, ports?: PortsIn): unknown
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
