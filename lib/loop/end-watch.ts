// The participants of a region that hold a Web Lock (see locks.ts): when one ends, its roles and
// mutexes are taken away, and its peers see that. Of each participant, by what its endpoint says:
//
//   no lock --> not watched
//   lock asked for --> doubted: after a while the host is asked, or the thread is rung;
//                      lock known to the host --> awaited
//                      no answer, and the lock unknown --> ended
//   lock held --> awaited: this thread asks for the same lock, and is given it --> ended
import type { Weakly } from '../base/addon.js'
import * as host from '../base/host.js'
import { SW_AWAKE, SW_ENDPOINTS, SW_LOCKED, SW_YIELDED, sw_endpoint } from '../generated/abi.js'
import { endpointOf, endpointWord, leave, ring, roleOf } from '../region/endpoint.js'
import { isFree, isKnown, type LockName, whenFree } from '../region/locks.js'
import type { Region } from '../region/region.js'

/** What a participant tells of its lock. */
interface Lock {
  name: LockName
  held: boolean
  /**
   * Its thread answers a ring while it lives: it has yielded to its event loop since it asked for
   * the lock, or it sleeps in a call that blocks.
   */
  answers: boolean
}

/** The lock of the participant that a role names; null where it has none, or has left. */
function lockOf(words: Int32Array, role: number): Lock | null {
  const index = endpointOf(role)
  if (index >= SW_ENDPOINTS) return null
  const word = (field: number) => Atomics.load(words, endpointWord(index, field))
  const name = { low: word(sw_endpoint.lock_low), high: word(sw_endpoint.lock_high) }
  const skills = word(sw_endpoint.skills)
  const sleeping = word(sw_endpoint.sleeping) !== SW_AWAKE
  // The role last: all that was read is of one claim.
  if (name.low === 0 || roleOf(words, index) !== role) return null
  const answers = (skills & SW_YIELDED) !== 0 || sleeping
  return { name, held: (skills & SW_LOCKED) !== 0 || host.inNode, answers }
}

/**
 * How long a lock that was asked for may stay unknown, and how long an answer may take, at first:
 * doubled each time. In milliseconds.
 */
const PATIENCE_MS = 500
const MOST_PATIENCE_MS = 60_000

interface Watched {
  held: boolean
  stop(): void
}

/** This thread's watch over a region, which it does not hold: the region may be collected. */
export class EndWatch {
  readonly #watched = new Map<number, Watched>()

  readonly #way: Weakly<Region>
  readonly #onEnd: () => void

  /** `onEnd` is called when a participant has ended. */
  constructor(way: Weakly<Region>, onEnd: () => void) {
    this.#way = way
    this.#onEnd = onEnd
  }

  /** A lock is held, or participants have come and gone: watch those of now. */
  look(): void {
    const region = this.#open()
    if (region === undefined) return
    const { words, endpoint } = region
    const present = new Set<number>()
    for (let index = 0; index < SW_ENDPOINTS; index++) {
      const claimed = Atomics.load(words, endpointWord(index, sw_endpoint.pid)) !== 0
      if (claimed && index !== endpoint) present.add(roleOf(words, index))
    }
    for (const [role, { stop }] of this.#watched) {
      if (present.has(role)) continue
      this.#watched.delete(role)
      stop()
    }
    for (const role of present) {
      if (this.#watched.get(role)?.held) continue
      const lock = lockOf(words, role)
      if (lock === null || (!lock.held && this.#watched.has(role))) continue
      this.#watched.get(role)?.stop()
      if (lock.held) this.#await(role, lock.name)
      else this.#doubt(role, PATIENCE_MS)
    }
  }

  stop(): void {
    for (const { stop } of this.#watched.values()) stop()
    this.#watched.clear()
  }

  #open(): Region | undefined {
    const region = this.#way()
    if (region !== undefined && !region.closed) return region
    this.stop()
    return undefined
  }

  #await(role: number, name: LockName): void {
    this.#watched.set(role, { held: true, stop: whenFree(name, () => this.#ended(role)) })
  }

  /**
   * A participant has asked for its lock, and not said that it holds it: it may have ended before,
   * or its thread may be busy or blocked. Where the host knows of the lock, its end is that of the
   * participant. Else the participant has ended when its thread should answer a ring, does not, and
   * the host still knows of no such lock.
   */
  #doubt(role: number, patience: number): void {
    this.#later(role, patience, async (lock, words, isOver) => {
      if (lock.answers) this.#ask(role, ring(words, role), patience)
      else {
        const known = await isKnown(lock.name)
        if (isOver()) return
        if (known) this.#await(role, lock.name)
        else this.#doubt(role, Math.min(patience * 2, MOST_PATIENCE_MS))
      }
    })
  }

  /** Wait for an answer to a ring, the doorbell's `rings`-th. */
  #ask(role: number, rings: number, patience: number): void {
    this.#later(role, patience, async (lock, words, isOver) => {
      const heard = Atomics.load(words, endpointWord(endpointOf(role), sw_endpoint.heard))
      const answered = ((heard - rings) | 0) >= 0
      const known = answered || (await isKnown(lock.name))
      if (isOver()) return
      if (answered) this.#doubt(role, Math.min(patience * 2, MOST_PATIENCE_MS))
      else if (known) this.#await(role, lock.name)
      else this.#ended(role)
    })
  }

  /**
   * Do that after a while, unless another watch over the role has begun, or the participant has
   * left.
   */
  #later(role: number, ms: number, task: (lock: Lock, words: Int32Array, isOver: () => boolean) => void): void {
    let over = false
    const timer = host.after(ms, () => {
      const region = this.#open()
      const lock = region && lockOf(region.words, role)
      if (lock) task(lock, region.words, () => over)
    })
    timer.unref()
    const stop = () => {
      over = true
      timer.cancel()
    }
    this.#watched.set(role, { held: false, stop })
  }

  #ended(role: number): void {
    this.#watched.delete(role)
    const region = this.#open()
    if (region === undefined) return
    leave(region, role)
    this.#onEnd()
  }
}

/**
 * A role could not be taken, because the participant that `role` names holds it. Has that one
 * ended, so far as locks tell? Then its roles are taken away, so that a later attempt succeeds.
 * `open` is called for a region of the caller's own, when one is needed.
 */
export function suspect(words: Int32Array, role: number, open: () => Region): void {
  const lock = lockOf(words, role)
  if (!lock?.held || !host.hasLocks()) return
  const region = open()
  void isFree(lock.name).then((free) => {
    if (free) leave(region, role)
    region.release()
  })
}
