// Where a queue is: in a heap that others share already, or in a region of its own.
import * as check from '../base/check.js'
import { CODING_OPTIONS } from '../codec/options.js'
import type { ObjectHome } from '../heap/heap-object.js'
import { handleIn, type OwnedMemory } from '../region/own.js'
import { Region } from '../region/region.js'

/** What a queue is made of: a heap, a number of values, or what another thread's queue gave. */
export type QueueHome = ObjectHome | OwnedMemory | number

export interface QueuePlace {
  home: ObjectHome
  given: unknown
  /** How an object that was made already is opened. */
  open: unknown
  /** The region that is the queue's alone. */
  own: Region | null
}

const PAGE = 65536
/** Bytes of a region of its own, beside those of the slots. Memory is taken as it is used. */
const USUAL = 16 * 2 ** 20
const PER_VALUE = 64

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE; as Region.create and Region.open. */
export function placeOf(
  home: QueueHome,
  given: unknown,
  leastValues: number,
  mostValues: number,
  open: unknown,
): QueuePlace {
  if (typeof home === 'number') {
    const capacity = check.integer(home, 'capacity', leastValues, mostValues)
    const options = check.options(given as { levels?: number } | undefined, 'queue options', [
      ...CODING_OPTIONS,
      'levels',
      'delivery',
    ] as never)
    const slots = capacity * (typeof options.levels === 'number' ? Math.min(Math.max(options.levels, 1), 64) : 1)
    const own = Region.create({ size: Math.ceil((USUAL + PER_VALUE * slots) / PAGE) * PAGE })
    return { home: own, given: { ...options, capacity }, open, own }
  }
  const handle = handleIn(home)
  if (handle === null) return { home: home as ObjectHome, given, open, own: null }
  const own = Region.open(handle)
  return { home: own, given: home, open: open ?? given, own }
}
