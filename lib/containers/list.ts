// The public class of lists in a heap: see native/core/list/list.c. A reader gets copies of several
// nodes at a time from the core.
import * as check from '../base/check.js'
import { asCorruptError, SabwayError } from '../base/errors.js'
import {
  OBJECT_ERRORS,
  SW_OBJECT_BYTES,
  SW_TYPE_LIST,
  sw_list,
  sw_list_cursor,
  sw_list_entry,
  sw_node,
  sw_object,
} from '../generated/abi.js'
import { HeapObject, heapAt, type ObjectHome, provideObject, type SharedObjectMemory } from '../heap/heap-object.js'
import { HeapMember } from '../heap/member.js'
import { getPointer, pointerOf, type SharedAllocatedMemory } from '../heap/pointer.js'
import { type Component, type ElementArray, Elements, type ElementType } from './elements.js'

const { ERR_SABWAY_FREED, ERR_SABWAY_HEAP_FULL } = OBJECT_ERRORS
/** What is read of nodes, in the scratch behind the cursor. */
const ENTRIES = 32
/** Bytes of that: the scratch has 752. */
const ROOM = 720
/** What a block of `initWithBlock` holds: these four words. */
const BLOCK = { mark: 0, pointer: 4, generation: 8, bytes: 16 }
const MARK = 0x7473_696c

/** How a new list is made. */
export interface SharedListOptions<T extends ElementArray> {
  /** Of the numbers: Uint32Array by default. */
  type?: ElementType<T>
  /** How many numbers an element has: 1 by default; together at most 512 bytes. */
  dataLength?: number
  /**
   * A block of SharedList.ALLOCATE_COUNT numbers of 32 bits that leads to the list from then on:
   * `new SharedList(heap, { firstBlock: block })` opens it. It becomes the list's: `free` frees it.
   */
  initWithBlock?: SharedAllocatedMemory | number
}

/** A list that was made with `initWithBlock`, by that block. */
export interface SharedListMemory {
  readonly firstBlock: SharedAllocatedMemory | number
}

/** An element, as an iteration gives it. */
export interface SharedListItem<T extends ElementArray> {
  /** A copy of the element: what is written there stays in this thread. */
  readonly data: T
  /** How many elements the iteration has given before this one, without those it has deleted. */
  readonly index: number
  /** Take it out of the list: false, when another participant has done that before. */
  deleteCurrent(): boolean
  /** Put another element in its place: false, when it is not in the list any more. */
  set(values: Component<T> | ArrayLike<Component<T>>): boolean
}

/**
 * Elements in the order of their insertion, in a heap: numbers, or with `dataLength: n` of n
 * numbers each. Threads of any process insert at the end, delete anywhere, and read. Readers wait
 * for no other participant; those that change the list exclude each other. An iteration gives each
 * element that is in the list all the time once, in order, and of those that come and go meanwhile
 * some.
 */
