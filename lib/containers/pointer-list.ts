// Lists of what is in the heap, by pointers: on a SharedList of numbers of 32 bits.
import * as check from '../base/check.js'
import { AllocatedMemory } from '../heap/allocated-memory.js'
import type { ObjectHome, SharedObjectMemory } from '../heap/heap-object.js'
import type { RawHeap } from '../heap/raw-heap.js'
import { SharedList, type SharedListMemory, type SharedListOptions } from './list.js'

/** What a pointer list is made of, or opened by. */
export type PointerListConfig =
  | Pick<SharedListOptions<Uint32Array>, 'initWithBlock'>
  | SharedListMemory
  | SharedObjectMemory
  | number

/** An item of a SharedPointerList. */
export interface PointerItem {
  /** The block of the heap that it is. */
  readonly memory: AllocatedMemory
}

/**
 * A list of items that are blocks of the heap each. A subclass says what an item is:
 * `createItem(memory)` makes it of its block, in this thread, whenever one is read. An iteration,
 * and what is built on it, is as of SharedList.
 */
export abstract class SharedPointerList<T extends PointerItem> implements Iterable<T> {
  /** The pointers; it can have a name in the directory. */
  readonly list: SharedList

  /** A new list, or the one that another participant has made. Errors: as SharedList. */
  constructor(heap: ObjectHome, shared?: PointerListConfig) {
    this.list = new SharedList(heap, shared)
  }

  /** The item that is in this block. */
  protected abstract createItem(memory: AllocatedMemory): T

  /** The heap that it is in. */
  get heap(): RawHeap {
    return this.list.heap
  }

  /** How many items there are. Errors: as SharedList. */
  get length(): number {
    return this.list.length
  }

  /** Append an item. Errors: as SharedList; ERR_SABWAY_INVALID_TYPE. */
  insert(item: T): void {
    this.list.insert(pointerOfItem(item))
  }

  /**
   * Take an item out of the list, without freeing it: false, when it is not there. Errors: as
   * SharedList; ERR_SABWAY_INVALID_TYPE.
   */
  delete(item: T): boolean {
    return this.list.deleteValue(pointerOfItem(item))
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (const { data } of this.list) yield this.createItem(new AllocatedMemory(this.heap, data[0]!))
  }

  /** Call `visit` with each item. Errors: as SharedList; what `visit` throws. */
  forEach(visit: (item: T) => void): void {
    check.callback(visit, 'visit')
    for (const item of this) visit(item)
  }

  /** The first item for which `matches` returns true. Errors: as `forEach`. */
  find(matches: (item: T) => boolean): T | undefined {
    check.callback(matches, 'matches')
    for (const item of this) if (matches(item)) return item
    return undefined
  }

  /** What another thread makes its own list of. Structured-cloneable. */
  getSharedMemory(): SharedObjectMemory {
    return this.list.getSharedMemory()
  }

  /**
   * Free the items, by their own `free` where they have one, and the list. Errors: as SharedList;
   * what an item's `free` throws.
   */
  free(): void {
    for (const { data, deleteCurrent } of this.list) {
      // of several participants that free, each item has one
      if (!deleteCurrent()) continue
      const item = this.createItem(new AllocatedMemory(this.heap, data[0]!))
      if ('free' in item && typeof item.free === 'function') item.free()
      else item.memory.free()
    }
    this.list.free()
  }
}

function pointerOfItem(item: unknown): number {
  const memory = typeof item === 'object' && item !== null ? check.fields(item, 'item', ['memory']).memory : undefined
  if (typeof memory === 'object' && memory !== null && AllocatedMemory.isMade(memory)) return memory.pointer
  return check.refuse('ERR_SABWAY_INVALID_TYPE', 'an item must have an AllocatedMemory as its `memory`', item)
}

/** An item of a CachedItemList, such as a container. */
export interface CachedItem {
  readonly pointer: number
  free(): void
}

/**
 * A list of containers, or other things with a pointer, of which each thread keeps the objects that
 * it has made: the same pointer gives the same object as long as that has not been freed. A subclass
 * says what an item is: `initItem(pointer)` makes it. What is taken out of the list is freed.
 */
