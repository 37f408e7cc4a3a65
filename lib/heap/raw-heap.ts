// The heap by pointers alone: what a block needs of its heap.
import * as check from '../base/check.js'
import { cloneHint, INSPECT, inspected } from '../base/summary.js'
import type { HeapRegion } from './heap-region.js'
import { HeapMember } from './member.js'

export const LARGEST_BLOCK = 2 ** 32 - 1
const LARGEST_ALIGN = 2 ** 30
const CLONE_HINT = 'A heap stays in its thread: post heap.getSharedMemory(), and make a MemoryHeap of that there. It'

/**
 * Blocks of bytes in a region, named by pointers: offsets in the region, multiples of 16. Any
 * thread of any participating process allocates and frees at any time.
 */
export class RawHeap {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = cloneHint(CLONE_HINT)
  readonly #region: HeapRegion
  /** @internal */ readonly member: HeapMember

  /** @internal Errors: ERR_SABWAY_UNSUPPORTED: the region has no heap; ERR_SABWAY_CLOSED. */
  constructor(region: HeapRegion) {
    this.#region = region
    this.member = HeapMember.of(region)
  }

  /** @internal Is it a heap of this copy of the library? */
  static isHeap(value: object): value is RawHeap {
    return #region in value
  }

  /** @internal Errors: ERR_SABWAY_INVALID_TYPE for what is no such heap. */
  static checked(heap: RawHeap): RawHeap {
    if (typeof heap === 'object' && heap !== null && RawHeap.isHeap(heap)) return heap
    return check.refuse('ERR_SABWAY_INVALID_TYPE', 'heap must be a heap, such as region.heap or a MemoryHeap', heap)
  }

  /** @internal */
  get heapRegion(): HeapRegion {
    return this.#region
  }

  /** The shared memory that all blocks are in. */
  get buffer(): SharedArrayBuffer {
    return this.heapRegion.bytes.buffer
  }

  /**
   * Allocate so many bytes, whose content is what an earlier block has left. Returns the pointer.
   * `align`: a power of two up to 2^30; 16 by default. Errors: ERR_SABWAY_HEAP_FULL,
   * ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT,
   * ERR_SABWAY_CLOSED; ERR_SABWAY_BUSY, when another thread has locked the heap for long.
   */
  alloc(bytes: number, options?: { align?: number }): number {
    check.integer(bytes, 'bytes', 1, LARGEST_BLOCK)
    if (options === undefined) return this.member.allocate(bytes)
    const { align = 1 } = check.options(options, 'alloc options', ['align'])
    check.integer(align, 'align', 1, LARGEST_ALIGN)
    if ((align & (align - 1)) !== 0) check.refuse('ERR_SABWAY_INVALID_ARGUMENT', 'align must be a power of two', align)
    return align <= 16 ? this.member.allocate(bytes) : this.member.allocateAligned(bytes, align)
  }

  /**
   * Free a block, also one that another participant has allocated. Errors:
   * ERR_SABWAY_DOUBLE_FREE, ERR_SABWAY_WILD_POINTER, ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_CLOSED.
   */
  free(pointer: number): void {
    this.member.free(checked(pointer))
  }

  /**
   * Make the block hold so many bytes, in place where it can be. Returns its pointer, which may be
   * another one: then the old one is free. Errors: as `alloc` and `free`, and then nothing has
   * happened.
   */
  realloc(pointer: number, bytes: number): number {
    checked(pointer)
    check.integer(bytes, 'bytes', 1, LARGEST_BLOCK)
    return this.member.reallocate(pointer, bytes)
  }

  /** Bytes that the block has: at least those that were asked for. Errors: as `free`. */
  usableSize(pointer: number): number {
    return this.member.usable(checked(pointer))
  }

  /** What JSON.stringify and console.log show; `stats()` tells more. */
  toJSON(): { size: number; closed: boolean } {
    return { size: Number(this.#region.size), closed: this.member.closed }
  }

  get [Symbol.toStringTag](): string {
    return 'Heap'
  }

  /** @internal */
  [INSPECT](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    return inspected(this[Symbol.toStringTag], this.toJSON(), options, inspect)
  }
}

const checked = (pointer: number): number => check.integer(pointer, 'pointer', 0, LARGEST_BLOCK)
