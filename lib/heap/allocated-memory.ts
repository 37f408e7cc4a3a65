// A block of a heap, as typed arrays.
import * as check from '../base/check.js'
import { cloneHint } from '../base/summary.js'
import { getPointer, pointerOf, type SharedAllocatedMemory } from './pointer.js'
import { RawHeap } from './raw-heap.js'

/** The typed arrays that a block can be seen through. */
export type HeapArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array

/** A class of typed arrays. */
export interface HeapArrayType<T extends HeapArray> {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: SharedArrayBuffer, byteOffset: number, length: number): T
}

/** One for all: two blocks differ in their pointers, or in their heaps. */
const CLONE_HINT = cloneHint(
  'A block of a heap stays in its thread: post memory.getSharedMemory(), and make an AllocatedMemory of that there. It',
)

/**
 * A block of a heap in this thread. Others make their own of its pointer: `new
 * AllocatedMemory(heap, shared)`. The memory is the participants' own: nothing orders their
 * accesses but Atomics and messages.
 */
export class AllocatedMemory<T extends HeapArray = Uint32Array> {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = CLONE_HINT
  /** The heap that the block is in. */
  readonly heap: RawHeap
  /** Where the block begins: its offset in the region, a multiple of 16. Never 0. */
  readonly pointer: number
  /** The whole block. */
  readonly data: T
  readonly #bytes: number

  /**
   * The block at a pointer. Its `data` has all of the block's bytes, which may be more than were
   * asked for. `type`, Uint32Array by default: of `data`; `length`: of `data`, in elements. Errors:
   * ERR_SABWAY_WILD_POINTER, ERR_SABWAY_DOUBLE_FREE: there is no such block;
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_CLOSED.
   */
  constructor(
    heap: RawHeap,
    shared: SharedAllocatedMemory | number,
    type: HeapArrayType<T> = Uint32Array as never,
    length?: number,
  ) {
    this.heap = RawHeap.checked(heap)
    const pointer = pointerOf(shared)
    this.pointer = pointer
    const bytes = heap.usableSize(pointer)
    const most = Math.floor(bytes / elementBytes(type))
    this.data = new type(heap.buffer, pointer, length === undefined ? most : check.integer(length, 'length', 0, most))
    this.#bytes = this.data.byteLength
  }

  /** @internal Is it a block that this copy of the library has made? */
  static isMade(value: object): value is AllocatedMemory {
    return #bytes in value
  }

  /** Which MiB of the heap's memory the block begins in. */
  get bufferPosition(): number {
    return getPointer(this.pointer).bufferPosition
  }

  /** The byte of that MiB. */
  get bufferByteOffset(): number {
    return getPointer(this.pointer).bufferByteOffset
  }

  /**
   * The block, or a part of it, as another typed array: `offset` and `length` in elements of that,
   * by default 0 and all that follow. Errors: ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_INVALID_TYPE.
   */
  getArray<A extends HeapArray>(type: HeapArrayType<A>, offset = 0, length?: number): A {
    const bytes = elementBytes(type)
    const most = Math.floor(this.#bytes / bytes)
    check.integer(offset, 'offset', 0, most)
    const elements = length === undefined ? most - offset : check.integer(length, 'length', 0, most - offset)
    return new type(this.heap.buffer, this.pointer + offset * bytes, elements)
  }

  /** What another thread makes its own AllocatedMemory of. Structured-cloneable. */
  getSharedMemory(): SharedAllocatedMemory {
    return getPointer(this.pointer)
  }

  /**
   * Give the block back. Arrays over it, of any thread, must not be used any more: they show what
   * comes next in that place. Errors: ERR_SABWAY_DOUBLE_FREE, ERR_SABWAY_CLOSED.
   */
  free(): void {
    this.heap.free(this.pointer)
  }

  get [Symbol.toStringTag](): string {
    return 'AllocatedMemory'
  }

  toJSON(): { pointer: number; bytes: number } {
    return { pointer: this.pointer, bytes: this.#bytes }
  }
}

function elementBytes(type: unknown): number {
  const bytes =
    typeof type === 'function' ? check.fields(type, 'type', ['BYTES_PER_ELEMENT']).BYTES_PER_ELEMENT : undefined
  if (bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8) return bytes
  return check.refuse('ERR_SABWAY_INVALID_TYPE', 'type must be a class of typed arrays such as Float32Array', type)
}
