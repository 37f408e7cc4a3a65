// Events: see native/core/sync/signal.c.
import * as check from '../base/check.js'
import { SW_SYNC_AUTO, SW_TYPE_EVENT, sw_sync } from '../generated/abi.js'
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

/** How a new event is made. */
export interface SharedEventOptions {
  /** The first waiter that it lets go on resets it. False by default: it stays set. */
  autoReset?: boolean
  /** Is it set at first? False by default. */
  set?: boolean
}

/**
 * A signal that is set or not, for which threads of any process wait. The death of a waiter or a
 * setter changes nothing for the others.
 */
export class SharedEvent extends SyncObject {
  readonly #wait: SyncWait<true> = { take: () => this.tryWait() || NOTHING }

  /**
   * A new event, or with what another's getSharedMemory() gave, or its pointer, that one. Errors:
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_HEAP_FULL, ERR_SABWAY_CLOSED; ERR_SABWAY_FREED, ERR_SABWAY_OTHER_KIND,
   * ERR_SABWAY_WILD_POINTER.
   */
  constructor(home: ObjectHome, options?: SharedEventOptions | SharedPlace) {
    super(home, options, 'event', SW_TYPE_EVENT, () => {
      const given = check.options<SharedEventOptions>(options as SharedEventOptions, 'event options', [
        'autoReset',
        'set',
      ])
      const { autoReset = false, set = false } = given
      check.flag(autoReset, 'autoReset')
      check.flag(set, 'set')
      return { initial: set ? 1 : 0, options: autoReset ? SW_SYNC_AUTO : 0 }
    })
  }

  /** Set it: all that wait go on, or one with `autoReset`. Errors: ERR_SABWAY_FREED, _CLOSED. */
  set(): void {
    this.member.mustBeOpen()
    const { calls } = this
    calls.ok(calls.core.sw_event_set(calls.handle, calls.at, calls.generation))
    calls.nudge()
  }

  /** Errors: as `set`. */
  reset(): void {
    this.member.mustBeOpen()
    const { calls } = this
    calls.ok(calls.core.sw_event_reset(calls.handle, calls.at, calls.generation))
  }

  /** Is it set, at the moment? Errors: ERR_SABWAY_CLOSED. */
  get isSet(): boolean {
    this.member.mustBeOpen()
    return Atomics.load(this.member.region.words, (this.pointer + sw_sync.state) >>> 2) === 1 && !this.isFreed
  }

  /** Is it set? Never waits; with `autoReset` it is reset then. Errors: as `set`. */
  tryWait(): boolean {
    this.member.mustBeOpen()
    const { calls } = this
    const status = calls.core.sw_event_try(calls.handle, calls.at, calls.generation)
    return status !== BUSY && calls.ok(status) === 0
  }

  /**
   * Block this thread until it is set. Errors: ERR_SABWAY_TIMEOUT; ERR_SABWAY_INVALID_STATE: this
   * thread may not block; ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  wait(options?: BlockOptions): void {
    this.calls.block(this.#wait, blockTimeout(options))
  }

  /** When it is set. Errors: as `wait`, and ERR_SABWAY_ABORTED. */
  async waitAsync(options?: WaitingOptions): Promise<void> {
    await this.calls.wait(this.#wait, patienceOf(options))
  }

  get [Symbol.toStringTag](): string {
    return 'SharedEvent'
  }
}

/** Let events have names. */
export const provideEvent = (): void =>
  provideSync(SW_TYPE_EVENT, 'event', (heap, shared) => new SharedEvent(heap, shared))
