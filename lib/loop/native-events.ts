// What comes to an event loop from the addon: rings, the events of native workers, and deaths in
// other processes. Loaded with the addon, and in the page whose addon is in its preload script.
//
// The addon exists once in a thread, this file as often as the program has loaded the library, as
// an ES module and as CommonJS: all copies share one callback of the addon's, and each takes the
// events of its own workers and listeners.
import {
  type Addon,
  addon,
  CARRIER_FAILED,
  type Dispatch,
  PEER_DIED,
  type RegionBinding,
  type SharedLoop,
  type Weakly,
  WORKER_EXITED,
  WORKER_JOINED,
  WORKER_LOG,
  type WorkerEvent,
  weakly,
} from '../base/addon.js'
import * as host from '../base/host.js'
import { SW_RELAYS, SW_STAYS, SW_WAKES_ATOMICS, SW_WAKES_FUTEX } from '../generated/abi.js'
import type { Listening } from './bell.js'
import { schedule, turnNow } from './dispatcher.js'
import type { DeathListener, NativeEvents } from './parts.js'

/** What is told of a native worker. */
export interface WorkerOwner {
  readonly id: number
  readonly onLog: ((level: number, text: string) => void) | undefined
  /** It has ended by itself. */
  onExit(status: number): void
}

/**
 * By the worker's id. Weak: a channel that the program has dropped is collected, and its native
 * worker ends with it.
 */
const owners = new Map<number, Weakly<WorkerOwner>>()
/** Owners that are retained: their worker has a listener, or its last events are on their way. */
const retained = new Map<number, WorkerOwner>()
/** By the id of their watch. Weak, as owners are. */
const listeners = new Map<number, Weakly<DeathListener>>()
const watches = new WeakMap<DeathListener, number>()
const collected = new FinalizationRegistry<number>((id) => listeners.delete(id))
/** Events that were not delivered yet. */
const inbox: WorkerEvent[] = []
let connected = false

/**
 * Have the owner told of a native worker that was started after `connect`, until the worker's last
 * event.
 */
export function addOwner(owner: WorkerOwner): void {
  owners.set(owner.id, weakly(owner))
  if (owner.onLog !== undefined) retain(owner)
}

/** The worker is about to be joined: its events until then are still delivered. */
export function retain(owner: WorkerOwner): void {
  retained.set(owner.id, owner)
}

export function connect(): void {
  if (connected) return
  connected = true
  shared()?.dispatchers.add((events) => {
    if (events !== undefined) inbox.push(...events)
    turnNow(inbox.length !== 0)
  })
}

/** Have the bell told when the endpoint of this binding is rung, as long as that is open. */
export function listen(binding: RegionBinding, bell: Listening): void {
  const made = shared()
  const number = binding.listen()
  if (made !== undefined) made.heard[number] = bell
}

/** Have the endpoint hear the rings of other processes, also where it has no channel. */
export function listenToProcesses(binding: RegionBinding): void {
  connect()
  binding.watch(0)
}

/** How many rings are taken from the addon at once. */
const RINGS = 64

function shared(): SharedLoop | undefined {
  const native = addon()
  if (native === null || native.shared !== undefined) return native?.shared
  const rings = new Int32Array(1 + RINGS)
  const made: SharedLoop = { dispatchers: new Set(), rings, heard: [], references: 0 }
  host.markUntransferable(rings.buffer) // the addon writes there until the thread ends
  const onWake: Dispatch = (events, count) => {
    tell(made, native, count)
    for (const dispatch of made.dispatchers) dispatch(events)
  }
  // The addon calls in the context in which it was given the function.
  host.root(() => native.setDispatcher(onWake, made.rings))
  native.shared = made
  return made
}

/** Tell the bells of the first `count` rings in the list, and of those that found no room in it. */
function tell({ rings, heard }: SharedLoop, native: Addon, count: number): void {
  for (let more = count; ; more = native.takeRings()) {
    for (let i = 1; i <= more; i++) heard[rings[i]!]?.rung()
    if (more < RINGS) return
  }
}

/** For a thread that blocks: the dispatchers are called later, for what was told here, too. */
function hear(): boolean {
  const native = addon()
  const made = native?.shared
  if (!native || made === undefined || Atomics.load(made.rings, 0) === 0) return false
  tell(made, native, native.takeRings())
  return true
}

export function listenForDeaths(listener: DeathListener): void {
  const { binding } = listener.region
  if (binding === null) return
  connect()
  const id = binding.watch(listener.place.offset)
  listeners.set(id, weakly(listener))
  watches.set(listener, id)
  collected.register(listener, id, listener)
}

function ignoreDeaths(listener: DeathListener): void {
  const id = watches.get(listener)
  if (id === undefined) return
  watches.delete(listener)
  listeners.delete(id)
  collected.unregister(listener)
  listener.region.binding?.unwatch(id)
}

function deliver({ worker, kind, number, text }: WorkerEvent): void {
  if (kind === PEER_DIED) {
    listeners.get(worker)?.()?.onPeerDied(number)
    return
  }
  if (kind === CARRIER_FAILED) {
    listeners.get(worker)?.()?.onCarrierFailed?.(number)
    return
  }
  const owner = retained.get(worker) ?? owners.get(worker)?.()
  if (kind === WORKER_JOINED) {
    owners.delete(worker)
    retained.delete(worker)
  } else if (kind === WORKER_EXITED) {
    owner?.onExit(number)
  } else if (kind === WORKER_LOG) {
    owner?.onLog?.(number, text)
  }
}

export const nativeEvents: NativeEvents = {
  connect,
  listen,
  listenToProcesses,
  hear,
  listenForDeaths,
  ignoreDeaths,
  deliver() {
    while (inbox.length !== 0) deliver(inbox.shift()!)
  },
  relaySkills() {
    const native = addon()
    if (native === null) return 0
    return SW_WAKES_FUTEX | SW_WAKES_ATOMICS | SW_RELAYS | (native.isMainThread ? SW_STAYS : 0)
  },
  receive(event) {
    inbox.push(event)
    schedule()
  },
  keepProcess(kept) {
    const state = shared()
    if (state === undefined) return false
    state.references += kept ? 1 : -1
    if (state.references === 1 && kept) addon()!.ref()
    if (state.references === 0) addon()!.unref()
    return true
  },
}
