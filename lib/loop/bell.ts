// What a thread's event loop knows of one of its endpoints: the participants that wait there, and
// how the loop is told that the doorbell was rung.
//
//   asleep --ring, activate, an end--> awake --turns--> asleep: armed, or left to the region
//
// The dispatcher (dispatcher.ts) turns the bells that are awake and leaves the others alone. An
// endpoint is armed and disarmed as a whole: once for each sleep, however many participants wait at
// it. A bell leads to its region only by its active participants: a region that nothing waits for
// can be collected.
import type { Weakly } from '../base/addon.js'
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
  /** What sleeps in its region's commons is woken: `activate`. */
  wake(): void
  readonly waiter: WaitState
  /**
   * Does a message concern it? One that only watches the other side, or waits for room, is not rung
   * for messages.
   */
  readonly wantsMessages: boolean
  /** How the other side wakes this one from a sleep of this kind: see sw_endpoint_wake_path. */
  reach(how: number): number
}

/** What is told that an endpoint of this thread was rung. */
export interface Listening {
  /** Note it: the turn comes later. */
  rung(): void
}

export class Bell implements Listening {
  /** The participants that wait at the endpoint; the event loop holds them. */
  readonly active = new Set<Participant>()
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

  /** `onRing` notes a ring; `onWake` is called where no call of the dispatcher follows it. */
  constructor(onRing: (bell: Bell) => void, onWake: (bell: Bell) => void) {
    this.#onRing = onRing
    this.wait = new AsyncWait(() => onWake(this))
  }

  rung(): void {
    this.#onRing(this)
  }
}