export class SharedList<T extends ElementArray = Uint32Array>
  extends HeapObject
  implements Iterable<SharedListItem<T>>
{
  /** How many numbers of 32 bits a block for `initWithBlock` has at least. */
  static readonly ALLOCATE_COUNT = BLOCK.bytes / 4

  /** How many numbers an element has. */
  readonly dataLength: number
  /**
   * Called with each element that this SharedList takes out of the list, or frees with it. It may
   * free what the element leads to.
   */
  onDelete: ((data: T) => void) | undefined
  readonly #elements: Elements<T>
  /** Where the core takes an element from. */
  readonly #scratch: T
  /** What it has read of nodes: entries of #stride bytes. */
  readonly #entries: T
  readonly #stride: number

  /**
   * A new list, which is empty; or the one that another participant has made, of its
   * getSharedMemory() or pointer. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT,
   * ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_HEAP_FULL, ERR_SABWAY_CLOSED; ERR_SABWAY_FREED,
   * ERR_SABWAY_OTHER_KIND, ERR_SABWAY_WILD_POINTER.
   */
  constructor(
    home: ObjectHome,
    options?: SharedListOptions<T> | SharedListMemory | SharedObjectMemory | SharedAllocatedMemory | number,
  ) {
    super(home, opened(home, options), SW_TYPE_LIST, (member) => make(member, options as SharedListOptions<T>))
    const { region, scratch } = this.member
    this.#elements = Elements.in(Atomics.load(region.words, (this.pointer + sw_list.shape) >>> 2))
    this.#scratch = this.#elements.view(this.member, scratch)
    this.#stride = sw_list_entry.sizeof + Math.ceil(this.#elements.bytes / 8) * 8
    const { Type } = this.#elements
    this.#entries = new Type(region.bytes.buffer, scratch + ENTRIES, ROOM / Type.BYTES_PER_ELEMENT)
    this.dataLength = this.#elements.count
  }

  /** The class of typed arrays that its numbers are of. */
  get type(): ElementType<T> {
    return this.#elements.Type
  }

  /** How many elements there are. Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED. */
  get length(): number {
    this.#mustBeThere()
    return Atomics.load(this.member.region.words, (this.pointer + sw_list.count) >>> 2) >>> 0
  }

  /**
   * Append an element: a number, or up to `dataLength` of them; the others become zero. Errors:
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_HEAP_FULL, ERR_SABWAY_FREED,
   * ERR_SABWAY_CLOSED, ERR_SABWAY_BUSY, ERR_SABWAY_CORRUPT.
   */
  insert(values: Component<T> | ArrayLike<Component<T>>): void {
    const { member } = this
    member.mustBeOpen()
    if (typeof values === 'number' && this.dataLength === 1 && !this.#elements.isBig) this.#scratch[0] = values
    else this.#elements.write(this.#scratch, values)
    const { hot, handle, scratch } = member
    let status: number
    try {
      status = hot.sw_list_insert(handle, this.pointer, this.generation, scratch)
    } catch (error) {
      throw asCorruptError(error)
    }
    if (status !== 0) this.#insertAgain(status)
  }

  // ---- deleting ----

  /**
   * Take out the element with that index: false, when there is none. Errors: as `insert`, but for
   * ERR_SABWAY_HEAP_FULL; and what `onDelete` throws.
   */
  deleteIndex(index: number): boolean {
    if (typeof index !== 'number') check.integer(index, 'index', 0, 2 ** 32 - 1)
    const { hot, handle, scratch } = this.member
    if (index >>> 0 !== index) {
      this.#mustBeThere()
      return false
    }
    const call = () => hot.sw_list_delete_index(handle, this.pointer, this.generation, index, scratch)
    if (this.#call(call) === 0) return false
    this.onDelete?.(this.#scratch.slice() as T)
    return true
  }

  /**
   * Take out the first element whose first number is this one, or whose numbers are all these:
   * false, when there is none. Errors: as `deleteIndex`.
   */
  deleteValue(values: Component<T> | ArrayLike<Component<T>>): boolean {
    const expected = this.#elements.isBig ? 'bigint' : 'number'
    if (typeof values === expected) return this.deleteMatch((data) => data[0] === values)
    const wanted = this.#elements.numbers(values)
    return this.deleteMatch((data) => data.length === wanted.length && wanted.every((value, i) => data[i] === value))
  }

  /**
   * Take out the first element for which `matches` returns true: false, when there is none. Errors:
   * as `deleteIndex`, and what `matches` throws.
   */
  deleteMatch(matches: (data: T, index: number) => boolean): boolean {
    check.callback(matches, 'matches')
    for (const item of this) {
      // another participant may have taken it out meanwhile: then the next one that matches
      if (matches(item.data, item.index) && item.deleteCurrent()) return true
    }
    return false
  }

  /**
   * Take out all elements, at one moment; with `onDelete` one after the other. Errors: as
   * `deleteIndex`.
   */
  clear(): void {
    if (this.onDelete !== undefined) {
      // those that are there now: others may insert all the time
      let left = this.length
      for (const item of this) if (left-- > 0) item.deleteCurrent()
      return
    }
    const { core, handle } = this.member
    this.#call(() => core.sw_list_clear(handle, this.pointer, this.generation))
  }

  /**
   * Give all its memory back, when no participant uses it any more. Errors: ERR_SABWAY_FREED,
   * ERR_SABWAY_CLOSED, ERR_SABWAY_BUSY; what `onDelete` throws.
   */
  override free(): void {
    if (this.onDelete !== undefined) this.clear()
    super.free()
  }

  // ---- reading ----

  *[Symbol.iterator](): Generator<SharedListItem<T>, void, undefined> {
    const cursor = new Uint32Array(sw_list_cursor.sizeof / 4)
    const changes: Changes<T> = {
      deleted: 0,
      delete: (item) => this.#delete(item),
      set: (item, values) => this.#set(item, values),
    }
    for (let items = this.#read(cursor, changes); items.length > 0; items = this.#read(cursor, changes)) {
      for (const item of items) {
        item.index -= changes.deleted
        yield item
      }
    }
  }

  /** Call `visit` with each element and its index. Errors: as `length`; what `visit` throws. */
  forEach(visit: (data: T, index: number) => void): void {
    check.callback(visit, 'visit')
    for (const { data, index } of this) visit(data, index)
  }

  override toJSON(): object {
    return { pointer: this.pointer, type: this.type.name, dataLength: this.dataLength }
  }

  get [Symbol.toStringTag](): string {
    return 'SharedList'
  }

  /** @internal */
  release(): number {
    const { core, handle } = this.member
    return this.member.until(() => core.sw_list_free(handle, this.pointer, this.generation))
  }

  /** Copies of the nodes behind the cursor, as many as one call of the core gives; none at the
   * end. */
  #read(cursor: Uint32Array, changes: Changes<T>): Item<T>[] {
    const { hot, handle, scratch, region } = this.member
    const { words } = region
    const first = scratch >>> 2
    const index = cursor[sw_list_cursor.index / 4]!
    for (let i = 0; i < cursor.length; i++) words[first + i] = cursor[i]!
    const count = this.#call(() =>
      hot.sw_list_read(handle, this.pointer, this.generation, scratch, scratch + ENTRIES, ROOM),
    )
    for (let i = 0; i < cursor.length; i++) cursor[i] = words[first + i]!
    const { Type, count: numbers } = this.#elements
    const items: Item<T>[] = []
    for (let i = 0; i < count; i++) {
      const word = (ENTRIES + i * this.#stride + scratch) >>> 2
      const from = (i * this.#stride + sw_list_entry.sizeof) / Type.BYTES_PER_ELEMENT
      // a copy, since the scratch is the next call's
      const data = new Type(numbers)
      for (let k = 0; k < numbers; k++) data[k] = this.#entries[from + k]!
      items.push(new Item(words[word]! >>> 0, words[word + 1]! >>> 0, data, index + i, changes))
    }
    return items
  }

  #delete(item: Item<T>): boolean {
    const { hot, handle } = this.member
    const call = () => hot.sw_list_delete(handle, this.pointer, this.generation, item.at, item.number)
    if (this.#call(call) === 0) return false
    this.onDelete?.(item.data)
    return true
  }

  #set(item: Item<T>, values: unknown): boolean {
    const { member, dataLength } = this
    const { core, handle, scratch, region } = member
    this.#elements.write(this.#scratch, values)
    const behind = scratch + ENTRIES + ROOM - 16
    const place = behind >>> 2
    Atomics.store(region.words, place, item.at)
    const call = () => core.sw_list_set(handle, this.pointer, this.generation, behind, item.number, scratch)
    if (this.#call(call) === 0) return false
    item.at = Atomics.load(region.words, place) >>> 0
    for (let i = 0; i < dataLength; i++) item.data[i] = this.#scratch[i]!
    return true
  }

  /** What the core returns, when that is no error. `first`: what it returned already. */
  #call(call: () => number, first?: number): number {
    this.member.mustBeOpen()
    let status: number
    try {
      status = this.member.until(call, first ?? call())
    } catch (error) {
      throw asCorruptError(error)
    }
    if (status >= 0) return status
    throw status === ERR_SABWAY_HEAP_FULL.number
      ? this.member.full(sw_node.sizeof + this.#elements.bytes)
      : this.error(status)
  }

  #insertAgain(status: number): void {
    const { hot, handle, scratch } = this.member
    this.#call(() => hot.sw_list_insert(handle, this.pointer, this.generation, scratch), status)
  }

  #mustBeThere(): void {
    this.member.mustBeOpen()
    const { words } = this.member.region
    const life = (this.pointer + sw_object.life) >>> 2
    const isThere =
      Atomics.load(words, life) === SW_TYPE_LIST && Atomics.load(words, life + 1) >>> 0 === this.generation
    if (!isThere) throw this.error(ERR_SABWAY_FREED.number)
  }
}

/** What the items of one iteration share. */
interface Changes<T extends ElementArray> {
  deleted: number
  delete(item: Item<T>): boolean
  set(item: Item<T>, values: unknown): boolean
}

/** Its methods are made when they are asked for, bound to it: most items are only read. */
class Item<T extends ElementArray> implements SharedListItem<T> {
  /** Of the node: its offset, and its number; another node with that offset has another one. */
  at: number
  readonly number: number
  readonly data: T
  index: number
  readonly #changes: Changes<T>

  constructor(at: number, number: number, data: T, index: number, changes: Changes<T>) {
    this.at = at
    this.number = number
    this.data = data
    this.index = index
    this.#changes = changes
  }

  get deleteCurrent(): () => boolean {
    return () => {
      const done = this.#changes.delete(this)
      if (done) this.#changes.deleted++
      return done
    }
  }

  get set(): (values: Component<T> | ArrayLike<Component<T>>) => boolean {
    return (values) => this.#changes.set(this, values)
  }
}

// ---- making ----

/** The list that `{ firstBlock }` leads to; anything else as it is. */
function opened(home: ObjectHome, given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given
  const { firstBlock } = check.fields(given, 'options', ['firstBlock'])
  if (firstBlock === undefined) return given
  const block = pointerOf(firstBlock)
  const member = HeapMember.of(heapAt(home).heapRegion)
  const word = (field: number) => Atomics.load(member.region.words, (block + field) >>> 2) >>> 0
  if (block % 16 === 0 && member.hasBlock(block, BLOCK.bytes) && word(BLOCK.mark) === MARK)
    return { ...getPointer(word(BLOCK.pointer)), generation: word(BLOCK.generation) }
  throw new SabwayError('ERR_SABWAY_WILD_POINTER', `${block}; it is no block that a list was made with`)
}

function make<T extends ElementArray>(member: HeapMember, options: SharedListOptions<T> | undefined): number {
  const {
    type = Uint32Array,
    dataLength = 1,
    initWithBlock,
  } = check.options(options, 'list options', ['type', 'dataLength', 'initWithBlock'])
  const elements = Elements.of(type, dataLength)
  const block = initWithBlock === undefined ? 0 : pointerOf(initWithBlock)
  if (initWithBlock !== undefined && !(block % 16 === 0 && member.hasBlock(block, BLOCK.bytes)))
    throw new SabwayError(
      'ERR_SABWAY_WILD_POINTER',
      `${block}; initWithBlock must be a block of at least ${SharedList.ALLOCATE_COUNT} numbers of 32 bits`,
    )
  const { core, handle, region } = member
  const pointer = member.make(SW_OBJECT_BYTES, () => core.sw_list_new(handle, elements.code, elements.count))
  if (block === 0) return pointer
  const store = (at: number, value: number) => Atomics.store(region.words, at >>> 2, value)
  store(pointer + sw_list.block, block)
  store(block + BLOCK.pointer, pointer)
  store(block + BLOCK.generation, Atomics.load(region.words, (pointer + sw_object.life + 4) >>> 2))
  store(block + BLOCK.mark, MARK)
  return pointer
}

/** Let lists have names in the directory. */
export function provideList(): void {
  provideObject<SharedList>({
    type: SW_TYPE_LIST,
    name: 'list',
    open: (heap, shared) => new SharedList(heap, shared),
    blocks({ region }, pointer) {
      const word = (at: number) => Atomics.load(region.words, at >>> 2) >>> 0
      const found = new Set([word(pointer + sw_list.block)])
      const fits = (at: number) => at + sw_node.sizeof <= region.bytes.length
      for (let at = word(pointer + sw_list.head); at !== 0 && fits(at) && !found.has(at); ) {
        found.add(at)
        at = word(at + sw_node.next)
      }
      return found
    },
  })
}
