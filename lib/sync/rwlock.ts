// Locks that many readers or one writer hold: see native/core/sync/rwlock.c. In the lock this
// thread
// is one reader, however often it reads: that is counted here.
import { SabwayError } from '../base/errors.js'
import { cloneHint } from '../base/summary.js'
import { OBJECT_ERRORS, SW_TYPE_RWLOCK } from '../generated/abi.js'
import type { ObjectHome } from '../heap/heap-object.js'
import { NOTHING } from '../loop/block.js'
import { noOptions } from './condition.js'
import {
  type BlockOptions,
  BUSY,
  blockTimeout,
  OWNER_DIED,
  patienceOf,
  provideSync,
  type SharedPlace,
  type SyncCalls,
  SyncObject,
  type SyncWait,
  ThreadStates,
  type WaitingOptions,
} from './sync-object.js'

const HINT = cloneHint('A lock stays in the thread that has locked it. It')

/** How often this thread reads, and whether it writes. */
interface RwState {
  readers: number
  writes: boolean
}

const states = new ThreadStates<RwState>(() => ({ readers: 0, writes: false }))

const WHY: Record<number, string> = {
  [OBJECT_ERRORS.ERR_SABWAY_POISONED.number]:
    'a writer died with the lock, and the next one released it without consistent(): make another, and anew what this one protects',
  [OWNER_DIED]:
    'a writer died while it wrote, and the lock is not held now: lock it for writing, mend, and call consistent()',
}

/** This thread reads, until `release`: `using lock = rwlock.readLock()`. */
export class ReadLock {
  /** @internal */ readonly cloneHint = HINT
  readonly #calls: SyncCalls
  readonly #state: RwState
  #over = false

  /** @internal */
  constructor(calls: SyncCalls, state: RwState) {
    this.#calls = calls
    this.#state = state
  }

  /**
   * Read no more; the last of this thread's readers lets a writer go on. Errors:
   * ERR_SABWAY_INVALID_STATE: released before, or this thread was taken for dead;
   * ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  release(): void {
    if (this.#over) throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'this lock was released')
    const calls = this.#calls
    calls.member.mustBeOpen()
    this.#over = true
    if (--this.#state.readers !== 0) return
    const status = calls.hot.sw_rwlock_end_read(calls.handle, calls.at, calls.generation)
    if (status !== 0) throw calls.error(status)
    calls.nudge()
  }

  /** As `release`, but a lock that was released is left alone. */
  [Symbol.dispose](): void {
    if (!this.#over) this.release()
  }

  get [Symbol.toStringTag](): string {
    return 'ReadLock'
  }
}

/** This thread writes, alone, until `release`: `using lock = rwlock.writeLock()`. */
export class WriteLock {
  /**
   * The last writer ended while it wrote, so what the lock protects may be left half done: mend it,
   * and call `consistent`.
   */
  readonly ownerDied: boolean
  /** @internal */ readonly cloneHint = HINT
  readonly #calls: SyncCalls
  readonly #state: RwState
  #over = false

  /** @internal */
  constructor(calls: SyncCalls, state: RwState, ownerDied: boolean) {
    this.#calls = calls
    this.#state = state
    this.ownerDied = ownerDied
  }

  /**
   * What it protects is in order again. Errors: ERR_SABWAY_INVALID_STATE: it was, or is released.
   */
  consistent(): void {
    this.#mustHold()
    const { core, handle, at, generation } = this.#calls
    this.#calls.ok(core.sw_rwlock_consistent(handle, at, generation), 'the last writer did not die')
  }

  /**
   * Write no more. Errors: ERR_SABWAY_POISONED: the last writer died, and `consistent` was not
   * called, so no participant can lock it any more; ERR_SABWAY_INVALID_STATE, ERR_SABWAY_FREED,
   * ERR_SABWAY_CLOSED.
   */
  release(): void {
    this.#mustHold()
    this.#over = true
    this.#state.writes = false
    const calls = this.#calls
    const status = calls.hot.sw_rwlock_end_write(calls.handle, calls.at, calls.generation)
    calls.nudge()
    if (status !== 0) throw calls.error(status, WHY[status])
  }

