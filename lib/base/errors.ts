import {
  type ADDON_ERRORS,
  type CODEC_ERRORS,
  ERRORS,
  type OBJECT_ERRORS,
  type PEER_ERRORS,
  type WRAPPER_ERRORS,
} from '../generated/abi.js'
import { isError, isTrap } from './brand.js'
import { shown } from './shown.js'

/** Every `code` a Sabway error can have; the table itself is native/include/sabway/error.h. */
export type ErrorCode =
  | keyof typeof ERRORS
  | keyof typeof ADDON_ERRORS
  | keyof typeof OBJECT_ERRORS
  | keyof typeof CODEC_ERRORS
  | keyof typeof WRAPPER_ERRORS
  | keyof typeof PEER_ERRORS

interface Known {
  readonly number: number
  readonly text: string
}

let known: Readonly<Record<string, Known>> = ERRORS

/**
 * Let there be errors with these codes, too: those that only the addon, a heap or a codec finds.
 */
export function provideErrors(more: Readonly<Record<string, Known>>): void {
  known = { ...known, ...more }
}

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(known, code)

/** What stands in front of the detail, in the message of every error with this code. */
const sentence = (code: ErrorCode): string => `${known[code]!.text}: `

/**
 * What Sabway throws: `code` is stable, the message says what was wrong, what was expected and what
 * to do.
 */
export class SabwayError extends Error {
  readonly code: ErrorCode
  /** The C core's number for the same error. */
  readonly errno: number

  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    if (!isCode(code)) {
      throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', `code must be one of ErrorCode, got ${shown(code)}`)
    }
    if (typeof detail !== 'string') {
      throw new SabwayError('ERR_SABWAY_INVALID_TYPE', `detail must be a string, got ${shown(detail)}`)
    }
    super(sentence(code) + detail, causeOf(options))
    this.name = 'SabwayError'
    this.code = code
    this.errno = known[code]!.number
  }
}

/** Errors: ERR_SABWAY_INVALID_TYPE for what is no object with a cause that can be read. */
function causeOf(options: ErrorOptions | undefined): ErrorOptions | undefined {
  if (options === undefined) return undefined
  try {
    if (typeof options === 'object' && options !== null) return 'cause' in options ? { cause: options.cause } : {}
  } catch {
    // A getter or a proxy threw.
  }
  throw new SabwayError('ERR_SABWAY_INVALID_TYPE', `options must be { cause }, got ${shown(options)}`)
}

/** Why something is over. */
export interface Ending {
  readonly error: SabwayError
}

/**
 * Makes the error when it is asked for: mostly it is not, and its stack costs more than the rest.
 */
export class LazyEnding implements Ending {
  readonly #code: ErrorCode
  readonly #detail: string
  #error: SabwayError | undefined

  constructor(code: ErrorCode, detail: string) {
    this.#code = code
    this.#detail = detail
  }

  get error(): SabwayError {
    this.#error ??= new SabwayError(this.#code, this.#detail)
    return this.#error
  }
}

/** The error for a number that the core returned. */
export function coreError(status: number, detail: string): SabwayError {
  if (status === ERRORS.ERR_SABWAY_REPLACED.number) return replaced()
  const code = Object.keys(known).find((each) => known[each]!.number === status) as ErrorCode | undefined
  return new SabwayError(code ?? 'ERR_SABWAY_INVALID_STATE', detail)
}

/** Another thread has taken this thread's role. */
export const replaced = (): SabwayError =>
  new SabwayError(
    'ERR_SABWAY_REPLACED',
    'it attached with { replace: true }, or this thread was taken for dead; nothing more can be done here, attach again to go on',
  )

/**
 * What the core threw. As WebAssembly it can only trap, and only when its own block, which lies in
 * the region too, no longer holds what it put there. As native code it throws the addon's errors.
 * Anything else is not about the core.
 */
export function asCorruptError(error: unknown): unknown {
  return isTrap(error) ? overwritten(error) : adopt(error)
}

export function overwritten(cause?: unknown): SabwayError {
  return new SabwayError('ERR_SABWAY_CORRUPT', "this thread's own part of the region was overwritten", { cause })
}

/**
 * The part of an error's message that its code does not tell. Errors may come from another copy of
 * this library.
 */
export function detailOf({ code, message }: { code: ErrorCode; message: string }): string {
  const front = sentence(code)
  return message.startsWith(front) ? message.slice(front.length) : message
}

/**
 * Does the error have a code of Sabway's? Any copy of this library, or the addon, may have made it.
 */
export const isOurs = (error: unknown): error is { code: ErrorCode; message: string } =>
  isError(error) && isCode((error as { code?: unknown }).code)

/**
 * A SabwayError with words in front of its detail, such as the place in a list. Any other value is
 * returned as it is.
 */
export function inFront(words: string, error: unknown): unknown {
  if (!(error instanceof SabwayError)) return error
  return new SabwayError(error.code, words + detailOf(error), { cause: error.cause })
}

/** The most characters of a text from the addon, which may quote a path or a plugin. */
const MOST = 300

/** A long text's beginning and end: the end has the system's reason. */
function middleLeftOut(text: string): string {
  return text.length <= MOST ? text : `${text.slice(0, 100)} ... ${text.slice(-180)}`
}

/**
 * An error of the addon, or of another copy of this library, has a code and a message, but is not
 * of this copy's class: make a SabwayError of it.
 */
export function adopt(error: unknown): unknown {
  if (error instanceof SabwayError || !isOurs(error)) return error
  return new SabwayError(error.code, middleLeftOut(detailOf(error)), { cause: error })
}

/** Call the addon: what it throws becomes ours. */
export function adopting<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw adopt(error)
  }
}
