// The public classes of the robust mutex: see native/core/mutex/mutex.c.
import * as check from '../base/check.js'
import { coreError, SabwayError } from '../base/errors.js'
import { cloneHint } from '../base/summary.js'
import { SW_KIND_MUTEX, sw_mutex } from '../generated/abi.js'
import type { Heap } from '../heap/heap.js'
import { HeapMember } from '../heap/member.js'
import { provideKind } from '../heap/names.js'
import { getPointer, pointerOf, type SharedAllocatedMemory } from '../heap/pointer.js'
import { RawHeap } from '../heap/raw-heap.js'
import { NOTHING } from '../loop/block.js'
import { Region } from '../region/region.js'
import { Waiters } from './waiters.js'

/** How long a call waits for a mutex, and what ends the waiting. */
export type LockOptions = check.Patience

/** One for all: two mutexes differ in their pointers, or in their heaps. */
const MUTEX_HINT = cloneHint(
  'A mutex stays in its thread: post mutex.getSharedMemory(), and make a Mutex of that there. It',
)
const LOCK_HINT = cloneHint('A lock stays in the thread that has locked the mutex. It')

/** A mutex that this thread holds, until `release`: `using lock = mutex.lock()` calls it. */
export class Lock {
  /**
   * The last holder ended while it held the mutex, so what that protects may be left half done:
   * mend it, and call `consistent`.
   */
  get ownerDied(): boolean {
    return this.#ownerDied
  }

  /** @internal */ readonly cloneHint = LOCK_HINT
  readonly #waiters: Waiters
  #ownerDied: boolean
  #over = false

  /** @internal */
  constructor(waiters: Waiters, ownerDied: boolean) {
    this.#waiters = waiters
    this.#ownerDied = ownerDied
  }

  /**
   * What the mutex protects is in order again. Errors: ERR_SABWAY_INVALID_STATE: the last holder
   * did not die, or the lock is released.
   */
  consistent(): void {
    this.#mustHold()
    this.#waiters.consistent()
  }

  /**
   * Give the mutex back, and wake a participant that waits for it. Errors: ERR_SABWAY_POISONED: the
   * last holder died, and `consistent` was not called, so no participant can lock it any more;
   * ERR_SABWAY_INVALID_STATE: released before, or taken from this thread because it was taken for
   * dead.
   */
  release(): void {
    this.#mustHold()
    this.#over = true
    this.#waiters.release()
  }

  /** As `release`, but a lock that was released is left alone. */
  [Symbol.dispose](): void {
    if (!this.#over) this.release()
  }

  /** @internal Is it a lock that this copy of the library has made? */
  static isMade(value: unknown): value is Lock {
    return typeof value === 'object' && value !== null && #over in value
  }

  /** @internal For a condition: the mutex is free until `resume`. Errors: as `release`. */
  suspend(): void {
    this.release()
  }

  /** @internal The mutex is locked again. Errors: as Mutex.lock; then the lock is released. */
  resume(): void {
    const taken = this.#waiters.lock(Number.POSITIVE_INFINITY)
    this.#ownerDied = taken === true
    this.#over = false
  }

  /** @internal */
  async resumeAsync(): Promise<void> {
    this.#ownerDied = await this.#waiters.lockAsync({}, timedOut)
    this.#over = false
  }

  get [Symbol.toStringTag](): string {
    return 'Lock'
  }

  #mustHold(): void {
    if (this.#over) throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'this lock was released')
  }
}

/**
 * A mutex in a heap, for threads of any participating process, with and without the addon, in
 * JavaScript and C. One holder at a time, whichever thread that is; not recursive. It is robust:
 * when its holder dies the next one gets it, and is told so (`lock.ownerDied`). A waiter that waits
 * for more than a millisecond is the next to have it.
 */
export class Mutex {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = MUTEX_HINT
  /** The heap that it is in. */
  readonly heap: Heap
  /** Where it is: its offset in the region. */
  readonly pointer: number
  readonly #waiters: Waiters

