// How a JavaScript thread waits: the policy, how long it polls before it sleeps, and by what it is
// woken.

import type { RegionBinding } from '../base/addon.js'
import * as check from '../base/check.js'
import type { GuardedCore } from '../base/core.js'
import { now as clock, waitAsync } from '../base/host.js'
import {
  SW_REACH_NONE,
  SW_REACH_RELAY,
  SW_SLEEP_ATOMICS,
  SW_WAIT_BALANCED,
  SW_WAIT_PARK,
  SW_WAIT_SPIN,
  SW_WAIT_SPIN_NS,
  SW_WAKES_FUTEX,
  sw_endpoint,
} from '../generated/abi.js'
import { endpointOf, endpointWord } from '../region/endpoint.js'
import type { Region } from '../region/region.js'

/**
 * What an endpoint does when it has nothing to do: poll without end (lowest latency, at the cost of
 * a processor), poll briefly, less when that has not paid off lately, then sleep (the default), or
 * sleep at once.
 */
export type WaitPolicy = 'spin' | 'balanced' | 'park'

/** How a waiting thread is woken. */
export type Mechanism = 'futex' | 'threadsafe-function' | 'atomics' | 'relay' | 'timed'

const NUMBERS = { spin: SW_WAIT_SPIN, balanced: SW_WAIT_BALANCED, park: SW_WAIT_PARK } as const

export const policyNumber = (policy: WaitPolicy): number => NUMBERS[policy]

export function policyOf(value: unknown): WaitPolicy {
  return value === undefined ? 'balanced' : check.oneOf(value, 'wait', ['spin', 'balanced', 'park'])
}

/** How long to poll before sleeping, which adapts to what has paid off. */
export class SpinBudget {
  readonly #core: GuardedCore
  readonly #policy: WaitPolicy
  #nanoseconds = SW_WAIT_SPIN_NS
  /** How many of the next yields to leave out, and how many of those are still to come. */
  #skip = 0
  #left = 0

  constructor(core: GuardedCore, policy: WaitPolicy) {
    this.#core = core
    this.#policy = policy
  }

  get milliseconds(): number {
    if (this.#policy === 'balanced') return this.#nanoseconds / 1e6
    return this.#policy === 'spin' ? Number.POSITIVE_INFINITY : 0
  }

  /** Once in SW_WAIT_SPIN_NS while polling: the peer may be waiting for this thread's processor. */
  yield(binding: RegionBinding): void {
    if (this.#left !== 0) {
      this.#left--
      return
    }
    const before = clock()
    binding.yield()
    this.#skip = this.#core.sw_wait_skip_yields(this.#skip, nanoseconds(clock() - before))
    this.#left = this.#skip
  }

  /** Work came while polling (0), or after so many milliseconds of sleep. */
  learn(slept: number): void {
    this.#nanoseconds = this.#core.sw_wait_next_window(this.#nanoseconds, SW_WAIT_SPIN_NS, nanoseconds(slept)) >>> 0
  }
}

const nanoseconds = (milliseconds: number) => Math.min(0xffff_ffff, Math.ceil(milliseconds * 1e6))

/** One endpoint's way of waiting, and what it has learned. */
export class WaitState {
  readonly policy: WaitPolicy
  /** Of waits that block the thread. */
  readonly thread: SpinBudget
  /** Of the event loop's. */
  readonly loop: SpinBudget
  readonly #region: Region
  /** Sleeps of the thread or its event loop. */
  parks = 0
  /** How the last blocking sleep was woken; null since the event loop waits again. */
  blocked: Mechanism | null = null

  constructor(region: Region, policy: WaitPolicy) {
    this.#region = region
    this.policy = policy
    this.thread = new SpinBudget(region.core, policy)
    this.loop = new SpinBudget(region.core, policy)
  }

  /** How the participant that the role names wakes this endpoint's event loop. */
  mechanism(role: number): Mechanism {
    if (this.blocked !== null) return this.blocked
    const region = this.#region
    if (region.binding === null && waitAsync() === undefined) return 'timed'
    if (region.binding === null) return mechanismOf(reachOf(region, role, SW_SLEEP_ATOMICS), 'atomics')
    return hasSkill(region, role, SW_WAKES_FUTEX) ? 'threadsafe-function' : 'atomics'
  }
}

/**
 * What the core says of a wake-up, by name; `direct`: the means where nothing stands between the
 * two.
 */
export function mechanismOf(reach: number, direct: Mechanism): Mechanism {
  return reach & SW_REACH_NONE ? 'timed' : reach & SW_REACH_RELAY ? 'relay' : direct
}

/** How the participant that the role names wakes this endpoint from a sleep of the kind `how`. */
export const reachOf = (region: Region, role: number, how: number): number =>
  region.core.sw_endpoint_wake_path(0, region.endpoint, role, how)

/**
 * Can the participant that the role names wake in this way? Where there is none yet, the next one
 * is taken to be able to.
 */
export function hasSkill(region: Region, role: number, skill: number): boolean {
  const index = endpointOf(role)
  if (index < 0) return true
  const skills = Atomics.load(region.words, endpointWord(index, sw_endpoint.skills))
  return (skills & skill) !== 0
}
