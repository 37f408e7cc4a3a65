// The public class of the hash map: see native/core/map/map.h.
import * as check from '../base/check.js'
import { asCorruptError, coreError, SabwayError } from '../base/errors.js'
import { formatFor } from '../channel/parts.js'
import type { Codec, CodecName } from '../codec/codec.js'
import type { Format } from '../codec/format.js'
import { CODING_OPTIONS, type CodingOptions, codecOf, type OpeningOptions } from '../codec/options.js'
import {
  ERRORS,
  OBJECT_ERRORS,
  SW_MAP_CODED,
  SW_MAP_F64,
  SW_MAP_I64,
  SW_MAP_INSERT,
  SW_MAP_LRU,
  SW_MAP_NUMBER,
  SW_MAP_NUMERIC,
  SW_MAP_REPLACE,
  SW_MAP_SET,
  SW_MAP_TTL,
  SW_MAP_U32,
  SW_TYPE_MAP,
  sw_heap,
  sw_map,
  sw_map_handle,
  sw_map_options,
  sw_map_table,
  sw_object,
} from '../generated/abi.js'
import type { HotObjects } from '../heap/code.js'
import { HeapObject, isShared, type ObjectHome, provideObject, type SharedObjectMemory } from '../heap/heap-object.js'
import { type HeapMember, mayPass } from '../heap/member.js'
import { handleIn, type OwnedMemory } from '../region/own.js'
import { Region } from '../region/region.js'
import { attachments, blocksOf, MapAttachment, provideMapHandles } from './attachment.js'
import { codecNumber, formatIn } from './format.js'
import {
  checkNumber,
  type MapKey,
  notCoded,
  type Place,
  putKey,
  putValue,
  takeValue,
  type ValueRules,
  whereOf,
} from './values.js'
import { walk } from './walk.js'

const FREED = OBJECT_ERRORS.ERR_SABWAY_FREED.number
/** A value is longer than its place, where a call reads one. */
const TOO_SMALL = ERRORS.ERR_SABWAY_OUT_OF_RANGE.number
const LARGEST_CAPACITY = 2 ** 26
/** Of a map with a region of its own, which has 4 GiB at most. */
const LARGEST_OWN = 2 ** 23
const LARGEST_MOST = 2 ** 31 - 1

/** What all values of a map are, where each change of one is to allocate nothing. */
export type MapNumeric = 'u32' | 'f64' | 'i64'

/**
 * How a map is made. `codec` is for values that are no number, bigint, boolean, string, null, typed
 * array or DataView. All participants use the same; 'structured', 'msgpack' and 'v8' are found by
 * those that open the map.
 */
export interface SharedMapOptions extends CodingOptions<never> {
  /** All values are numbers of that kind: `add` changes them. */
  numeric?: MapNumeric
  /** Beyond so many entries those go that were not used for long. */
  maxEntries?: number
  /** Which ones: 'lru', the only choice. */
  evict?: 'lru'
  /** Milliseconds after which an entry is gone, where `set` says nothing else; Infinity: never. */
  ttl?: number
  /** Entries that are expected: a map of the right size at first need not grow. */
  capacity?: number
}

/** What a map is made of: a heap, a number of entries, or what another thread's map gave. */
export type MapHome = ObjectHome | OwnedMemory | number

/** What a call says of one entry. */
export interface SetOptions {
  /** Milliseconds after which the entry is gone, in place of the map's `ttl`. */
  ttl?: number
}

const NUMERIC: Readonly<Record<MapNumeric, number>> = { u32: SW_MAP_U32, f64: SW_MAP_F64, i64: SW_MAP_I64 }

/**
 * A hash map in a heap, which any number of threads and processes read and change at once. Calls on
 * one key are atomic; readers take no lock and write nothing; none waits for another participant,
 * and one that ends in the middle of a call leaves the map whole. Numbers are the same key as
 * JavaScript's Map takes for the same, strings and bytes by their contents.
 */
