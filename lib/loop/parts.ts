// What an event loop can do without.
import type { RegionBinding, WorkerEvent } from '../base/addon.js'
import { Part } from '../base/part.js'
import type { Region } from '../region/region.js'
import type { Listening } from './bell.js'
import type * as endWatch from './end-watch.js'

/** Sees the ends of threads that hold a lock. */
export const endPart = new Part<Pick<typeof endWatch, 'EndWatch' | 'suspect'>>()

/** Is told of deaths in other processes. */
export interface DeathListener {
  readonly region: Pick<Region, 'binding'>
  readonly place: { readonly offset: number }
  onPeerDied(roles: number): void
  onCarrierFailed?(status: number): void
}

/** What an event loop has of the addon: native-events.ts. */
export interface NativeEvents {
  /** Let the addon reach this thread's dispatcher. */
  connect(): void
  /** Have the bell told when the endpoint of this binding is rung. */
  listen(binding: RegionBinding, bell: Listening): void
  /** Hear other processes ring the endpoint of this binding, also where it has no channel. */
  listenToProcesses(binding: RegionBinding): void
  /** Tell the bells what was rung since the last turn. True when there was something. */
  hear(): boolean
  /** Hand out the events that have come. May throw what a callback threw. */
  deliver(): void
  /** Hear other processes ring, and be told when one dies. */
  listenForDeaths(listener: DeathListener): void
  /** It is told no more. */
  ignoreDeaths(listener: DeathListener): void
  /** What a relay of this thread can do, as bits; 0 where it can be none. */
  relaySkills(): number
  /** Take in an event that comes from the addon of another context. */
  receive(event: WorkerEvent): void
  /** Keep the process alive, or let it go. False where there is no addon to do that. */
  keepProcess(kept: boolean): boolean
}

export const nativePart = new Part<NativeEvents>()
