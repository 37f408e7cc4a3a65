// When a receiving channel has its turns: as soon as the event loop comes round (the dispatcher's
// own way), or when a schedule says so, or at intervals where nothing can ring. Between its turns
// the channel is off the event loop and is not rung.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { after, context, LONGEST_TIMER_MS, microtask, needTimers } from '../base/host.js'

/** Runs the tick once, later: `requestAnimationFrame`, `(tick) => setTimeout(tick, 16)`. */
export type Scheduler = (tick: () => void) => unknown

/**
 * `immediate`: the next turn of the event loop. `microtask`: before anything else. `raf`: before
 * the next frame is painted.
 */
export type Schedule = 'immediate' | 'microtask' | 'raf' | Scheduler

/**
 * Milliseconds between looks: as given, or from `min` after a message, doubling up to `max` while
 * none comes.
 */
export type Poll = number | { min: number; max: number }

export interface PaceOptions {
  schedule?: Schedule
  poll?: Poll
}

export interface Paced {
  /** Hand out messages, within the budget. True when there may be more. */
  pump(): boolean
  ready(): boolean
  /** Wait for the next message on the event loop, and for a ring; or do not. */
  want(): void
  rest(): void
}

/**
 * The pace that the options ask for: a schedule that is not 'immediate', which is the dispatcher's
 * own, or `poll`.
 */
export function paceOf({ schedule, poll }: PaceOptions, channel: Paced): Pace {
  if (poll === undefined) return new Pace(channel, scheduler(schedule!), null)
  if (schedule !== undefined)
    throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', 'give either `schedule` or `poll`, not both')
  const between = interval(poll)
  needTimers('leave `poll` out')
  return new Pace(channel, null, between)
}

function interval(poll: Poll): { min: number; max: number } {
  if (typeof poll === 'number') {
    check.integer(poll, 'poll', 0, LONGEST_TIMER_MS)
    return { min: poll, max: poll }
  }
  if (typeof poll !== 'object') {
    check.refuse('ERR_SABWAY_INVALID_TYPE', 'poll must be a number of milliseconds, or { min, max }', poll)
  }
  const { min, max } = check.options(poll, 'poll', ['min', 'max'])
  check.integer(min, 'poll.min', 0, LONGEST_TIMER_MS)
  check.integer(max, 'poll.max', min!, LONGEST_TIMER_MS)
  return { min: min!, max: max! }
}

function scheduler(schedule: Schedule): Scheduler {
  if (typeof schedule === 'function') {
    const inContext = context()
    return (tick) => inContext(schedule, tick)
  }
  check.oneOf(schedule, 'schedule', ['immediate', 'microtask', 'raf'])
  if (schedule === 'microtask') return microtask
  if (typeof requestAnimationFrame !== 'function') {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      "schedule 'raf' needs requestAnimationFrame, which is not here; use 'immediate' or a function of your own",
    )
  }
  return (tick) => requestAnimationFrame(tick)
}

export class Pace {
  #planned = false
  #stopped = false
  #delay: number

  readonly #channel: Paced
  readonly #schedule: Scheduler | null
  readonly #poll: { min: number; max: number } | null

  constructor(channel: Paced, schedule: Scheduler | null, poll: { min: number; max: number } | null) {
    this.#channel = channel
    this.#schedule = schedule
    this.#poll = poll
    this.#delay = poll?.min ?? 0
  }

  /** Is a tick on its way? Then the event loop need not look. */
  get planned(): boolean {
    return this.#planned
  }

  start(): void {
    if (this.#poll !== null) this.#plan()
    else this.#channel.want()
  }

  /** The event loop found the channel awake. */
  turn(): void {
    if (!this.#planned && !this.#stopped && this.#channel.ready()) this.#plan()
  }

  stop(): void {
    this.#stopped = true
  }

  #plan(): void {
    this.#planned = true
    this.#channel.rest()
    const tick = () => this.#tick()
    if (this.#schedule !== null) {
      this.#schedule(tick)
      return
    }
    after(this.#delay, tick).unref() // an idle channel does not keep the process alive
  }

  #tick(): void {
    if (!this.#planned) return // a scheduler that ran it twice
    this.#planned = false
    if (this.#stopped) return
    // What a callback throws is the user's to handle, and does not end the receiving.
    let more = true
    try {
      more = this.#channel.pump()
    } finally {
      if (this.#poll !== null)
        this.#delay = more ? this.#poll.min : Math.min(Math.max(1, this.#delay * 2), this.#poll.max)
      if (!this.#stopped) {
        if (more || this.#poll !== null) this.#plan()
        else this.#channel.want()
      }
    }
  }
}
