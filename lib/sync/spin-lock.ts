// Spin locks: one in a heap, which is robust (native/core/sync/signal.c), and one in any
// SharedArrayBuffer, which cannot be, as its word has room for no owner.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { now as clock } from '../base/host.js'
import { cloneHint } from '../base/summary.js'
import { SW_TYPE_SPIN_LOCK } from '../generated/abi.js'
import type { ObjectHome } from '../heap/heap-object.js'
import { acquire, release, tryAcquire, wordOf } from './atomics.js'
import { noOptions } from './condition.js'
import {
  type BlockOptions,
  BUSY,
  blockTimeout,
  OWNER_DIED,
  provideSync,
  type SharedPlace,
  type SyncCalls,
  SyncObject,
} from './sync-object.js'

const HINT = cloneHint('A lock stays in the thread that has locked it. It')
/** Looks between two questions whether the holder lives, and between two sleeps. */
const LOOKS = 1024
/**
 * Milliseconds of a sleep, where the holder does not run: twice as many each time, up to the last.
 */
const SLEEP_MS = { first: 0.05, most: 4 }

/** A spin lock that this thread holds, until `release`. */
export class SpinHold {
  /** The last holder ended while it held the lock. */
  readonly ownerDied: boolean
  /** @internal */ readonly cloneHint = HINT
  readonly #calls: SyncCalls
  #over = false

  /** @internal */
  constructor(calls: SyncCalls, ownerDied: boolean) {
    this.#calls = calls
    this.ownerDied = ownerDied
  }

  /**
   * Errors: ERR_SABWAY_INVALID_STATE: released before, or taken from this thread because that was
   * taken for dead; ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  release(): void {
    if (this.#over) throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'this lock was released')
    const calls = this.#calls
    calls.member.mustBeOpen()
    this.#over = true
    const status = calls.hot.sw_spin_unlock(calls.handle, calls.at, calls.generation)
    if (status !== 0) throw calls.error(status)
  }

  /** As `release`, but a lock that was released is left alone. */
  [Symbol.dispose](): void {
    if (!this.#over) this.release()
  }

  get [Symbol.toStringTag](): string {
    return 'SpinHold'
  }
}

/**
 * A lock for a few instructions: a thread that finds it held looks again and again, less often the
 * longer it takes. It is robust: when its holder dies the next one gets it, and is told so. There
 * is no way to wait for it on an event loop: a Mutex is for that.
 */
export class SharedSpinLock extends SyncObject {
  /**
   * A new lock, or with what another's getSharedMemory() gave, or its pointer, that one. Errors: as
   * SharedEvent.
   */
  constructor(home: ObjectHome, shared?: SharedPlace) {
    super(home, shared, 'spin lock', SW_TYPE_SPIN_LOCK, () => noOptions(shared))
  }

  /**
   * The lock, or null when another holds it. Errors: ERR_SABWAY_INVALID_STATE: this thread holds
   * it; ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  tryLock(): SpinHold | null {
    return this.#try(0)
  }

  /** Look until this thread has it, also where a thread may not block. Errors: also _TIMEOUT. */
  lock(options?: BlockOptions): SpinHold {
    const timeout = blockTimeout(options)
    const taken = this.#try(0)
    if (taken !== null) return taken
    const begin = clock()
    for (let sleep = SLEEP_MS.first; ; sleep = Math.min(2 * sleep, SLEEP_MS.most)) {
      for (let looks = 0; looks < LOOKS; looks++) {
        const late = this.#try(0)
        if (late !== null) return late
      }
      const late = this.#try(1)
      if (late !== null) return late
      if (clock() - begin >= timeout) throw this.calls.timedOut(timeout)
      doze(this.member.region.words, sleep)
    }
  }

  #try(closely: number): SpinHold | null {
    const { calls } = this
    calls.member.mustBeOpen()
    const status = calls.hot.sw_spin_try_lock(calls.handle, calls.at, calls.generation, closely)
    if (status === BUSY) return null
    if (status !== 0 && status !== OWNER_DIED) throw calls.error(status)
    return new SpinHold(calls, status === OWNER_DIED)
  }

  get [Symbol.toStringTag](): string {
    return 'SharedSpinLock'
  }
}

/** Give the processor to the holder, where this thread may sleep. */
function doze(words: Int32Array, milliseconds: number): void {
  try {
    // a word that no participant changes while the region is open
    Atomics.wait(words, 0, Atomics.load(words, 0), milliseconds)
  } catch {
    // a page's main thread, or an audio thread: it looks on
  }
}

/**
 * A lock in a word of any shared memory, 0 when it is free: for a few instructions, and where no
 * thread ends while it holds it, since nothing tells that. Threads that may block sleep when
 * looking on does not help.
 */
export class SpinLock {
  /** The word's array. */
  readonly int32: Int32Array
  /** Its index there. */
  readonly index: number

  /** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE: there is no such word. */
  constructor(shared: SharedArrayBuffer | Int32Array, index = 0) {
    this.int32 = ArrayBuffer.isView(shared) && shared instanceof Int32Array ? shared : over(shared)
    this.index = wordOf(this.int32, index)
  }

  /** Look until this thread has it. Errors: ERR_SABWAY_TIMEOUT. */
  lock(options?: BlockOptions): void {
    const timeout = blockTimeout(options)
    if (acquire(this.int32, this.index, timeout)) return
    throw new SabwayError('ERR_SABWAY_TIMEOUT', `another thread has held the lock for ${timeout} ms`)
  }

  /** Does this thread have it now? Never waits. */
  tryLock(): boolean {
    return tryAcquire(this.int32, this.index)
  }

  /** Give it back. Errors: ERR_SABWAY_INVALID_STATE: no thread holds it. */
  unlock(): void {
    release(this.int32, this.index)
  }

  get [Symbol.toStringTag](): string {
    return 'SpinLock'
  }
}

function over(shared: unknown): Int32Array {
  try {
    return new Int32Array(shared as SharedArrayBuffer & { readonly length?: never })
  } catch (cause) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_TYPE',
      `a spin lock is in a SharedArrayBuffer, got ${check.shown(shared)}`,
      {
        cause,
      },
    )
  }
}

/** Let spin locks have names. */
export const provideSpinLock = (): void =>
  provideSync(SW_TYPE_SPIN_LOCK, 'spin lock', (heap, shared) => new SharedSpinLock(heap, shared))
