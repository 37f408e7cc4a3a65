// The event loop's side of waking: one dispatcher for each JavaScript thread. It turns the
// endpoints that were rung, or where this thread has set something going, or that poll, and lets
// all others sleep: a ring costs the turn of the one endpoint that it is for. bell.ts has what is
// known of each.
//
//   asleep --ring, activate--> awake --the loop's turn--> turns of its active participants
//      ^                         ^                                      | microtask
//      |                         +---- work came, or polling on --------+
//      +------------------------- nothing, the endpoint armed ----------+
//
// A ring comes by one of three ways, each of which names the endpoint: from the addon, which lists
// what was rung (native-events.ts), from a wait in V8 (wait-async.ts), or by a call of this thread.
// A ring that comes while a turn runs makes its bell due: it has another turn before it sleeps.
//
// A participant waits at its bell from `activate` to `deactivate`. While only this thread is in the
// region, nothing but a call of this thread can bring it work: then the bell is taken off the loop
// after its turn, and the region's commons wake it.
//
// Beside this file: relay.ts (work for others in a region), wait-async.ts (the sleep without the
// addon), native-events.ts (what comes from the addon), keep-alive.ts (what keeps the process
// alive), end-watch.ts (ends of threads without the addon).
import { now as clock, hasLocks, immediate, microtask, needLoop, root } from '../base/host.js'
import { SW_READY_SLOTS, SW_SLEEP_ATOMICS, SW_SLEEP_LOOP, SW_SLEEP_QUIET, sw_instance } from '../generated/abi.js'
import type { Region } from '../region/region.js'
import { Bell, type Participant, type Waiting } from './bell.js'
import { nativePart } from './parts.js'
import { beginEndWatch, beginRelay, isRung, regionOf, serve, serveAll, serveUnrung } from './relay.js'
import { lookSoon, waitForRing } from './wait-async.js'

const bells = new WeakMap<Region, Bell>()
/** What waits at the bell of a region, while it sleeps in the region's commons. */
const resting = new WeakMap<Region, Waiting>()
/** Those that have a turn when the loop comes round. */
const awake = new Set<Bell>()
/**
 * Those that participants wait at, in regions that other threads can be in. The event loop holds
 * both.
 */
const held = new Set<Bell>()
/** A turn is on its way. */
let scheduled = false
/** When the last turn began. */
let began = 0
/** The participant whose turn it is. */
let working: Participant | null = null
/** The participants that found something in it. */
const worked: Participant[] = []
/**
 * From the first bell's turn until the loop was scheduled anew or put to sleep behind the last
 * one's.
 */
let turning = false
/**
 * With more bells awake than this, the participants that nothing can come to are looked for before
 * the loop sleeps.
 */
let crowd = 16

/** The bell of this thread's endpoint in the region. */
export function bellOf(region: Region): Bell {
  let bell = bells.get(region)
  if (bell === undefined) {
    bell = new Bell(rouse, rouseSoon, rouseIfNews)
    bells.set(region, bell)
  }
  return bell
}

/** It has a turn when the loop comes round, which the caller sees to. */
function rouse(bell: Bell): void {
  bell.due = true
  if (bell.awake) return
  bell.awake = true
  awake.add(bell)
}

function rouseSoon(bell: Bell): void {
  rouse(bell)
  schedule()
}

/** It has rested in the commons of its region. */
function rouseIfNews(bell: Bell): void {
  const { waiting } = bell
  const region = waiting?.region
  if (waiting !== null && region !== undefined && !retires(bell, waiting, region)) rouseSoon(bell)
}

/** Something has happened in the region that rings nothing. */
export function look(region: Region): void {
  rouseSoon(bellOf(region))
}

/**
 * Have the participant run and woken from now on. Errors: ERR_SABWAY_UNSUPPORTED, where there is no
 * event loop.
 */
