// Arguments are checked once, here, before anything is touched.

import { SW_RING_MAX, SW_RING_MIN } from '../generated/abi.js'
import { isAbortSignal, isGone, isUint8Array, lengthOf } from './brand.js'
import { type ErrorCode, SabwayError } from './errors.js'
import { Part } from './part.js'
import { shown } from './shown.js'

export { shown }

export function integer(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== 'number') {
    throw new SabwayError('ERR_SABWAY_INVALID_TYPE', `${name} must be a number, got ${shown(value)}`)
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new SabwayError(
      'ERR_SABWAY_OUT_OF_RANGE',
      `${name} must be an integer from ${least} to ${most}, got ${value}`,
    )
  }
  return value
}

export function number(value: unknown, name: string): number {
  return typeof value === 'number' ? value : refuse('ERR_SABWAY_INVALID_TYPE', `${name} must be a number`, value)
}

export function finite(value: unknown, name: string): number {
  number(value, name)
  if (Number.isFinite(value)) return value as number
  return refuse('ERR_SABWAY_OUT_OF_RANGE', `${name} must be a finite number`, value)
}

export function milliseconds(value: unknown, name: string): number {
  if (typeof value !== 'number') {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_TYPE',
      `${name} must be a number of milliseconds, at least 0, got ${shown(value)}`,
    )
  }
  if (!(value >= 0)) {
    throw new SabwayError(
      'ERR_SABWAY_OUT_OF_RANGE',
      `${name} must be a number of milliseconds, at least 0, got ${value}`,
    )
  }
  return value
}

export function flag(value: unknown, name: string): void {
  if (typeof value !== 'boolean') refuse('ERR_SABWAY_INVALID_TYPE', `${name} must be true or false`, value)
}

export function callback(value: unknown, name: string): void {
  if (typeof value !== 'function') {
    throw new SabwayError('ERR_SABWAY_INVALID_TYPE', `${name} must be a function, got ${shown(value)}`)
  }
}

/** `index` is the message's place in a list. */
export function bytes(value: unknown, index?: number): asserts value is Uint8Array {
  if (!isUint8Array(value)) notBytes(value, index)
}

/** Where in a list of messages, for the beginning of an error's text. */
export const placed = (index?: number): string => (index === undefined ? '' : `message ${index} of the list: `)

function notBytes(value: unknown, index?: number): never {
  const hint = ArrayBuffer.isView(value)
    ? '; wrap it: new Uint8Array(view.buffer, view.byteOffset, view.byteLength)'
    : ''
  throw new SabwayError(
    'ERR_SABWAY_INVALID_TYPE',
    `${placed(index)}a message must be a Uint8Array, got ${shown(value)}${hint}`,
  )
}

/**
 * The length of a message, which is read once and then counts: a view of memory that grows may be
 * longer a moment later.
 */
export function message(value: unknown, index?: number): number {
  bytes(value, index)
  const length = lengthOf(value)
  if (length === 0 && isGone(value)) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      `${placed(index)}the message has no memory any more: it was transferred, or its buffer was resized; send before that, or send a copy`,
    )
  }
  return length
}

export function oneOf<T extends string>(value: unknown, name: string, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T
  throw new SabwayError(
    'ERR_SABWAY_INVALID_ARGUMENT',
    `${name} must be one of ${choices.map(shown).join(', ')}, got ${shown(value)}`,
  )
}

export function abortSignal(value: unknown): void {
  if (value === undefined || isAbortSignal(value)) return
  throw new SabwayError('ERR_SABWAY_INVALID_TYPE', `signal must be an AbortSignal, got ${shown(value)}`)
}

/** Refuse, with what was expected and what there is. */
export function refuse(code: ErrorCode, expected: string, value: unknown): never {
  throw new SabwayError(code, `${expected}, got ${shown(value)}`)
}

/** A text of 1 to `most` characters, none of which is NUL, where C would take the text to end. */
export function text(value: unknown, name: string, most: number): string {
  if (typeof value !== 'string') refuse('ERR_SABWAY_INVALID_TYPE', `${name} must be a string`, value)
  if (value.length >= 1 && value.length <= most && !value.includes('\0')) return value
  return refuse('ERR_SABWAY_INVALID_ARGUMENT', `${name} must have 1 to ${most} characters and no NUL`, value)
}

/** How many of something, at most: an integer from 0, or Infinity. */
export function count(value: unknown, name: string): number {
  return value === Number.POSITIVE_INFINITY ? value : integer(value, name, 0, Number.MAX_SAFE_INTEGER)
}

/** An array of any realm. */
export function array(value: unknown, name: string): readonly unknown[] {
  if (isArray(value)) return value
  return refuse('ERR_SABWAY_INVALID_TYPE', `${name} must be an array`, value)
}

/** Array.isArray, which throws for a proxy that was revoked. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/**
 * What an object's own code throws while it is read becomes the cause of
 * ERR_SABWAY_INVALID_ARGUMENT.
 */
export function reading<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof SabwayError) throw cause
    throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', `reading ${what} threw; the cause says what`, { cause })
  }
}

