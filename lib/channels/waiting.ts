// What the calls of this thread wait for in channels. A channel knows the thread as one waiter, a
// bit of a waits word, and calls of `receive`, `send` and `select` may share it: the bit is set by
// the first of them, and cleared by the last.
import type { WaitSet, WaitSource } from '../loop/waits.js'

/** One thing of one channel: a value, or room for one. */
export interface Awaited {
  /** The same for all objects of this thread that are the channel. */
  readonly key: string
  begin(): void
  end(): void
}

const counts = new WeakMap<WaitSet, Map<string, number>>()

function countsOf(set: WaitSet): Map<string, number> {
  let found = counts.get(set)
  if (found === undefined) {
    found = new Map()
    counts.set(set, found)
  }
  return found
}

/** The source of a call, or of calls, that wait for the first of these things to be there. */
export function sourceOf(set: WaitSet, things: readonly Awaited[]): WaitSource {
  const counted = countsOf(set)
  let begun = false
  return {
    begin() {
      if (!begun) for (const { key } of things) counted.set(key, (counted.get(key) ?? 0) + 1)
      begun = true
      for (const thing of things) thing.begin()
    },
    end() {
      if (!begun) return
      begun = false
      let shared = false
      for (const thing of things) {
        const left = counted.get(thing.key)! - 1
        if (left === 0) counted.delete(thing.key)
        else counted.set(thing.key, left)
        shared ||= left !== 0
        if (left === 0) thing.end()
      }
      // what this thread was rung for may be another call's
      if (shared) set.nudge()
    },
  }
}
