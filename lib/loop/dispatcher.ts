// The event loop's side of waking: one dispatcher for each JavaScript thread. It runs whatever has
// work, then arms the endpoints and lets the loop sleep; a ring (from the addon's threadsafe
// function, or Atomics.notify) runs it again.
//
//   asleep --ring, activate--> scheduled --the loop's turn--> turns of all active participants
//      ^                          ^                                      | microtask
//      |                          +---- work came, or polling on --------+
//      +--------------------------- nothing, each endpoint armed --------+
//
// A participant is active from `activate` to `deactivate`. While only this thread is in its region,
// nothing but a call of this thread can bring it work: then it is taken off the loop after its
// turn, and its region's commons wake it.
//
// Beside this file: relay.ts (work for others in a region), wait-async.ts (the sleep without the
// addon), native-events.ts (what comes from the addon), keep-alive.ts (what keeps the process
// alive), end-watch.ts (ends of threads without the addon).
import { now as clock, hasLocks, immediate, inNode, microtask, needLoop, root, waitAsync } from '../base/host.js'
import { SW_SLEEP_ATOMICS, SW_SLEEP_LOOP, SW_SLEEP_QUIET } from '../generated/abi.js'
import type { Region } from '../region/region.js'
import { nativePart } from './parts.js'
import { beginEndWatch, beginRelay, forEachServed, serve, serveAll } from './relay.js'
import { idleSleeps, isAwaited, lookSoon, sleptForWork, waitForRing } from './wait-async.js'
import type { WaitState } from './wait-policy.js'

/** Something that lives on the event loop: a channel. */
export interface Participant {
  readonly region: Region
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

const active = new Set<Participant>()
/** A turn is on its way. */
let scheduled = false
/** When something was last found in a turn. */
let lastWork = 0
/** When the last turn began. */
let began = 0
/** The participants that found something in it. */
const worked: Participant[] = []
/**
 * From the first participant's turn until the loop was scheduled anew or put to sleep behind the
 * last one's.
 */
let turning = false
/** When the loop went to sleep; 0 while it polls. */
let asleepSince = 0
/**
 * With more active participants than this, those that nothing can come to are looked for before the
 * loop sleeps.
 */
let crowd = 16

/**
 * Have the participant run and woken from now on. Errors: ERR_SABWAY_UNSUPPORTED, where there is no
 * event loop.
 */
export function activate(participant: Participant): void {
  needLoop()
  nativePart.loaded?.connect()
  participant.region.binding?.listen()
  if (retires(participant)) return
  active.add(participant)
  schedule()
}

/**
 * Off the event loop, until its region wakes it, if nothing else can and there is nothing to do.
 */
function retires(participant: Participant): boolean {
  if (!participant.region.commons.secluded || participant.hasNews()) return false
  arm(participant)
  retire(participant)
  return true
}

export function deactivate(participant: Participant): void {
  active.delete(participant)
  participant.region.commons.forget(participant)
}

/** Have only the region wake it: nothing else can as long as that is secluded. */
function retire(participant: Participant): void {
  active.delete(participant)
  participant.region.commons.sleep(participant)
}

/** How its endpoint is rung from now on. Returns the doorbell's value. */
function arm({ region, wantsMessages }: Participant): number {
  const how = region.binding === null ? SW_SLEEP_ATOMICS : SW_SLEEP_LOOP
  return region.core.sw_endpoint_arm(0, region.endpoint, how | (wantsMessages ? 0 : SW_SLEEP_QUIET))
}

/** As long as the region is open, do in it for others what this thread can: see relay.ts. */
export function relay(region: Region): void {
  nativePart.loaded?.connect()
  if (beginRelay(region)) standBySoon(region)
  if (hasLocks()) region.onClose(region.commons.whenLent(region, watchEnds))
}

function watchEnds(region: Region): void {
  if (beginEndWatch(region, schedule)) standBySoon(region)
}

function standBySoon(region: Region): void {
  if (!scheduled) root(standBy, region)
}

/** Wait for requests in a region in which nothing of this thread may be active. */
function standBy(region: Region): void {
  if (isAwaited(region)) return // that wait resolves with the next ring
  const rings = serve(region)
  // Without either it looks while something in this thread is active: Node 24 does not resolve
  // every wait of such a thread.
  if (region.binding === null && (inNode || waitAsync() === undefined)) return
  waitForRing(region, rings, 0, schedule)
}

/**
 * Run soon, without being rung. In the root context: the dispatcher works for all channels, so it
 * is part of no request.
 */
export function schedule(): void {
  if (scheduled) return
  scheduled = true
  if (!turning) root(immediate, run) // else `finishTurns` does it
}

/** Run at once, unless a turn is on its way. */
export function turnNow(): void {
  if (!scheduled) run()
}

function run(): void {
  scheduled = false
  began = clock()
  turning = true
  serveAll()
  try {
    nativePart.loaded?.deliver()
    // What is woken meanwhile has the next turn: two that wake each other are not to hold up the
    // loop.
    let left = active.size
    for (const participant of active) {
      if (left-- === 0) break
      turn(participant)
    }
  } catch (error) {
    schedule() // what a callback throws is the user's to handle, and stops no other participant
    throw error
  } finally {
    microtask(finishTurns) // behind what the callbacks have resolved, which is not to wait for it
  }
}

function turn(participant: Participant): void {
  const { region } = participant
  region.core.sw_endpoint_disarm(0, region.endpoint)
  if (participant.work()) worked.push(participant)
}

/** Poll on, or sleep. */
function finishTurns(): void {
  if (!turning) return
  try {
    pollOrSleep()
  } finally {
    turning = false
    if (scheduled) immediate(run)
  }
}

function pollOrSleep(): void {
  const now = clock()
  for (const { region, waiter } of worked) {
    sleptForWork(region)
    // Work that was there when the last one was done says nothing about how long to poll.
    if (asleepSince !== 0) waiter.loop.learn(began - asleepSince)
    else if (began > lastWork) waiter.loop.learn(0)
  }
  if (worked.length !== 0) {
    worked.length = 0
    lookSoon()
    lastWork = now
    asleepSince = 0
  }
  if (active.size > crowd) {
    for (const participant of active) retires(participant)
    crowd = 2 * active.size + 16
  }
  if (scheduled) return
  let patience = 0
  for (const { waiter } of active) patience = Math.max(patience, waiter.loop.milliseconds)
  if (now - lastWork < patience) schedule()
  else sleep(now)
}

function sleep(now: number): void {
  if (asleepSince === 0) asleepSince = now
  for (const participant of active) {
    const { region, waiter } = participant
    const ticket = arm(participant)
    if (participant.ready()) {
      region.core.sw_endpoint_disarm(0, region.endpoint)
      schedule()
    } else {
      waiter.parks++
      waiter.blocked = null
      if (region.commons.secluded) retire(participant)
      else waitForRing(region, ticket, boundOf(participant), schedule)
    }
  }
  if (!scheduled) forEachServed(standBy)
}

/** The longest sleep of a participant in milliseconds, 0 for no such bound. */
function boundOf(participant: Participant): number {
  const { region } = participant
  if (region.binding !== null) return 0
  return region.core.sw_wait_limit_ms(participant.reach(SW_SLEEP_ATOMICS), idleSleeps(region))
}
