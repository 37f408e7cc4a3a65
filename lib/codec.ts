// Codecs: how values become the bytes of a message, and how they are named, so that both sides use the same one. The ones that come
// with Sabway are not imported here: they are five times the size of all else, and a page that sends bytes need not load them.
import { isUint8Array } from './brand.js'
import { decoding, encoding, type Format } from './codec-format.js'
import { copyIn } from './copy.js'
import { SabwayError } from './errors.js'
import type { ChannelPort, PortChannel } from './port.js'
import type { Region } from './region.js'
import { shown } from './shown.js'

export type { Format, PortsIn, PortsOut } from './codec-format.js'

/** A codec of your own. Both sides give one of the same name. */
export interface Codec<T = unknown> {
  readonly name: string
  encode(value: T): Uint8Array
  /** The bytes are in place: what is to be kept must be copied. */
  decode(message: Uint8Array): T
}

/**
 * `structured`: what a structured clone can carry, by V8's serializer in Node, as MessagePack in Electron, pages and where there is no serializer.
 * `v8`, `msgpack`: that one, wherever it is made. `bytes`: no codec.
 */
export type CodecName = 'bytes' | 'structured' | 'v8' | 'msgpack'

/** What `loadCodecs` provides: the codecs that come with Sabway, and the port that speaks them. */
export interface Codecs {
  /** Errors: ERR_SABWAY_INVALID_ARGUMENT for a name that none of them has here. */
  named(name: string): Format
  port(channel: PortChannel): ChannelPort
}

let provided: Codecs | null = null

export function provideCodecs(codecs: Codecs): void {
  provided = codecs
}

/** The codecs that come with Sabway, for `what`. Errors: ERR_SABWAY_NO_CODECS, where only sabway/bytes was loaded. */
export function codecsFor(what: string): Codecs {
  if (provided !== null) return provided
  throw new SabwayError(
    'ERR_SABWAY_NO_CODECS',
    `${what} is not in 'sabway/bytes'; import 'sabway' in this thread, in its place or beside it`,
  )
}

/**
 * The format that a `codec` option asks for; null for bytes. `shared` is the name that came with the handle; beside one,
 * 'structured' asks for the one that the maker of the channel had for it.
 */
export function formatOf(codec: CodecName | Codec<never> | undefined, shared?: string): Format | null {
  const agreed = codec === 'structured' && (shared === 'v8' || shared === 'msgpack') ? shared : codec
  const asked = agreed ?? shared ?? 'bytes'
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
  return codecsFor(`codec ${shown(name)}`).named(name)
}

function ownFormat(codec: Codec<never>): Format {
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function' || typeof codec.name !== 'string') {
    throw new SabwayError('ERR_SABWAY_INVALID_TYPE', 'a codec is a name, or { name, encode, decode }')
  }
  return {
    name: `own:${codec.name}`,
    id: 0,
    encode(value) {
      const bytes: unknown = encoding(() => codec.encode(value as never))
      if (!isUint8Array(bytes))
        throw new SabwayError('ERR_SABWAY_NOT_ENCODABLE', `encode of codec '${codec.name}' gave no Uint8Array`)
      return [bytes]
    },
    decode: (message) => decoding(() => codec.decode(message)),
  }
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
