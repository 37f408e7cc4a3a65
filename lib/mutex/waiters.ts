// This thread's part in one mutex: whether it holds it, and the calls of lockAsync that wait for
// it, first come, first served. In the mutex the thread is one waiter, however many calls wait.
//
//   free --try--> held --release--> free
//   free --try, held by another--> waiting: its bit set, on the event loop --rung, try--> held
//                                  also looked for now and then
//
// Calls of this thread that wait while this thread holds the mutex need no ring: its release has
// them look.
import { coreError, SabwayError } from '../base/errors.js'
import { after, now as clock } from '../base/host.js'
import { OBJECT_ERRORS, SW_WAIT_PATROL_MS } from '../generated/abi.js'
import { HeapMember } from '../heap/member.js'
import type { Bell, Participant } from '../loop/bell.js'
import { type BlockingWait, block, NOTHING } from '../loop/block.js'
import { activate, bellOf, deactivate, look, standIn } from '../loop/dispatcher.js'
import { keepAliveReasonOf, setActive } from '../loop/keep-alive.js'
import { nativePart } from '../loop/parts.js'
import { reachOf, WaitState } from '../loop/wait-policy.js'
import type { Region } from '../region/region.js'

const BUSY = OBJECT_ERRORS.ERR_SABWAY_BUSY.number
const OWNER_DIED = OBJECT_ERRORS.ERR_SABWAY_OWNER_DIED.number
/** A waiter that has waited this long, or was woken so often in vain, asks for a hand-off. */
const PATIENCE_MS = 1
const PATIENCE_WAKES = 30

/** A call of lockAsync that waits. */
export interface PendingLock {
  /** `ownerDied`: the last holder ended with the mutex. */
  resolve(ownerDied: boolean): void
  reject(error: unknown): void
}

const all = new WeakMap<Region, Map<number, Waiters>>()

export class Waiters implements Participant, BlockingWait<boolean> {
  readonly region: Region
  readonly bell: Bell
  readonly waiter: WaitState
  /** Rings for messages are for others. */
  readonly wantsMessages = false
  /** Does this thread hold the mutex? */
  held = false
  readonly #member: HeapMember
  readonly #at: number
  readonly #pending: PendingLock[] = []
  readonly #keepAlive = keepAliveReasonOf(this)
  /** What the second look has got. */
  #taken: boolean | typeof NOTHING = NOTHING
  /** When the first of those that wait began to, and how often it was woken since. */
  #since = 0
  #wakes = 0
  #patrol: ReturnType<typeof after> | null = null

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
    this.#at = at
    this.bell = bellOf(region)
    this.waiter = new WaitState(region, 'balanced')
    if (region.processes && region.binding !== null) nativePart.loaded?.listenToProcesses(region.binding)
    region.onClose(() => this.#end(new SabwayError('ERR_SABWAY_CLOSED', 'the region of this mutex was closed')))
  }

  // ---- what the mutex calls ----

  /**
   * NOTHING when another holds it; else whether the last holder died. Errors: ERR_SABWAY_POISONED,
   * ERR_SABWAY_CLOSED, ERR_SABWAY_CORRUPT.
   */
  take(): boolean | typeof NOTHING {
    const taken = this.#taken
    this.#taken = NOTHING
    return taken === NOTHING ? this.#try() : taken
  }