/** Errors: ERR_SABWAY_INVALID_TYPE; ERR_SABWAY_INVALID_ARGUMENT: its own code throws. */
function iterable(values: unknown, name: string): void {
  const isIterable = () => typeof (values as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === 'function'
  if (!reading(name, isIterable))
    refuse('ERR_SABWAY_INVALID_TYPE', `${name} must be iterable, such as an array`, values)
}

/** What the iterable gives. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT. */
export function list<T>(values: Iterable<T>, name: string): T[] {
  iterable(values, name)
  return reading(name, () => Array.from(values))
}

/**
 * How much of what the iterable gives `take` has taken, until it returns false. Errors: as `list`.
 */
export function taken<T>(values: Iterable<T>, name: string, take: (value: T) => boolean): number {
  iterable(values, name)
  return reading(name, () => {
    let count = 0
    for (const value of values) {
      if (!take(value)) break
      count++
    }
    return count
  })
}

/**
 * These properties of an object, each of them read once. Errors: ERR_SABWAY_INVALID_ARGUMENT when
 * one cannot be read.
 */
export function fields<Name extends string>(
  value: object,
  what: string,
  names: readonly Name[],
): { [name in Name]?: unknown } {
  const found: { [name in Name]?: unknown } = {}
  for (const name of names) {
    const field = reading(`${what}.${name}`, () => (value as Record<string, unknown>)[name])
    if (field !== undefined) found[name] = field
  }
  return found
}

/**
 * Is it an object as people write options, and not a Map, an AbortSignal, a channel or the like?
 */
const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && kindOf(value) === 'Object'

/**
 * The options of a call, each read once; undefined ones count as absent, and so does `undefined` in
 * their place. The values are for the caller to check. Errors: ERR_SABWAY_INVALID_TYPE for what is
 * no options object, ERR_SABWAY_INVALID_ARGUMENT for a name that is not known: it would be ignored.
 */
export function options<Options extends object>(
  value: Options | undefined,
  what: string,
  names: readonly (keyof Options & string)[],
): Partial<Options> {
  if (value === undefined) return {}
  if (!isPlain(value)) {
    refuse('ERR_SABWAY_INVALID_TYPE', `${what} must be an object such as { ${names.slice(0, 3).join(', ')} }`, value)
  }
  for (const name of reading(what, () => Object.keys(value))) {
    if (names.includes(name as keyof Options & string)) continue
    const unknown = fields(value, what, [name])[name]
    if (unknown !== undefined)
      throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', `${what}: ${unknownName(name, names)}`)
  }
  return fields(value, what, names) as Partial<Options>
}

/** Finds the name that an unknown one was meant to be: nearest.ts. */
export const nearestPart = new Part<{ nearest(name: string, names: readonly string[]): string | undefined }>()

function unknownName(name: string, names: readonly string[]): string {
  const nearest = nearestPart.loaded?.nearest(name, names)
  if (nearest !== undefined) return `unknown option ${shown(name)}; did you mean '${nearest}'?`
  return `unknown option ${shown(name)}; there ${names.length === 1 ? 'is' : 'are'} ${names.map(shown).join(', ')}`
}

/** How long a call waits, and what ends the waiting. */
export interface Patience {
  /** Milliseconds after which the call gives up. */
  timeout?: number
  signal?: AbortSignal
}

/** Errors: as `options`, ERR_SABWAY_INVALID_TYPE and ERR_SABWAY_OUT_OF_RANGE. */
export function patience(value: Patience | undefined, what: string): Patience {
  const found = options<Patience>(value, what, ['timeout', 'signal'])
  if (found.timeout !== undefined) milliseconds(found.timeout, 'timeout')
  abortSignal(found.signal)
  return found
}

export const LONGEST_CODEC_NAME = 100

/**
 * A codec's name, or a codec, whose parts are read once. Errors: ERR_SABWAY_INVALID_TYPE,
 * ERR_SABWAY_INVALID_ARGUMENT.
 */
export function codec<Codec extends object, Name extends string>(
  value: Codec | Name | undefined,
): Codec | Name | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string') return text(value, 'codec', LONGEST_CODEC_NAME) as Name
  const expected = 'a codec is a name, or { name, encode, decode }'
  if (typeof value !== 'object' || value === null) refuse('ERR_SABWAY_INVALID_TYPE', expected, value)
  const { name, encode, decode, takes, same } = fields(value, 'codec', ['name', 'encode', 'decode', 'takes', 'same'])
  if (typeof encode !== 'function' || typeof decode !== 'function') refuse('ERR_SABWAY_INVALID_TYPE', expected, value)
  return {
    name: text(name, 'codec.name', LONGEST_CODEC_NAME),
    encode: (...args: unknown[]) => encode.apply(value, args),
    decode: (...args: unknown[]) => decode.apply(value, args),
    takes,
    same: typeof same === 'function' ? (...args: unknown[]) => same.apply(value, args) : same,
  } as object as Codec
}

/** How large a ring is to be. */
export const ringBytes = (value: unknown, name: string): number => integer(value, name, SW_RING_MIN, SW_RING_MAX)

/** The name of its class, for hints in error texts only: any object can pretend to be of any. */
export function kindOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value).slice(8, -1)
  } catch {
    return ''
  }
}
