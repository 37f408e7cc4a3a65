// A call that waits in unbuffered channels, perhaps in buffered ones as well: its offer (see
// native/include/sabway/offer.h), and the cases of which one is done.
//
//   idle --offer, none waits--> offered --another takes it, or it takes another--> a case is done
//    ^                             |
//    +-- a case of a buffered channel may be done: withdrawn, unless it was taken
//
// An offer of this thread that is done, and was not looked at, may be where another one wants its
// home: so whichever call finds that has all of them look. That goes for one that blocks this
// thread, too, while calls wait whose turn on the event loop has not come.
import { SabwayError } from '../base/errors.js'
import { ERRORS, sw_offer } from '../generated/abi.js'
import { arenaOf } from '../heap/handle-arena.js'
import type { HeapMember } from '../heap/member.js'
import { NOTHING } from '../loop/block.js'
import type { WaitSet } from '../loop/waits.js'
import type { Awaited } from './waiting.js'

/** What was done. */
export interface Selected<T = unknown> {
  /** Of the case; -1: none, and `default` was asked for. */
  readonly index: number
  /** What was received. */
  readonly value?: T
  /** The channel that was to be received from was closed, and all was received. */
  readonly done: boolean
}

/** A case: a send or a receive. */
export interface Attempt<T> {
  /** What it waits for. */
  readonly thing: Awaited
  readonly set: WaitSet
  readonly member: HeapMember
  readonly unbuffered: boolean
  readonly sends: boolean
  /** Of the sw_queue_handle. */
  readonly at: number
  /** Do it, if that needs no waiting. */
  attempt(): Omit<Selected<T>, 'index'> | typeof NOTHING
  /** Of a buffered channel: may it be done, or has it anything else to tell? */
  mayBe(): boolean
  /** The value to be sent, as a word. */
  pack(): number
  unpack(word: number): T
  failure(status: number): Error
}

const CLOSED = ERRORS.ERR_SABWAY_CLOSED.number
const offered = new WeakMap<HeapMember, Set<Meeting<never>>>()

/** Do one of the cases without waiting, from each place at random. */
export function tryAll<T>(attempts: readonly Attempt<T>[]): Selected<T> | typeof NOTHING {
  for (const index of shuffled(attempts.length)) {
    const done = attempts[index]!.attempt()
    if (done !== NOTHING) return { index, ...done }
  }
  return NOTHING
}

/** Begins at random: otherwise the first case would keep others waiting. */
function* shuffled(count: number): Generator<number, void, undefined> {
  const begin = Math.floor(Math.random() * count)
  for (let i = 0; i < count; i++) yield (begin + i) % count
}

export class Meeting<T> {
  readonly #attempts: readonly Attempt<T>[]
  readonly #member: HeapMember
  readonly #set: WaitSet
  readonly #words = new Map<number, number>()
  readonly #peers: Set<Meeting<never>>
  /** Of the sw_offer. */
  readonly #at: number
  /** What another participant has done, as another call of this thread has seen. */
  #seen: { which: number; word: number } | null = null
  #open = true

  /** Errors: as Heap.alloc. */
  constructor(attempts: readonly Attempt<T>[]) {
    const { member, set } = attempts[0]!
    this.#attempts = attempts
    this.#member = member
    this.#set = set
    this.#at = arenaOf(member.region).take()
    let peers = offered.get(member)
    if (peers === undefined) {
      peers = new Set()
      offered.set(member, peers)
    }
    this.#peers = peers
    peers.add(this as unknown as Meeting<never>)
  }

  /** What was done, or NOTHING: then the cases are offered. Errors: as those of the cases. */
  take(): Selected<T> | typeof NOTHING {
    try {
      return this.#take()
    } catch (error) {
      const done = this.last()
      if (done === NOTHING) throw error
      return done
    }
  }

