// This thread's part in one mutex: whether it holds it, and how it waits for it (loop/waits.ts). In
// the mutex the thread is one waiter, however many calls wait.
//
//   free --try--> held --release--> free
//   free --try, held by another--> waiting --rung, or looked for now and then, try--> held
import type { Patience } from '../base/check.js'
import { coreError, type SabwayError } from '../base/errors.js'
import { OBJECT_ERRORS } from '../generated/abi.js'
import { HeapMember } from '../heap/member.js'
import { NOTHING } from '../loop/block.js'
import { WaitSet, type WaitSource } from '../loop/waits.js'
import type { Region } from '../region/region.js'

const BUSY = OBJECT_ERRORS.ERR_SABWAY_BUSY.number
const OWNER_DIED = OBJECT_ERRORS.ERR_SABWAY_OWNER_DIED.number
/** A waiter that has waited this long, or was woken so often in vain, asks for a hand-off. */
const PATIENCE_MS = 1
const PATIENCE_WAKES = 30

const all = new WeakMap<Region, Map<number, Waiters>>()

export class Waiters implements WaitSource {
  readonly region: Region
  /** Does this thread hold the mutex? */
  held = false
  readonly #member: HeapMember
  readonly #set: WaitSet
  readonly #at: number

  /** Of the mutex at that offset. */
  static of(region: Region, at: number): Waiters {
    let ofRegion = all.get(region)
    if (ofRegion === undefined) {
      ofRegion = new Map()
      all.set(region, ofRegion)
    }
    let waiters = ofRegion.get(at)
    if (waiters === undefined) {
      waiters = new Waiters(region, at)
      ofRegion.set(at, waiters)
    }
    return waiters
  }

  private constructor(region: Region, at: number) {
    this.region = region
    this.#member = HeapMember.of(region)
    this.#set = WaitSet.of(region)
    this.#at = at
  }

  // ---- what the mutex calls ----

  /**
   * NOTHING when another holds it; else whether the last holder died. Errors: ERR_SABWAY_POISONED,
   * ERR_SABWAY_CLOSED, ERR_SABWAY_CORRUPT.
   */
  take(): boolean | typeof NOTHING {
    this.#member.mustBeOpen()
    if (this.held) return NOTHING
    const status = this.#member.core.sw_mutex_try_lock(0, this.#at, this.region.endpoint)
    if (status === BUSY) return NOTHING
    if (status !== 0 && status !== OWNER_DIED) throw coreError(status, WHY[status] ?? 'while locking a mutex')
    this.held = true
    return status === OWNER_DIED
  }

  /**
   * Block this thread until it has the mutex: then as `take`; NOTHING when the time has run out.
   */
  lock(timeout: number): boolean | typeof NOTHING {
    return this.#set.block(this.#at, this, () => this.take(), timeout)
  }

  /** As `take`, as soon as this call's turn has come. Errors: also those of waiting. */
  lockAsync(patience: Patience, timedOut: (timeout: number) => SabwayError): Promise<boolean> {
    return this.#set.wait(this.#at, { ...patience, source: this, take: () => this.take(), timedOut })
  }

  release(): void {
    this.held = false
    const status = this.#member.core.sw_mutex_unlock(0, this.#at, this.region.endpoint)
    this.#set.nudge()
    if (status !== 0) throw coreError(status, WHY[status] ?? 'while unlocking a mutex')
  }

  consistent(): void {
    const status = this.#member.core.sw_mutex_consistent(0, this.#at, this.region.endpoint)
    if (status !== 0) throw coreError(status, 'the last holder did not die, or this was called before')
  }

  get isFree(): boolean {
    return !this.held && this.role() === 0
  }

  // ---- what waiting calls ----

  begin(waited: number, wakes: number): void {
    const { core } = this.#member
    if (isLong(waited, wakes)) core.sw_mutex_request_handoff(0, this.#at, this.region.endpoint)
    core.sw_mutex_begin_wait(0, this.#at, this.region.endpoint)
  }

  end(): void {
    this.#member.core.sw_mutex_end_wait(0, this.#at, this.region.endpoint)
  }

  /** The holder. */
  role(): number {
    return this.#member.core.sw_mutex_holder(this.#at)
  }

  /** Until it asks for a hand-off, which it cannot do while it sleeps. */
  bound(waited: number, wakes: number): number {
    return isLong(waited, wakes) ? Number.POSITIVE_INFINITY : Math.max(PATIENCE_MS - waited, 0.01)
  }
}

const isLong = (waited: number, wakes: number): boolean => waited >= PATIENCE_MS || wakes >= PATIENCE_WAKES

const WHY: Record<number, string> = {
  [OBJECT_ERRORS.ERR_SABWAY_POISONED.number]:
    'a holder died with it, and the next one unlocked it without consistent(): make another mutex, and anew what this one protects',
}
