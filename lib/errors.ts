import { isError, isTrap } from './brand.js'
import { ERRORS } from './generated/abi.js'
import { shown } from './shown.js'

/** Every `code` a Sabway error can have; the table itself is native/include/sabway/error.h. */
export type ErrorCode = keyof typeof ERRORS

/** What Sabway throws: `code` is stable, the message says what was wrong, what was expected and what to do. */
export class SabwayError extends Error {
  readonly code: ErrorCode
  /** The C core's number for the same error. */
  readonly errno: number

  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code)) {
      throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', `code must be one of ErrorCode, got ${shown(code)}`)
    }
    if (typeof detail !== 'string') {
      throw new SabwayError('ERR_SABWAY_INVALID_TYPE', `detail must be a string, got ${shown(detail)}`)
    }
    super(`${ERRORS[code].text}: ${detail}`, causeOf(options))
    this.name = 'SabwayError'
    this.code = code
    this.errno = ERRORS[code].number
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

const BY_NUMBER = new Map<number, ErrorCode>(
  Object.entries(ERRORS).map(([code, { number }]) => [number, code as ErrorCode]),
)

/** The error for a number that the core returned. */
export function coreError(status: number, detail: string): SabwayError {
  if (status === ERRORS.ERR_SABWAY_REPLACED.number) return replaced()
  return new SabwayError(BY_NUMBER.get(status) ?? 'ERR_SABWAY_INVALID_STATE', detail)
}

/** This thread's role is another's by now. */
export const replaced = (): SabwayError =>
  new SabwayError(
    'ERR_SABWAY_REPLACED',
    'it attached with { replace: true }, or this thread was taken for dead; nothing more can be done here, attach again to go on',
  )

/**
 * What the core threw. It can only trap, and only when its own block, which lies in the region too, no longer holds what it
 * put there. Anything else is not about the core.
 */
export function trapped(error: unknown): unknown {
  return isTrap(error) ? overwritten(error) : error
}

export function overwritten(cause?: unknown): SabwayError {
  return new SabwayError('ERR_SABWAY_CORRUPT', "this thread's own part of the region was overwritten", { cause })
}

/** The same error with words in front of its detail, such as the place in a list; what is not ours stays as it is. */
export function inFront(words: string, error: unknown): unknown {
  if (!(error instanceof SabwayError)) return error
  const { code, message, cause } = error
  return new SabwayError(code, words + message.slice(ERRORS[code].text.length + 2), { cause })
}

/** Characters of a text of the addon's, which may quote a path or a plugin. */
const MOST = 300

/** Its beginning and its end, where the system says what is wrong with what is named before. */
function middleLeftOut(text: string): string {
  return text.length <= MOST ? text : `${text.slice(0, 100)} ... ${text.slice(-180)}`
}

/** Errors thrown by the addon, or by another copy of this library, carry code and message, but are not ours: make them so. */
export function adopt(error: unknown): unknown {
  if (error instanceof SabwayError || !isError(error)) return error
  const { code } = error as { code?: unknown }
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code)) return error
  const text = `${ERRORS[code as ErrorCode].text}: `
  const detail = error.message.startsWith(text) ? error.message.slice(text.length) : error.message
  return new SabwayError(code as ErrorCode, middleLeftOut(detail), { cause: error })
}