  /** Wait no more. What was done before that, or NOTHING. */
  last(): Selected<T> | typeof NOTHING {
    if (!this.#open || this.#member.closed) return NOTHING
    const which = this.#look((at, handle) => this.#member.core.sw_offer_withdraw(at, handle))
    this.#set.nudge() // a call of this thread may stand there now
    return which === null ? NOTHING : this.#result(which)
  }

  /** The call has ended: give back what it had. */
  end(): void {
    if (!this.#open) return
    this.#peers.delete(this as unknown as Meeting<never>)
    this.#open = false
    const { core, handle, region, closed } = this.#member
    if (closed) return
    try {
      core.sw_offer_withdraw(this.#at, handle)
      for (const [index, word] of this.#words) core.sw_queue_discard(this.#attempts[index]!.at, handle, word)
      arenaOf(region).give(this.#at)
    } catch {
      // This thread's memory was overwritten: the blocks stay.
    }
  }

  #take(): Selected<T> | typeof NOTHING {
    const done = this.#look((at, handle) => this.#member.core.sw_offer_is_done(at, handle))
    if (done !== null) return this.#result(done)
    for (;;) {
      let again = false
      for (const index of shuffled(this.#attempts.length)) {
        const attempt = this.#attempts[index]!
        if (attempt.unbuffered) {
          const found = this.#offer(attempt, index)
          if (found !== NOTHING) return found
        } else if (attempt.mayBe()) {
          const taken = this.#look((at, handle) => this.#member.core.sw_offer_withdraw(at, handle))
          if (taken !== null) return this.#result(taken)
          const found = attempt.attempt()
          if (found !== NOTHING) return { index, ...found }
          again = true
        }
      }
      if (!again) return NOTHING
    }
  }

  #offer(attempt: Attempt<T>, index: number): Selected<T> | typeof NOTHING {
    let status = this.#offerOnce(attempt, index)
    if (status === 0 && this.#word(sw_offer.home) === 0 && this.#collect()) status = this.#offerOnce(attempt, index)
    if (status === 0) return NOTHING
    if (status === 1) return this.#result(this.#word(sw_offer.which))
    if (status === CLOSED && !attempt.sends) return { index, done: true }
    throw attempt.failure(status)
  }

  #offerOnce(attempt: Attempt<T>, index: number): number {
    const { core, handle } = this.#member
    if (!attempt.sends) return this.#member.until(() => core.sw_offer_receive(this.#at, attempt.at, handle, index))
    let word = this.#words.get(index)
    if (word === undefined) {
      word = attempt.pack()
      this.#words.set(index, word)
    }
    return this.#member.until(() => core.sw_offer_send(this.#at, attempt.at, handle, index, word))
  }

  /** Have the other calls of this thread look: whether one has found something. */
  #collect(): boolean {
    let found = false
    for (const peer of this.#peers) if ((peer as unknown) !== this && peer.#see()) found = true
    return found
  }

  #see(): boolean {
    if (this.#seen !== null) return false
    const which = this.#look((at, handle) => this.#member.core.sw_offer_is_done(at, handle))
    if (which === null) return false
    this.#seen = { which, word: this.#word(sw_offer.value) }
    return true
  }

  /** The case that another participant has done, by that call of the core; or null. */
  #look(call: (at: number, handle: number) => number): number | null {
    if (this.#seen !== null) return this.#seen.which
    const status = call(this.#at, this.#member.handle)
    if (status < 0) throw this.#attempts[0]!.failure(status)
    return status === 1 ? this.#word(sw_offer.which) : null
  }

  #result(index: number): Selected<T> {
    const attempt = this.#attempts[index]
    const word = this.#seen?.word ?? this.#word(sw_offer.value)
    this.#seen = null
    if (attempt === undefined) throw new SabwayError('ERR_SABWAY_CORRUPT', 'a case that there is not was done')
    this.#set.nudge()
    if (!attempt.sends) return { index, value: attempt.unpack(word), done: false }
    this.#words.delete(index)
    return { index, done: false }
  }

  #word(field: number): number {
    return Atomics.load(this.#member.region.words, (this.#at + field) >>> 2) >>> 0
  }
}