  /**
   * A new mutex, or with `shared` one that another participant has made. Errors: as Heap.alloc;
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE; ERR_SABWAY_WILD_POINTER: there is no block of
   * its size.
   */
  constructor(heap: Heap, shared?: SharedAllocatedMemory | number) {
    const region = RawHeap.checked(heap).heapRegion
    if (!Region.isRegion(region)) throw new SabwayError('ERR_SABWAY_INVALID_TYPE', 'the heap is not of a Region')
    this.heap = heap
    const member = HeapMember.of(region)
    this.pointer = shared === undefined ? member.makeMutex() : pointerOf(shared)
    if (shared !== undefined && (this.pointer % 16 !== 0 || member.usable(this.pointer) < sw_mutex.sizeof))
      throw new SabwayError('ERR_SABWAY_WILD_POINTER', `${this.pointer}; a mutex is not there`)
    this.#waiters = Waiters.of(region, this.pointer)
  }

  /** @internal Is it a mutex that this copy of the library has made? */
  static isMade(value: object): value is Mutex {
    return #waiters in value
  }

  /**
   * Block this thread until it holds the mutex. Errors: ERR_SABWAY_TIMEOUT: not within `timeout`
   * milliseconds; ERR_SABWAY_INVALID_STATE: this thread holds it, or may not block, as a page's
   * main thread; ERR_SABWAY_POISONED, ERR_SABWAY_CLOSED; ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_INVALID_TYPE.
   */
  lock(options?: { timeout?: number }): Lock {
    const { timeout = Number.POSITIVE_INFINITY } = check.options(options, 'lock options', ['timeout'])
    check.milliseconds(timeout, 'timeout')
    if (this.#waiters.held) {
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'this thread holds the mutex, and would wait for itself')
    }
    const taken = this.#waiters.lock(timeout)
    if (taken === NOTHING) throw timedOut(timeout)
    return new Lock(this.#waiters, taken)
  }

  /** The lock when no participant holds the mutex, else null. Never waits. Errors: as `lock`. */
  tryLock(): Lock | null {
    const taken = this.#waiters.take()
    return taken === NOTHING ? null : new Lock(this.#waiters, taken)
  }

  /**
   * The lock, as soon as this call's turn has come: calls of one thread are served in their order.
   * Keeps the process alive meanwhile. Errors: as `lock`, and ERR_SABWAY_ABORTED.
   */
  async lockAsync(options?: LockOptions): Promise<Lock> {
    const waiters = this.#waiters
    return new Lock(waiters, await waiters.lockAsync(check.patience(options, 'lock options'), timedOut))
  }

  /** Does a participant hold it, this thread or another? */
  get locked(): boolean {
    return !this.#waiters.isFree
  }

  /** What another thread makes its own Mutex of. Structured-cloneable. */
  getSharedMemory(): SharedAllocatedMemory {
    return getPointer(this.pointer)
  }

  /**
   * Give it back, when no participant uses it any more: the next mutex that is made has its memory.
   * Errors: ERR_SABWAY_INVALID_STATE: a participant holds it; ERR_SABWAY_DOUBLE_FREE,
   * ERR_SABWAY_CLOSED.
   */
  free(): void {
    if (this.locked) throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'a participant holds the mutex')
    const { core, handle } = HeapMember.of(this.heap.heapRegion)
    const status = core.sw_mutex_free(handle, this.pointer)
    if (status !== 0) throw coreError(status, `${this.pointer}; there is no mutex any more`)
  }

  get [Symbol.toStringTag](): string {
    return 'Mutex'
  }

  toJSON(): { pointer: number; locked: boolean } {
    return { pointer: this.pointer, locked: this.locked }
  }
}

const timedOut = (timeout: number): SabwayError =>
  new SabwayError('ERR_SABWAY_TIMEOUT', `the mutex was not to be had within ${timeout} ms`)

/** Let mutexes have names in the directory. */
export function provideMutex(): void {
  provideKind<Mutex>({
    kind: SW_KIND_MUTEX,
    name: 'mutex',
    placeOf: (value) => (Mutex.isMade(value) ? { region: value.heap.heapRegion, object: value.pointer } : null),
    open: (heap, object) => new Mutex(heap, object),
    free: (mutex) => mutex.free(),
  })
}
