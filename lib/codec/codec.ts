// Codecs: how values become the bytes of a message, and how they are named, so that both sides use
// the same one.
import type { RegionBinding } from '../base/addon.js'
import { copyOf, isUint8Array } from '../base/brand.js'
import * as check from '../base/check.js'
import { copyIn } from '../base/copy.js'
import { inFront, SabwayError } from '../base/errors.js'
import { shown } from '../base/shown.js'
import { decoding, encoding, type Format, MSGPACK_ID, type Takes, V8_ID } from './format.js'
import { msgpackFormat } from './msgpack.js'
import { v8Format } from './v8.js'

export type { Format, PortsIn, PortsOut, Takes } from './format.js'

/** A codec of your own. Both sides give one of the same name. */
export interface Codec<T = unknown> {
  readonly name: string
  /** `place` is there where the codec takes 'all'. */
  encode(value: T, place?: string): Uint8Array
  /** The bytes are in place: what is to be kept must be copied. */
  decode(message: Uint8Array, place?: string): T
  /**
   * Which values of a map and the like it gets. 'objects', the default: those that need a codec.
   * 'text': strings and byte arrays, too. 'all': numbers, booleans, bigints and null as well; then
   * `encode` and `decode` are told the message's place: the side of a channel that sends it, or the
   * key of a map.
   */
  readonly takes?: Takes
  /** Is it a message of that value? For a codec that makes more than one message of a value. */
  same?(message: Uint8Array, value: T, place?: string): boolean
}

/**
 * `structured`: what a structured clone can carry, by V8's serializer in Node, as MessagePack in
 * Electron, pages and where there is no serializer. `v8`, `msgpack`: that one, wherever it is made.
 * `bytes`: no codec.
 */
export type CodecName = 'bytes' | 'structured' | 'v8' | 'msgpack'

const NAMES = () => (v8Format() === null ? ['structured', 'msgpack'] : ['structured', 'v8', 'msgpack'])

/** Pages have no V8 serializer, and what main makes is often for them. */
const isElectron = (): boolean =>
  (globalThis as { process?: { versions?: { electron?: string } } }).process?.versions?.electron !== undefined

/**
 * The format of that name; 'structured' is the first that is here. Errors:
 * ERR_SABWAY_INVALID_ARGUMENT.
 */
export function formatNamed(name: string): Format {
  if (name === 'msgpack') return msgpackFormat
  if (name === 'structured') return (isElectron() ? null : v8Format()) ?? msgpackFormat
  const format = name === 'v8' ? v8Format() : null
  if (format) return format
  const remedy = name === 'v8' ? "; every host has 'msgpack': let both sides use it" : ''
  throw new SabwayError(
    'ERR_SABWAY_INVALID_ARGUMENT',
    `codec ${shown(name)} is not available here; available: 'bytes', ${NAMES().map(shown).join(', ')}, and codecs of your own: { name, encode, decode }${remedy}`,
  )
}

/** The format with that number in frames. Errors: ERR_SABWAY_NOT_DECODABLE. */
export function formatWithId(id: number): Format {
  if (id === MSGPACK_ID) return msgpackFormat
  const format = id === V8_ID ? v8Format() : undefined
  if (format) return format
  throw new SabwayError(
    'ERR_SABWAY_NOT_DECODABLE',
    format === undefined
      ? `no codec has the number ${id}; is the other side a port of Sabway, too?`
      : "it was encoded with 'v8', which is not available here; let both sides use the codec 'msgpack'",
  )
}

/**
 * The format that a `codec` option asks for; null for bytes. `shared` is the name that came with
 * the handle; beside one, 'structured' asks for the one that the maker of the channel had for it.
 * Errors: those of check.codec, ERR_SABWAY_INVALID_ARGUMENT.
 */
export function formatOf(option: unknown, shared?: string): Format | null {
  const codec = check.codec<Codec<never>, CodecName>(option as CodecName)
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

/** The name of the shipped codec with that id; undefined of one that a program has brought. */
export const nameOfFormat = (id: number): string | undefined =>
  id === V8_ID ? 'v8' : id === MSGPACK_ID ? 'msgpack' : undefined

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
  const { takes, same } = codec
  if (takes !== undefined) check.oneOf(takes, 'codec.takes', ['objects', 'text', 'all'])
  if (same !== undefined) check.callback(same, 'codec.same')
  const placed = (place: string | undefined): [] | [string] => (takes === 'all' ? [place ?? ''] : [])
  return {
    name: `own:${codec.name}`,
    id: 0,
    takes,
    encode(value, _ports, place) {
      const bytes: unknown = encoding(() => codec.encode(value as never, ...placed(place)))
      if (!isUint8Array(bytes))
        throw new SabwayError('ERR_SABWAY_NOT_ENCODABLE', `encode of codec '${codec.name}' gave no Uint8Array`)
      return [bytes]
    },
    decode: (message, _ports, place) => decoding(() => codec.decode(message, ...placed(place))),
    same: same && ((message, value, place) => decoding(() => same(message, value as never, ...placed(place)))),
  }
}

// ---- sending values ----

/** The next multiple of 8, of lengths beyond 32 bits too. */
const aligned = (length: number): number => length + (-length & 7)

function lengthOf(parts: readonly Uint8Array[]): number {
  let length = 0
  for (const part of parts) length = aligned(length) + part.length
  return length
}

/**
 * The message that the parts make. Errors: ERR_SABWAY_MESSAGE_TOO_LARGE, before they are copied
 * together.
 */
function joined(ring: Ring, parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length > 1) ring.mustFit(lengthOf(parts))
  return together(parts)
}

/** The bytes that the parts make; those of a single part are not copied. */
export function together(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!
  const whole = new Uint8Array(lengthOf(parts))
  let at = 0
  for (const part of parts) {
    whole.set(part, aligned(at))
    at = aligned(at) + part.length
  }
  return whole
}

/** The part of a channel's producer that a codec uses. */
interface Ring {
  readonly bytes: Uint8Array
  readonly words: Int32Array
  readonly binding: RegionBinding | null
  /** Where in `bytes` there is room, or 0. */
  reserve(length: number): number
  commit(): void
  mustFit(length: number): void
}

interface Queue {
  send(message: Uint8Array): boolean
}

/** The message of a value. */
export function encoded(ring: Ring, format: Format, value: unknown): Uint8Array {
  return joined(ring, format.encode(value))
}

/**
 * The messages of a list of values. A codec of the user's may use the same memory again and again:
 * its messages are copied.
 */
export function encodedList(ring: Ring, format: Format, list: readonly unknown[]): Uint8Array[] {
  const messages: Uint8Array[] = []
  for (let i = 0, count = list.length; i < count; i++) {
    try {
      const bytes = encoded(ring, format, list[i])
      messages.push(format.id === 0 ? copyOf(bytes, check.message(bytes)) : bytes)
    } catch (error) {
      throw inFront(check.placed(i), error)
    }
  }
  return messages
}

/**
 * Write the parts straight into the ring and send them as one message, or queue that when there is
 * no room now.
 */
export function sendParts(ring: Ring, queue: Queue, parts: readonly Uint8Array[]): boolean {
  let at = ring.reserve(lengthOf(parts))
  if (at === 0) return queue.send(joined(ring, parts))
  const { bytes, words, binding } = ring
  for (const part of parts) {
    at = aligned(at)
    copyIn(bytes, at, part, part.length, binding, words)
    at += part.length
  }
  ring.commit()
  return true
}