export abstract class CachedItemList<T extends CachedItem>
  implements Iterable<{ item: T; deleteCurrent: () => boolean }>
{
  /** How many numbers of 32 bits a block for `initWithBlock` has at least. */
  static readonly ALLOCATE_COUNT = SharedList.ALLOCATE_COUNT

  /** The pointers; it can have a name in the directory. */
  readonly list: SharedList
  /** This thread's objects, by their pointers. */
  protected readonly cache: Map<number, T> = new Map()

  /** A new list, or the one that another participant has made. Errors: as SharedList. */
  constructor(heap: ObjectHome, config?: PointerListConfig) {
    this.list = new SharedList(heap, config)
    this.list.onDelete = (data) => {
      const pointer = data[0]!
      const item = this.getByPointer(pointer)
      this.cache.delete(pointer)
      item?.free()
    }
  }

  /** The item with that pointer; undefined: none is there any more, and the list passes it over. */
  protected abstract initItem(pointer: number): T | undefined

  /** The heap that it is in. */
  get heap(): RawHeap {
    return this.list.heap
  }

  /** How many items there are. Errors: as SharedList. */
  get length(): number {
    return this.list.length
  }

  /** Append an item. Errors: as SharedList; ERR_SABWAY_INVALID_TYPE. */
  insert(item: T): void {
    const pointer = cachedPointer(item)
    this.list.insert(pointer)
    this.cache.set(pointer, item)
  }

  /**
   * Take an item out of the list, and free it: false, when it is not there. Errors: as SharedList;
   * ERR_SABWAY_INVALID_TYPE; what its `free` throws.
   */
  delete(item: T): boolean {
    return this.list.deleteValue(cachedPointer(item))
  }

  /** Take all items out, and free them. Errors: as `delete`. */
  clear(): void {
    this.list.clear()
  }

  /** This thread's object for that pointer. Errors: what `initItem` throws. */
  getByPointer(pointer: number): T | undefined {
    const known = this.cache.get(check.integer(pointer, 'pointer', 0, 2 ** 32 - 1))
    // another participant may have freed it, and made the next one in its place
    if (known !== undefined && (known as { isFreed?: boolean }).isFreed !== true) return known
    const made = this.initItem(pointer)
    if (made !== undefined) this.cache.set(pointer, made)
    else this.cache.delete(pointer)
    return made
  }

  *[Symbol.iterator](): Generator<{ item: T; deleteCurrent: () => boolean }, void, undefined> {
    for (const { data, deleteCurrent } of this.list) {
      const item = data[0] === 0 ? undefined : this.getByPointer(data[0]!)
      if (item !== undefined) yield { item, deleteCurrent }
    }
  }

  /**
   * Call `visit` with each item, or with each for which `filter` returns true. Errors: as
   * SharedList; what the two throw.
   */
  forEach(visit: (item: T) => void, filter?: (item: T) => boolean): void {
    check.callback(visit, 'visit')
    if (filter !== undefined) check.callback(filter, 'filter')
    for (const { item } of this) if (filter === undefined || filter(item)) visit(item)
  }

  /** The first item for which `matches` returns true. Errors: as `forEach`. */
  find(matches: (item: T) => boolean): T | undefined {
    check.callback(matches, 'matches')
    for (const { item } of this) if (matches(item)) return item
    return undefined
  }

  /** All items for which `matches` returns true. Errors: as `forEach`. */
  filter(matches: (item: T) => boolean): T[] {
    check.callback(matches, 'matches')
    const found: T[] = []
    for (const { item } of this) if (matches(item)) found.push(item)
    return found
  }

  /** What `convert` makes of each item. Errors: as `forEach`. */
  map<X>(convert: (item: T) => X): X[] {
    check.callback(convert, 'convert')
    const found: X[] = []
    for (const { item } of this) found.push(convert(item))
    return found
  }

  /** What another thread makes its own list of. Structured-cloneable. */
  getSharedMemory(): SharedObjectMemory {
    return this.list.getSharedMemory()
  }

  /** Free the items and the list. Errors: as `delete`. */
  free(): void {
    this.list.free()
    this.cache.clear()
  }
}

function cachedPointer(item: unknown): number {
  const { pointer } = typeof item === 'object' && item !== null ? check.fields(item, 'item', ['pointer']) : {}
  if (typeof pointer === 'number') return check.integer(pointer, 'item.pointer', 1, 2 ** 32 - 1)
  return check.refuse('ERR_SABWAY_INVALID_TYPE', 'an item must have its pointer as `pointer`, as containers have', item)
}
