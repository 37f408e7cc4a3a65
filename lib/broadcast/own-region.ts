// Where an object lives that a program makes without saying where: a region of its own.

import { SW_HEAP_AT, SW_PAGE } from '../generated/abi.js'
import type { RawHeap } from '../heap/raw-heap.js'
import { Region } from '../region/region.js'

/** Beside what the object needs: the heap's own tables, and blocks of values on their way. */
const SPARE = 4 * SW_PAGE

/** The heap of a new region with room for so many bytes. Errors: as Region.create. */
export const ownHeap = (bytes: number): RawHeap => Region.create({ size: SW_HEAP_AT + SPARE + 2 * bytes }).heap
