// Waiting is by condition, with a deadline that only a hang or a lost wake-up reaches.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

const DEADLINE_MS = 20_000

/** Resolves as soon as the condition holds. What is awaited goes into the error. */
export async function until(condition: () => boolean, what: string, deadline = DEADLINE_MS): Promise<void> {
  const end = performance.now() + deadline
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${deadline} ms in vain for: ${what}`)
    await sleep(1)
  }
}

/** A promise that must settle before the deadline. */
export async function within<T>(promise: Promise<T>, what: string, deadline = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${deadline} ms in vain for: ${what}`)), deadline)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Let the event loop turn `count` times. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn()
}

/**
 * Long enough for what must not happen to show. A test that uses it passes on a machine that is too
 * slow to show it.
 */
export const aWhile = (): Promise<void> => sleep(60)
