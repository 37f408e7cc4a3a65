// Is there an order of all calls on one value that agrees with what each of them saw, and in which
// each comes between its beginning and its end? After Gibbons and Korach, "Testing Shared Memories"
// (1997), for values each of which is written once.
import type { Happened } from '../workers/map.js'

interface Zone {
  readonly value: number
  /** The first moment at which a call on the value had ended, and the last at which one began. */
  first: number
  last: number
  written: [began: number, ended: number] | null
}

/** Null, or why there is none. `happened`: calls on one key, which had no value (0) at first. */
export function violation(happened: readonly Happened[]): string | null {
  const zones = new Map<number, Zone>()
  zones.set(0, { value: 0, first: -1, last: -1, written: [-1, -1] })
  for (const [, value, began, ended, read] of happened) {
    const zone = zones.get(value) ?? { value, first: Number.POSITIVE_INFINITY, last: -1, written: null }
    zones.set(value, zone)
    zone.first = Math.min(zone.first, ended)
    zone.last = Math.max(zone.last, began)
    if (!read) zone.written = [began, ended]
  }
  for (const { value, first, written } of zones.values()) {
    if (written === null) return `${value} was read and never written`
    if (first < written[0]) return `${value} was read before it was written`
  }
  // a value whose calls do not overlap all is there from `first` to `last`: no other can be
  // meanwhile
  const forward = [...zones.values()].filter(({ first, last }) => first < last).sort((a, b) => a.first - b.first)
  for (let i = 1; i < forward.length; i++) {
    const [one, next] = [forward[i - 1]!, forward[i]!]
    if (next.first < one.last) return `${one.value} and ${next.value} were both there`
  }
  for (const { value, first, last } of zones.values()) {
    if (first < last) continue
    const around = forward.find((zone) => zone.first < last && first < zone.last)
    if (around !== undefined) return `${value} was there while ${around.value} was`
  }
  return null
}
