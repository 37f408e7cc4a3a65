// The event loop's side of waking: one dispatcher for each JavaScript thread. It runs whatever has work, then arms the
// endpoints and lets the loop sleep; a ring (from the addon's threadsafe function, or Atomics.notify) runs it again.
import {
  type Addon,
  addon,
  CARRIER_FAILED,
  type Dispatch,
  LooseRef,
  PEER_DIED,
  type Weakly,
  WORKER_EXITED,
  WORKER_JOINED,
  WORKER_LOG,
  type WorkerEvent,
  weakly,
} from '../base/addon.js'
import * as host from '../base/host.js'
import {
  SW_LASTS,
  SW_RELAYS,
  SW_SLEEP_ATOMICS,
  SW_SLEEP_LOOP,
  SW_SLEEP_QUIET,
  SW_WAKES_ATOMICS,
  SW_WAKES_FUTEX,
  SW_WATCHES,
  sw_endpoint,
} from '../generated/abi.js'
import { endpointWord } from '../region/endpoint.js'
import type { Region } from '../region/region.js'
import type { EndWatch } from './end-watch.js'
import { endPart } from './parts.js'
import type { Waiter } from './waiting.js'

/** Something that lives on the event loop: a channel. */
export interface Participant {
  readonly region: Region
  /** Do what there is to do, within the participant's time budget. True when it found something. May throw what a callback threw. */
  work(): boolean
  /** The second look, after the endpoint is armed: is there work after all? */
  ready(): boolean
  /** Would a turn find something to do? Changes nothing, and runs no code of the user. */
  hasNews(): boolean
  /** What sleeps in its region's commons is woken: `activate`. */
  wake(): void
  readonly waiter: Waiter
  /** Does a message concern it? One that only watches the other side, or waits for room, is not rung for messages. */
  readonly wantsMessages: boolean
  /** How the other side wakes this one from a sleep of this kind: see sw_endpoint_reach. */
  reach(how: number): number
}

/** What is told of a native worker. */
export interface WorkerOwner {
  readonly id: number
  readonly onLog: ((level: number, text: string) => void) | undefined
  /** It has ended by itself. */
  onExit(status: number): void
}

/** What is told of deaths in other processes. */
export interface Watcher {
  readonly region: Pick<Region, 'binding'>
  onPeerDied(roles: number): void
  onCarrierFailed?(status: number): void
}

const active = new Set<Participant>()
/** Weak: a channel that the program has dropped is collected, and its native worker ends with it. */
const owners = new Map<number, Weakly<WorkerOwner>>()
/** Owners that are held: their worker has a listener, or its last events are on their way. */
const heldOwners = new Map<number, WorkerOwner>()
/** By seat. Weak, as owners are. */
const watchers = new Map<number, Weakly<Watcher>>()
const unwatched = new FinalizationRegistry<number>((seat) => watchers.delete(seat))
/** Events of native workers that were not delivered yet. */
const inbox: WorkerEvent[] = []
/** The region's waiter in V8, if it was not notified yet, and how often in a row it woke up for nothing. */
const waiters = new WeakMap<Region, { pending: boolean; bounded: boolean; sleeps: number }>()
/** Regions of which this thread is a relay, or in which it sees the ends of others. Weak: that keeps nothing alive. */
const relayed = new Set<Weakly<Region>>()
const endWatches = new WeakMap<Region, EndWatch>()
const unwatchedEnds = new FinalizationRegistry<EndWatch>((watch) => watch.stop())
let scheduled = false
let connected = false
let lastWork = 0
/** When the last turns began, and who found something in them; `settling` until that is settled. */
let began = 0
const worked: Participant[] = []
/** More active participants than this, and those that nothing can come to are looked for before the loop sleeps. */
let crowd = 16
let settling = false
/** When the loop went to sleep; 0 while it polls. */
let asleepSince = 0

/** Have the participant run and woken from now on. Errors: ERR_SABWAY_UNSUPPORTED, where there is no event loop. */
export function activate(participant: Participant): void {
  host.needLoop()
  connect()
  participant.region.binding?.listen()
  if (retires(participant)) return
  active.add(participant)
  schedule()
}

/** Off the event loop, until its region wakes it, if nothing else can and there is nothing to do. */
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

/**
 * As long as the region is open: pass wake-ups on to sleepers in it that their wakers cannot reach (native/core/region/relay.c), where this thread has the addon,
 * and see the ends of threads that have none, where there are Web Locks.
 */
export function relay(region: Region): void {
  const native = addon()
  if (region.binding !== null && native !== null) {
    // a page whose addon is in its preload script relays nothing
    connect()
    region.binding.listen()
    relayed.add(weakly(region))
    const lasts = native.isMainThread ? SW_LASTS : 0
    region.core.sw_endpoint_able(0, region.endpoint, SW_WAKES_FUTEX | SW_WAKES_ATOMICS | SW_RELAYS | lasts)
    serve(region)
    if (!scheduled) host.root(standBy, region)
  }
  if (host.hasLocks()) region.house(region.commons.whenLent(region, watchEnds))
}

