// Codecs: how values become the bytes of a message, and how they are named, so that both sides use the same one.
import { isUint8Array } from './brand.js'
import { copyIn } from './copy.js'
import { SabwayError } from './errors.js'
import type { Region } from './region.js'
import { reason } from './shown.js'

/** A codec of your own. Both sides give one of the same name. */
export interface Codec<T = unknown> {
  readonly name: string
  encode(value: T): Uint8Array
  /** The bytes are in place: what is to be kept must be copied. */
  decode(message: Uint8Array): T
}

/**
 * `structured`: what a structured clone can carry, by V8's serializer where there is one (Node, Electron), else as MessagePack.
 * `v8`, `msgpack`: that one, wherever it is made. `bytes`: no codec.
 */
export type CodecName = 'bytes' | 'structured' | 'v8' | 'msgpack'

/** How a format writes a MessagePort that travels along: by number. */
export interface PortsOut {
  /** Errors: ERR_SABWAY_NOT_ENCODABLE for one that is not transferred. */
  numberOf(port: MessagePort): number
}
export interface PortsIn {
  portOf(number: number): MessagePort
}

/** A codec as this library uses it: it writes in parts, so that large arrays need not be copied together. */
export interface Format {
  readonly name: string
  /** In frames that name their format. */
  readonly id: number
  /** The parts of a message, each of which starts at a multiple of 8 bytes. Errors: ERR_SABWAY_NOT_ENCODABLE. */
  encode(value: unknown, ports?: PortsOut): readonly Uint8Array[]
  /** Errors: ERR_SABWAY_NOT_DECODABLE. */
  decode(message: Uint8Array, ports?: PortsIn): unknown
}

export const V8_ID = 1
export const MSGPACK_ID = 2

const loaders = new Map<string, () => Format>()
const loaded = new Map<string, Format>()

/** An entry point says what it has; the first is what 'structured' means there. */
export function provideFormat(name: string, load: () => Format): void {
  loaders.set(name, load)
}

/** The format of that name. Errors: ERR_SABWAY_INVALID_ARGUMENT. */
export function formatNamed(name: string): Format {
  const known = name === 'structured' ? [...loaders.keys()][0] : name
  const load = loaders.get(known!)
  if (load === undefined) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      `codec '${name}' is not here; there are 'bytes', 'structured', ${[...loaders.keys()].map((each) => `'${each}'`).join(', ')}, and codecs of your own: { name, encode, decode }`,
    )
  }
  const format = loaded.get(known!) ?? load()
  loaded.set(known!, format)
  return format
}

/** The format with that number in frames. Errors: ERR_SABWAY_NOT_DECODABLE. */
export function formatWithId(id: number): Format {
  const name = id === V8_ID ? 'v8' : id === MSGPACK_ID ? 'msgpack' : undefined
  if (name === undefined || !loaders.has(name)) {
    throw new SabwayError(
      'ERR_SABWAY_NOT_DECODABLE',
      name === undefined
        ? `no codec has the number ${id}; is the other side a port of Sabway, too?`
        : `it was encoded with '${name}', which is not here; let both sides use the codec 'msgpack'`,
    )
  }
  return formatNamed(name)
}

/** The format that a `codec` option asks for; null for bytes. `shared` is the name that came with the handle. */
export function formatOf(codec: CodecName | Codec<never> | undefined, shared?: string): Format | null {
  const asked = codec ?? shared ?? 'bytes'
  const format = asked === 'bytes' ? null : typeof asked === 'string' ? shippedFormat(asked) : ownFormat(asked)
  const name = format?.name ?? 'bytes'
  if (shared !== undefined && name !== shared) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      `the channel was made with codec '${shared}', not '${name}'; both sides must use the same`,
    )
  }
  return format
}

function shippedFormat(name: string): Format {
  if (typeof name === 'string' && name.startsWith('own:')) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      `the channel was made with a codec named '${name.slice(4)}': give attach the same { codec }`,
    )
  }
  return formatNamed(name)
}

function ownFormat(codec: Codec<never>): Format {
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function' || typeof codec.name !== 'string') {
    throw new SabwayError('ERR_SABWAY_INVALID_TYPE', 'a codec is a name, or { name, encode, decode }')
  }
  return {
    name: `own:${codec.name}`,
    id: 0,
    encode(value) {
      const bytes: unknown = orNot('ENCODABLE', () => codec.encode(value as never))
      if (!isUint8Array(bytes))
        throw new SabwayError('ERR_SABWAY_NOT_ENCODABLE', `encode of codec '${codec.name}' gave no Uint8Array`)
      return [bytes]
    },
    decode: (message) => orNot('DECODABLE', () => codec.decode(message)),
  }
}

/** What `act` throws becomes the cause of an error of ours. */
export function orNot<T>(what: 'ENCODABLE' | 'DECODABLE', act: () => T): T {
  try {
    return act()
  } catch (cause) {
    if (cause instanceof SabwayError) throw cause
    throw new SabwayError(`ERR_SABWAY_NOT_${what}`, reason(cause), { cause })
  }
}

export const noPortsOut: PortsOut = {
  numberOf() {
    throw new SabwayError(
      'ERR_SABWAY_NOT_ENCODABLE',
      'a MessagePort travels only through channel.port(), and in the transfer list: postMessage(value, [port])',
    )
  },
}
export const noPortsIn: PortsIn = {
  portOf() {
    throw new SabwayError('ERR_SABWAY_NOT_DECODABLE', 'it names a MessagePort, which only channel.port() can receive')
  },
}

// ---- sending in parts ----

/** The next multiple of 8, of lengths beyond 32 bits too. */
const aligned = (length: number): number => length + (-length & 7)

export function lengthOf(parts: readonly Uint8Array[]): number {
  let length = 0
  for (const part of parts) length = aligned(length) + part.length
  return length
}

/** The message that the parts make. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!
  const whole = new Uint8Array(lengthOf(parts))
  let at = 0
  for (const part of parts) {
    whole.set(part, aligned(at))
    at = aligned(at) + part.length
  }
  return whole
}

interface Rooms {
  readonly region: Region
  reserve(length: number): Uint8Array | null
  commit(): void
}

/** Write the parts straight into the ring and send them as one message. False when there is no room now. */
export function sendParts(rooms: Rooms, parts: readonly Uint8Array[]): boolean {
  const room = rooms.reserve(lengthOf(parts))
  if (room === null) return false
  const { bytes, words, binding } = rooms.region
  let at = room.byteOffset
  for (const part of parts) {
    at = aligned(at)
    copyIn(bytes, at, part, part.length, binding, words)
    at += part.length
  }
  rooms.commit()
  return true
}
