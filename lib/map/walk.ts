// Iteration over a map: entries are copied out of shared memory some at a time, and given one by
// one.
import type { Format } from '../codec/format.js'
import { SW_MAP_EXPIRES, sw_map_cursor, sw_map_entry } from '../generated/abi.js'
import { CURSOR, type MapAttachment } from './attachment.js'
import { takeKey, takeValue, type Views, whereOf } from './values.js'

/** Bytes of entries that are copied at a time, where the largest is not larger. */
const BATCH = 8192

export interface Walking<T> {
  readonly attachment: MapAttachment
  readonly format: Format | null
  begin(): void
  /** As sw_map_next; SW_ERANGE where `needed` is more than the room. */
  next(cursor: number, out: number, room: number): number
  needed(): number
  /** Counts the changes by this thread's object: then what was copied may be out of date. */
  changes(): number
  get(key: unknown): unknown
  give(key: unknown, value: unknown): T
}

export function* walk<T>(walking: Walking<T>): Generator<T, void, undefined> {
  const cursor = new Int32Array(sw_map_cursor.sizeof / 4)
  for (;;) {
    const changes = walking.changes()
    const batch = copyNext(walking, cursor)
    if (batch === null) return
    for (let at = 0; at < batch.bytes.length; ) {
      const shape = wordAt(batch, at + sw_map_entry.shape)
      const keyLength = wordAt(batch, at + sw_map_entry.lengths)
      const valueLength = wordAt(batch, at + sw_map_entry.lengths + 4)
      const keyAt = at + sw_map_entry.sizeof + ((shape & SW_MAP_EXPIRES) === 0 ? 0 : 8)
      const valueAt = keyAt + padded(keyLength)
      at = valueAt + padded(valueLength)
      const key = takeKey(batch, keyAt, keyLength, shape & 15)
      const value =
        walking.changes() === changes
          ? takeValue(batch, valueAt, valueLength, (shape >>> 4) & 15, walking.format, whereOf(walking.format, key))
          : walking.get(key)
      if (value !== undefined) yield walking.give(key, value)
    }
  }
}

const padded = (length: number): number => length + (-length & 7)

const wordAt = ({ bytes }: Views, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0

/** The next entries, in memory of this thread's own; null: there are no more. */
function copyNext<T>(walking: Walking<T>, cursor: Int32Array): Views | null {
  const { attachment } = walking
  const { other, member, views } = attachment
  const { words } = member.region
  const at = attachment.at + CURSOR
  walking.begin()
  other.need(BATCH)
  for (;;) {
    for (let i = 0; i < cursor.length; i++) Atomics.store(words, (at >>> 2) + i, cursor[i]!)
    const bytes = walking.next(at, other.at, other.room)
    if (bytes < 0) {
      other.need(walking.needed())
      continue
    }
    if (bytes === 0) return null
    for (let i = 0; i < cursor.length; i++) cursor[i] = Atomics.load(words, (at >>> 2) + i)
    const own = views.bytes.slice(other.at, other.at + bytes)
    return { bytes: own, doubles: new Float64Array(own.buffer), integers: new BigInt64Array(own.buffer) }
  }
}
