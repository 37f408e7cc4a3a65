// How long messages may be handed out in one go, and how often that looks at the clock: a look
// costs more than a small message.
import { now } from '../base/host.js'

/** Milliseconds of messages until the rest of the event loop has its turn. */
export const BUDGET_MS = 8
/** Messages between two looks at the clock, while they are quick. */
export const CLOCK_EVERY = 16
/** Callbacks that take longer than this are slow: then the clock is looked at after each. */
const SLOW_MS = 0.5

/** Looks at the time now and then: often when callbacks are slow, seldom when they are quick. */
export class Clock {
  readonly #deadline: number
  #last = now()

  constructor(deadline: number) {
    this.#deadline = deadline
  }

  /** How many messages until the next look; 0 when the time is up. */
  next(): number {
    const time = now()
    const slow = time - this.#last > SLOW_MS
    this.#last = time
    return time >= this.#deadline ? 0 : slow ? 1 : CLOCK_EVERY
  }
}
