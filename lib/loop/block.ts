// The waits that block a JavaScript thread: poll as long as the policy says, then sleep until the
// other side rings.
//
//   take --nothing--> poll --nothing--> arm, look again --nothing--> sleep
//    ^                                                                 |
//    +------------------- disarm <-- ring, or a slice of time ---------+
//
// A ring between two looks is not lost: the sleep is given the doorbell's value from before the
// second look, and ends at once when it has changed. That the other side has died is seen by
// `patrol`, between two sleeps.

import { SabwayError } from '../base/errors.js'
import { now as clock, inAudioWorklet } from '../base/host.js'
import { SW_SLEEP_ATOMICS, SW_SLEEP_FUTEX, SW_WAIT_SPIN_NS, SW_WAKES_ATOMICS, sw_endpoint } from '../generated/abi.js'
import { endpointWord } from '../region/endpoint.js'
import type { Region } from '../region/region.js'
import { hasBlocked } from './dispatcher.js'
import { hasSkill, mechanismOf, reachOf, type SpinBudget, type WaitState } from './wait-policy.js'

/**
 * Milliseconds of one sleep where there is the addon: worker.terminate() cannot interrupt native
 * code, and others may need a relay.
 */
const SLICE_MS = 50

/** There was nothing to take. Not null or undefined, which are messages where there is a codec. */
export const NOTHING: unique symbol = Symbol('nothing')

/** What is waited for by blocking the thread. */
export interface BlockingWait<T> {
  /** The thing itself, or NOTHING when it is not there. May throw. */
  take(): T | typeof NOTHING
  /** Before the endpoint is armed: tell others that this one waits. */
  prepare?(): void
  /** The second look, after the endpoint is armed. */
  ready(): boolean
  /** The participant that will bring it: a role word. */
  role(): number
  /** Any participant may bring it, also one of another process, and `role` names none. */
  readonly byAny?: boolean
  /** Milliseconds of the sleep that begins, at most, where something is due by then. */
  bound?(): number
  /** Now and then while polling, and between two sleeps. */
  meanwhile(): void
  /**
   * Has the participant died that would bring it? Throws when it has. Before the first sleep, with
   * `closely` also between two sleeps and once in SLICE_MS while polling: then it may ask the
   * operating system.
   */
  patrol(closely: boolean): void
}

const LOOKS_PER_CLOCK = 32

/**
 * Block this thread until there is something to take, so many milliseconds at most: then NOTHING.
 */
export function block<T>(region: Region, state: WaitState, wait: BlockingWait<T>, timeout: number): T | typeof NOTHING {
  const taken = wait.take()
  if (taken !== NOTHING || timeout === 0) return taken
  mustBeAllowed(region.words)
  wait.patrol(false)
  const begin = clock()
  const deadline = begin + timeout
  const polled = poll(region, state.thread, wait, Math.min(deadline, begin + state.thread.milliseconds))
  if (polled !== NOTHING) {
    state.thread.learn(0)
    return polled
  }
  const asleep = clock()
  for (let sleeps = 0, now = asleep; now < deadline; sleeps++) {
    sleep(region, state, wait, deadline - now, sleeps)
    wait.meanwhile()
    wait.patrol(true)
    const taken = wait.take()
    now = clock()
    if (taken !== NOTHING) {
      state.thread.learn(Math.max(1e-6, now - asleep))
      return taken
    }
  }
  state.thread.learn(timeout)
  return NOTHING
}

function poll<T>({ binding }: Region, budget: SpinBudget, wait: BlockingWait<T>, until: number): T | typeof NOTHING {
  let due = Number.NEGATIVE_INFINITY
  let patrol = clock() + SLICE_MS
  for (let now = clock(); now < until; now = clock()) {
    for (let i = 0; i < LOOKS_PER_CLOCK; i++) {
      const taken = wait.take()
      if (taken !== NOTHING) return taken
    }
    wait.meanwhile()
    if (now >= patrol) {
      wait.patrol(true)
      patrol = now + SLICE_MS
    }
    if (binding === null || now < due) continue
    budget.yield(binding)
    due = now + SW_WAIT_SPIN_NS / 1e6
  }
  return NOTHING
}

/**
 * One sleep. On the futex when a native thread will wake, or any thread of any process may, else in
 * Atomics.wait, which every JavaScript thread of this process can end.
 */
function sleep(region: Region, state: WaitState, wait: BlockingWait<unknown>, left: number, sleeps: number): void {
  const { core, endpoint, binding } = region
  const role = wait.role()
  const far = wait.byAny === true && region.processes
  const native = binding !== null && (far || !hasSkill(region, role, SW_WAKES_ATOMICS))
  const how = native ? SW_SLEEP_FUTEX : SW_SLEEP_ATOMICS
  const reach = reachOf(region, role, how)
  const bound = core.sw_wait_limit_ms(reach, sleeps)
  const { POSITIVE_INFINITY: endless } = Number
  const most = Math.min(left, binding === null ? endless : SLICE_MS, bound || endless, wait.bound?.() ?? endless)
  wait.prepare?.()
  const ticket = core.sw_endpoint_arm(0, endpoint, how)
  try {
    if (wait.ready()) return
    state.blocked = mechanismOf(reach, native ? 'futex' : 'atomics')
    state.parks++
    if (native) binding.park(ticket, most)
    else Atomics.wait(region.words, endpointWord(endpoint, sw_endpoint.doorbell), ticket, most)
  } finally {
    core.sw_endpoint_disarm(0, endpoint)
    hasBlocked(region)
  }
}

let allowed: boolean | undefined

/**
 * A page's main thread may not block. An audio thread never does, also where the browser would let
 * it: its sound would break off.
 */
function mustBeAllowed(words: Int32Array): void {
  allowed ??= !inAudioWorklet && mayBlock(words)
  if (allowed) return
  throw new SabwayError(
    'ERR_SABWAY_INVALID_STATE',
    inAudioWorklet
      ? 'an audio thread must not wait; take what is there: receiveSync(0), tryReceive() or drain, and tryLock() of a mutex'
      : "a page's main thread cannot block; use startReceiving here, and lockAsync of a mutex, or do it in a worker",
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
