// What a region needs of the heap before any thread has joined it.
import { type GuardedCore, NO_HOST } from '../base/core.js'
import { SW_HEAP_AT, SW_PAGE } from '../generated/abi.js'
import { objectsCode } from './code.js'

/** Write the heap and the header of a new region: 0, or the core's error. */
export function format(core: GuardedCore, memory: WebAssembly.Memory, pages: number): number {
  const objects = objectsCode.instantiate(memory, NO_HOST).guarded
  const status = objects.sw_heap_format(0, SW_HEAP_AT, BigInt(pages * SW_PAGE))
  return status === 0 ? core.sw_region_format_empty(0, pages, SW_HEAP_AT) : status
}
