// Conditions: see native/core/sync/signal.c. In the condition this thread is one waiter, so a
// notification that comes to it lets all calls go on that wait here: each looks at what it waits
// for, as with every condition.
import { SabwayError } from '../base/errors.js'
import { SW_TYPE_CONDITION } from '../generated/abi.js'
import type { ObjectHome } from '../heap/heap-object.js'
import { NOTHING } from '../loop/block.js'
import { Lock } from '../mutex/mutex.js'
import {
  type BlockOptions,
  BUSY,
  blockTimeout,
  patienceOf,
  provideSync,
  type SharedPlace,
  SyncObject,
  type SyncWait,
  ThreadStates,
  type WaitingOptions,
} from './sync-object.js'

/** How often this thread was notified. */
const states = new ThreadStates(() => ({ wakes: 0, waiting: 0 }))

/**
 * A condition beside a mutex: a thread that holds the mutex and finds that it has to wait lets the
 * mutex go until another notifies it.
 *
 *     using lock = mutex.lock()
 *     while (queue.length === 0) notEmpty.wait(lock)
 *
 * A call may go on without a reason, so what it waits for is looked at in a loop. A notification
 * that comes to a thread that dies, or whose time is up, goes to the next.
 */
export class SharedCondition extends SyncObject {
  readonly #state: { wakes: number; waiting: number }

  /**
   * A new condition, or with what another's getSharedMemory() gave, or its pointer, that one.
   * Errors: as SharedEvent.
   */
  constructor(home: ObjectHome, shared?: SharedPlace) {
    super(home, shared, 'condition', SW_TYPE_CONDITION, () => noOptions(shared))
    this.#state = states.of(this)
  }

  /**
   * Let the mutex go, block this thread until it is notified, and lock the mutex again, whatever
   * happens. `lock.ownerDied` says what the last holder did then. Errors: ERR_SABWAY_TIMEOUT,
   * ERR_SABWAY_FREED, with the mutex locked; ERR_SABWAY_INVALID_STATE: the lock was released, or
   * this thread may not block; ERR_SABWAY_POISONED, ERR_SABWAY_CLOSED: the lock is lost.
   */
  wait(lock: Lock, options?: BlockOptions): void {
    const timeout = blockTimeout(options)
    const wait = this.#enlist(lock)
    try {
      this.calls.block(wait, timeout)
    } finally {
      this.#leave()
      lock.resume()
    }
  }

  /** The same on the event loop. Errors: as `wait`, and ERR_SABWAY_ABORTED. */
  async waitAsync(lock: Lock, options?: WaitingOptions): Promise<void> {
    const patience = patienceOf(options)
    const wait = this.#enlist(lock)
    try {
      await this.calls.wait(wait, patience)
    } finally {
      this.#leave()
      await lock.resumeAsync()
    }
  }

  /** Let one thread go on that waits. False: none does. Errors: ERR_SABWAY_FREED, _CLOSED. */
  notifyOne(): boolean {
    return this.#notify(0) !== 0
  }

  /** Let all go on that wait. Returns how many threads those are. Errors: as `notifyOne`. */
  notifyAll(): number {
    return this.#notify(1)
  }

  #notify(all: number): number {
    this.member.mustBeOpen()
    const { calls } = this
    const notified = calls.ok(calls.core.sw_condition_notify(calls.handle, calls.at, calls.generation, all))
    calls.nudge()
    return notified
  }

  /** Before the mutex is free: a notification from then on is for this call, too. */
  #enlist(lock: Lock): SyncWait<true> {
    if (!Lock.isMade(lock))
      throw new SabwayError('ERR_SABWAY_INVALID_TYPE', 'lock must be what lock() of a mutex returned')
    this.member.mustBeOpen()
    const { calls } = this
    const state = this.#state
    const since = state.wakes
    calls.ok(calls.core.sw_condition_enlist(calls.handle, calls.at, calls.generation))
    state.waiting++
    try {
      lock.suspend()
    } catch (error) {
      this.#leave()
      throw error
    }
    return {
      take: () => {
        calls.member.mustBeOpen()
        if (state.wakes !== since) return true
        const status = calls.core.sw_condition_try(calls.handle, calls.at, calls.generation)
        if (status === BUSY) return NOTHING
        calls.ok(status)
        state.wakes++
        calls.nudge()
        return true
      },
    }
  }

  /** With the last call of this thread: a notification that none of them has had goes on. */
  #leave(): void {
    const { calls } = this
    if (--this.#state.waiting !== 0 || calls.member.closed) return
    calls.core.sw_condition_leave(calls.handle, calls.at, calls.generation)
  }

  get [Symbol.toStringTag](): string {
    return 'SharedCondition'
  }
}

/** Of a class that has none: what stands in their place is refused. */
export function noOptions(given: unknown): Record<string, never> {
  if (given === undefined) return {}
  throw new SabwayError(
    'ERR_SABWAY_INVALID_TYPE',
    'the second argument must be a pointer, or what getSharedMemory() gave; there are no options',
  )
}

/** Let conditions have names. */
export const provideCondition = (): void =>
  provideSync(SW_TYPE_CONDITION, 'condition', (heap, shared) => new SharedCondition(heap, shared))
