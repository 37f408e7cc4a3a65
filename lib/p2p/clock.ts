// The time of a transport, which tests put in place of the real one.
import * as check from '../base/check.js'
import { after, now } from '../base/host.js'

export interface P2PClock {
  /** Milliseconds, which never go back. */
  now(): number
  /** Run the task once, so many milliseconds later. The function that it returns cancels it. */
  after(milliseconds: number, task: () => void): () => void
  /** From 0 to less than 1. */
  random(): number
}

/** It keeps no process alive. */
export const hostClock: P2PClock = {
  now,
  after: (milliseconds, task) => {
    const timer = after(milliseconds, task)
    timer.unref()
    return () => timer.cancel()
  },
  random: Math.random,
}

/** Times between attempts: each twice the one before, up to the most. */
export interface P2PBackoff {
  /** Milliseconds: 250 unless given. */
  least?: number
  /** Milliseconds: 15,000 unless given. */
  most?: number
}

/**
 * Milliseconds before the attempt with that number, from 0. A random half of it: peers that lost
 * each other at once do not come back at once.
 */
export function backoff({ least, most }: Required<P2PBackoff>, attempt: number, random: number): number {
  const whole = Math.min(most, least * 2 ** Math.min(attempt, 30))
  return whole / 2 + (random * whole) / 2
}

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE. */
export function backoffOf(given: P2PBackoff | undefined, usual: Required<P2PBackoff>): Required<P2PBackoff> {
  const times = check.options<P2PBackoff>(given, 'backoff', ['least', 'most'])
  const least = check.integer(times.least ?? usual.least, 'backoff.least', 1, 2 ** 31 - 1)
  return { least, most: check.integer(times.most ?? Math.max(least, usual.most), 'backoff.most', least, 2 ** 31 - 1) }
}
