// Wait groups: see native/core/sync/group.c.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { cloneHint } from '../base/summary.js'
import { OBJECT_ERRORS, SW_SYNC_LEAVE, SW_TYPE_WAIT_GROUP } from '../generated/abi.js'
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

/** How a new wait group is made. */
export interface SharedWaitGroupOptions {
  /**
   * What the death of a thread does that has claimed a part: 'break' (the default): all that wait
   * get ERR_SABWAY_BROKEN; 'leave': its part counts as done.
   */
  onDeath?: 'break' | 'leave'
}

const PART_HINT = cloneHint('A part stays in the thread that has claimed it. It')
const BROKEN = OBJECT_ERRORS.ERR_SABWAY_BROKEN.number
const WHY: Record<number, string> = {
  [BROKEN]: 'a thread ended with a part that it had claimed; mend() counts such parts as done',
}

/** A part that this thread has claimed: `using part = group.claim()`. */
export class WaitGroupPart {
  /** @internal */ readonly cloneHint = PART_HINT
  readonly #done: () => void
  #over = false

  /** @internal */
  constructor(done: () => void) {
    this.#done = done
  }

  /** It is done. Errors: ERR_SABWAY_INVALID_STATE: before; ERR_SABWAY_FREED, ERR_SABWAY_CLOSED. */
  done(): void {
    if (this.#over) throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'this part is done')
    this.#over = true
    this.#done()
  }

  /** As `done`, but once. */
  [Symbol.dispose](): void {
    if (!this.#over) this.done()
  }

  get [Symbol.toStringTag](): string {
    return 'WaitGroupPart'
  }
}

/**
 * Threads of any process wait until all parts of something are done, as many as were added. Up to
 * 64 parts at a time can be claimed, and then the death of the claimer is an answer:
 * ERR_SABWAY_BROKEN, or with `onDeath: 'leave'` a part that is done. More are counted.
 */
export class SharedWaitGroup extends SyncObject {
  readonly #wait: SyncWait<true> = { take: () => this.tryWait() || NOTHING }

  /**
   * A new group, or with what another's getSharedMemory() gave, or its pointer, that one. Errors:
   * as SharedEvent.
   */
  constructor(home: ObjectHome, options?: SharedWaitGroupOptions | SharedPlace) {
    super(home, options, 'wait group', SW_TYPE_WAIT_GROUP, () => {
      const given = check.options<SharedWaitGroupOptions>(options as SharedWaitGroupOptions, 'wait group options', [
        'onDeath',
      ])
      const leaves = check.oneOf(given.onDeath ?? 'break', 'onDeath', ['break', 'leave']) === 'leave'
      return { options: leaves ? SW_SYNC_LEAVE : 0 }
    })
  }

  /** So many parts more are to be done. Errors: ERR_SABWAY_OUT_OF_RANGE, _FREED, _CLOSED. */
  add(parts = 1): void {
    check.integer(parts, 'parts', 0, 0x7fff_ffff)
    this.member.mustBeOpen()
    const { calls } = this
    calls.ok(calls.core.sw_group_add(calls.handle, calls.at, calls.generation, parts), 'there are too many parts')
  }

  /**
   * Take a part on, so that the death of this thread is noticed. Errors: ERR_SABWAY_INVALID_STATE:
   * there is none that is open; ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  claim(): WaitGroupPart {
    this.member.mustBeOpen()
    const { calls } = this
    const status = calls.core.sw_group_claim(calls.handle, calls.at, calls.generation)
    if (status === BUSY)
      throw new SabwayError(
        'ERR_SABWAY_INVALID_STATE',
        'no part is open: add() comes first, and 64 at most have a claimer',
      )
    calls.ok(status)
    return new WaitGroupPart(() => this.done())
  }

  /**
   * A part is done: one that this thread has claimed, or else one that is open. Errors: as `claim`.
   */
  done(): void {
    this.member.mustBeOpen()
    const { calls } = this
    calls.ok(calls.core.sw_group_done(calls.handle, calls.at, calls.generation), 'no part was left to be done')
    calls.nudge()
  }

  /** How many parts are left, at the moment. Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED. */
  get left(): number {
    this.member.mustBeOpen()
    const { calls } = this
    return calls.ok(calls.core.sw_group_left(calls.handle, calls.at, calls.generation))
  }

  /** Parts of threads that have ended count as done. Errors: as `left`. */
  mend(): void {
    this.member.mustBeOpen()
    const { calls } = this
    calls.ok(calls.core.sw_group_mend(calls.handle, calls.at, calls.generation))
    calls.nudge()
  }

  /** Is all done? Never waits. Errors: ERR_SABWAY_BROKEN, ERR_SABWAY_FREED, ERR_SABWAY_CLOSED. */
  tryWait(): boolean {
    this.member.mustBeOpen()
    const { calls } = this
    const status = calls.core.sw_group_try(calls.handle, calls.at, calls.generation)
    return status !== BUSY && calls.ok(status, WHY[status]) === 0
  }

  /** Block this thread until all is done. Errors: as SharedEvent.wait, and ERR_SABWAY_BROKEN. */
  wait(options?: BlockOptions): void {
    this.calls.block(this.#wait, blockTimeout(options))
  }

  /** When all is done. Errors: as `wait`, and ERR_SABWAY_ABORTED. */
  async waitAsync(options?: WaitingOptions): Promise<void> {
    await this.calls.wait(this.#wait, patienceOf(options))
  }

  get [Symbol.toStringTag](): string {
    return 'SharedWaitGroup'
  }
}

/** Let wait groups have names. */
export const provideWaitGroup = (): void =>
  provideSync(SW_TYPE_WAIT_GROUP, 'wait group', (heap, shared) => new SharedWaitGroup(heap, shared))