export class SharedMap<K extends MapKey = MapKey, V = unknown> extends HeapObject {
  /** The region that is this map's alone, or null. `close()` ends this thread's part in it. */
  readonly region: Region | null
  readonly #hot: HotObjects
  readonly #attachment: MapAttachment
  readonly #handle: number
  readonly #key: Place
  readonly #value: Place
  readonly #rules: ValueRules
  /** Does each value go through the codec, numbers too? */
  readonly #allCoded: boolean
  /** Index of the time in the handle; 0: entries do not expire. */
  readonly #now: number
  readonly #ttl: number
  /** Changes by this object: a walk looks again at what it has copied. */
  #changes = 0

  /**
   * A new map, or one that another participant has made: `given` is what its getSharedMemory()
   * gave, or its pointer, and `open` then has the codec if that is one of your own.
   * `new SharedMap(capacity, options)` has a region of its own, and `new SharedMap(memory)` opens
   * such a one. Errors: as Heap.alloc, Region.create and Region.open; ERR_SABWAY_INVALID_TYPE,
   * ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE; ERR_SABWAY_FREED, ERR_SABWAY_OTHER_KIND,
   * ERR_SABWAY_WILD_POINTER: there is no map.
   */
  constructor(home: MapHome, given?: SharedMapOptions | SharedObjectMemory | number, open?: OpeningOptions) {
    const place = placeOf(home, given, open)
    given = place.given as typeof given
    open = place.open as typeof open
    let codec: CodecName | Codec<never> | undefined
    try {
      codec = codecOf<never>({
        ...(isShared(given) ? undefined : check.options(given, 'map options', NAMES)),
        ...check.options(open, 'open options', CODING_OPTIONS),
      })
      super(place.home, given, SW_TYPE_MAP, (member) => make(member, given as SharedMapOptions | undefined, codec))
    } catch (error) {
      place.own?.close()
      throw error
    }
    this.region = place.own
    const { member, pointer, generation } = this
    const word = (field: number) => Atomics.load(member.region.words, (pointer + field) >>> 2) >>> 0
    const flags = word(sw_map.flags)
    this.#rules = { numeric: flags & SW_MAP_NUMERIC, format: formatIn(word(sw_map.codec), codec) }
    this.#allCoded = this.#rules.format?.takes === 'all'
    const attachment = new MapAttachment(member)
    attachments.register(this, attachment, this)
    this.#attachment = attachment
    this.#hot = member.hot
    this.#handle = attachment.at
    this.#key = attachment.key
    this.#value = attachment.value
    this.#now = (flags & SW_MAP_TTL) === 0 ? 0 : (attachment.at + sw_map_handle.now) >>> 3
    this.#ttl = attachment.views.doubles[(pointer + sw_map.ttl) >>> 3]!
    const status = member.core.sw_map_open(attachment.at, member.handle, pointer, generation)
    if (status !== 0) throw this.error(status)
  }

  // ---- one entry ----

  /**
   * The value of the key, or undefined. Objects are new ones each time. Errors of all calls:
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE: the key; ERR_SABWAY_FREED,
   * ERR_SABWAY_CLOSED; ERR_SABWAY_BUSY, where others do not stop changing the entry; of those that
   * add or replace: as Heap.alloc, ERR_SABWAY_NOT_ENCODABLE.
   */
  get(key: K): V | undefined {
    this.#begin()
    if (typeof key !== 'number' || this.#allCoded) return this.#get(key)
    let value: number
    try {
      value = this.#hot.sw_map_get_number(this.#handle, key)
    } catch (error) {
      throw asCorruptError(error)
    }
    if (!Number.isNaN(value)) return value as V
    const status = this.#status
    if (status === 0) return undefined
    return status === SW_MAP_NUMBER ? (value as V) : this.#get(key)
  }

  #get(key: unknown): V | undefined {
    const type = this.#read(key)
    if (type === 0) return undefined
    const { views } = this.#attachment
    const { format } = this.#rules
    return takeValue(views, this.#value.at, this.#value.length, type, format, whereOf(format, key)) as V
  }

  /** The value comes to its place. Returns its type, or 0. */
  #read(key: unknown): number {
    const { views } = this.#attachment
    const keyType = putKey(views, this.#key, key)
    for (;;) {
      let type = this.#getOnce(keyType)
      if (type < 0 && type !== TOO_SMALL) type = this.#getAgain(type, keyType)
      this.#value.length = this.#length
      if (type !== TOO_SMALL) return type
      this.#value.need(this.#value.length)
    }
  }

  #getOnce(keyType: number): number {
    const [key, value] = [this.#key, this.#value]
    try {
      return this.#hot.sw_map_get(this.#handle, keyType, key.at, key.length, value.at, value.room)
    } catch (error) {
      throw asCorruptError(error)
    }
  }

  #getAgain(status: number, keyType: number): number {
    return this.#settle(status, () => this.#getOnce(keyType))
  }

