// The public class of vectors in a heap: see native/core/vector/vector.c. Elements of one component
// are read and written here, through a typed array for each segment; the core does all that changes
// the length or moves elements.
import * as check from '../base/check.js'
import { asCorruptError, SabwayError } from '../base/errors.js'
import {
  ERRORS,
  OBJECT_ERRORS,
  SW_TYPE_VECTOR,
  SW_VECTOR_MOST,
  SW_VECTOR_SEGMENTS,
  sw_object,
  sw_vector,
  sw_vector_table,
} from '../generated/abi.js'
import { HeapObject, type ObjectHome, provideObject, type SharedObjectMemory } from '../heap/heap-object.js'
import type { HeapMember } from '../heap/member.js'
import type { SharedAllocatedMemory } from '../heap/pointer.js'
import { type Component, type ElementArray, Elements, type ElementType } from './elements.js'

const CORRUPT = ERRORS.ERR_SABWAY_CORRUPT.number
const FREED = OBJECT_ERRORS.ERR_SABWAY_FREED.number
/** Looks at an element that others change meanwhile, before the core locks the vector. */
const TRIES = 16
const LARGEST_CAPACITY = 2 ** 30

/** How a new vector is made. */
export interface SharedVectorOptions<T extends ElementArray> {
  /** Of the numbers: Uint32Array by default. */
  type?: ElementType<T>
  /** How many numbers an element has: 1 by default; together at most 512 bytes. */
  dataLength?: number
  /** For how many elements there is room at first; rounded up to a power of two. 16 by default. */
  bufferLength?: number
}

/**
 * An array of numbers in a heap that threads of any process extend, shorten, read and write. With
 * `dataLength: n` its elements are n numbers each, which are read and written together; then `E` is
 * the class of typed arrays: `SharedVector<Float32Array, Float32Array>`.
 *
 * Readers wait for no other participant; those that change the length or move elements exclude each
 * other. Elements stay in their places when it grows.
 */
