// What is done once: see native/core/sync/signal.c.
import * as check from '../base/check.js'
import { SW_ONCE_DONE, SW_TYPE_ONCE, sw_sync } from '../generated/abi.js'
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
  SyncObject,
  type SyncWait,
  type WaitingOptions,
} from './sync-object.js'

/** What a call has found: it is done, or this thread is to do it. */
type Turn = 'done' | 'first' | 'after one that died'

/**
 * Something that one thread of all does, once, while the others wait until it is done. When the one
 * that does it dies, or its function throws, the next one does it.
 */
export class SharedOnce extends SyncObject {
  readonly #wait: SyncWait<Turn> = { take: () => this.#begin() }

  /**
   * A new one, or with what another's getSharedMemory() gave, or its pointer, that one. Errors: as
   * SharedEvent.
   */
  constructor(home: ObjectHome, shared?: SharedPlace) {
    super(home, shared, 'once', SW_TYPE_ONCE, () => noOptions(shared))
  }

  /** Is it done? Errors: ERR_SABWAY_CLOSED. */
  get isDone(): boolean {
    this.member.mustBeOpen()
    return Atomics.load(this.member.region.words, (this.pointer + sw_sync.state) >>> 2) === SW_ONCE_DONE
  }

  /**
   * Call `act` if it is not done, or block this thread until another has done it. `act` is told
   * whether one that began it before has died. Returns whether this call did it. Errors: what `act`
   * throws; ERR_SABWAY_TIMEOUT; ERR_SABWAY_INVALID_STATE: this thread is at it, or may not block;
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  run(act: (afterDeath: boolean) => void, options?: BlockOptions): boolean {
    check.callback(act, 'act')
    const turn = this.calls.block(this.#wait, blockTimeout(options))
    if (turn === 'done') return false
    let done = 0
    try {
      act(turn !== 'first')
      done = 1
    } finally {
      this.#end(done)
    }
    return true
  }

  /**
   * The same on the event loop; `act` may return a promise. Errors: as `run`, ERR_SABWAY_ABORTED.
   */
  async runAsync(act: (afterDeath: boolean) => unknown, options?: WaitingOptions): Promise<boolean> {
    check.callback(act, 'act')
    const turn = await this.calls.wait(this.#wait, patienceOf(options))
    if (turn === 'done') return false
    let done = 0
    try {
      await act(turn !== 'first')
      done = 1
    } finally {
      this.#end(done)
    }
    return true
  }

  #begin(): Turn | typeof NOTHING {
    this.member.mustBeOpen()
    const { calls } = this
    const status = calls.core.sw_once_begin(calls.handle, calls.at, calls.generation)
    if (status === BUSY) return NOTHING
    if (status === OWNER_DIED) return 'after one that died'
    return calls.ok(status, 'this thread is at it already') === 1 ? 'done' : 'first'
  }

  #end(done: number): void {
    const { calls } = this
    if (calls.member.closed) return
    calls.ok(calls.core.sw_once_end(calls.handle, calls.at, calls.generation, done))
    calls.nudge()
  }

  get [Symbol.toStringTag](): string {
    return 'SharedOnce'
  }

  override toJSON(): object {
    return { pointer: this.pointer, isDone: this.isDone }
  }
}

/** Let these have names. */
export const provideOnce = (): void => provideSync(SW_TYPE_ONCE, 'once', (heap, shared) => new SharedOnce(heap, shared))
