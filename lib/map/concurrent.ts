// The same map under the name and with the options that programs for other platforms know.
import * as check from '../base/check.js'
import { CODING_OPTIONS, type OpeningOptions } from '../codec/options.js'
import type { SharedObjectMemory } from '../heap/heap-object.js'
import { type MapHome, SharedMap, type SharedMapOptions } from './map.js'
import type { MapKey } from './values.js'

export interface ConcurrentHashMapOptions extends Omit<SharedMapOptions, 'capacity'> {
  /** As `capacity` of a SharedMap. */
  initialCapacity?: number
  /** Has no effect: each bucket is changed by itself, so there are no segments to choose. */
  concurrencyLevel?: number
}

const NAMES = [
  ...CODING_OPTIONS,
  'numeric',
  'maxEntries',
  'evict',
  'ttl',
  'initialCapacity',
  'concurrencyLevel',
] as const satisfies readonly (keyof ConcurrentHashMapOptions)[]

/** A SharedMap: each of the two opens the other's. */
export class ConcurrentHashMap<K extends MapKey = MapKey, V = unknown> extends SharedMap<K, V> {
  /**
   * `new ConcurrentHashMap(capacity, concurrencyLevel)` has a region of its own; else as
   * `new SharedMap`. Errors: likewise.
   */
  constructor(home: MapHome, given?: ConcurrentHashMapOptions | SharedObjectMemory | number, open?: OpeningOptions) {
    super(home, typeof home === 'number' ? optionsOfOwn(given) : ownOptions(given), open)
  }

  override get [Symbol.toStringTag](): string {
    return 'ConcurrentHashMap'
  }
}

function optionsOfOwn(given: ConcurrentHashMapOptions | SharedObjectMemory | number | undefined) {
  return ownOptions(typeof given === 'number' ? { concurrencyLevel: given } : given)
}

function ownOptions(given: ConcurrentHashMapOptions | SharedObjectMemory | number | undefined) {
  if (typeof given !== 'object' || given === null) return given
  if (check.fields(given, 'given', ['bufferPosition']).bufferPosition !== undefined) return given as SharedObjectMemory
  const { initialCapacity, concurrencyLevel, ...options } = check.options(
    given as ConcurrentHashMapOptions,
    'map options',
    NAMES,
  )
  if (concurrencyLevel !== undefined) check.integer(concurrencyLevel, 'concurrencyLevel', 1, 65536)
  if (initialCapacity !== undefined) check.integer(initialCapacity, 'initialCapacity', 0, 2 ** 26)
  return initialCapacity === undefined ? options : { ...options, capacity: initialCapacity }
}