/** Leads to the region as long as it is open. A closed one can be collected at once, as a page needs its addresses. */
function wayTo(region: Region): Weakly<Region> {
  const way = new LooseRef(region)
  region.house(() => way.drop())
  host.root(host.immediate, () => way.loosen())
  return () => way.get()
}

function watchEnds(region: Region): void {
  const parts = endPart.loaded
  if (region.closed || parts === null) return
  const way = wayTo(region)
  const watch = new parts.EndWatch(way, region.channelAt, schedule)
  endWatches.set(region, watch)
  unwatchedEnds.register(region, watch)
  Atomics.or(region.words, endpointWord(region.endpoint, sw_endpoint.skills), SW_WATCHES)
  watch.look()
  if (region.binding !== null) return
  relayed.add(way)
  if (!scheduled) host.root(standBy, region)
}

/** Look for requests in every region of which this thread is a relay. */
export function serveAll(): void {
  forRelayed(serve)
}

function forRelayed(act: (region: Region) => void): void {
  for (const reference of relayed) {
    const region = reference()
    if (region !== undefined && !region.closed) {
      act(region)
      continue
    }
    relayed.delete(reference)
    if (region !== undefined) endWatches.get(region)?.stop()
  }
}

/** Look for requests if somebody has rung since the last time. */
function serve(region: Region): void {
  const rings = Atomics.load(region.words, endpointWord(region.endpoint, sw_endpoint.doorbell))
  if (rings === region.served) return
  region.served = rings
  if (region.binding !== null) region.core.sw_endpoint_serve(0)
  region.commons.rouse()
  const watch = endWatches.get(region)
  if (watch === undefined) return
  Atomics.store(region.words, endpointWord(region.endpoint, sw_endpoint.heard), rings)
  watch.look()
}

function standBy(region: Region): void {
  if (waiters.get(region)?.pending) return // that one resolves with the next ring
  serve(region)
  // Without either it looks while something in this thread is active: Node 24 does not resolve every wait of such a thread.
  if (region.binding === null && (host.inNode || host.waitAsync() === undefined)) return
  waitAsync(region, region.served, 0)
}

/** Be told of a native worker that was started after `connect`, until its last word. */
export function own(owner: WorkerOwner): void {
  owners.set(owner.id, weakly(owner))
  if (owner.onLog !== undefined) hold(owner)
}

/** Hear other processes ring, and be told when one dies. */
export function watch(watcher: Watcher): void {
  const { binding } = watcher.region
  if (binding === null) return
  connect()
  binding.listen()
  const seat = binding.watch()
  watchers.set(seat, weakly(watcher))
  unwatched.register(watcher, seat)
}

/** The worker is about to be joined: what it says meanwhile is still delivered. */
export function hold(owner: WorkerOwner): void {
  heldOwners.set(owner.id, owner)
}

/** Run soon, without being rung. In the root context: the dispatcher works for all channels, so it is part of no request. */
export function schedule(): void {
  if (scheduled) return
  scheduled = true
  if (!settling) host.root(host.immediate, run) // else `settle` does it
}

/** Let the addon reach this dispatcher. */
export function connect(): void {
  if (connected) return
  connected = true
  shared()?.dispatchers.add((events) => {
    if (events !== undefined) inbox.push(...events)
    if (!scheduled) run()
  })
}

/** Deliver an event that comes from the addon of another context. */
export function tell(event: WorkerEvent): void {
  inbox.push(event)
  schedule()
}

/** Call back, too, whenever the addon rings this environment. */
export function onRing(callback: () => void): void {
  shared()?.dispatchers.add(callback)
}

function shared(): NonNullable<Addon['shared']> | undefined {
  const native = addon()
  if (native === null || native.shared !== undefined) return native?.shared
  const made = { dispatchers: new Set<Dispatch>(), references: 0 }
  // The addon calls in the context in which it was given the function.
  host.root(() => {
    native.setDispatcher((events) => {
      for (const dispatch of made.dispatchers) dispatch(events)
    })
  })
  native.shared = made
  return made
}

function deliver({ worker, kind, number, text }: WorkerEvent): void {
  if (kind === PEER_DIED) {
    watchers.get(worker)?.()?.onPeerDied(number)
    return
  }
  if (kind === CARRIER_FAILED) {
    watchers.get(worker)?.()?.onCarrierFailed?.(number)
    return
  }
  const owner = heldOwners.get(worker) ?? owners.get(worker)?.()
  if (kind === WORKER_JOINED) {
    owners.delete(worker)
    heldOwners.delete(worker)
  } else if (kind === WORKER_EXITED) {
    owner?.onExit(number)
  } else if (kind === WORKER_LOG) {
    owner?.onLog?.(number, text)
  }
}

