// Where a queue is: in a heap that others share already, or in a region of its own.
import * as check from '../base/check.js'
import type { RegionHandle } from '../base/region-handle.js'
import { isShared, type ObjectHome, type SharedObjectMemory } from '../heap/heap-object.js'
import { Region } from '../region/region.js'

/** What another thread makes its own object of a queue of. Structured-cloneable. */
export interface QueueMemory extends SharedObjectMemory {
  /** Of a queue in a region of its own: that region. */
  readonly region?: RegionHandle
}

/** What a queue is made of: a heap, a number of values, or what another thread's queue gave. */
export type QueueHome = ObjectHome | QueueMemory | number

export interface QueuePlace {
  home: ObjectHome
  given: unknown
  /** The region that is the queue's alone. */
  own: Region | null
}

const PAGE = 65536
/** Bytes of a region of its own, beside those of the slots. Memory is taken as it is used. */
const USUAL = 16 * 2 ** 20
const PER_VALUE = 64

/** The region in what another thread's object gave, where that has one of its own. */
export function handleIn(memory: unknown): RegionHandle | null {
  if (typeof memory !== 'object' || !isShared(memory)) return null
  const { region } = check.fields(memory, 'memory', ['region'])
  return region === undefined ? null : (region as RegionHandle)
}

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE; as Region.create and Region.open. */
export function placeOf(home: QueueHome, given: unknown, leastValues: number, mostValues: number): QueuePlace {
  if (typeof home === 'number') {
    const capacity = check.integer(home, 'capacity', leastValues, mostValues)
    const options = check.options(given as { levels?: number } | undefined, 'queue options', [
      'codec',
      'levels',
      'delivery',
    ] as never)
    const slots = capacity * (typeof options.levels === 'number' ? Math.min(Math.max(options.levels, 1), 64) : 1)
    const own = Region.create({ size: Math.ceil((USUAL + PER_VALUE * slots) / PAGE) * PAGE })
    return { home: own, given: { ...options, capacity }, own }
  }
  const handle = handleIn(home)
  if (handle === null) return { home: home as ObjectHome, given, own: null }
  const own = Region.open(handle)
  return { home: own, given: home, own }
}
