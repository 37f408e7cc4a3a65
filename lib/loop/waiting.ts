// How a JavaScript thread waits: the policy, how long it polls before it sleeps, and the sleep that blocks the thread.

import type { RegionBinding } from '../base/addon.js'
import * as check from '../base/check.js'
import type { Core } from '../base/core.js'
import { SabwayError } from '../base/errors.js'
import { now as clock, inAudioWorklet, waitAsync } from '../base/host.js'
import {
  SW_REACH_NONE,
  SW_REACH_RELAY,
  SW_SLEEP_ATOMICS,
  SW_SLEEP_FUTEX,
  SW_WAIT_BALANCED,
  SW_WAIT_PARK,
  SW_WAIT_SPIN,
  SW_WAIT_SPIN_NS,
  SW_WAKES_ATOMICS,
  SW_WAKES_FUTEX,
  sw_endpoint,
} from '../generated/abi.js'
import { endpointWord } from '../region/endpoint.js'
import type { Region } from '../region/region.js'

/**
 * What an endpoint does when it has nothing to do: poll without end (lowest latency, at the cost of a processor), poll briefly,
 * less when that has not paid off lately, then sleep (the default), or sleep at once.
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
export class Window {
  private nanoseconds: number
  private forgo = 0
  private left = 0

  constructor(
    private readonly core: Core,
    private readonly policy: WaitPolicy,
    private readonly most: number,
  ) {
    this.nanoseconds = most
  }

  get milliseconds(): number {
    if (this.policy === 'balanced') return this.nanoseconds / 1e6
    return this.policy === 'spin' ? Number.POSITIVE_INFINITY : 0
  }

  /** Once in SW_WAIT_SPIN_NS while polling: the peer may be waiting for this thread's processor. */
  yield(binding: RegionBinding): void {
    if (this.left !== 0) {
      this.left--
      return
    }
    const before = clock()
    binding.yield()
    this.forgo = this.core.sw_wait_skip_yields(this.forgo, nanoseconds(clock() - before))
    this.left = this.forgo
  }

  /** Work came while polling (0), or after so many milliseconds of sleep. */
  learn(slept: number): void {
    this.nanoseconds = this.core.sw_wait_next_window(this.nanoseconds, this.most, nanoseconds(slept)) >>> 0
  }
}

const nanoseconds = (milliseconds: number) => Math.min(0xffff_ffff, Math.ceil(milliseconds * 1e6))

/** One endpoint's way of waiting. */
export class Waiter {
  readonly thread: Window
  readonly loop: Window
  /** Sleeps of the thread or its event loop. */
  parks = 0
  /** How the last blocking sleep was woken; null since the event loop waits again. */
  blocked: Mechanism | null = null

  constructor(
    private readonly region: Region,
    readonly policy: WaitPolicy,
  ) {
    this.thread = new Window(region.core, policy, SW_WAIT_SPIN_NS)
    this.loop = new Window(region.core, policy, SW_WAIT_SPIN_NS)
  }

  /** How the participant that the role names wakes this endpoint's event loop. */
  mechanism(role: number): Mechanism {
    if (this.blocked !== null) return this.blocked
    if (this.region.binding === null && waitAsync() === undefined) return 'timed'
    if (this.region.binding === null) return named(reachOf(this.region, role, SW_SLEEP_ATOMICS), 'atomics')
    return reaches(this.region, role, SW_WAKES_FUTEX) ? 'threadsafe-function' : 'atomics'
  }
}

export function named(reach: number, direct: Mechanism): Mechanism {
  return reach & SW_REACH_NONE ? 'timed' : reach & SW_REACH_RELAY ? 'relay' : direct
}

export const reachOf = (region: Region, role: number, how: number): number =>
  region.core.sw_endpoint_wake_path(0, region.endpoint, role, how)

/** Can the participant that the role names wake in this way? Nobody there yet counts as one that can. */
function reaches(region: Region, role: number, skill: number): boolean {
  const number = role & 0xff
  if (number === 0) return true
  const skills = Atomics.load(region.words, endpointWord(number - 1, sw_endpoint.skills))
  return (skills & skill) !== 0
}

/** Milliseconds of one sleep where there is the addon: worker.terminate() cannot interrupt native code, and others may need a relay. */
const SLICE_MS = 50

/** There was nothing to take. No message is it: with a codec, null and undefined are messages. */
export const NOTHING: unique symbol = Symbol('nothing')

