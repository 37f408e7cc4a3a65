import { ERRORS } from './generated/abi.js'

/** Every `code` a Sabway error can have; the table itself is native/include/sabway/error.h. */
export type ErrorCode = keyof typeof ERRORS

/** What Sabway throws: `code` is stable, the message says what was wrong, what was expected and what to do. */
export class SabwayError extends Error {
  readonly code: ErrorCode
  /** The C core's number for the same error. */
  readonly errno: number

  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(`${ERRORS[code].text}: ${detail}`, options)
    this.name = 'SabwayError'
    this.code = code
    this.errno = ERRORS[code].number
  }
}

const BY_NUMBER = new Map<number, ErrorCode>(
  Object.entries(ERRORS).map(([code, { number }]) => [number, code as ErrorCode]),
)

/** The error for a number that the core returned. */
export function coreError(status: number, detail: string): SabwayError {
  return new SabwayError(BY_NUMBER.get(status) ?? 'ERR_SABWAY_INVALID_STATE', detail)
}

/**
 * What the core threw. It can only trap, and only when its own block, which lies in the region too, no longer holds what it
 * put there. Anything else is not about the core.
 */
export function trapped(error: unknown): unknown {
  return error instanceof WebAssembly.RuntimeError ? overwritten(error) : error
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

/** Errors thrown by the addon carry code and message, but are plain: make them ours. */
export function adopt(error: unknown): unknown {
  const code = (error as { code?: unknown })?.code
  if (error instanceof SabwayError || !(error instanceof Error) || typeof code !== 'string' || !(code in ERRORS))
    return error
  const text = `${ERRORS[code as ErrorCode].text}: `
  const detail = error.message.startsWith(text) ? error.message.slice(text.length) : error.message
  return new SabwayError(code as ErrorCode, detail, { cause: error })
}
