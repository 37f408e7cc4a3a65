// How an event loop without the addon is woken by Atomics.notify, the one means that JavaScript
// threads have: by a wait in V8 that resolves a promise, or, where the host has no
// Atomics.waitAsync, by looking again and again.
//
// An endpoint has at most one such wait, which serves any number of sleeps. It ends by a ring, by
// its bound, or when the region is closed.
//
//   none --sleep--> pending --ring, bound, close--> none, and the endpoint has its next turn
import * as host from '../base/host.js'
import { sw_endpoint } from '../generated/abi.js'
import { endpointWord } from '../region/endpoint.js'
import type { Region } from '../region/region.js'

/** An endpoint's wait in V8. Does not lead to the region, which may be collected meanwhile. */
export class AsyncWait {
  /** The next ring resolves it. */
  pending = false
  /** It ends by itself. */
  bounded = false
  /** How often in a row the endpoint slept and woke for nothing. */
  sleeps = 0
  /** Called when it has ended. */
  readonly wake: () => void

  constructor(wake: () => void) {
    this.wake = wake
  }
}

/**
 * Have the wait end when the region's endpoint is rung. A ring that came before shows in the
 * `ticket`, the doorbell's value before the last look. `bound` is the longest sleep in
 * milliseconds, 0 for none.
 */
export function waitForRing(wait: AsyncWait, region: Region, ticket: number, bound: number): void {
  const index = endpointWord(region.endpoint, sw_endpoint.doorbell)
  if (wait.pending) {
    if (bound !== 0 && !wait.bounded) Atomics.notify(region.words, index) // it would sleep too long
    return
  }
  const waitAsync = host.waitAsync()
  if (waitAsync === undefined) {
    lookAgain(wait)
    return
  }
  const result = waitAsync(region.words, index, ticket, bound === 0 ? Number.POSITIVE_INFINITY : bound)
  if (!result.async) {
    wait.wake()
    return
  }
  wait.pending = true
  wait.bounded = bound !== 0
  wait.sleeps++
  void (result.value as Promise<string>).then(() => {
    wait.pending = false
    wait.wake()
  })
}

const SHORTEST_LOOK_MS = 1
const LONGEST_LOOK_MS = 16
let lookAfter = SHORTEST_LOOK_MS
/** The waits that end with the next look. */
const looking = new Set<AsyncWait>()

/** Look soon after a message, then at ever longer intervals. */
function lookAgain(wait: AsyncWait): void {
  const planned = looking.size !== 0
  looking.add(wait)
  if (planned) return
  const timer = host.after(lookAfter, () => {
    const ended = [...looking]
    looking.clear()
    for (const { wake } of ended) wake()
  })
  timer.unref() // an idle channel does not keep the process alive
  lookAfter = Math.min(2 * lookAfter, LONGEST_LOOK_MS)
}

/** There was work: more may follow soon. */
export function lookSoon(): void {
  lookAfter = SHORTEST_LOOK_MS
}
