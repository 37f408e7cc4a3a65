// The calls of this thread that wait for something of one object: on the event loop, first come,
// first served, or by blocking the thread. In the object the thread is one waiter (a bit of a waits
// word, native/core/region/waits.c), however many of its calls wait.
//
//   no call waits --wait, nothing to take--> waiting: bit set, a participant of the bell
//   waiting --rung, or looked for now and then: the first takes, the next--> --the last--> bit
// cleared
//
// A Waits is there only while something waits: `WaitSet` finds it by a key, which two objects in
// this thread for one thing share. What this thread does itself rings nothing here, as it is awake:
// so a call that may let another go on ends with `WaitSet.nudge`.
import { abortedError, onAbort } from '../base/abort.js'
import type { Patience } from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { after, now as clock, needLoop } from '../base/host.js'
import { SW_WAIT_PATROL_MS } from '../generated/abi.js'
import type { Region } from '../region/region.js'
import type { Bell, Participant } from './bell.js'
import { type BlockingWait, block, NOTHING } from './block.js'
import { activate, bellOf, deactivate, look, standIn } from './dispatcher.js'
import { keepAliveReasonOf, setActive } from './keep-alive.js'
import { nativePart } from './parts.js'
import { reachOf, WaitState } from './wait-policy.js'

/** What is waited for, as its object tells others of it. */
export interface WaitSource {
  /**
   * Before each sleep: tell that this thread waits. `waited`: milliseconds, and `wakes`, how often
   * it was woken in vain, since the first of the calls began to.
   */
  begin(waited: number, wakes: number): void
  /** No call of this thread waits any more: take that back, and pass on what others may take. */
  end(): void
  /** The participant that will bring it, a role word; without this, any may. */
  role?(): number
  /** Milliseconds of the next sleep at most, where `begin` has more to tell by then. */
  bound?(waited: number, wakes: number): number
}

/** A call that waits on the event loop. */
interface PendingCall {
  /** Take what it waits for, and settle it: true; false: that is not there. Never throws. */
  attempt(): boolean
  reject(error: unknown): void
  /** It waits no more: reject it, unless what it waits for has come at the last moment. */
  giveUp(error: unknown): void
}

/** How a call waits on the event loop. */
export interface WaitCall<T> extends Patience {
  source: WaitSource
  /** What the call waits for, or NOTHING. What it throws ends the call. */
  take(): T | typeof NOTHING
  /** The error of a call whose time has run out. */
  timedOut(timeout: number): SabwayError
  /** The call is given up: what came all the same, which is then its result, or NOTHING. */
  last?(): T | typeof NOTHING
}

const sets = new WeakMap<Region, WaitSet>()

/** What this thread waits for in a region. */
export class WaitSet {
  readonly region: Region
  /** @internal */ readonly waiter: WaitState
  readonly #waits = new Map<string | number, Waits>()

  static of(region: Region): WaitSet {
    let set = sets.get(region)
    if (set === undefined) {
      set = new WaitSet(region)
      sets.set(region, set)
    }
    return set
  }

  private constructor(region: Region) {
    this.region = region
    this.waiter = new WaitState(region, 'balanced')
    if (region.processes && region.binding !== null) nativePart.loaded?.listenToProcesses(region.binding)
  }

  /** Do calls of this thread wait on the event loop for what the key stands for? */
  isWaiting(key: string | number): boolean {
    return this.#waits.get(key)?.pending ?? false
  }

  /**
   * The thing, as soon as it is there and this call's turn has come. Keeps the process alive
   * meanwhile. Errors: what `take` throws, the time-out's; ERR_SABWAY_ABORTED, ERR_SABWAY_CLOSED;
   * ERR_SABWAY_UNSUPPORTED: no event loop.
   */
  wait<T>(key: string | number, call: WaitCall<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (call.signal?.aborted) throw abortedError(call.signal)
      const taken = this.isWaiting(key) ? NOTHING : call.take()
      if (taken !== NOTHING) return resolve(taken)
      if (call.timeout === 0) throw call.timedOut(0)
      needLoop()
      this.#get(key, call.source).add(call, resolve, reject)
    })
  }

  /**
   * Block this thread until `take` gives something, for so many milliseconds at most: then NOTHING.
   * Errors: what `take` throws; ERR_SABWAY_INVALID_STATE: this thread may not block.
   */
  block<T>(
    key: string | number,
    source: WaitSource,
    take: () => T | typeof NOTHING,
    timeout: number,
  ): T | typeof NOTHING {
    const taken = take() // mostly it is there, and needs none of what waiting does
    if (taken !== NOTHING || timeout === 0) return taken
    return this.#get(key, source).block(take, timeout)
  }

  /** This thread has done what may let a call go on that waits here: have all of them look. */
  nudge(): void {
    if (this.#waits.size === 0) return
    this.region.commons.rouse()
    look(this.region)
  }

  #get(key: string | number, source: WaitSource): Waits {
    let waits = this.#waits.get(key)
    if (waits === undefined) {
      waits = new Waits(this, source, () => this.#waits.delete(key))
      this.#waits.set(key, waits)
    }
    return waits
  }
}

class Waits implements Participant {
  readonly region: Region
  readonly bell: Bell
  readonly waiter: WaitState
  /** Rings for messages are for others. */
  readonly wantsMessages = false
  readonly #source: WaitSource
  readonly #onEnd: () => void
  readonly #ignoreClose: () => void
  readonly #pending: PendingCall[] = []
  readonly #keepAlive = keepAliveReasonOf(this)
  /** Calls that block this thread: more than one where one waits within a callback of another. */
  #blocking = 0
  /** When the first of those that wait began to, and how often it was woken since. */
  #since = clock()
  #wakes = 0
  #patrol: ReturnType<typeof after> | null = null

