// The regions in which this thread does something for others, besides what its channels do: with
// the addon it passes wake-ups on to sleepers that their wakers cannot reach
// (native/core/region/relay.c); where there are Web Locks it sees the ends of threads that have no
// addon (end-watch.ts). The dispatcher calls `serveAll` at each turn.
import { addon, LooseRef, type Weakly, weakly } from '../base/addon.js'
import * as host from '../base/host.js'
import {
  SW_RELAYS,
  SW_STAYS,
  SW_WAKES_ATOMICS,
  SW_WAKES_FUTEX,
  SW_WATCHES,
  sw_endpoint,
} from '../generated/abi.js'
import { endpointWord } from '../region/endpoint.js'
import type { Region } from '../region/region.js'
import type { EndWatch } from './end-watch.js'
import { endPart } from './parts.js'

/** Weak: that keeps nothing alive. */
const served = new Set<Weakly<Region>>()
/** The doorbell's value up to which a region was looked at for requests. */
const lookedAt = new WeakMap<Region, number>()
const endWatches = new WeakMap<Region, EndWatch>()
const collected = new FinalizationRegistry<EndWatch>((watch) => watch.stop())

/**
 * Pass wake-ups on in this region as long as it is open. False where this thread cannot: its addon
 * is in a preload script, or none.
 */
export function beginRelay(region: Region): boolean {
  const native = addon()
  if (region.binding === null || native === null) return false
  region.binding.listen()
  served.add(weakly(region))
  const lasts = native.isMainThread ? SW_STAYS : 0
  region.core.sw_endpoint_set_skills(0, region.endpoint, SW_WAKES_FUTEX | SW_WAKES_ATOMICS | SW_RELAYS | lasts)
  serve(region)
  return true
}

/**
 * See the ends of others in this region, and call `onEnd` at each. True where the region is to be
 * served from now on for that.
 */
export function beginEndWatch(region: Region, onEnd: () => void): boolean {
  const part = endPart.loaded
  if (region.closed || part === null) return false
  const way = wayTo(region)
  const watch = new part.EndWatch(way, onEnd)
  endWatches.set(region, watch)
  collected.register(region, watch)
  Atomics.or(region.words, endpointWord(region.endpoint, sw_endpoint.skills), SW_WATCHES)
  watch.look()
  if (region.binding !== null) return false // served as a relay
  served.add(way)
  return true
}

/**
 * Leads to the region as long as it is open. A closed one can be collected at once, as a page needs
 * its addresses.
 */
function wayTo(region: Region): Weakly<Region> {
  const way = new LooseRef(region)
  region.onClose(() => way.drop())
  host.root(host.immediate, () => way.loosen())
  return () => way.get()
}

/** Look for requests in every region that is served. */
export function serveAll(): void {
  forEachServed(serve)
}

export function forEachServed(act: (region: Region) => void): void {
  for (const reference of served) {
    const region = reference()
    if (region !== undefined && !region.closed) {
      act(region)
      continue
    }
    served.delete(reference)
    if (region !== undefined) endWatches.get(region)?.stop()
  }
}

/** Look for requests if the doorbell was rung since the last time. Returns its value. */
export function serve(region: Region): number {
  const rings = Atomics.load(region.words, endpointWord(region.endpoint, sw_endpoint.doorbell))
  if (rings === (lookedAt.get(region) ?? 0)) return rings
  lookedAt.set(region, rings)
  if (region.binding !== null) region.core.sw_relay_serve(0)
  region.commons.rouse()
  const watch = endWatches.get(region)
  if (watch === undefined) return rings
  Atomics.store(region.words, endpointWord(region.endpoint, sw_endpoint.heard), rings)
  watch.look()
  return rings
}