/** What is waited for by blocking the thread. */
export interface Awaited<T> {
  /** The thing itself, or NOTHING when it is not there. May throw. */
  take(): T | typeof NOTHING
  /** The second look, after the endpoint is armed. */
  ready(): boolean
  /** Who will bring it: a role word. */
  role(): number
  /** Now and then while polling, and between two sleeps. */
  meanwhile(): void
  /**
   * Has the participant died that would bring it? Throws when it has. Before the first sleep, with `closely` also between two
   * sleeps and once in SLICE_MS while polling: then it may ask the operating system.
   */
  patrol(closely: boolean): void
}

const LOOKS_PER_CLOCK = 32

/** Block this thread until there is something to take, so many milliseconds at most: then NOTHING. */
export function block<T>(region: Region, waiter: Waiter, awaited: Awaited<T>, timeout: number): T | typeof NOTHING {
  const taken = awaited.take()
  if (taken !== NOTHING || timeout === 0) return taken
  mustBeAllowed(region.words)
  awaited.patrol(false)
  const begin = clock()
  const deadline = begin + timeout
  const polled = poll(region, waiter.thread, awaited, Math.min(deadline, begin + waiter.thread.milliseconds))
  if (polled !== NOTHING) {
    waiter.thread.learn(0)
    return polled
  }
  const asleep = clock()
  for (let sleeps = 0, now = asleep; now < deadline; sleeps++) {
    sleep(region, waiter, awaited, deadline - now, sleeps)
    awaited.meanwhile()
    awaited.patrol(true)
    const taken = awaited.take()
    now = clock()
    if (taken !== NOTHING) {
      waiter.thread.learn(Math.max(1e-6, now - asleep))
      return taken
    }
  }
  waiter.thread.learn(timeout)
  return NOTHING
}

function poll<T>({ binding }: Region, window: Window, awaited: Awaited<T>, until: number): T | typeof NOTHING {
  let due = Number.NEGATIVE_INFINITY
  let patrol = clock() + SLICE_MS
  for (let now = clock(); now < until; now = clock()) {
    for (let i = 0; i < LOOKS_PER_CLOCK; i++) {
      const taken = awaited.take()
      if (taken !== NOTHING) return taken
    }
    awaited.meanwhile()
    if (now >= patrol) {
      awaited.patrol(true)
      patrol = now + SLICE_MS
    }
    if (binding === null || now < due) continue
    window.yield(binding)
    due = now + SW_WAIT_SPIN_NS / 1e6
  }
  return NOTHING
}

/** One sleep. On the futex when a native thread will wake, else in Atomics.wait, which every JavaScript thread can end. */
function sleep(region: Region, waiter: Waiter, awaited: Awaited<unknown>, left: number, sleeps: number): void {
  const { core, endpoint, binding } = region
  const role = awaited.role()
  const native = binding !== null && !reaches(region, role, SW_WAKES_ATOMICS)
  const how = native ? SW_SLEEP_FUTEX : SW_SLEEP_ATOMICS
  const reach = reachOf(region, role, how)
  const bound = core.sw_wait_limit_ms(reach, sleeps)
  const most = Math.min(left, binding === null ? Number.POSITIVE_INFINITY : SLICE_MS, bound || Number.POSITIVE_INFINITY)
  const ticket = core.sw_endpoint_arm(0, endpoint, how)
  try {
    if (awaited.ready()) return
    waiter.blocked = named(reach, native ? 'futex' : 'atomics')
    waiter.parks++
    if (native) binding.park(ticket, most)
    else Atomics.wait(region.words, endpointWord(endpoint, sw_endpoint.doorbell), ticket, most)
  } finally {
    core.sw_endpoint_disarm(0, endpoint)
  }
}

let allowed: boolean | undefined

/** A page's main thread may not block. An audio thread never does, also where the browser would let it: its sound would break off. */
function mustBeAllowed(words: Int32Array): void {
  allowed ??= !inAudioWorklet && mayBlock(words)
  if (allowed) return
  throw new SabwayError(
    'ERR_SABWAY_INVALID_STATE',
    inAudioWorklet
      ? 'an audio thread must not wait; take what is there: receiveSync(0), tryReceive() or drain'
      : "a page's main thread cannot block; use startReceiving here, or receiveSync in a worker",
  )
}

function mayBlock(words: Int32Array): boolean {
  try {
    Atomics.wait(words, 0, 0, 0)
    return true
  } catch {
    return false
  }
}
