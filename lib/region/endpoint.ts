// A participant's endpoint: its words, the roles that name it, and how both are given back when
// this thread has no addon to do that.
//
// A role word names its holder by the endpoint's number and the low bits of its epoch, the count of
// claims: so a role that an earlier owner left is never taken for one of the present owner. `leave`
// takes a role word for that reason, and does nothing when the endpoint has another owner by then.
//
// Without the addon a thread that ends gives nothing back by itself. For that there are three ways:
//
//   closed      Region.close leaves
//   collected   commons.ts evicts the endpoint of a Region that the program has dropped
//   ended       a Stay leaves at the program's own end; when the thread is terminated or crashes,
//               its Web Lock becomes free, and others take its roles (locks.ts, loop/end-watch.ts)
//
// A thread that crashes before it holds its lock is not seen to have ended, unless it had yielded.
import * as host from '../base/host.js'
import { SW_ENDPOINTS, SW_ROLE_GONE, SW_WATCHES, sw_endpoint, sw_region_header } from '../generated/abi.js'
import type { Place } from '../heap/eviction.js'
import { heapPart, lockPart } from './parts.js'

/** Index, in an Int32Array over the region, of a word of an endpoint. */
export function endpointWord(index: number, field: number): number {
  return (sw_region_header.sizeof + index * sw_endpoint.sizeof + field) >>> 2
}

/** How roles name the present claim of an endpoint. */
export const roleOf = (words: Int32Array, index: number): number =>
  ((Atomics.load(words, endpointWord(index, sw_endpoint.epoch)) << 8) | (index + 1)) >>> 0

/** The endpoint that a role word names; -1 where it names none. */
export const endpointOf = (role: number): number => (role & 0xff) - 1

/**
 * Take the roles of a participant that has ended away from it, and give its endpoint back. Nothing
 * when it has left before.
 */
export function leave(place: Place, role: number): void {
  evict(place, role)
  place.core.sw_endpoint_release_role(0, role)
}

/**
 * Take the roles of a participant away from it. Those of mutexes only where this thread has loaded
 * the heap: without it they are left to the threads that wait for them.
 */
export function evict(place: Place, role: number): void {
  if (heapPart.loaded?.evictRole(place, role)) return
  const { core, size } = place
  core.sw_channel_evict_role(0, size, core.sw_region_channel(0, size), role)
}

/**
 * Ring the threads that see the ends of others: a role was taken, or a lock was asked for or is
 * held. All of them are of this process.
 */
export function ringWatchers(words: Int32Array, own: number): void {
  for (let index = 0; index < SW_ENDPOINTS; index++) {
    if (index === own || (Atomics.load(words, endpointWord(index, sw_endpoint.skills)) & SW_WATCHES) === 0) continue
    ring(words, index + 1)
  }
}

/** The participant that a role word names as the role's holder; 0 for none. */
export const holderIn = (word: number): number => ((word & SW_ROLE_GONE) === 0 && (word & 0xff) !== 0 ? word >>> 0 : 0)

/**
 * Ring a JavaScript thread of this process, whether it sleeps or not. Returns the doorbell's value.
 */
export function ring(words: Int32Array, role: number): number {
  const doorbell = endpointWord(endpointOf(role), sw_endpoint.doorbell)
  const rings = Atomics.add(words, doorbell, 1) + 1
  Atomics.notify(words, doorbell)
  return rings
}

/** What a stay needs of its Region, which it does not hold: that may be collected. */
export interface StayRegion extends Place {
  readonly endpoint: number
}

/** Stays that end with this thread's program. */
const stays = new Set<Stay>()
let listening = false

/**
 * A thread without the addon in a region that others may share. It holds this thread's Web Lock for
 * it, and tells its peers when the program ends by itself, as the addon does.
 */
class Stay {
  /** Names the claim: what comes late must not touch the endpoint's next owner. */
  readonly #role: number
  readonly #region: StayRegion
  readonly #letGo: (() => void) | undefined
  #over = false

  constructor(region: StayRegion) {
    this.#region = region
    this.#role = roleOf(region.words, region.endpoint)
    stays.add(this)
    if (!listening) listen()
    this.#letGo = lockPart.loaded?.hold(region, () => this.end())
  }

  /** Give the roles and the endpoint back, as one that has ended without leaving. Idempotent. */
  end(): void {
    if (this.#over) return
    this.#over = true
    stays.delete(this)
    leave(this.#region, this.#role)
    this.#letGo?.()
  }
}

/** Begin a stay. Returns what ends it. */
export function stay(region: StayRegion): () => void {
  const begun = new Stay(region)
  return () => begun.end()
}

function listen(): void {
  listening = true
  host.onVeryEnd((comesBack) => {
    if (!comesBack) for (const stay of [...stays]) stay.end()
  })
}
