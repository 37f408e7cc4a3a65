// How the mutexes of a participant that has ended are taken from it.
import { isMemory } from '../base/brand.js'
import type { CoreHost, GuardedCore } from '../base/core.js'
import type { RegionMemory } from '../base/region-memory.js'
import { SW_REGISTRY_AT, SW_STACK_BYTES, sw_instance, sw_registry } from '../generated/abi.js'
import { type GuardedObjects, objectsCode } from './code.js'

/** This thread's place in a region, from which it takes the roles of others. */
export interface Place {
  readonly core: GuardedCore
  readonly words: Int32Array
  readonly codeHost: CoreHost
  readonly commons: { peek(): RegionMemory }
  readonly size: bigint
  /** This thread's own block. */
  readonly instance: number
}

const FIRST = (SW_REGISTRY_AT + sw_registry.first) >>> 2

/**
 * Take all roles of a participant away from it, in the channel and in each mutex. False: nothing
 * was done, as the region has no object that the channel's own eviction would not find, or this
 * thread cannot run the code of the heap; then mutexes are left to those that wait for them.
 */
export function evictRole(place: Place, role: number): boolean {
  const code = codeFor(place)
  code?.sw_region_evict_role(0, place.size, role)
  return code !== null
}

/** The same for this thread's endpoint: what its owner, and each that had it before, has there. */
export function evictOwn(place: Place, endpoint: number): boolean {
  const code = codeFor(place)
  code?.sw_region_evict(0, place.size, endpoint)
  return code !== null
}

/**
 * An instance of its own: the thread has perhaps not used the heap, or the region has closed it.
 * Null where nothing needs one, and where there is no memory for one, which must not stop the rest
 * of an eviction.
 */
function codeFor({ core, words, size, codeHost, commons, instance }: Place): GuardedObjects | null {
  if (core.sw_region_heap(0, size) === 0 || Atomics.load(words, FIRST) === 0) return null
  const memory = commons.peek()
  if (!isMemory(memory)) return null
  try {
    const { guarded, stackPointer } = objectsCode.instantiate(memory, codeHost)
    stackPointer.value = instance + sw_instance.stack + SW_STACK_BYTES
    return guarded
  } catch {
    return null
  }
}
