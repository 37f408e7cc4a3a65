// The heap of a region: any number of blocks, which all participants allocate and free, also those
// of others. The names are those of the package @daneren2005/shared-memory-objects.
import * as check from '../base/check.js'
import type { RegionHandle } from '../base/region-handle.js'
import { sw_heap_block } from '../generated/abi.js'
import { AllocatedMemory, type HeapArray, type HeapArrayType } from './allocated-memory.js'
import type { HeapStats } from './member.js'
import type { SharedAllocatedMemory } from './pointer.js'
import { LARGEST_BLOCK, RawHeap } from './raw-heap.js'
import { reachable } from './reach.js'

/** A block that is in use. */
export interface HeapBlock {
  pointer: number
  bytes: number
}

/**
 * The heap of a region. Any thread of any participating process allocates and frees at any time;
 * blocks are aligned to 16 bytes, and named by pointers, which are offsets in the region. It lives
 * as long as its region is open in this thread.
 */
export class Heap extends RawHeap {
  // ---- blocks as typed arrays, filled with zeros ----

  /** `count` unsigned numbers of 32 bits. Errors: as `alloc`. */
  allocUI32(count: number): AllocatedMemory {
    return this.#array(Uint32Array, count)
  }

  allocI32(count: number): AllocatedMemory<Int32Array> {
    return this.#array(Int32Array, count)
  }

  allocUI16(count: number): AllocatedMemory<Uint16Array> {
    return this.#array(Uint16Array, count)
  }

  allocI16(count: number): AllocatedMemory<Int16Array> {
    return this.#array(Int16Array, count)
  }

  allocUI8(count: number): AllocatedMemory<Uint8Array> {
    return this.#array(Uint8Array, count)
  }

  allocI8(count: number): AllocatedMemory<Int8Array> {
    return this.#array(Int8Array, count)
  }

  allocF32(count: number): AllocatedMemory<Float32Array> {
    return this.#array(Float32Array, count)
  }

  allocF64(count: number): AllocatedMemory<Float64Array> {
    return this.#array(Float64Array, count)
  }

  #array<T extends HeapArray>(type: HeapArrayType<T>, count: number): AllocatedMemory<T> {
    check.integer(count, 'count', 1, Math.floor(LARGEST_BLOCK / type.BYTES_PER_ELEMENT))
    const made = new AllocatedMemory(this, this.member.allocate(count * type.BYTES_PER_ELEMENT), type, count)
    made.data.fill(0 as never)
    return made
  }

  /** The block that another thread's getSharedMemory() names. Errors: as `new AllocatedMemory`. */
  getSharedAlloc(shared: SharedAllocatedMemory): AllocatedMemory {
    return new AllocatedMemory(this, shared)
  }

  // ---- the heap as a whole ----

  /** For other threads: `new MemoryHeap(shared)`. Errors: as Region.handle. */
  getSharedMemory(): RegionHandle {
    return this.heapRegion.handle
  }

  /** Bytes in blocks. */
  get currentUsed(): number {
    return this.stats().used
  }

  /** Bytes of the pages that blocks are in. */
  get totalAllocated(): number {
    return this.stats().pages
  }

  /** What is in the heap: near the truth while others allocate and free. */
  stats(): HeapStats {
    return this.member.stats()
  }

  /** Give memory that holds no block back to the system. Returns how many bytes that is. */
  trim(): number {
    return this.member.trim()
  }

  /** The blocks that are in use, by their pointers. */
  *walk(): Generator<HeapBlock, void, undefined> {
    const { core, handle, scratch, region } = this.member
    const cursor = scratch + sw_heap_block.sizeof
    const [page, index] = [cursor >>> 2, (cursor >>> 2) + 1]
    const word = (field: number) => Atomics.load(region.words, (scratch + field) >>> 2) >>> 0
    let at: readonly [number, number] = [0, 0]
    for (;;) {
      this.member.mustBeOpen()
      // The scratch is other calls' between two steps.
      Atomics.store(region.words, page, at[0])
      Atomics.store(region.words, index, at[1])
      if (core.sw_heap_walk(handle, cursor, scratch) !== 1) return
      at = [Atomics.load(region.words, page), Atomics.load(region.words, index)]
      yield { pointer: word(sw_heap_block.at), bytes: word(sw_heap_block.bytes) }
    }
  }

  /**
   * Walk the heap's invariants. With `sweep`, in a moment when no participant allocates or frees:
   * also the blocks that no name of the directory leads to, which are returned; those that a
   * program keeps by their pointers alone are among them, but no mutex. Errors: ERR_SABWAY_CORRUPT,
   * ERR_SABWAY_BUSY.
   */
  check(options?: { sweep?: boolean }): HeapBlock[] {
    const { sweep = false } = check.options(options, 'check options', ['sweep'])
    check.flag(sweep, 'sweep')
    this.member.check()
    if (!sweep) return []
    const reached = reachable(this.member)
    return [...this.walk()].filter(({ pointer }) => !reached.has(pointer))
  }

  // ---- of heaps that are several buffers ----

  /** Kept for programs that forward new buffers: there are none, and it is never called. */
  addOnGrowBufferHandlers(handler: (buffer: { bufferPosition: number; buffer: SharedArrayBuffer }) => void): void {
    check.callback(handler, 'handler')
  }

  /** Kept for programs that receive new buffers: every participant has the whole heap. */
  addSharedBuffer(data: { bufferPosition: number; buffer: SharedArrayBuffer }): void {
    if (typeof data !== 'object' || data === null)
      check.refuse('ERR_SABWAY_INVALID_TYPE', 'data must be an object', data)
  }
}
