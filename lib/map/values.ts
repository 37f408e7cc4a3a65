// Keys and values of maps as bytes in shared memory: see native/include/sabway/layout/map.h.
import { isUint8Array, lengthOf } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import type { Format, Takes } from '../codec/format.js'
import {
  SW_MAP_BIGINT,
  SW_MAP_BYTES,
  SW_MAP_CODED,
  SW_MAP_F64,
  SW_MAP_FALSE,
  SW_MAP_I64,
  SW_MAP_KEY_MOST,
  SW_MAP_NULL,
  SW_MAP_NUMBER,
  SW_MAP_STRING,
  SW_MAP_TRUE,
  SW_MAP_U32,
  SW_MAP_VIEW,
} from '../generated/abi.js'
import type { HeapMember } from '../heap/member.js'
import { readText, textBytes, writeText } from '../heap/text.js'
import { putView, takeView } from './views.js'

/** What a key of a map may be. */
export type MapKey = string | number | bigint | Uint8Array

/** The memory of a region, as numbers and bytes. */
export interface Views {
  readonly bytes: Uint8Array
  readonly doubles: Float64Array
  readonly integers: BigInt64Array
}

export const viewsOf = (bytes: Uint8Array): Views => ({
  bytes,
  doubles: new Float64Array(bytes.buffer),
  integers: new BigInt64Array(bytes.buffer),
})

/** Larger blocks are given back behind each use. */
const KEPT = 65536

/** Where a value is put. */
export interface ValuePlace {
  /** Of its first byte, a multiple of 8. */
  readonly at: number
  /** Bytes that there is room for. */
  readonly room: number
  /** Of what was put last. */
  length: number
  /** Have room for so many bytes. What is there is lost. */
  need(bytes: number): void
}

/** A place for a key or a value, in this thread's own memory of the region. */
export class Place implements ValuePlace {
  at: number
  room: number
  /** Of what was put last. */
  length = 0
  readonly #member: HeapMember
  readonly #own: number
  readonly #ownRoom: number
  /** The word that leads a search for lost blocks to a larger place. */
  readonly #word: number

  constructor(member: HeapMember, at: number, room: number, word: number) {
    this.#member = member
    this.#own = this.at = at
    this.#ownRoom = this.room = room
    this.#word = word >>> 2
  }