  #try(): boolean | typeof NOTHING {
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
    const taken = this.take() // mostly it is free, and needs none of what waiting does
    if (taken !== NOTHING || timeout === 0) return taken
    this.#begin()
    try {
      return block(this.region, this.waiter, this, timeout)
    } finally {
      this.#endWait()
    }
  }

  wait(call: PendingLock): void {
    if (this.#pending.length === 0) this.#begin()
    this.#pending.push(call)
    setActive(this.#keepAlive, true)
    this.prepare()
    activate(this)
    this.#patrolLater()
  }

  /** A holder may vanish without a ring, as one in another process does. */
  #patrolLater(): void {
    this.#patrol ??= after(SW_WAIT_PATROL_MS, () => {
      this.#patrol = null
      if (this.#pending.length === 0) return
      look(this.region)
      this.#patrolLater()
    })
  }

  /** The call waits no more. False: it had ended. */
  giveUp(call: PendingLock): boolean {
    const at = this.#pending.indexOf(call)
    if (at < 0) return false
    this.#pending.splice(at, 1)
    this.#restIfDone()
    return true
  }

  release(): void {
    this.held = false
    const status = this.#member.core.sw_mutex_unlock(0, this.#at, this.region.endpoint)
    if (this.#pending.length !== 0) {
      this.region.commons.rouse()
      look(this.region)
    }
    if (status !== 0) throw coreError(status, WHY[status] ?? 'while unlocking a mutex')
  }

  consistent(): void {
    const status = this.#member.core.sw_mutex_consistent(0, this.#at, this.region.endpoint)
    if (status !== 0) throw coreError(status, 'the last holder did not die, or this was called before')
  }

  /** Do calls of this thread wait? */
  get waiting(): boolean {
    return this.#pending.length !== 0
  }

  get isFree(): boolean {
    return !this.held && this.role() === 0
  }

  // ---- the event loop's turns ----

  work(): boolean {
    if (this.#pending.length === 0) return false
    let taken: boolean | typeof NOTHING
    try {
      taken = this.take()
    } catch (error) {
      this.#end(error)
      return true
    }
    if (taken === NOTHING) {
      this.#wakes++
      this.prepare()
      return false
    }
    const call = this.#pending.shift()!
    this.#since = clock()
    this.#wakes = 0
    this.#restIfDone()
    call.resolve(taken)
    return true
  }

  /**
   * A turn is needed whatever the mutex looks like: its try is what has the holder ring, and takes
   * a mutex that was handed over.
   */
  hasNews(): boolean {
    return this.#pending.length !== 0
  }

  reach(how: number): number {
    return reachOf(this.region, this.role(), how)
  }

  #begin(): void {
    this.#since = clock()
    this.#wakes = 0
  }

  #restIfDone(): void {
    if (this.#pending.length !== 0) return
    setActive(this.#keepAlive, false)
    this.#patrol?.cancel()
    this.#patrol = null
    deactivate(this)
    this.#endWait()
  }

  #endWait(): void {
    if (this.region.closed) return
    this.#member.core.sw_mutex_end_wait(0, this.#at, this.region.endpoint)
  }

  /** No call can get the mutex any more. */
  #end(error: unknown): void {
    const calls = this.#pending.splice(0)
    if (calls.length !== 0) this.#restIfDone()
    for (const call of calls) call.reject(error)
  }

  // ---- sleeping ----

  prepare(): void {
    const { core } = this.#member
    if (this.bound() === Number.POSITIVE_INFINITY) core.sw_mutex_request_handoff(0, this.#at, this.region.endpoint)
    core.sw_mutex_begin_wait(0, this.#at, this.region.endpoint)
  }

  /** Until it asks for a hand-off, which it cannot do while it sleeps. */
  bound(): number {
    const waited = clock() - this.#since
    return waited >= PATIENCE_MS || this.#wakes >= PATIENCE_WAKES
      ? Number.POSITIVE_INFINITY
      : Math.max(PATIENCE_MS - waited, 0.01)
  }

  ready(): boolean {
    if (this.held || this.#taken !== NOTHING) return this.#taken !== NOTHING
    try {
      this.#taken = this.#try()
    } catch {
      return true // `take` throws it again
    }
    return this.#taken !== NOTHING
  }

  /** The holder. */
  role(): number {
    return this.#member.core.sw_mutex_holder(this.#at)
  }

  meanwhile(): void {
    standIn(this.bell, this.region)
  }

  patrol(): void {}
}

const WHY: Record<number, string> = {
  [OBJECT_ERRORS.ERR_SABWAY_POISONED.number]:
    'a holder died with it, and the next one unlocked it without consistent(): make another mutex, and anew what this one protects',
}
