// Arguments are checked once, here, before anything is touched.
import { isAbortSignal, isGone, isUint8Array, lengthOf, typedArrayName } from './brand.js'
import { SabwayError } from './errors.js'

/** What a value is, for an error's text: in at most 60 characters, and without calling any code of the value's own. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value.length <= SHOWN ? `'${value}'` : `a string of ${value.length} characters`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return shortened(`${value}n`)
  if (typeof value !== 'object' || value === null) return shortened(String(value))
  const name = typedArrayName(value)
  if (name !== undefined) return `a ${name} of ${lengthOf(value as Uint8Array)}`
  try {
    if (Array.isArray(value)) return `an array of ${value.length}`
    return `an object (${shortened(Object.prototype.toString.call(value).slice(8, -1))})`
  } catch {
    return 'an object that throws' // a proxy
  }
}

const SHOWN = 48

const shortened = (text: string): string => (text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}...`)

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

/** The length of a message, which is read once and then counts: a view of memory that grows may be longer a moment later. */
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

/** Shared memory leaves a page's thread only where the page is cross-origin isolated; without a page there is no such rule. */
export function isolated(): void {
  if ((globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false) return
  throw new SabwayError(
    'ERR_SABWAY_NOT_ISOLATED',
    'its memory cannot be posted; serve the page with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
  )
}

export function abortSignal(value: unknown): void {
  if (value === undefined || isAbortSignal(value)) return
  throw new SabwayError('ERR_SABWAY_INVALID_TYPE', `signal must be an AbortSignal, got ${shown(value)}`)
}