export function activate(participant: Participant): void {
  needLoop()
  nativePart.loaded?.connect()
  const { bell, region } = participant
  listen(bell, region)
  const isDue = hasTurn(bell)
  const waiting = resume(bell, region)
  waiting.add(participant)
  if (isDue || !retires(bell, waiting, region)) rouseSoon(bell)
}

/**
 * Has the bell a turn, now or soon, for what waits there? One that is awake only to serve others
 * has not: what waits at it may rest meanwhile, or a dropped region would be held until that turn.
 */
function hasTurn({ awake, waiting }: Bell): boolean {
  return awake && waiting !== null && !waiting.isEmpty
}

/** What waits at the bell, also what has slept in the region's commons. */
function resume(bell: Bell, region: Region): Waiting {
  if (bell.waiting !== null) return bell.waiting
  const waiting = resting.get(region)!
  region.commons.forget(waiting)
  bell.waiting = waiting
  return waiting
}

function listen(bell: Bell, { binding }: Region): void {
  if (bell.listening || binding === null) return
  bell.listening = true
  nativePart.loaded?.listen(binding, bell)
}

/**
 * What waits is taken off the event loop, until its region wakes it, if nothing else can and there
 * is nothing to do. A bell that is awake keeps its turn, in which it may have others to serve.
 */
function retires(bell: Bell, waiting: Waiting, region: Region): boolean {
  if (!region.commons.secluded || isMarked(waiting, region)) return false
  for (const participant of waiting.active) if (participant.hasNews()) return false
  arm(bell, waiting, region)
  rest(bell, waiting, region)
  return true
}

export function deactivate(participant: Participant): void {
  const { bell, region } = participant
  const waiting = bell.waiting ?? resting.get(region)!
  waiting.remove(participant)
  if (!waiting.isEmpty) return
  held.delete(bell)
  resume(bell, region)
}

/** A call is about to block this thread for it, and is to be rung for all that it may wait for. */
export function stir(participant: Participant): void {
  const { bell, region } = participant
  const waiting = bell.waiting ?? resting.get(region)!
  if (waiting.hasDozing(participant)) waiting.add(participant)
}

/** Was a dozing participant's slot marked? */
function isMarked({ dozing }: Waiting, { core, endpoint }: Region): boolean {
  return dozing.size !== 0 && core.sw_ready_some(0, endpoint) !== 0
}

/**
 * A call that blocked this thread has slept at the endpoint of this region, and so ended the loop's
 * sleep there.
 */
export function hasBlocked(region: Region): void {
  const bell = bellOf(region)
  const isDue = hasTurn(bell)
  const waiting = resume(bell, region)
  if (waiting.isEmpty) return
  if (isDue || !retires(bell, waiting, region)) rouseSoon(bell)
}

/** How its endpoint is rung from now on. Returns the doorbell's value. */
function arm(bell: Bell, waiting: Waiting, { core, endpoint, binding }: Region): number {
  bell.armed = true
  const how = binding === null ? SW_SLEEP_ATOMICS : SW_SLEEP_LOOP
  return core.sw_endpoint_arm(0, endpoint, how | (wantsMessages(waiting) ? 0 : SW_SLEEP_QUIET))
}

function disarm(bell: Bell, { core, endpoint }: Region): void {
  if (!bell.armed) return
  bell.armed = false
  core.sw_endpoint_disarm(0, endpoint)
}

/** As long as the region is open, do in it for others what this thread can: see relay.ts. */
export function relay(region: Region): void {
  const bell = bellOf(region)
  if (bell.relays) return // for another channel, heap or mutex of the region
  bell.relays = true
  nativePart.loaded?.connect()
  if (region.binding !== null) listen(bell, region)
  if (beginRelay(bell, region)) standBySoon(bell)
  if (hasLocks()) region.onClose(region.commons.whenLent(region, watchEnds))
}

