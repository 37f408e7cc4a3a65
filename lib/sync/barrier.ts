// Barriers: see native/core/sync/barrier.c.
import * as check from '../base/check.js'
import { OBJECT_ERRORS, SW_SYNC_LEAVE, SW_TYPE_BARRIER, sw_sync } from '../generated/abi.js'
import type { ObjectHome } from '../heap/heap-object.js'
import { NOTHING } from '../loop/block.js'
import {
  type BlockOptions,
  BUSY,
  blockTimeout,
  patienceOf,
  provideSync,
  type SharedPlace,
  SyncObject,
  type SyncWait,
  type WaitingOptions,
} from './sync-object.js'

/** How a new barrier is made. */
export interface SharedBarrierOptions {
  /** How many threads meet there: 1 to 64. */
  parties: number
  /**
   * What the death of a member does: 'break' (the default): all that wait get ERR_SABWAY_BROKEN;
   * 'leave': the others go on without it.
   */
  onDeath?: 'break' | 'leave'
}

const BROKEN = OBJECT_ERRORS.ERR_SABWAY_BROKEN.number
const WHY: Record<number, string> = {
  [BROKEN]: 'a member ended before it had arrived, or the barrier was reset; reset() lets those that live begin anew',
}

/**
 * Where so many threads of any process meet: each waits until all have arrived, again and again. A
 * thread is a member from its first arrival on, or from `join`. The death of a member is an answer:
 * ERR_SABWAY_BROKEN for all, or with `onDeath: 'leave'` one party less.
 */
export class SharedBarrier extends SyncObject {
  /**
   * A new barrier, or with what another's getSharedMemory() gave, or its pointer, that one. Errors:
   * as SharedEvent.
   */
  constructor(home: ObjectHome, options: SharedBarrierOptions | SharedPlace) {
    super(home, options, 'barrier', SW_TYPE_BARRIER, () => {
      const given = check.options<SharedBarrierOptions>(options as SharedBarrierOptions, 'barrier options', [
        'parties',
        'onDeath',
      ])
      const leaves = check.oneOf(given.onDeath ?? 'break', 'onDeath', ['break', 'leave']) === 'leave'
      return { limit: check.integer(given.parties, 'parties', 1, 64), options: leaves ? SW_SYNC_LEAVE : 0 }
    })
  }

  /** How many meet there, those included that have left. */
  get parties(): number {
    this.member.mustBeOpen()
    return Atomics.load(this.member.region.words, (this.pointer + sw_sync.limit) >>> 2)
  }

  /** Has a member died, and no thread called `reset` since? */
  get isBroken(): boolean {
    this.member.mustBeOpen()
    return (Atomics.load(this.member.region.words, (this.pointer + sw_sync.state) >>> 2) & 1) === 1
  }

  /**
   * Be a member from now on: should this thread end, the others are told. Errors:
   * ERR_SABWAY_TOO_MANY_PARTICIPANTS: the party is complete; ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  join(): void {
    const { calls } = this
    calls.ok(
      calls.until(() => calls.core.sw_barrier_join(calls.handle, calls.at, calls.generation)),
      'the party is complete',
    )
  }

  /** Be a member no more: the party has one less. Errors: ERR_SABWAY_INVALID_STATE: it was none. */
  leave(): void {
    const { calls } = this
    calls.ok(
      calls.until(() => calls.core.sw_barrier_leave(calls.handle, calls.at, calls.generation)),
      'this thread is no member of the barrier',
    )
    calls.nudge()
  }

  /** Begin anew, with those that live; threads that wait get ERR_SABWAY_BROKEN. */
  reset(): void {
    const { calls } = this
    calls.ok(calls.until(() => calls.core.sw_barrier_reset(calls.handle, calls.at, calls.generation)))
    calls.nudge()
  }

  /**
   * Arrive, and block this thread until all have. Returns true in the one that arrived last.
   * Errors: ERR_SABWAY_BROKEN; ERR_SABWAY_TIMEOUT: and this thread has not arrived;
   * ERR_SABWAY_TOO_MANY_PARTICIPANTS: the party is complete without this thread;
   * ERR_SABWAY_INVALID_STATE: it has arrived already, or may not block; ERR_SABWAY_FREED,
   * ERR_SABWAY_CLOSED.
   */
  wait(options?: BlockOptions): boolean {
    const timeout = blockTimeout(options)
    const ticket = this.#arrive()
    if (ticket === null) return true
    try {
      return this.calls.block(this.#waitFor(ticket), timeout)
    } catch (error) {
      return this.#withdraw(ticket, error)
    }
  }

  /** The same on the event loop. Errors: as `wait`, and ERR_SABWAY_ABORTED. */
  async waitAsync(options?: WaitingOptions): Promise<boolean> {
    const patience = patienceOf(options)
    patience.signal?.throwIfAborted?.()
    const ticket = this.#arrive()
    if (ticket === null) return true
    try {
      return await this.calls.wait(this.#waitFor(ticket), patience)
    } catch (error) {
      return this.#withdraw(ticket, error)
    }
  }

  /** The generation to wait for, or null: this thread was the last. */
  #arrive(): number | null {
    const { calls } = this
    const { scratch, region } = calls.member
    const status = calls.until(() => calls.core.sw_barrier_arrive(calls.handle, calls.at, calls.generation, scratch))
    const ticket = Atomics.load(region.words, scratch >>> 2) >>> 0
    if (status < 0) throw calls.error(status, WHY[status])
    if (status === 0) return ticket
    calls.nudge()
    return null
  }

  #waitFor(ticket: number): SyncWait<false> {
    const { calls } = this
    return {
      take: () => {
        calls.member.mustBeOpen()
        const status = calls.core.sw_barrier_try(calls.handle, calls.at, calls.generation, ticket)
        if (status === BUSY) return NOTHING
        if (status < 0) throw calls.error(status, WHY[status])
        return false
      },
    }
  }

  /** The wait has ended with an error, unless all had arrived meanwhile. */
  #withdraw(ticket: number, error: unknown): boolean {
    const { calls } = this
    if (calls.member.closed || (error as { code?: string }).code === 'ERR_SABWAY_BROKEN') throw error
    const status = calls.until(() => calls.core.sw_barrier_withdraw(calls.handle, calls.at, calls.generation, ticket))
    if (status === 1 && calls.core.sw_barrier_try(calls.handle, calls.at, calls.generation, ticket) === 0) return false
    throw error
  }

  get [Symbol.toStringTag](): string {
    return 'SharedBarrier'
  }

  override toJSON(): object {
    return { pointer: this.pointer, parties: this.parties }
  }
}

/** Let barriers have names. */
export const provideBarrier = (): void =>
  provideSync(SW_TYPE_BARRIER, 'barrier', (heap, shared) => new SharedBarrier(heap, shared))