  /** `onEnd`: nothing waits here any more. */
  constructor(set: WaitSet, source: WaitSource, onEnd: () => void) {
    this.region = set.region
    this.bell = bellOf(set.region)
    this.waiter = set.waiter
    this.#source = source
    this.#onEnd = onEnd
    this.#ignoreClose = set.region.onClose(() =>
      this.#end(new SabwayError('ERR_SABWAY_CLOSED', 'the region was closed while this call waited')),
    )
  }

  get pending(): boolean {
    return this.#pending.length !== 0
  }

  // ---- calls ----

  add<T>(
    { take, timeout, signal, timedOut, last }: WaitCall<T>,
    resolve: (taken: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const giveUp = (error: SabwayError) => {
      if (this.#remove(call)) call.giveUp(error)
    }
    const timer = timeout === undefined ? undefined : after(timeout, () => giveUp(timedOut(timeout)))
    const ignoreSignal = onAbort(signal, () => giveUp(abortedError(signal!)))
    const over = () => {
      timer?.cancel()
      ignoreSignal()
    }
    const call: PendingCall = {
      attempt() {
        try {
          const taken = take()
          if (taken === NOTHING) return false
          over()
          resolve(taken)
        } catch (error) {
          this.reject(error)
        }
        return true
      },
      reject(error) {
        over()
        reject(error)
      },
      giveUp(error) {
        try {
          const taken = last === undefined ? NOTHING : last()
          if (taken === NOTHING) return this.reject(error)
          over()
          resolve(taken)
        } catch (failure) {
          this.reject(failure)
        }
      },
    }
    if (this.#pending.length === 0) this.#begin()
    this.#pending.push(call)
    setActive(this.#keepAlive, true)
    this.#tell()
    activate(this)
    this.#patrolLater()
  }

  block<T>(take: () => T | typeof NOTHING, timeout: number): T | typeof NOTHING {
    if (this.#pending.length === 0) this.#begin()
    this.#blocking++
    let seen: T | typeof NOTHING = NOTHING
    let failure: { error: unknown } | null = null
    const wait: BlockingWait<T> = {
      take: () => {
        if (failure !== null) throw failure.error
        return seen === NOTHING ? take() : seen
      },
      prepare: () => this.#tell(),
      ready: () => {
        try {
          seen = take()
        } catch (error) {
          failure = { error }
        }
        return seen !== NOTHING || failure !== null
      },
      role: () => this.#role(),
      byAny: this.#source.role === undefined,
      bound: () => Math.min(this.#bound(), SW_WAIT_PATROL_MS),
      meanwhile: () => standIn(this.bell, this.region),
      patrol: () => void this.#wakes++,
    }
    try {
      return block(this.region, this.waiter, wait, timeout)
    } finally {
      this.#blocking--
      if (this.#pending.length !== 0) look(this.region)
      this.#restIfDone()
    }
  }

  /** The call waits no more. False: it had ended. */
  #remove(call: PendingCall): boolean {
    const at = this.#pending.indexOf(call)
    if (at < 0) return false
    this.#pending.splice(at, 1)
    this.#rest()
    return true
  }

  /** No call that waits here can get anything any more. */
  #end(error: unknown): void {
    const calls = this.#pending.splice(0)
    if (calls.length !== 0) this.#rest()
    for (const call of calls) call.reject(error)
  }

  /** A call on the event loop has ended. */
  #rest(): void {
    if (this.#pending.length !== 0) return
    setActive(this.#keepAlive, false)
    this.#patrol?.cancel()
    this.#patrol = null
    deactivate(this)
    this.#restIfDone()
  }

  #restIfDone(): void {
    if (this.#pending.length !== 0 || this.#blocking !== 0) return
    this.#ignoreClose()
    this.#onEnd()
    if (!this.region.closed) this.#source.end()
  }

  // ---- the event loop's turns ----

  work(): boolean {
    const before = this.#pending.length
    while (this.#pending.length !== 0 && this.#serveFirst()) this.#begin()
    if (this.#pending.length === 0) return before !== 0
    this.#wakes++
    this.#tell()
    return this.#pending.length !== before
  }

  /** Also when a look at it shows nothing: a try may be what has another participant ring. */
  hasNews(): boolean {
    return this.#pending.length !== 0
  }

  /** The second look serves the first call: what it has taken must not wait for a turn. */
  ready(): boolean {
    return this.#pending.length !== 0 && this.#serveFirst()
  }

  #serveFirst(): boolean {
    const [first] = this.#pending
    if (!first!.attempt()) return false
    const at = this.#pending.indexOf(first!)
    if (at < 0) return true // an end of the region's has settled it meanwhile
    this.#pending.splice(at, 1)
    this.#rest()
    return true
  }

  reach(how: number): number {
    return reachOf(this.region, this.#role(), how)
  }

  #role(): number {
    return this.#source.role?.() ?? 0
  }

  // ---- waiting ----

  #begin(): void {
    this.#since = clock()
    this.#wakes = 0
  }

  #tell(): void {
    this.#source.begin(clock() - this.#since, this.#wakes)
  }

  #bound(): number {
    return this.#source.bound?.(clock() - this.#since, this.#wakes) ?? Number.POSITIVE_INFINITY
  }

  /** A participant may vanish without a ring, as one in another process does. */
  #patrolLater(): void {
    this.#patrol ??= after(SW_WAIT_PATROL_MS, () => {
      this.#patrol = null
      if (this.#pending.length === 0) return
      look(this.region)
      this.#patrolLater()
    })
  }
}
