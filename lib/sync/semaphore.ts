// Semaphores: see native/core/sync/semaphore.c.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { cloneHint } from '../base/summary.js'
import { SW_TYPE_SEMAPHORE, sw_sync } from '../generated/abi.js'
import type { ObjectHome } from '../heap/heap-object.js'
import { NOTHING } from '../loop/block.js'
import {
  type BlockOptions,
  BUSY,
  blockTimeout,
  patienceOf,
  provideSync,
  type SharedPlace,
  type SyncCalls,
  SyncObject,
  type SyncWait,
  type WaitingOptions,
} from './sync-object.js'

const PERMIT_HINT = cloneHint('A permit stays in the thread that has acquired it. It')

/** How a new semaphore is made. */
export interface SharedSemaphoreOptions {
  /**
   * How many permits there can be. With at most 64, those of a participant that dies come back;
   * more are only counted, and a dead holder's are lost.
   */
  permits: number
  /** How many there are at first: all by default. */
  initial?: number
}

/** A permit that this thread has, until `release`: `using permit = semaphore.acquire()`. */
export class Permit {
  /** @internal */ readonly cloneHint = PERMIT_HINT
  readonly #calls: SyncCalls
  readonly #number: number
  #over = false

  /** @internal */
  constructor(calls: SyncCalls, number: number) {
    this.#calls = calls
    this.#number = number
  }

  /**
   * Give it back, and wake one that waits. Errors: ERR_SABWAY_INVALID_STATE: it was given back, or
   * taken from this thread because that was taken for dead; ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  release(): void {
    this.#end()
    const { core, handle, at, generation } = this.#calls
    this.#calls.ok(core.sw_semaphore_release(handle, at, generation, this.#number))
    this.#calls.nudge()
  }

  /**
   * It is used up: there is one less until the next `post`, as where permits are things that one
   * thread makes and another takes. Errors: as `release`.
   */
  consume(): void {
    this.#end()
    const { core, handle, at, generation } = this.#calls
    this.#calls.ok(core.sw_semaphore_consume(handle, at, generation, this.#number))
  }

  /** As `release`, but a permit that was given back is left alone. */
  [Symbol.dispose](): void {
    if (!this.#over) this.release()
  }

  get [Symbol.toStringTag](): string {
    return 'Permit'
  }

  #end(): void {
    if (this.#over) throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'this permit was given back')
    this.#calls.member.mustBeOpen()
    this.#over = true
  }
}

/**
 * So many permits, for threads of any process: one that acquires takes one, or waits. With at most
 * 64 it is robust: the permits of a participant that dies come back.
 */
export class SharedSemaphore extends SyncObject {
  readonly #wait: SyncWait<Permit> = { take: () => this.tryAcquire() ?? NOTHING }

  /**
   * A new semaphore, or with what another's getSharedMemory() gave, or its pointer, that one.
   * Errors: as SharedEvent.
   */
  constructor(home: ObjectHome, options: SharedSemaphoreOptions | SharedPlace) {
    super(home, options, 'semaphore', SW_TYPE_SEMAPHORE, () => {
      const given = check.options<SharedSemaphoreOptions>(options as SharedSemaphoreOptions, 'semaphore options', [
        'permits',
        'initial',
      ])
      const limit = check.integer(given.permits, 'permits', 1, 0x7fff_ffff)
      return { limit, initial: check.integer(given.initial ?? limit, 'initial', 0, limit) }
    })
  }

  /** How many permits there can be. */
  get permits(): number {
    this.member.mustBeOpen()
    return Atomics.load(this.member.region.words, (this.pointer + sw_sync.limit) >>> 2)
  }

  /** How many there are to be had, at the moment. Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED. */
  get available(): number {
    this.member.mustBeOpen()
    const { calls } = this
    return calls.ok(calls.core.sw_semaphore_available(calls.handle, calls.at, calls.generation))
  }

  /** A permit, or null when there is none. Never waits. Errors: as `available`. */
  tryAcquire(): Permit | null {
    this.member.mustBeOpen()
    const { calls } = this
    const status = calls.core.sw_semaphore_try_acquire(calls.handle, calls.at, calls.generation)
    return status === BUSY ? null : new Permit(calls, calls.ok(status))
  }

  /** Block this thread until it has a permit. Errors: as SharedEvent.wait. */
  acquire(options?: BlockOptions): Permit {
    return this.calls.block(this.#wait, blockTimeout(options))
  }

  /** A permit, as soon as this call's turn has come. Errors: as `acquire`, ERR_SABWAY_ABORTED. */
  async acquireAsync(options?: WaitingOptions): Promise<Permit> {
    return this.calls.wait(this.#wait, patienceOf(options))
  }

  /**
   * One permit more, which any thread may have. Errors: ERR_SABWAY_OUT_OF_RANGE: there are
   * `permits` already; as `available`.
   */
  post(): void {
    this.member.mustBeOpen()
    const { calls } = this
    calls.ok(
      calls.core.sw_semaphore_post(calls.handle, calls.at, calls.generation),
      'there are as many permits as the semaphore was made with',
    )
    calls.nudge()
  }

  get [Symbol.toStringTag](): string {
    return 'SharedSemaphore'
  }

  override toJSON(): object {
    return { pointer: this.pointer, permits: this.permits }
  }
}

/** Let semaphores have names. */
export const provideSemaphore = (): void =>
  provideSync(SW_TYPE_SEMAPHORE, 'semaphore', (heap, shared) => new SharedSemaphore(heap, shared))
