// Pointers as the package @daneren2005/shared-memory-objects has them: 12 bits for a buffer and 20
// bits for a byte in it. A heap here is one memory, of which each MiB counts as a buffer: so a
// pointer is the offset itself.
import * as check from '../base/check.js'

const OFFSET_BITS = 20
const MOST = 0xffff_ffff

/** The two parts of a pointer. Structured-cloneable. */
export interface SharedAllocatedMemory {
  readonly bufferPosition: number
  readonly bufferByteOffset: number
}

/** The parts of a pointer. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE. */
export function getPointer(pointer: number): SharedAllocatedMemory {
  check.integer(pointer, 'pointer', 0, MOST)
  return { bufferPosition: pointer >>> OFFSET_BITS, bufferByteOffset: pointer & (2 ** OFFSET_BITS - 1) }
}

/** The pointer of these parts. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE. */
export function createPointer(bufferPosition: number, bufferByteOffset: number): number {
  check.integer(bufferPosition, 'bufferPosition', 0, 2 ** (32 - OFFSET_BITS) - 1)
  check.integer(bufferByteOffset, 'bufferByteOffset', 0, 2 ** OFFSET_BITS - 1)
  return ((bufferPosition << OFFSET_BITS) | bufferByteOffset) >>> 0
}

/** The pointer that names a block, or that its parts make. Errors: as `createPointer`. */
export function pointerOf(shared: unknown): number {
  if (typeof shared === 'number') return check.integer(shared, 'pointer', 0, 0xffff_ffff)
  if (typeof shared !== 'object' || shared === null || check.isArray(shared)) {
    check.refuse(
      'ERR_SABWAY_INVALID_TYPE',
      'an object of the heap is named by a pointer or by getSharedMemory()',
      shared,
    )
  }
  const { bufferPosition, bufferByteOffset } = check.fields(shared, 'shared', ['bufferPosition', 'bufferByteOffset'])
  return createPointer(bufferPosition as number, bufferByteOffset as number)
}
