// How an event loop without the addon is woken by Atomics.notify, the one means that JavaScript
// threads have: by a wait in V8 that resolves a promise, or, where the host has no
// Atomics.waitAsync, by looking again and again.
//
// A region has at most one such wait, which serves any number of sleeps. It ends by a ring, by its
// bound, or when the region is closed.
//
//   none --sleep--> pending --ring, bound, close--> none, and the loop has its next turn
import * as host from '../base/host.js'
import { sw_endpoint } from '../generated/abi.js'
import { endpointWord } from '../region/endpoint.js'
import type { Region } from '../region/region.js'

/** A region's wait in V8. */
interface AsyncWait {
  /** It was not notified yet. */
  pending: boolean
  /** It ends by itself. */
  bounded: boolean
  /** How often in a row the loop slept and woke for nothing. */
  sleeps: number
}

const waits = new WeakMap<Region, AsyncWait>()

/** Does the region's next ring resolve a wait? */
export const isAwaited = (region: Region): boolean => waits.get(region)?.pending === true

/** How often in a row the region's sleeps were for nothing. */
export const idleSleeps = (region: Region): number => waits.get(region)?.sleeps ?? 0

/** There was work in the region. */
export function sleptForWork(region: Region): void {
  const wait = waits.get(region)
  if (wait !== undefined) wait.sleeps = 0
}

/**
 * Call `wake` when the region's endpoint is rung. A ring that came before shows in the `ticket`,
 * the doorbell's value before the last look. `bound` is the longest sleep in milliseconds, 0 for
 * none. The promise must not hold the region, which may be collected.
 */
export function waitForRing(region: Region, ticket: number, bound: number, wake: () => void): void {
  const wait = waits.get(region) ?? { pending: false, bounded: false, sleeps: 0 }
  const index = endpointWord(region.endpoint, sw_endpoint.doorbell)
  if (wait.pending) {
    if (bound !== 0 && !wait.bounded) Atomics.notify(region.words, index) // it would sleep too long
    return
  }
  const waitAsync = host.waitAsync()
  if (waitAsync === undefined) {
    lookAgain(wake)
    return
  }
  const result = waitAsync(region.words, index, ticket, bound === 0 ? Number.POSITIVE_INFINITY : bound)
  if (!result.async) {
    wake()
    return
  }
  wait.pending = true
  wait.bounded = bound !== 0
  wait.sleeps++
  waits.set(region, wait)
  void (result.value as Promise<string>).then(() => {
    wait.pending = false
    wake()
  })
}

const SHORTEST_LOOK_MS = 1
const LONGEST_LOOK_MS = 16
let lookAfter = SHORTEST_LOOK_MS
let looksAgain = false

/** Look soon after a message, then at ever longer intervals. */
function lookAgain(wake: () => void): void {
  if (looksAgain) return
  looksAgain = true
  const timer = host.after(lookAfter, () => {
    looksAgain = false
    wake()
  })
  timer.unref() // an idle channel does not keep the process alive
  lookAfter = Math.min(2 * lookAfter, LONGEST_LOOK_MS)
}

/** There was work: more may follow soon. */
export function lookSoon(): void {
  lookAfter = SHORTEST_LOOK_MS
}
