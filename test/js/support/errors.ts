import assert from 'node:assert/strict'
import { type ErrorCode, SabwayError } from 'sabway'
import { abi } from './abi.js'

/**
 * It is one of ours, with this code, the number that belongs to it, and a message that says what
 * the table says, then `teaches`. Errors that another thread or process described come as plain
 * objects.
 */
export function assertError(error: unknown, code: ErrorCode, teaches: RegExp): void {
  if (error instanceof Error || typeof error !== 'object' || error === null) {
    assert.ok(error instanceof SabwayError, `expected a SabwayError, got ${error}`)
    assert.equal(error.name, 'SabwayError')
  }
  const { number, text } = abi.ERRORS[code]!
  const { code: actual, errno, message } = error as { code: string; errno: number; message: string }
  assert.deepEqual([actual, errno], [code, number], message)
  assert.ok(message.startsWith(`${text}: `), `'${message}' begins with the text of ${code}`)
  assert.match(message, teaches)
}

export function throwsError(act: () => unknown, code: ErrorCode, teaches: RegExp): void {
  let thrown: unknown
  try {
    act()
  } catch (error) {
    thrown = error
  }
  assertError(thrown, code, teaches)
}

export async function rejectsWith(promise: Promise<unknown>, code: ErrorCode, teaches: RegExp): Promise<void> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  assertError(thrown, code, teaches)
}
