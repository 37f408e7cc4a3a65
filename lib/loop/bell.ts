// What a thread's event loop knows of one of its endpoints: the participants that wait there, and
// how the loop is told that the doorbell was rung.
//
//   asleep --ring, activate, an end--> awake --turns--> asleep: armed, or left to the region
//
// The dispatcher (dispatcher.ts) turns the bells that are awake and leaves the others alone. An
// endpoint is armed and disarmed as a whole: once for each sleep, however many participants wait at
// it. Of several, those that have nothing to do doze, each under a number of its own, its slot:
//
//   active --nothing to do, doze--> dozing --its slot is marked, rise--> active
//
// A turn and the look before a sleep are for the active ones, and what has news for a dozing one
// marks its slot in the region (native/core/region/ready.c), whether this thread sleeps or not. So
// a ring costs the same with one participant as with thousands.
//
// A bell leads to its region only by its participants: a region that nothing waits for can be
// collected.
import type { Weakly } from '../base/addon.js'
import { SW_READY_ALL, SW_READY_FIRST, SW_READY_SLOTS } from '../generated/abi.js'
import type { Region } from '../region/region.js'
import type { EndWatch } from './end-watch.js'
import { AsyncWait } from './wait-async.js'
import type { WaitState } from './wait-policy.js'

/** Something that lives on the event loop: a channel. */
export interface Participant {
  readonly region: Region
  readonly bell: Bell
  /**
   * Do what there is to do, within the participant's time budget. True when it found something. May
   * throw what a callback threw.
   */
  work(): boolean
  /** The second look, after the endpoint is armed: is there work after all? */
  ready(): boolean
  /** Would a turn find something to do? Changes nothing, and runs no code of the user. */
  hasNews(): boolean
  readonly waiter: WaitState
  /**
   * Does a message concern it? One that only watches the other side, or waits for room, is not rung
   * for messages.
   */
  readonly wantsMessages: boolean
  /**
   * Tell the others which slot they are to mark when they have something for it; 0: none, as it is
   * active. Without this it is always active.
   */
  setSlot?(slot: number): void
  /** How the other side wakes this one from a sleep of this kind: see sw_endpoint_wake_path. */
  reach(how: number): number
}

/** What is told that an endpoint of this thread was rung. */
export interface Listening {
  /** Note it: the turn comes later. */
  rung(): void
}

/** The participants that wait at one endpoint. */
export class Waiting {
  /** Those that each turn is for. */
  readonly active = new Set<Participant>()
  /** The others, by their slots. */
  readonly dozing = new Map<number, Participant>()
  /** Each participant that has dozed keeps its slot until it leaves. */
  readonly #slots = new Map<Participant, number>()
  readonly #unused: number[] = []
  readonly #bell: Bell
  readonly #onNews: (bell: Bell) => void
  #nextSlot = SW_READY_FIRST

  constructor(bell: Bell, onNews: (bell: Bell) => void) {
    this.#bell = bell
    this.#onNews = onNews
  }

  /** Something has happened in the region, in whose commons this has slept. */
  wake(): void {
    this.#bell.waiting = this
    this.#onNews(this.#bell)
  }

  get isEmpty(): boolean {
    return this.active.size === 0 && this.dozing.size === 0
  }

  /** The region, as one of the participants names it. */
  get region(): Region | undefined {
    for (const { region } of this.active) return region
    for (const { region } of this.dozing.values()) return region
    return undefined
  }

  /** It waits here from now on, and is active. */
  add(participant: Participant): void {
    const slot = this.#slots.get(participant)
    if (slot !== undefined && this.dozing.delete(slot)) participant.setSlot!(0)
    this.active.add(participant)
  }

  remove(participant: Participant): void {
    this.active.delete(participant)
    const slot = this.#slots.get(participant)
    if (slot === undefined) return
    if (this.dozing.delete(slot)) participant.setSlot!(0)
    this.#slots.delete(participant)
    this.#unused.push(slot)
  }

  /** Not where it cannot: there is no slot left, or it is of another kind. */
  doze(participant: Participant): void {
    if (participant.setSlot === undefined) return
    const slot = this.#slots.get(participant) ?? this.#unused.pop() ?? this.#nextSlot++
    if (slot >= SW_READY_SLOTS) return
    this.#slots.set(participant, slot)
    this.active.delete(participant)
    this.dozing.set(slot, participant)
    participant.setSlot(slot)
  }

  /** A slot is marked: its participant rises; all do with SW_READY_ALL. */
  rise(slot: number): void {
    if (slot === SW_READY_ALL) for (const participant of this.dozing.values()) this.add(participant)
    const marked = this.dozing.get(slot)
    if (marked !== undefined) this.add(marked)
  }

  /** Is it here, but not active? */
  hasDozing(participant: Participant): boolean {
    const slot = this.#slots.get(participant)
    return slot !== undefined && this.dozing.has(slot)
  }
}

export class Bell implements Listening {
  /**
   * What waits at the endpoint. Null while that sleeps in the commons of its region, and only the
   * region leads there.
   */
  waiting: Waiting | null
  /** Is it among those that have turns? */
  awake = false
  /** Something has happened since its last turn: no sleep before the next one. */
  due = false
  /** Did the event loop arm the endpoint, and not disarm it since? */
  armed = false
  /** When something was last found in a turn of it. */
  lastWork = 0
  /** When it went to sleep; 0 while it polls. */
  asleepSince = 0
  /** The sleep in V8, which Atomics.notify ends. */
  readonly wait: AsyncWait
  /** Where this thread does something for others: the way to the region, as long as it is open. */
  region: Weakly<Region> | null = null
  /** The doorbell's value up to which requests of others were looked for. */
  lookedAt = 0
  /** Sees the ends of others in the region. */
  watch: EndWatch | null = null
  /** Does this thread do for others in the region what it can? */
  relays = false
  /** Do rings that the addon hears come to this bell? */
  listening = false
  readonly #onRing: (bell: Bell) => void

  /**
   * `onRing` notes a ring; `onWake` is called where no call of the dispatcher follows it; `onNews`
   * when something has happened in the region in whose commons it rests.
   */
  constructor(onRing: (bell: Bell) => void, onWake: (bell: Bell) => void, onNews: (bell: Bell) => void) {
    this.#onRing = onRing
    this.wait = new AsyncWait(() => onWake(this))
    this.waiting = new Waiting(this, onNews)
  }

  rung(): void {
    this.#onRing(this)
  }
}