  /** Have room for so many bytes. Errors: as Heap.alloc. */
  need(bytes: number): void {
    if (bytes <= this.room && (this.room <= KEPT || bytes > KEPT)) return
    this.shrink()
    if (bytes <= this.room) return
    const room = bytes <= KEPT / 2 ? Math.max(256, 2 * bytes) : bytes + 8
    this.at = this.#member.allocate(room)
    this.room = room
    Atomics.store(this.#member.region.words, this.#word, this.at)
  }

  /** Have no block of the heap. */
  shrink(): void {
    if (this.at === this.#own) return
    Atomics.store(this.#member.region.words, this.#word, 0)
    this.#member.free(this.at)
    this.at = this.#own
    this.room = this.#ownRoom
  }
}

// ---- writing ----

/** Bytes of the least multiple of 8 that the integer fits into. */
function bigBytes(value: bigint): number {
  let bits = 64
  while (BigInt.asIntN(bits, value) !== value) bits *= 2
  // the exact size: halve the distance
  for (let step = bits / 2; step >= 64; step /= 2) {
    if (BigInt.asIntN(bits - step, value) === value) bits -= step
  }
  return bits / 8
}

function putBig(views: Views, place: ValuePlace, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) {
    views.integers[place.at >>> 3] = value
    place.length = 8
    return
  }
  const length = bigBytes(value)
  place.need(length)
  const first = place.at >>> 3
  let rest = value
  for (let i = 0; i < length / 8; i++) {
    views.integers[first + i] = BigInt.asIntN(64, rest)
    rest >>= 64n
  }
  place.length = length
}

function putText(views: Views, place: ValuePlace, text: string): void {
  let end = text.length <= place.room ? writeText(views.bytes, place.at, place.at + place.room, text) : -1
  if (end < 0) {
    place.need(textBytes(text))
    end = writeText(views.bytes, place.at, place.at + place.room, text)
  }
  place.length = end - place.at
}

function putBytes(views: Views, place: ValuePlace, bytes: Uint8Array): void {
  const length = lengthOf(bytes)
  place.need(length)
  views.bytes.set(bytes, place.at)
  place.length = length
}

/**
 * Put a key in its place. Returns its type. Errors: ERR_SABWAY_INVALID_TYPE,
 * ERR_SABWAY_OUT_OF_RANGE.
 */
export function putKey(views: Views, place: Place, key: unknown): number {
  if (typeof key === 'string') {
    if (key.length > SW_MAP_KEY_MOST) tooLong(key.length)
    putText(views, place, key)
    if (place.length > SW_MAP_KEY_MOST) tooLong(place.length)
    return SW_MAP_STRING
  }
  if (typeof key === 'number') {
    views.doubles[place.at >>> 3] = key
    place.length = 8
    return SW_MAP_NUMBER
  }
  if (typeof key === 'bigint') {
    putBig(views, place, key)
    if (place.length > SW_MAP_KEY_MOST) tooLong(place.length)
    return SW_MAP_BIGINT
  }
  if (!isUint8Array(key))
    return check.refuse('ERR_SABWAY_INVALID_TYPE', 'key must be a string, a number, a bigint or a Uint8Array', key)
  check.message(key)
  if (lengthOf(key) > SW_MAP_KEY_MOST) tooLong(lengthOf(key))
  putBytes(views, place, key)
  return SW_MAP_BYTES
}

function tooLong(length: number): never {
  throw new SabwayError(
    'ERR_SABWAY_OUT_OF_RANGE',
    `a key must have at most ${SW_MAP_KEY_MOST} bytes, this one has ${length}`,
  )
}

/** How the values of a map are put and taken. */
export interface ValueRules {
  /** SW_MAP_U32 and so on; 0: values of any type. */
  readonly numeric: number
  /** For what is no number, text and so on; null: there is none. */
  readonly format: Format | null
}

const MOST_U32 = 2 ** 32 - 1

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE. */
export function checkNumber(numeric: number, value: unknown, name: string): void {
  if (numeric === SW_MAP_U32) check.integer(value, name, 0, MOST_U32)
  if (numeric === SW_MAP_F64 && typeof value !== 'number')
    check.refuse('ERR_SABWAY_INVALID_TYPE', `${name} must be a number`, value)
  if (numeric !== SW_MAP_I64) return
  if (typeof value !== 'bigint') check.refuse('ERR_SABWAY_INVALID_TYPE', `${name} must be a bigint`, value)
  if (BigInt.asIntN(64, value) !== value)
    check.refuse('ERR_SABWAY_OUT_OF_RANGE', `${name} must be an integer from -2^63 to 2^63 - 1`, value)
}

/** Does the codec get this value, although there is another way for it? */
function isTaken(value: unknown, takes: Takes | undefined): boolean {
  if (takes === 'all') return true
  return takes === 'text' && (typeof value === 'string' || ArrayBuffer.isView(value))
}

/**
 * What a codec is told of a value's place: which key it belongs to. Undefined where the codec does
 * not ask.
 */
export const whereOf = (format: Format | null, key: unknown): string | undefined =>
  format?.takes !== 'all' ? undefined : isUint8Array(key) ? `bytes ${key.join()}` : `${typeof key} ${key}`

/**
 * Put a value in its place. `where`: as `whereOf`. Returns its type. Errors:
 * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE,
 * ERR_SABWAY_NOT_ENCODABLE, as Heap.alloc.
 */
export function putValue(
  views: Views,
  place: ValuePlace,
  value: unknown,
  { numeric, format }: ValueRules,
  where?: string,
): number {
  if (numeric !== 0) checkNumber(numeric, value, 'value')
  if (format !== null && value !== undefined && isTaken(value, format.takes))
    return putCoded(views, place, value, format, where)
  if (typeof value === 'number') {
    views.doubles[place.at >>> 3] = value
    place.length = 8
    return SW_MAP_NUMBER
  }
  if (typeof value === 'string') {
    putText(views, place, value)
    return SW_MAP_STRING
  }
  if (typeof value === 'boolean' || value === null) {
    place.length = 0
    return value === null ? SW_MAP_NULL : value ? SW_MAP_TRUE : SW_MAP_FALSE
  }
  if (typeof value === 'bigint') {
    putBig(views, place, value)
    return SW_MAP_BIGINT
  }
  if (isUint8Array(value)) {
    check.message(value)
    putBytes(views, place, value)
    return SW_MAP_BYTES
  }
  if (ArrayBuffer.isView(value)) {
    putView(views, place, value)
    return SW_MAP_VIEW
  }
  if (format === null || value === undefined) return refuse(value)
  return putCoded(views, place, value, format, where)
}

function putCoded(views: Views, place: ValuePlace, value: unknown, format: Format, where: string | undefined): number {
  const parts = format.encode(value, undefined, where)
  const length = parts.reduce((sum, part) => aligned(sum) + part.length, 0)
  place.need(length)
  let at = place.at
  for (const part of parts) {
    at = place.at + aligned(at - place.at)
    views.bytes.set(part, at)
    at += part.length
  }
  place.length = length
  return SW_MAP_CODED
}

const aligned = (length: number): number => length + (-length & 7)

function refuse(value: unknown): never {
  const hint =
    value === undefined ? '; delete(key) takes an entry away' : "; for others give the map a codec: 'structured'"
  return check.refuse(
    'ERR_SABWAY_INVALID_TYPE',
    `value must be a number, bigint, boolean, string, null, typed array or DataView${hint}`,
    value,
  )
}

// ---- reading ----

/**
 * The value of that type and so many bytes. `where`: as `whereOf`. Errors: ERR_SABWAY_CORRUPT,
 * ERR_SABWAY_NOT_DECODABLE, and those of the codec.
 */
export function takeValue(
  views: Views,
  at: number,
  length: number,
  type: number,
  format: Format | null,
  where?: string,
): unknown {
  if (format?.takes === 'all' && type !== SW_MAP_CODED) return notCoded()
  switch (type) {
    case SW_MAP_NUMBER:
      return views.doubles[at >>> 3]
    case SW_MAP_STRING:
      return readText(views.bytes, at, length)
    case SW_MAP_TRUE:
      return true
    case SW_MAP_FALSE:
      return false
    case SW_MAP_NULL:
      return null
    case SW_MAP_BIGINT:
      return takeBig(views, at, length)
    case SW_MAP_BYTES:
      return views.bytes.slice(at, at + length)
    case SW_MAP_VIEW:
      return takeView(views, at, length)
    case SW_MAP_CODED:
      if (format !== null) return format.decode(views.bytes.slice(at, at + length), undefined, where)
      throw new SabwayError(
        'ERR_SABWAY_NOT_DECODABLE',
        'the value was encoded by a codec; open the map with the { codec } that it was made with',
      )
    default:
      throw new SabwayError('ERR_SABWAY_CORRUPT', `an entry has a value of type ${type}`)
  }
}

/** A participant has put a value past the codec that all values go through. */
export function notCoded(): never {
  throw new SabwayError(
    'ERR_SABWAY_NOT_DECODABLE',
    'the value was put without the codec of the map, through which all of its values go',
  )
}

function takeBig(views: Views, at: number, length: number): bigint {
  const first = at >>> 3
  let value = views.integers[first + length / 8 - 1] ?? 0n
  for (let i = length / 8 - 2; i >= 0; i--) value = (value << 64n) | BigInt.asUintN(64, views.integers[first + i]!)
  return value
}

/** The key of that type. */
export const takeKey = (views: Views, at: number, length: number, type: number): unknown =>
  takeValue(views, at, length, type, null)