function run(): void {
  scheduled = false
  began = host.now()
  settling = true
  serveAll()
  try {
    while (inbox.length !== 0) deliver(inbox.shift()!)
    let left = active.size // what is woken meanwhile has the next turn: two that wake each other are not to hold up the loop
    for (const participant of active) {
      if (left-- === 0) break
      turn(participant)
    }
  } catch (error) {
    schedule() // what a callback throws is the user's to handle, and stops nobody else
    throw error
  } finally {
    host.microtask(settle) // behind what the callbacks have resolved, which is not to wait for it
  }
}

function turn(participant: Participant): void {
  const { region } = participant
  region.core.sw_endpoint_disarm(0, region.endpoint)
  if (participant.work()) worked.push(participant)
}

/** After the turns: poll on, or sleep. */
function settle(): void {
  if (!settling) return
  try {
    pollOrSleep()
  } finally {
    settling = false
    if (scheduled) host.immediate(run)
  }
}

function pollOrSleep(): void {
  const now = host.now()
  for (const { region, waiter } of worked) {
    const wait = waiters.get(region)
    if (wait !== undefined) wait.sleeps = 0
    // Work that came at once taught nothing about polling.
    if (asleepSince !== 0) waiter.loop.learn(began - asleepSince)
    else if (began > lastWork) waiter.loop.learn(0)
  }
  if (worked.length !== 0) {
    worked.length = 0
    lookAfter = SHORTEST_LOOK_MS
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
      else waitAsync(region, ticket, boundOf(participant))
    }
  }
  if (!scheduled) forRelayed(standBy)
}

/** The longest sleep of a participant in milliseconds, 0 for no such bound. */
function boundOf(participant: Participant): number {
  const { region } = participant
  if (region.binding !== null) return 0
  return region.core.sw_wait_bound(participant.reach(SW_SLEEP_ATOMICS), waiters.get(region)?.sleeps ?? 0)
}

/**
 * Be woken by Atomics.notify on the doorbell: by threads without the addon, which can ring no other way. One waiter serves any
 * number of sleeps: whoever notifies has rung, and a ring that came before the waiter shows in the ticket. `bound` is the
 * longest sleep in milliseconds, 0 for none. The promise must not hold the region, which may be collected.
 */
function waitAsync(region: Region, ticket: number, bound: number): void {
  const waiter = waiters.get(region) ?? { pending: false, bounded: false, sleeps: 0 }
  const index = endpointWord(region.endpoint, sw_endpoint.doorbell)
  if (waiter.pending) {
    if (bound !== 0 && !waiter.bounded) Atomics.notify(region.words, index) // it would sleep too long
    return
  }
  const wait = host.waitAsync()
  if (wait === undefined) {
    lookAgain()
    return
  }
  const result = wait(region.words, index, ticket, bound === 0 ? Number.POSITIVE_INFINITY : bound)
  if (!result.async) {
    schedule()
    return
  }
  waiter.pending = true
  waiter.bounded = bound !== 0
  waiter.sleeps++
  waiters.set(region, waiter)
  void (result.value as Promise<string>).then(() => {
    waiter.pending = false
    schedule()
  })
}

const SHORTEST_LOOK_MS = 1
const LONGEST_LOOK_MS = 16
let lookAfter = SHORTEST_LOOK_MS
let looksAgain = false

/** Where Atomics.notify cannot wake this loop, it looks by itself: soon after a message, then ever more seldom. */
function lookAgain(): void {
  if (looksAgain) return
  looksAgain = true
  const timer = host.after(lookAfter, () => {
    looksAgain = false
    schedule()
  })
  timer.unref() // an idle channel does not keep the process alive
  lookAfter = Math.min(2 * lookAfter, LONGEST_LOOK_MS)
}

/** What holds a thread of Node that has no addon: a port that nobody writes to. */
let anchor: MessageChannel | null = null

/** Reasons to keep the process alive, and whether it is kept. */
let references = 0
let kept = false
let releasing = false

/** What a channel asks for: to be kept, the process is. */
export interface Hold {
  held: boolean
}

const dropped = new FinalizationRegistry<Hold>(({ held }) => held && unref())

/** The hold of something that can be collected while it is held: then nothing can come to it any more, and it is given back. */
export function holdOf(owner: object): Hold {
  const hold = { held: false }
  dropped.register(owner, hold)
  return hold
}

/** Keep the process alive while at least one reference is held. A page ends when it is left: nothing holds it. */
export function ref(): void {
  if (references++ !== 0 || kept || !host.endsByItself) return
  kept = true
  keep(true)
}

/** Give a reference back. The process is let go in the loop's next turn: between two calls of receive() it need not be. */
export function unref(): void {
  if (--references !== 0 || releasing || !kept) return
  releasing = true
  host.immediate(() => {
    releasing = false
    if (references !== 0 || !kept) return
    kept = false
    keep(false)
  })
}

function keep(held: boolean): void {
  const state = shared()
  if (state !== undefined) {
    state.references += held ? 1 : -1
    if (state.references === 1 && held) addon()!.ref()
    if (state.references === 0) addon()!.unref()
    return
  }
  anchor ??= host.channel()
  const port = anchor.port1 as MessagePort & { ref?(): void; unref?(): void }
  if (held) port.ref?.()
  else port.unref?.()
}