function watchEnds(region: Region): void {
  const bell = bellOf(region)
  if (beginEndWatch(bell, region, () => rouseSoon(bell))) standBySoon(bell)
}

function standBySoon(bell: Bell): void {
  if (scheduled) rouse(bell)
  else root(standBy, bell)
}

/** Wait for requests in a region in which nothing of this thread is active. */
function standBy(bell: Bell): void {
  if (bell.wait.pending) return // it resolves with the next ring
  const region = regionOf(bell)
  if (region === undefined) return
  const rings = serve(bell, region)
  if (isRung(region)) waitForRing(bell.wait, region, rings, 0)
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

/**
 * Run at once what has a turn to come, or, with `events`, at any rate. Not if a turn is on its way.
 */
export function turnNow(events: boolean): void {
  if (!scheduled && (events || awake.size !== 0)) run()
}

/**
 * A call that blocks this thread stands in for its event loop: look for requests of others, in the
 * region of `bell` and wherever a ring was heard.
 */
export function standIn(bell: Bell, region: Region): void {
  serve(bell, region)
  if (nativePart.loaded?.hear()) {
    for (const rung of awake) {
      const where = regionOf(rung)
      if (where !== undefined) serve(rung, where)
    }
    schedule()
  }
  serveAll(clock())
}

function run(): void {
  scheduled = false
  began = clock()
  turning = true
  let current: Bell | null = null
  try {
    nativePart.loaded?.deliver()
    serveUnrung(began)
    // What is woken meanwhile has the next turn: two that wake each other are not to hold up the
    // loop.
    let left = awake.size
    for (const bell of awake) {
      if (left-- === 0) break
      current = bell
      turn(bell)
    }
  } catch (error) {
    if (current !== null) turnLast(current)
    schedule() // what a callback throws is the user's to handle, and stops no other participant
    throw error
  } finally {
    microtask(finishTurns) // behind what the callbacks have resolved, which is not to wait for it
  }
}

/**
 * Its turn was broken off: the next one comes behind those of all others, and the participant that
 * did it behind those that wait at the same bell.
 */
function turnLast(bell: Bell): void {
  const active = bell.waiting?.active
  if (working !== null && active?.delete(working)) active.add(working)
  working = null
  awake.delete(bell)
  bell.awake = false
  rouse(bell)
}

function turn(bell: Bell): void {
  bell.due = false
  const { waiting } = bell
  const waitedIn = waiting?.region
  if (waiting === null || waitedIn === undefined) {
    const region = regionOf(bell)
    if (region !== undefined) serve(bell, region)
    return
  }
  serve(bell, waitedIn)
  disarm(bell, waitedIn)
  if (isMarked(waiting, waitedIn)) riseMarked(waiting, waitedIn)
  // One that leaves and comes back meanwhile has the next turn.
  let left = waiting.active.size
  for (const participant of waiting.active) {
    if (left-- === 0) break
    working = participant
    serve(bell, participant.region)
    disarm(bell, participant.region)
    if (participant.work()) worked.push(participant)
  }
  working = null
}

/** How many marks are taken at once. */
const MARKS = 64

function riseMarked(waiting: Waiting, { core, endpoint, instance, words }: Region): void {
  const list = instance + sw_instance.scratch
  // What a peer marks without end has its next turn.
  for (let count = MARKS, most = SW_READY_SLOTS; count === MARKS && most > 0; most -= count) {
    count = core.sw_ready_take(0, endpoint, list, MARKS)
    for (let i = 0; i < count; i++) waiting.rise(words[(list >>> 2) + i]!)
  }
}

/** Poll on, or sleep. */
function finishTurns(): void {
  if (!turning) return
  try {
    pollOrSleep()
  } finally {
    turning = false
    if (awake.size !== 0) scheduled = true
    if (scheduled) immediate(run)
  }
}

function pollOrSleep(): void {
  const now = clock()
  if (worked.length !== 0) learn(now)
  if (awake.size > crowd) {
    for (const bell of awake) {
      const { waiting } = bell
      const region = waiting?.region
      if (waiting !== null && region !== undefined && !bell.due) retires(bell, waiting, region)
    }
    crowd = 2 * awake.size + 16
  }
  for (const bell of awake) if (!bell.due && now - bell.lastWork >= patience(bell)) sleep(bell, now)
}

function learn(now: number): void {
  for (const { waiter, bell } of worked) {
    // Work that was there when the last one was done says nothing about how long to poll.
    if (bell.asleepSince !== 0) waiter.loop.learn(began - bell.asleepSince)
    else if (began > bell.lastWork) waiter.loop.learn(0)
  }
  for (const { bell } of worked) {
    bell.lastWork = now
    bell.asleepSince = 0
    bell.wait.sleeps = 0
  }
  worked.length = 0
  lookSoon()
}

/** How long the bell polls after work, in milliseconds. */
function patience({ waiting }: Bell): number {
  let longest = 0
  for (const { waiter } of waiting?.active ?? []) longest = Math.max(longest, waiter.loop.milliseconds)
  return longest
}

function sleep(bell: Bell, now: number): void {
  const { waiting } = bell
  const region = waiting?.region
  if (waiting === null || region === undefined) {
    fallAsleep(bell)
    standBy(bell)
    return
  }
  if (bell.asleepSince === 0) bell.asleepSince = now
  const looked = [...waiting.active]
  // Before the second look: what comes behind that marks the slot.
  if (looked.length + waiting.dozing.size > 1) for (const participant of looked) waiting.doze(participant)
  const ticket = arm(bell, waiting, region)
  serve(bell, region) // a request that came behind this turn's look, which the ticket counts
  if (someAreReady(waiting, looked) || isMarked(waiting, region)) {
    disarm(bell, region)
    bell.due = true
    return
  }
  fallAsleep(bell, region)
  if (region.closed) return // a listener was told of an end
  for (const { waiter } of looked) {
    waiter.parks++
    waiter.blocked = null
  }
  if (!region.commons.secluded) waitForRing(bell.wait, region, ticket, boundOf(region, bell, waiting))
}

/** `region`: of the participants that wait at it, if any do. */
function fallAsleep(bell: Bell, region?: Region): void {
  bell.awake = false
  awake.delete(bell)
  const { waiting } = bell
  if (region === undefined || waiting === null || waiting.isEmpty) return
  if (region.commons.secluded) rest(bell, waiting, region)
  else held.add(bell)
}

/** From now on only the region leads to what waits, and can be collected with it. */
function rest(bell: Bell, waiting: Waiting, region: Region): void {
  held.delete(bell)
  bell.waiting = null
  resting.set(region, waiting)
  region.commons.sleep(waiting)
}

function wantsMessages({ active, dozing }: Waiting): boolean {
  if (dozing.size !== 0) return true // each of those says for itself
  for (const { wantsMessages } of active) if (wantsMessages) return true
  return false
}

/** Each is asked: the second look is also one at the other side. */
function someAreReady(waiting: Waiting, looked: readonly Participant[]): boolean {
  let ready = false
  for (const participant of looked) {
    if (!participant.ready()) continue
    ready = true
    if (waiting.hasDozing(participant)) waiting.add(participant)
  }
  return ready
}

/** The longest sleep of the region's endpoint in milliseconds, 0 for no such bound. */
function boundOf({ core, binding }: Region, { wait }: Bell, { active, dozing }: Waiting): number {
  if (binding !== null) return 0
  let shortest = 0
  const consider = (participant: Participant) => {
    const bound = core.sw_wait_limit_ms(participant.reach(SW_SLEEP_ATOMICS), wait.sleeps)
    if (bound !== 0) shortest = shortest === 0 ? bound : Math.min(shortest, bound)
  }
  active.forEach(consider)
  dozing.forEach(consider)
  return shortest
}
