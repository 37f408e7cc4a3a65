// The event loop's side of waking: one dispatcher for each JavaScript thread. It runs whatever has work, then arms the
// endpoints and lets the loop sleep; a ring (from the addon's threadsafe function, or Atomics.notify) runs it again.
import { type Addon, addon, type Dispatch, type WorkerEvent } from './addon.js'
import { SW_SLEEP_ATOMICS, SW_SLEEP_LOOP, sw_endpoint } from './generated/abi.js'
import { endpointWord, type Region } from './region.js'

/** Something that lives on the event loop: a channel. */
export interface Participant {
  readonly region: Region
  /** Do what there is to do, within the participant's time budget. True when it found something. May throw what a callback threw. */
  work(): boolean
  /** The second look, after the endpoint is armed: is there work after all? */
  ready(): boolean
  workerEvent(event: WorkerEvent): void
  ownsWorker(id: number): boolean
}

/** How long the loop is polled after the last work before it sleeps: a wake costs more than a few turns of the loop. */
const LINGER_MS = 0.05

const immediate: (task: () => void) => void = typeof setImmediate === 'function' ? setImmediate : postedTask()

/** A browser's nearest thing to setImmediate: timers are clamped to 4 ms. */
function postedTask(): (task: () => void) => void {
  const { port1, port2 } = new MessageChannel()
  const tasks: (() => void)[] = []
  port1.onmessage = () => tasks.shift()?.()
  return (task) => {
    tasks.push(task)
    port2.postMessage(0)
  }
}

const active = new Set<Participant>()
const owners = new Set<Participant>()
/** Participants whose endpoint sleeps in Atomics.waitAsync, so that a second wait is not added for the same sleep. */
const waiting = new WeakMap<Region, number>()
let scheduled = false
let connected = false
let lastWork = 0

/** Have the participant run and woken from now on. */
export function activate(participant: Participant): void {
  connect()
  active.add(participant)
  participant.region.binding?.listen()
  schedule()
}

export function deactivate(participant: Participant): void {
  active.delete(participant)
}

/** Participants with native workers hear of their log lines and of their end. */
export function own(participant: Participant): void {
  connect()
  owners.add(participant)
}

export function disown(participant: Participant): void {
  owners.delete(participant)
}

/** Run soon, without being rung. */
export function schedule(): void {
  if (scheduled) return
  scheduled = true
  immediate(run)
}

function connect(): void {
  if (connected) return
  connected = true
  shared()?.dispatchers.add((events) => {
    try {
      for (const event of events ?? []) deliver(event)
    } finally {
      if (!scheduled) run()
    }
  })
}

function shared(): NonNullable<Addon['shared']> | undefined {
  const native = addon()
  if (native === null || native.shared !== undefined) return native?.shared
  const made = { dispatchers: new Set<Dispatch>(), references: 0 }
  native.setDispatcher((events) => {
    for (const dispatch of made.dispatchers) dispatch(events)
  })
  native.shared = made
  return made
}

function deliver(event: WorkerEvent): void {
  for (const owner of owners) {
    if (owner.ownsWorker(event.worker)) owner.workerEvent(event)
  }
}

function run(): void {
  scheduled = false
  let busy = false
  try {
    for (const participant of active) {
      participant.region.core.sw_endpoint_disarm(0, participant.region.endpoint)
      if (participant.work()) busy = true
    }
  } catch (error) {
    schedule() // what a callback throws is the user's to handle, and stops nobody else
    throw error
  }
  const now = performance.now()
  if (busy) lastWork = now
  if (now - lastWork < LINGER_MS) schedule()
  else sleep()
}

function sleep(): void {
  for (const participant of active) {
    const { region } = participant
    const how = region.binding === null ? SW_SLEEP_ATOMICS : SW_SLEEP_LOOP
    const ticket = region.core.sw_endpoint_arm(0, region.endpoint, how)
    if (participant.ready()) {
      region.core.sw_endpoint_disarm(0, region.endpoint)
      schedule()
    } else if (how === SW_SLEEP_ATOMICS) {
      waitAsync(region, ticket)
    }
  }
}

type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { async: boolean; value: string | Promise<string> }

function waitAsync(region: Region, ticket: number): void {
  if (waiting.get(region) === ticket) return
  waiting.set(region, ticket)
  const wait = (Atomics as unknown as { waitAsync: WaitAsync }).waitAsync
  const result = wait(region.words, endpointWord(region.endpoint, sw_endpoint.doorbell), ticket)
  if (result.async) void (result.value as Promise<string>).then(schedule)
  else schedule()
}

/** Keep the process alive while at least one reference is held. Without the addon there is nothing to hold it by. */
export function ref(): void {
  const state = shared()
  if (state !== undefined && state.references++ === 0) addon()?.ref()
}

export function unref(): void {
  const state = shared()
  if (state !== undefined && --state.references === 0) addon()?.unref()
}