export class SharedVector<T extends ElementArray = Uint32Array, E = Component<T>>
  extends HeapObject
  implements Iterable<E>
{
  /** How many numbers an element has. */
  readonly dataLength: number
  readonly #elements: Elements<T>
  readonly #words: Int32Array
  /** Indices of words. */
  readonly #length: number
  readonly #version: number
  readonly #generation: number
  /** log2 of the elements of segment 0. */
  readonly #shift: number
  readonly #table: number
  /** By segment, made when one is first needed. */
  readonly #views: (T | null)[] = new Array<T | null>(SW_VECTOR_SEGMENTS).fill(null)
  /** What is handed to the core. */
  readonly #scratch: T
  /**
   * As many elements this thread has seen behind an acquiring load of the length, and has views
   * for: those can be read by plain loads. 0 for elements of several numbers.
   */
  #seen = 0
  /** `generation` as its word is read. */
  readonly #life: number
  /** What typeof says of a number. */
  readonly #kind: 'number' | 'bigint'

  /**
   * A new vector, which is empty; or the one that another participant has made, of its
   * getSharedMemory() or pointer. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT,
   * ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_HEAP_FULL, ERR_SABWAY_CLOSED; ERR_SABWAY_FREED,
   * ERR_SABWAY_OTHER_KIND, ERR_SABWAY_WILD_POINTER.
   */
  constructor(
    home: ObjectHome,
    options?: SharedVectorOptions<T> | SharedObjectMemory | SharedAllocatedMemory | number,
  ) {
    super(home, options, SW_TYPE_VECTOR, (member) => make(member, options as SharedVectorOptions<T>))
    const { region, scratch } = this.member
    const word = (field: number) => (this.pointer + field) >>> 2
    this.#words = region.words
    this.#length = word(sw_vector.length)
    this.#version = word(sw_vector.version)
    this.#generation = word(sw_object.life) + 1
    const shape = Atomics.load(region.words, word(sw_vector.shape))
    this.#elements = Elements.in(shape)
    this.#shift = (shape >>> 8) & 0xff
    this.#table = Atomics.load(region.words, word(sw_vector.table)) >>> 0
    this.#scratch = this.#elements.view(this.member, scratch)
    this.dataLength = this.#elements.count
    this.#kind = this.#elements.isBig ? 'bigint' : 'number'
    this.#life = this.generation | 0
    if (this.#shift > 30 || this.#table + sw_vector_table.sizeof > region.bytes.length || this.#table % 16 !== 0)
      throw new SabwayError('ERR_SABWAY_CORRUPT', `the vector at ${this.pointer}`)
  }

  /** The class of typed arrays that its numbers are of. */
  get type(): ElementType<T> {
    return this.#elements.Type
  }

  /** How many elements there are. Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED. */
  get length(): number {
    this.member.mustBeOpen()
    const length = this.#words[this.#length]! >>> 0
    if (length === 0 || this.#words[this.#generation] !== this.#life) this.#mustBeThere()
    return length
  }

  /** For how many elements there is room without another segment. Errors: as `length`. */
  get bufferLength(): number {
    this.#mustBeThere()
    let segment = 1
    while (segment < SW_VECTOR_SEGMENTS && this.#offsetOf(segment) !== 0) segment++
    return 2 ** (this.#shift + segment - 1)
  }

  // ---- one element ----

  /**
   * The element with that index, or undefined when there is none. With `dataLength` above 1 it is
   * a copy, a typed array. Errors: ERR_SABWAY_INVALID_TYPE: no number; ERR_SABWAY_FREED,
   * ERR_SABWAY_CLOSED, ERR_SABWAY_CORRUPT.
   */
  get(index: number): E | undefined {
    this.member.mustBeOpen()
    if (typeof index !== 'number') return this.#absent(index)
    if (index >>> 0 === index && index < this.#seen) {
      const words = this.#words
      const part = index >>> this.#shift
      const segment = 32 - Math.clz32(part)
      const value = this.#views[segment]![part === 0 ? index : index - (1 << (this.#shift + segment - 1))]
      // behind that: what was there may have been taken away meanwhile, and another be about to
      // come
      if (index < words[this.#length]! && words[this.#generation] === this.#life) return value as E
    }
    return this.#look(index)
  }

  /** As `get`; a negative index counts from the end, as with arrays. */
  at(index: number): E | undefined {
    return this.get(typeof index === 'number' && index < 0 ? index + this.length : index)
  }

  /**
   * Write the element with that index, which must be there. One of several numbers is written as a
   * whole; a reader sees the old or the new one. Numbers are converted as by typed arrays. Errors:
   * ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_FREED, ERR_SABWAY_CLOSED,
   * ERR_SABWAY_BUSY, ERR_SABWAY_CORRUPT.
   */
  set(index: number, value: Component<T> | ArrayLike<Component<T>>): void {
    this.member.mustBeOpen()
    if (typeof index !== 'number') this.#missing(index)
    if (index >>> 0 === index && index < this.#seen && typeof value === this.#kind) {
      const words = this.#words
      if (index < words[this.#length]! && words[this.#generation] === this.#life) {
        const part = index >>> this.#shift
        const segment = 32 - Math.clz32(part)
        const view = this.#views[segment]!
        view[part === 0 ? index : index - (1 << (this.#shift + segment - 1))] = value as never
        return
      }
    }
    this.#place(index)
    this.#elements.write(this.#scratch, value)
    const { hot, handle, scratch } = this.member
    const status = this.#call(() => hot.sw_vector_set(handle, this.pointer, this.generation, index, scratch))
    if (status === 0) this.#missing(index)
  }

  /**
   * Add to a number of an element, at once, as Atomics.add: returns what it was. `component`: which
   * number of the element. Only of integers. Errors: as `set`; ERR_SABWAY_UNSUPPORTED: the numbers
   * are no integers.
   */
  add(index: number, value: Component<T>, component = 0): Component<T> {
    const { view, at } = this.#atomic(index, component, value)
    return Atomics.add(view as never, at, value as never) as never
  }

  /**
   * Replace a number of an element if it is `expected`, at once, as Atomics.compareExchange:
   * returns what it was. Errors: as `add`.
   */
  compareExchange(index: number, expected: Component<T>, replacement: Component<T>, component = 0): Component<T> {
    const { view, at } = this.#atomic(index, component, expected, replacement)
    return Atomics.compareExchange(view as never, at, expected as never, replacement as never) as never
  }

  // ---- the ends ----

  /**
   * Append an element: a number, or up to `dataLength` of them; the others become zero. All others
   * see it at one moment. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_HEAP_FULL, ERR_SABWAY_FREED, ERR_SABWAY_CLOSED, ERR_SABWAY_BUSY,
   * ERR_SABWAY_CORRUPT.
   */
  push(value: Component<T> | ArrayLike<Component<T>>): void {
    const { member } = this
    member.mustBeOpen()
    if (typeof value === 'number' && this.dataLength === 1 && this.#kind === 'number') this.#scratch[0] = value
    else this.#elements.write(this.#scratch, value)
    let status: number
    try {
      status = member.hot.sw_vector_push(member.handle, this.pointer, this.generation, member.scratch)
    } catch (error) {
      throw asCorruptError(error)
    }
    if (status !== 0) this.#pushAgain(status)
  }

  /**
   * Append many elements, which all others see at one moment: numbers, `dataLength` of them for
   * each element, one behind the other. Errors: as `push`; ERR_SABWAY_INVALID_ARGUMENT: the last
   * element is not whole.
   */
  pushAll(values: ArrayLike<Component<T>> | Iterable<Component<T>>): void {
    const { member, dataLength } = this
    member.mustBeOpen()
    const all = this.#elements.many(values)
    const count = all.length / dataLength
    check.integer(count, 'the number of elements', 0, SW_VECTOR_MOST)
    this.#mustBeThere()
    if (count === 0) return
    const { core, handle } = member
    const begin = () => core.sw_vector_begin_push(handle, this.pointer, this.generation, count)
    this.#call(begin, all.byteLength)
    // The core holds the lock, and has made room.
    const first = Atomics.load(this.#words, this.#length) >>> 0
    for (let done = 0; done < count; ) {
      const segment = this.#segmentOf(first + done)
      const at = first + done - this.#firstOf(segment)
      const part = Math.min(this.#roomOf(segment) - at, count - done)
      this.#view(segment).set(all.subarray(done * dataLength, (done + part) * dataLength) as never, at * dataLength)
      done += part
    }
    core.sw_vector_end_push(handle, this.pointer, count)
  }

  /**
   * Take the last element away: returns it, or undefined when there is none. Errors: as `push`, but
   * for ERR_SABWAY_HEAP_FULL.
   */
  pop(): E | undefined {
    const { hot, handle, scratch } = this.member
    const status = this.#call(() => hot.sw_vector_pop(handle, this.pointer, this.generation, scratch))
    return status === 0 ? undefined : this.#taken()
  }

  /**
   * Take an element away, and move those behind it by one. A reader may meanwhile see one of
   * those in its old and its new place; what others write to them meanwhile may be lost. Errors: as
   * `pop`; ERR_SABWAY_OUT_OF_RANGE: it is not there.
   */
  deleteIndex(index: number): void {
    check.integer(index, 'index', 0, SW_VECTOR_MOST)
    const { core, handle } = this.member
    if (this.#call(() => core.sw_vector_delete(handle, this.pointer, this.generation, index)) === 0)
      this.#missing(index)
  }

  /** Take all elements away. Their room stays the vector's. Errors: as `pop`. */
  clear(): void {
    const { core, handle } = this.member
    this.#call(() => core.sw_vector_clear(handle, this.pointer, this.generation))
  }

  // ---- all elements ----

  /**
   * The elements by their indices, up to the length at each step: those that are appended meanwhile
   * are among them. Errors: as `get`.
   */
  [Symbol.iterator](): IterableIterator<E> {
    return new VectorIterator<T, E>(this.#words, this.#length, (index) => this.#run(index))
  }

  /** Call `visit` with each element, its index, and the vector. Errors: as `get`. */
  forEach(visit: (value: E, index: number, vector: this) => void): void {
    check.callback(visit, 'visit')
    const words = this.#words
    for (let index = 0, run = this.#run(0); run !== undefined; run = this.#run(index)) {
      const { view, end } = run
      for (let { at } = run; at < end && index < words[this.#length]!; at++) visit(view[at] as E, index++, this)
    }
  }

  /**
   * The elements in their places, without a copy: an array for each segment, in their order. What
   * is written there others see, and what is there changes when others write. They must not be used
   * any more when the vector was freed. Errors: as `length`.
   */
  segments(): T[] {
    const length = this.length
    const found: T[] = []
    for (let segment = 0; segment < SW_VECTOR_SEGMENTS && this.#firstOf(segment) < length; segment++) {
      const view = this.#view(segment)
      const count = Math.min(length - this.#firstOf(segment), this.#roomOf(segment)) * this.dataLength
      found.push(count === view.length ? view : (view.subarray(0, count) as T))
    }
    return found
  }

  override toJSON(): object {
    return { pointer: this.pointer, type: this.type.name, dataLength: this.dataLength }
  }

  get [Symbol.toStringTag](): string {
    return 'SharedVector'
  }

  /** @internal */
  release(): number {
    const { core, handle } = this.member
    return this.member.until(() => core.sw_vector_free(handle, this.pointer, this.generation))
  }

  // ---- places ----

  #segmentOf(index: number): number {
    return 32 - Math.clz32(index >>> this.#shift)
  }

  #firstOf(segment: number): number {
    return segment === 0 ? 0 : 2 ** (this.#shift + segment - 1)
  }

  #roomOf(segment: number): number {
    return 2 ** (this.#shift + Math.max(segment - 1, 0))
  }

  #offsetOf(segment: number): number {
    return Atomics.load(this.#words, (this.#table + sw_vector_table.segment + 4 * segment) >>> 2) >>> 0
  }

  #view(segment: number): T {
    const made = this.#views[segment]
    if (made !== null && made !== undefined) return made
    const at = this.#offsetOf(segment)
    const numbers = this.#roomOf(segment) * this.dataLength
    const { Type } = this.#elements
    const { buffer } = this.member.region.bytes
    if (at === 0 || at % 16 !== 0 || at + numbers * Type.BYTES_PER_ELEMENT > buffer.byteLength) {
      this.#mustBeThere()
      throw this.error(CORRUPT)
    }
    const view = new Type(buffer, at, numbers)
    this.#views[segment] = view
    return view
  }

  /** Where the first number of an element is, that must be there. */
  #place(index: number): { view: T; at: number } {
    this.#mustBeThere()
    const length = Atomics.load(this.#words, this.#length) >>> 0
    if (typeof index !== 'number' || index >>> 0 !== index || index >= length || length > SW_VECTOR_MOST)
      this.#missing(index)
    if (this.dataLength === 1) this.#learn(length)
    return this.#placeIn(index)
  }

  /** As #place, of an index that was within the length: another thread may pop meanwhile. */
  #placeIn(index: number): { view: T; at: number } {
    const segment = this.#segmentOf(index)
    return { view: this.#view(segment), at: (index - this.#firstOf(segment)) * this.dataLength }
  }

  #atomic(index: number, component: unknown, ...values: unknown[]): { view: T; at: number } {
    const { isAtomic, isBig, Type } = this.#elements
    if (!isAtomic) throw new SabwayError('ERR_SABWAY_UNSUPPORTED', `Atomics cannot change the numbers of ${Type.name}`)
    const { view, at } = this.#place(index)
    const which = check.integer(component, 'component', 0, this.dataLength - 1)
    for (const value of values) {
      if (typeof value !== (isBig ? 'bigint' : 'number'))
        check.refuse('ERR_SABWAY_INVALID_TYPE', `a value must be a ${isBig ? 'bigint' : 'number'}`, value)
    }
    return { view, at: at + which }
  }

  /** As `get`, by acquiring loads. */
  #look(index: number): E | undefined {
    const length = Atomics.load(this.#words, this.#length) >>> 0
    if (index >>> 0 !== index || index >= length || length > SW_VECTOR_MOST) return this.#absent(index)
    this.#mustBeThere()
    if (this.dataLength !== 1) return this.#copy(index)
    this.#learn(length)
    const value = this.#view(this.#segmentOf(index))[index - this.#firstOf(this.#segmentOf(index))]
    return index < Atomics.load(this.#words, this.#length) >>> 0 ? (value as E) : this.#absent(index)
  }

  /** `length` is from an acquiring load. */
  #learn(length: number): void {
    const last = this.#segmentOf(length - 1)
    for (let segment = 0; segment <= last; segment++) this.#view(segment)
    this.#seen = length
  }

  /** Elements that lie side by side from this index on; undefined: it is the end. */
  #run(index: number): Run<T, E> | undefined {
    const first = this.get(index)
    if (first === undefined) return undefined
    if (this.dataLength !== 1) return { view: [first], at: 0, end: 1 }
    const segment = this.#segmentOf(index)
    const begin = this.#firstOf(segment)
    return { view: this.#view(segment), at: index - begin, end: Math.min(this.#seen - begin, this.#roomOf(segment)) }
  }

  // ---- elements of several numbers ----

  #copy(index: number): E | undefined {
    const words = this.#words
    for (let tries = 0; tries < TRIES; tries++) {
      const version = Atomics.load(words, this.#version)
      if ((version & 1) !== 0) continue
      if (index >= Atomics.load(words, this.#length) >>> 0) return this.#absent(index)
      const { view, at } = this.#placeIn(index)
      const copy = view.slice(at, at + this.dataLength)
      // What was copied was read before this: an exchange is a fence where a load is not.
      Atomics.add(words, this.member.scratch >>> 2, 0)
      if (Atomics.load(words, this.#version) !== version) continue
      return index < Atomics.load(words, this.#length) >>> 0 ? (copy as E) : this.#absent(index)
    }
    const { hot, handle, scratch } = this.member
    const status = this.#call(() => hot.sw_vector_get(handle, this.pointer, this.generation, index, scratch))
    return status === 0 ? undefined : this.#taken()
  }

  /** What the core has copied. */
  #taken(): E {
    return (this.dataLength === 1 ? this.#scratch[0] : this.#scratch.slice()) as E
  }

  // ---- errors ----

  /**
   * What the core returns, when that is no error. `bytes`: what may be allocated. `first`: what it
   * returned already.
   */
  #call(call: () => number, bytes = 0, first?: number): number {
    this.member.mustBeOpen()
    let status: number
    try {
      status = this.member.until(call, first ?? call())
    } catch (error) {
      throw asCorruptError(error)
    }
    if (status < 0) throw this.#failed(status, bytes)
    return status
  }

  #pushAgain(status: number): void {
    const { hot, handle, scratch } = this.member
    const push = () => hot.sw_vector_push(handle, this.pointer, this.generation, scratch)
    this.#call(push, this.#elements.bytes, status)
  }

  #failed(status: number, bytes: number): SabwayError {
    if (status !== OBJECT_ERRORS.ERR_SABWAY_HEAP_FULL.number) return this.error(status)
    return this.member.full(Math.max(bytes, this.bufferLength * this.#elements.bytes))
  }

  /** There is no such element; or the vector was freed, or the index is none. */
  #absent(index: number): undefined {
    if (typeof index !== 'number') check.integer(index, 'index', 0, SW_VECTOR_MOST)
    this.#mustBeThere()
    return undefined
  }

  #missing(index: number): never {
    check.integer(index, 'index', 0, SW_VECTOR_MOST)
    throw new SabwayError('ERR_SABWAY_OUT_OF_RANGE', `index must be less than the length, ${this.length}, got ${index}`)
  }

  #mustBeThere(): void {
    this.member.mustBeOpen()
    const life = this.#generation - 1
    if (Atomics.load(this.#words, life) !== SW_TYPE_VECTOR || Atomics.load(this.#words, life + 1) !== this.#life)
      throw this.error(FREED)
  }
}

/** Elements from `at` up to `end`. */
interface Run<T, E> {
  readonly view: T | readonly E[]
  readonly at: number
  readonly end: number
}

class VectorIterator<T extends ElementArray, E> implements IterableIterator<E> {
  readonly #words: Int32Array
  /** Index of the word. */
  readonly #length: number
  readonly #next: (index: number) => Run<T, E> | undefined
  #view: T | readonly E[] = []
  #at = 0
  #end = 0
  #index = 0

  constructor(words: Int32Array, length: number, next: (index: number) => Run<T, E> | undefined) {
    this.#words = words
    this.#length = length
    this.#next = next
  }

  next(): IteratorResult<E, undefined> {
    if (this.#at < this.#end && this.#index < this.#words[this.#length]!) {
      this.#index++
      return { value: this.#view[this.#at++] as E, done: false }
    }
    return this.#more()
  }

  #more(): IteratorResult<E, undefined> {
    const run = this.#index < 0 ? undefined : this.#next(this.#index)
    if (run === undefined) {
      this.#index = -1 // it stays at its end
      this.#end = 0
      return { value: undefined, done: true }
    }
    this.#view = run.view
    this.#end = run.end
    this.#at = run.at + 1
    this.#index++
    return { value: run.view[run.at] as E, done: false }
  }

  [Symbol.iterator](): this {
    return this
  }
}

function make<T extends ElementArray>(member: HeapMember, options: SharedVectorOptions<T> | undefined): number {
  const {
    type = Uint32Array,
    dataLength = 1,
    bufferLength = 0,
  } = check.options(options, 'vector options', ['type', 'dataLength', 'bufferLength'])
  const elements = Elements.of(type, dataLength)
  check.integer(bufferLength, 'bufferLength', 0, LARGEST_CAPACITY)
  const { core, handle } = member
  return member.make(bufferLength * elements.bytes, () =>
    core.sw_vector_new(handle, elements.code, elements.count, bufferLength),
  )
}

/** Let vectors have names in the directory. */
export function provideVector(): void {
  provideObject<SharedVector>({
    type: SW_TYPE_VECTOR,
    name: 'vector',
    open: (heap, shared) => new SharedVector(heap, shared),
    blocks({ region }, pointer) {
      const word = (at: number) => Atomics.load(region.words, at >>> 2) >>> 0
      const table = word(pointer + sw_vector.table)
      if (table + sw_vector_table.sizeof > region.bytes.length) return []
      return [table, ...Array.from({ length: SW_VECTOR_SEGMENTS - 1 }, (_, i) => word(table + 4 * (i + 1)))]
    },
  })
}