  /** As `release`, but a lock that was released is left alone. */
  [Symbol.dispose](): void {
    if (!this.#over) this.release()
  }

  get [Symbol.toStringTag](): string {
    return 'WriteLock'
  }

  #mustHold(): void {
    if (this.#over) throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'this lock was released')
    this.#calls.member.mustBeOpen()
  }
}

/**
 * A lock that many readers hold at once, or one writer, which are threads of any process. A writer
 * that waits holds off new readers. It is robust: a reader that dies reads no more; when a writer
 * dies, the next one is told (`lock.ownerDied`), and readers get ERR_SABWAY_OWNER_DIED until one
 * has mended what it left. A thread may read several times at once, but it cannot write while it
 * reads.
 */
export class SharedRwLock extends SyncObject {
  readonly #state: RwState
  readonly #read: SyncWait<ReadLock> = { which: 1, take: () => this.tryReadLock() ?? NOTHING }
  readonly #write: SyncWait<WriteLock> = { take: () => this.#tryWrite(1) ?? NOTHING }

  /**
   * A new lock, or with what another's getSharedMemory() gave, or its pointer, that one. Errors: as
   * SharedEvent.
   */
  constructor(home: ObjectHome, shared?: SharedPlace) {
    super(home, shared, 'read-write lock', SW_TYPE_RWLOCK, () => noOptions(shared))
    this.#state = states.of(this)
  }

  /**
   * The lock for reading, or null while another writes or waits to. Never waits. Errors:
   * ERR_SABWAY_OWNER_DIED: a writer died while it wrote; ERR_SABWAY_POISONED;
   * ERR_SABWAY_INVALID_STATE: this thread writes; ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  tryReadLock(): ReadLock | null {
    const { calls } = this
    const state = this.#state
    calls.member.mustBeOpen()
    if (state.readers === 0) {
      const status = calls.hot.sw_rwlock_try_read(calls.handle, calls.at, calls.generation)
      if (status === BUSY) return null
      if (status !== 0) throw calls.error(status, WHY[status])
    }
    state.readers++
    return new ReadLock(calls, state)
  }

  /**
   * Block this thread until it reads. Errors: as `tryReadLock`; ERR_SABWAY_TIMEOUT;
   * ERR_SABWAY_INVALID_STATE: this thread may not block.
   */
  readLock(options?: BlockOptions): ReadLock {
    if (options === undefined) {
      const taken = this.tryReadLock()
      if (taken !== null) return taken
    }
    return this.calls.block(this.#read, blockTimeout(options))
  }

  /** The same on the event loop. Errors: as `readLock`, and ERR_SABWAY_ABORTED. */
  async readLockAsync(options?: WaitingOptions): Promise<ReadLock> {
    return this.calls.wait(this.#read, patienceOf(options))
  }

  /**
   * The lock for writing, or null while another has it. Never waits. Errors: ERR_SABWAY_POISONED;
   * ERR_SABWAY_INVALID_STATE: this thread reads; ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  tryWriteLock(): WriteLock | null {
    return this.#tryWrite(0)
  }

  /**
   * Block this thread until it writes. Errors: as `tryWriteLock`; ERR_SABWAY_TIMEOUT;
   * ERR_SABWAY_INVALID_STATE: this thread writes, or may not block.
   */
  writeLock(options?: BlockOptions): WriteLock {
    const timeout = blockTimeout(options)
    if (this.#state.writes)
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'this thread writes, and would wait for itself')
    return timeout === 0 ? (this.#tryWrite(0) ?? this.#late()) : this.calls.block(this.#write, timeout)
  }

  /** The same on the event loop. Errors: as `writeLock`, and ERR_SABWAY_ABORTED. */
  async writeLockAsync(options?: WaitingOptions): Promise<WriteLock> {
    const patience = patienceOf(options)
    if (patience.timeout !== 0) return this.calls.wait(this.#write, patience)
    return this.#tryWrite(0) ?? this.#late()
  }

  #late(): never {
    throw this.calls.timedOut(0)
  }

  #tryWrite(patient: number): WriteLock | null {
    const { calls } = this
    const state = this.#state
    calls.member.mustBeOpen()
    if (state.writes) return null
    const status = calls.hot.sw_rwlock_try_write(calls.handle, calls.at, calls.generation, patient)
    if (status === BUSY) return null
    if (status !== 0 && status !== OWNER_DIED) throw calls.error(status, WHY[status])
    state.writes = true
    return new WriteLock(calls, state, status === OWNER_DIED)
  }

  get [Symbol.toStringTag](): string {
    return 'SharedRwLock'
  }
}

/** Let these locks have names. */
export const provideRwLock = (): void =>
  provideSync(SW_TYPE_RWLOCK, 'read-write lock', (heap, shared) => new SharedRwLock(heap, shared))
