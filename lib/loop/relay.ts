// The regions in which this thread does something for others, besides what its channels do: with
// the addon it passes wake-ups on to sleepers that their wakers cannot reach
// (native/core/region/relay.c); where there are Web Locks it sees the ends of threads that have no
// addon (end-watch.ts). The dispatcher calls `serve` at each turn of a region's bell.
import { LooseRef, type Weakly, weakly } from '../base/addon.js'
import * as host from '../base/host.js'
import { SW_WATCHES, sw_endpoint } from '../generated/abi.js'
import { endpointWord } from '../region/endpoint.js'
import type { Region } from '../region/region.js'
import type { Bell } from './bell.js'
import type { EndWatch } from './end-watch.js'
import { endPart, nativePart } from './parts.js'

/** The bells of those regions. They keep nothing alive. */
const served = new Set<Bell>()
/** With more of them than this, those of regions that were dropped are looked for. */
let crowd = 16
/** The served ones whose ring wakes nothing while no participant waits at them: see `isRung`. */
const unrung = new Set<Bell>()
const collected = new FinalizationRegistry<EndWatch>((watch) => watch.stop())

/**
 * Pass wake-ups on in this region as long as it is open. False where this thread cannot: its addon
 * is in a preload script, or none.
 */
export function beginRelay(bell: Bell, region: Region): boolean {
  const skills = region.binding === null ? 0 : (nativePart.loaded?.relaySkills() ?? 0)
  if (skills === 0) return false
  begin(bell, region, weakly(region))
  region.core.sw_endpoint_set_skills(0, region.endpoint, skills)
  serve(bell, region)
  return true
}

/**
 * See the ends of others in this region, and call `onEnd` at each. True where the region is to be
 * served from now on for that.
 */
export function beginEndWatch(bell: Bell, region: Region, onEnd: () => void): boolean {
  const part = endPart.loaded
  if (region.closed || part === null) return false
  const way = wayTo(region)
  const watch = new part.EndWatch(way, onEnd)
  bell.watch = watch
  collected.register(region, watch)
  Atomics.or(region.words, endpointWord(region.endpoint, sw_endpoint.skills), SW_WATCHES)
  watch.look()
  if (region.binding !== null) return false // served as a relay
  begin(bell, region, way)
  if (!isRung(region)) unrung.add(bell)
  return true
}

function begin(bell: Bell, region: Region, way: Weakly<Region>): void {
  if (bell.region === null) region.onClose(() => end(bell))
  bell.region = way
  served.add(bell)
  if (served.size <= crowd) return
  for (const other of served) if (other.region?.() === undefined) end(other)
  crowd = 2 * served.size + 16
}

function end(bell: Bell): void {
  served.delete(bell)
  unrung.delete(bell)
  bell.watch?.stop()
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

/**
 * Does a ring reach this thread while none of its participants waits in the region? Without the
 * addon only by a wait in V8. In Node those are as few as can be: where a thread of Node 20 is
 * terminated, a ring that resolves such a wait of it may end the process.
 */
export const isRung = (region: Region): boolean =>
  region.binding !== null || (!host.inNode && host.waitAsync() !== undefined)

/** The region of a bell that is served, while it is open. */
export function regionOf(bell: Bell): Region | undefined {
  const region = bell.region?.()
  return region === undefined || region.closed ? undefined : region
}

/** Look for requests if the doorbell was rung since the last time. Returns its value. */
export function serve(bell: Bell, region: Region): number {
  const rings = Atomics.load(region.words, endpointWord(region.endpoint, sw_endpoint.doorbell))
  if (bell.region === null || rings === bell.lookedAt) return rings
  bell.lookedAt = rings
  if (region.binding !== null) region.core.sw_relay_serve(0)
  region.commons.rouse()
  if (bell.watch === null) return rings
  Atomics.store(region.words, endpointWord(region.endpoint, sw_endpoint.heard), rings)
  bell.watch.look()
  return rings
}

/** How long a look at many regions may be put off, in milliseconds. */
const PUT_OFF_MS = 10
const FEW = 16
let looked = 0
let planned = false

/**
 * Look for requests in the regions whose ring wakes nothing: in each turn, as long as those are
 * few.
 */
export function serveUnrung(now: number): void {
  if (unrung.size === 0) return
  if (unrung.size > FEW && now - looked < PUT_OFF_MS) {
    if (planned) return
    planned = true
    const look = () => {
      planned = false
      serveEach(unrung)
    }
    host.after(PUT_OFF_MS, look).unref()
    return
  }
  looked = now
  serveEach(unrung)
}

/**
 * Look for requests in all regions, which a blocked thread does not hear ring: once in PUT_OFF_MS.
 */
export function serveAll(now: number): void {
  if (now - looked < PUT_OFF_MS) return
  looked = now
  serveEach(served)
}

function serveEach(bells: Iterable<Bell>): void {
  for (const bell of bells) {
    const region = regionOf(bell)
    if (region === undefined) end(bell)
    else serve(bell, region)
  }
}