  /** Put an entry. */
  set(key: K, value: V, options?: SetOptions): this {
    this.#begin()
    this.#expire(options)
    if (typeof key === 'number' && typeof value === 'number' && !this.#allCoded) {
      if (this.#rules.numeric !== 0) checkNumber(this.#rules.numeric, value, 'value')
      let status: number
      try {
        status = this.#hot.sw_map_put_number(this.#handle, key, value)
      } catch (error) {
        throw asCorruptError(error)
      }
      this.#changes++
      if (status > 0) return this
      if (!mayPass(status)) throw this.#failure(status)
    }
    this.#put(key, value, SW_MAP_SET)
    return this
  }

  /** Returns 1: added; 2: replaced; 0: neither. */
  #put(key: unknown, value: unknown, mode: number): number {
    const { views } = this.#attachment
    const keyType = putKey(views, this.#key, key)
    const type = putValue(views, this.#value, value, this.#rules, whereOf(this.#rules.format, key))
    this.#changes++
    const status = this.#putOnce(keyType, type, mode)
    return status >= 0 ? status : this.#putAgain(status, keyType, type, mode)
  }

  #putOnce(keyType: number, type: number, mode: number): number {
    const [key, value] = [this.#key, this.#value]
    try {
      return this.#hot.sw_map_put(this.#handle, keyType, key.at, key.length, type, value.at, value.length, mode)
    } catch (error) {
      throw asCorruptError(error)
    }
  }

  #putAgain(status: number, keyType: number, type: number, mode: number): number {
    return this.#settle(status, () => this.#putOnce(keyType, type, mode))
  }

  has(key: K): boolean {
    this.#begin()
    const { views } = this.#attachment
    const keyType = putKey(views, this.#key, key)
    const look = () => this.#hot.sw_map_get(this.#handle, keyType, this.#key.at, this.#key.length, this.#value.at, 0)
    return this.#call(look) !== 0
  }

  /** Returns whether there was one. */
  delete(key: K): boolean {
    this.#begin()
    const { views } = this.#attachment
    const type = putKey(views, this.#key, key)
    this.#changes++
    return this.#call(() => this.#hot.sw_map_delete(this.#handle, type, this.#key.at, this.#key.length)) !== 0
  }

  // ---- depending on what is there ----

  /**
   * Replace the value by what `change` makes of it, as one step: when another participant was
   * faster, `change` is called again with what is there then. It gets undefined where there is no
   * entry; when it returns undefined, the entry is deleted. Returns the new value.
   */
  update(key: K, change: (value: V | undefined) => V | undefined, options?: SetOptions): V | undefined {
    check.callback(change, 'change')
    for (;;) {
      this.#begin()
      const type = this.#read(key)
      const { views } = this.#attachment
      const { at, length } = this.#value
      const { format } = this.#rules
      const old = type === 0 ? undefined : takeValue(views, at, length, type, format, whereOf(format, key))
      // `change` may call this map, which uses the same places
      const bits = type === SW_MAP_NUMBER ? undefined : views.bytes.slice(at, at + length)
      const value = change(old as V | undefined)
      if (type === 0) {
        if (value === undefined) return undefined
        this.#expire(options)
        if (this.#put(key, value, SW_MAP_INSERT) !== 0) return value
        continue
      }
      this.#begin()
      this.#expire(options)
      this.#expect(bits ?? (old as number))
      if (this.#replaceIf(key, type, value)) return value
    }
  }

  /** Put the expected value, or a number, in the other place. */
  #expect(bits: Uint8Array | number): void {
    const { other, views } = this.#attachment
    const length = typeof bits === 'number' ? 8 : bits.length
    other.need(length)
    if (typeof bits === 'number') views.doubles[other.at >>> 3] = bits
    else views.bytes.set(bits, other.at)
    other.length = length
  }

  /** The expected value is in the other place. `value` of undefined: delete. */
  #replaceIf(key: unknown, expectedType: number, value: unknown): boolean {
    const { views, other } = this.#attachment
    const keyType = putKey(views, this.#key, key)
    const where = whereOf(this.#rules.format, key)
    const type = value === undefined ? 0 : putValue(views, this.#value, value, this.#rules, where)
    const replace = () =>
      this.#hot.sw_map_replace_if(
        this.#handle,
        keyType,
        this.#key.at,
        this.#key.length,
        expectedType,
        other.at,
        other.length,
        type,
        this.#value.at,
        this.#value.length,
      )
    this.#changes++
    return this.#call(replace) !== 0
  }

  /**
   * Replace the value where it is `expected`: NaN is NaN and 0 is not -0; of bytes the contents are
   * compared, of values of a codec what it makes of them. undefined stands for no entry, in both
   * places. Returns whether that was done.
   */
  compareAndSet(key: K, expected: V | undefined, value: V | undefined, options?: SetOptions): boolean {
    this.#begin()
    this.#expire(options)
    if (expected === undefined) return value === undefined ? !this.has(key) : this.#put(key, value, SW_MAP_INSERT) !== 0
    const { views, other } = this.#attachment
    const { format } = this.#rules
    if (format?.same !== undefined) return this.#replaceIfSame(key, expected, value, format)
    const type = putValue(views, other, expected, this.#rules)
    return this.#replaceIf(key, type, value)
  }

  /** Of a codec that makes more than one message of a value: what is there is asked for. */
  #replaceIfSame(key: K, expected: V, value: V | undefined, format: Format): boolean {
    const { views, other } = this.#attachment
    for (;;) {
      this.#begin()
      const found = this.#read(key)
      if (found === 0) return false
      if (found !== SW_MAP_CODED) {
        if (this.#allCoded) notCoded()
        const type = putValue(views, other, expected, this.#rules)
        return type !== SW_MAP_CODED && this.#replaceIf(key, type, value)
      }
      const bits = views.bytes.slice(this.#value.at, this.#value.at + this.#value.length)
      if (!format.same!(bits, expected, whereOf(format, key))) return false
      this.#expect(bits)
      if (this.#replaceIf(key, found, value)) return true
    }
  }

  /** The value of the key; where there is none, `value`, which is put. */
  getOrInsert(key: K, value: V, options?: SetOptions): V {
    for (;;) {
      const there = this.get(key)
      if (there !== undefined) return there
      this.#expire(options)
      if (this.#put(key, value, SW_MAP_INSERT) !== 0) return value
    }
  }

  /**
   * The value of the key; where there is none, what `make` returns, which is put. Of two
   * participants that call at once both may make one, and both return the one that was first.
   */
  getOrInsertComputed(key: K, make: (key: K) => V, options?: SetOptions): V {
    check.callback(make, 'make')
    const there = this.get(key)
    return there === undefined ? this.getOrInsert(key, make(key), options) : there
  }

  /** As `getOrInsertComputed`. */
  computeIfAbsent(key: K, make: (key: K) => V, options?: SetOptions): V {
    return this.getOrInsertComputed(key, make, options)
  }

  /** Put an entry where there is none. Returns the value that is there already, or undefined. */
  putIfAbsent(key: K, value: V, options?: SetOptions): V | undefined {
    for (;;) {
      this.#begin()
      this.#expire(options)
      if (this.#put(key, value, SW_MAP_INSERT) !== 0) return undefined
      const there = this.get(key)
      if (there !== undefined) return there
    }
  }

  /** Replace the value where there is one. Returns whether there was. */
  replace(key: K, value: V, options?: SetOptions): boolean {
    this.#begin()
    this.#expire(options)
    return this.#put(key, value, SW_MAP_REPLACE) !== 0
  }

  /**
   * Add to a value of a numeric map, which is 0 where there is no entry, as one step. Returns the
   * sum. With 'u32' and 'i64' it wraps. Errors also: ERR_SABWAY_INVALID_STATE: the map is not
   * numeric.
   */
  add(key: K, amount: V = (this.#rules.numeric === SW_MAP_I64 ? 1n : 1) as V): V {
    this.#begin()
    this.#expire(undefined)
    const { numeric } = this.#rules
    if (numeric === 0)
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', "the map is not numeric: make it with { numeric: 'f64' }")
    if (numeric === SW_MAP_I64) return this.#addInteger(key, amount) as V
    if (numeric === SW_MAP_U32) check.integer(amount, 'amount', -(2 ** 53 - 1), 2 ** 53 - 1)
    else checkNumber(numeric, amount, 'amount')
    this.#changes++
    if (typeof key === 'number') {
      let sum: number
      try {
        sum = this.#hot.sw_map_add_number(this.#handle, key, amount as number)
      } catch (error) {
        throw asCorruptError(error)
      }
      if (!Number.isNaN(sum) || this.#status > 0) return sum as V
    }
    const { views } = this.#attachment
    const type = typeof key === 'number' ? SW_MAP_NUMBER : putKey(views, this.#key, key)
    let sum = 0
    const add = () => {
      sum =
        typeof key === 'number'
          ? this.#hot.sw_map_add_number(this.#handle, key, amount as number)
          : this.#hot.sw_map_add(this.#handle, type, this.#key.at, this.#key.length, amount as number)
      return Number.isNaN(sum) ? this.#status : 1
    }
    this.#call(add)
    return sum as V
  }

  #addInteger(key: unknown, amount: unknown): bigint {
    checkNumber(SW_MAP_I64, amount, 'amount')
    const { views } = this.#attachment
    const type = putKey(views, this.#key, key)
    views.integers[this.#value.at >>> 3] = amount as bigint
    this.#changes++
    this.#call(() => this.#hot.sw_map_add_integer(this.#handle, type, this.#key.at, this.#key.length, this.#value.at))
    return views.integers[this.#value.at >>> 3]!
  }

  // ---- several ----

  /** The values of the keys, each read by itself; undefined where there is none. */
  getAll(keys: Iterable<K>): (V | undefined)[] {
    return check.list(keys, 'keys').map((key) => this.get(key))
  }

  /** Put the entries, each by itself. */
  setAll(entries: Iterable<readonly [K, V]>, options?: SetOptions): this {
    for (const entry of check.list(entries, 'entries')) {
      const [key, value] = check.reading('an entry', () => pair(entry))
      this.set(key, value, options)
    }
    return this
  }

  /** Delete each entry that is there when the call begins; what is put meanwhile may stay. */
  clear(): void {
    this.#begin()
    this.#changes++
    this.#call(() => this.member.core.sw_map_clear(this.#handle))
  }

  /** Delete the entries that have expired. Returns how many there were. */
  prune(): number {
    this.#begin()
    if (this.#now === 0) return 0
    this.#changes++
    return this.#call(() => this.member.core.sw_map_prune(this.#handle))
  }

  /**
   * Entries, also those that have expired and were not removed yet: exact while no participant
   * changes the map.
   */
  get size(): number {
    this.#begin()
    if (this.isFreed) throw this.#failure(FREED)
    return this.#hot.sw_map_size(this.#handle) >>> 0
  }

  /** As `size`. */
  get length(): number {
    return this.size
  }

  /** As `size`. */
  getSize(): number {
    return this.size
  }

  isEmpty(): boolean {
    return this.size === 0
  }

  /** Entries for which there is room, before the map grows by itself. */
  getCapacity(): number {
    this.#begin()
    if (this.isFreed) throw this.#failure(FREED)
    const { words } = this.member.region
    const table = Atomics.load(words, (this.pointer + sw_object.root) >>> 2) >>> 0
    const log2 = Atomics.load(words, (table + sw_map_table.log2) >>> 2) & 31
    return Math.floor((3 * 2 ** log2) / 4)
  }

  /**
   * The entries. Those that are there all the time come once, others once or not at all, and no key
   * comes twice. What this object changes meanwhile shows, as with a Map; what other participants
   * change shows after some entries more.
   */
  entries(): IterableIterator<[K, V]> {
    return this.#walk((key, value) => [key as K, value as V])
  }

  /** The keys, as `entries`. */
  keys(): IterableIterator<K> {
    return this.#walk((key) => key as K)
  }

  /** The values, as `entries`. */
  values(): IterableIterator<V> {
    return this.#walk((_, value) => value as V)
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  /** Call `visit` with each value, its key and the map, as `entries`. */
  forEach(visit: (value: V, key: K, map: this) => void, self?: unknown): void {
    check.callback(visit, 'visit')
    for (const [key, value] of this.entries()) visit.call(self, value, key, this)
  }

  #walk<T>(give: (key: unknown, value: unknown) => T): IterableIterator<T> {
    return walk({
      attachment: this.#attachment,
      format: this.#rules.format,
      begin: () => this.#begin(),
      next: (at, out, room) => this.#call(() => this.#hot.sw_map_next(this.#handle, at, out, room)),
      needed: () => this.#length,
      changes: () => this.#changes,
      get: (key) => this.get(key as K),
      give,
    })
  }

  /**
   * In a moment when no participant changes the map: are all entries where they belong? Corrects
   * `size`, which is off by one for each participant that ended within a change. Errors:
   * ERR_SABWAY_CORRUPT.
   */
  check(): void {
    this.#begin()
    this.#call(() => this.member.core.sw_map_check(this.#handle))
  }

  // ---- calls ----

  /** What another thread makes its own map of. Structured-cloneable. */
  override getSharedMemory(): OwnedMemory {
    const memory = super.getSharedMemory()
    return this.region === null ? memory : { ...memory, region: this.region.handle }
  }

  /**
   * Give all its memory back, when no participant uses it any more; and its region, where that is
   * its own. Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  override free(): void {
    super.free()
    this.region?.close()
  }

  /** @internal */
  override release(): number {
    const { core, handle } = this.member
    core.sw_map_close(this.#handle)
    return core.sw_map_free(handle, this.pointer, this.generation)
  }

  override toJSON(): { pointer: number; size?: number } {
    const known = !this.member.closed && !this.isFreed
    return known ? { pointer: this.pointer, size: this.size } : { pointer: this.pointer }
  }

  get [Symbol.toStringTag](): string {
    return 'SharedMap'
  }

  #begin(): void {
    this.member.mustBeOpen()
    if (this.#now !== 0) this.#attachment.views.doubles[this.#now] = Date.now()
  }

  /** When what is put next expires. */
  #expire(options: SetOptions | undefined): void {
    if (this.#now === 0 && options === undefined) return
    const { ttl = this.#ttl } = check.options(options, 'set options', ['ttl'])
    if (options?.ttl !== undefined) check.milliseconds(ttl, 'ttl')
    if (this.#now === 0) {
      if (options?.ttl === undefined) return
      throw new SabwayError(
        'ERR_SABWAY_INVALID_ARGUMENT',
        'the entries of this map do not expire: make it with { ttl: Infinity } or another time',
      )
    }
    const { doubles } = this.#attachment.views
    const expires = (this.#handle + sw_map_handle.expires) >>> 3
    doubles[expires] = ttl === Number.POSITIVE_INFINITY ? 0 : doubles[this.#now]! + ttl
  }

  /**
   * What the core returns, when no other participant is in the way; TOO_SMALL is for the caller.
   */
  #call(act: () => number): number {
    const status = guarded(act)
    return status >= 0 || status === TOO_SMALL ? status : this.#settle(status, act)
  }

  /** Of a call that returned `status`, an error: try again where that may help. */
  #settle(status: number, act: () => number): number {
    const last = this.member.until(() => guarded(act), status)
    if (last >= 0 || last === TOO_SMALL) return last
    throw this.#failure(last)
  }

  get #status(): number {
    return this.member.region.words[(this.#handle + sw_map_handle.status) >>> 2]!
  }

  get #length(): number {
    return this.member.region.words[(this.#handle + sw_map_handle.length) >>> 2]! >>> 0
  }

  #failure(status: number): SabwayError {
    // the map is gone, but not what the handle has kept for its next change
    if (status === FREED) this.member.core.sw_map_close(this.#handle)
    return this.error(status)
  }
}

function guarded(act: () => number): number {
  try {
    return act()
  } catch (error) {
    throw asCorruptError(error)
  }
}

/** Errors: ERR_SABWAY_INVALID_TYPE. */
function pair<K, V>(entry: readonly [K, V]): [K, V] {
  const [key, value] = check.array(entry, 'an entry') as readonly [K, V]
  return [key, value]
}

// ---- making ----

type Asked = CodecName | Codec<never> | undefined

function flagsOf({ numeric, maxEntries, evict, ttl }: SharedMapOptions, codec: Asked): number {
  if (numeric !== undefined) check.oneOf(numeric, 'numeric', ['u32', 'f64', 'i64'])
  if (evict !== undefined) check.oneOf(evict, 'evict', ['lru'])
  if (maxEntries !== undefined) check.integer(maxEntries, 'maxEntries', 1, LARGEST_MOST)
  else if (evict !== undefined)
    throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', 'evict needs maxEntries, which says when')
  if (ttl !== undefined) check.milliseconds(ttl, 'ttl')
  if (numeric !== undefined && codec !== undefined && codec !== 'bytes')
    throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', 'a numeric map has no values for a codec')
  return (
    (numeric === undefined ? 0 : NUMERIC[numeric]) |
    (maxEntries === undefined ? 0 : SW_MAP_LRU) |
    (ttl === undefined ? 0 : SW_MAP_TTL)
  )
}

const OWN_NAMES = [...CODING_OPTIONS, 'numeric', 'maxEntries', 'evict', 'ttl'] as const
const NAMES = [...OWN_NAMES, 'capacity'] as const satisfies readonly (keyof SharedMapOptions)[]

const PAGE = 65536
/** Bytes of a region of its own, beside those of the entries. Memory is taken as it is used. */
const USUAL = 64 * 2 ** 20
const PER_ENTRY = 256

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE; as Region.create and Region.open. */
function placeOf(home: MapHome, given: unknown, open: unknown) {
  if (typeof home === 'number') {
    const capacity = check.integer(home, 'capacity', 0, LARGEST_OWN)
    const options = check.options(given as SharedMapOptions | undefined, 'map options', OWN_NAMES)
    const { codec = options.numeric === undefined ? 'structured' : undefined } = options
    const own = Region.create({ size: Math.ceil((USUAL + PER_ENTRY * capacity) / PAGE) * PAGE })
    return { home: own, given: { ...options, codec, capacity }, open, own }
  }
  const handle = handleIn(home)
  if (handle === null) return { home: home as ObjectHome, given, open, own: null }
  const own = Region.open(handle)
  return { home: own, given: home, open: open ?? given, own }
}

/** A number that a sender of keys cannot know, so that it cannot choose keys of one hash. */
const secret = (): number => Math.floor(Math.random() * 2 ** 32)

/** Returns the new map's pointer. */
function make(member: HeapMember, given: SharedMapOptions | undefined, codec: Asked): number {
  const options = check.options(given, 'map options', NAMES)
  const flags = flagsOf(options, codec)
  const { maxEntries = 0, ttl = Number.POSITIVE_INFINITY, capacity = 0 } = options
  check.integer(capacity, 'capacity', 0, LARGEST_CAPACITY)
  const format = codec === undefined ? null : formatFor(codec)
  const { scratch, region, core, handle } = member
  const put = (field: number, value: number) => Atomics.store(region.words, (scratch + field) >>> 2, value)
  const fill = () => {
    put(sw_map_options.flags, flags)
    put(sw_map_options.capacity, capacity)
    put(sw_map_options.most, maxEntries)
    put(sw_map_options.codec, codecNumber(format) | 0)
    put(sw_map_options.seed, secret())
    put(sw_map_options.seed + 4, secret())
    new Float64Array(region.bytes.buffer, scratch + sw_map_options.ttl, 1)[0] = ttl
  }
  let at = 0
  const status = member.until(() => {
    fill()
    at = core.sw_map_new(handle, scratch) >>> 0
    return at === 0 ? Atomics.load(region.words, (handle + sw_heap.status) >>> 2) : 0
  })
  if (at === 0) throw coreError(status, 'while making a map; free some memory of the heap, or make the region larger')
  return at
}

/** Let maps have names in the directory. */
export function provideMap(): void {
  provideMapHandles()
  provideObject<SharedMap>({
    type: SW_TYPE_MAP,
    name: 'map',
    open: (heap, shared) => new SharedMap(heap, shared),
    blocks: blocksOf,
  })
}
