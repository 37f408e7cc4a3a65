// How the mutexes of a participant that has ended are taken from it.
import { isMemory } from '../base/brand.js'
import type { CoreHost, GuardedCore } from '../base/core.js'
import type { RegionMemory } from '../base/region-memory.js'
import {
  SW_DIRECTORY_AT,
  SW_REGISTRY_AT,
  SW_STACK_BYTES,
  sw_directory,
  sw_heap_control,
  sw_instance,
  sw_mutex,
  sw_registry,
} from '../generated/abi.js'
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

/**
 * Is an object in the registry, or does a participant wait for the heap's or the directory's lock?
 */
function hasNeed(words: Int32Array, heap: number): boolean {
  const isSet = (at: number) => Atomics.load(words, at >>> 2) !== 0
  const isWaitedFor = (lock: number) => isSet(lock + sw_mutex.waiters) || isSet(lock + sw_mutex.waiters + 4)
  return (
    isSet(SW_REGISTRY_AT + sw_registry.first) ||
    isWaitedFor(heap + sw_heap_control.lock) ||
    isWaitedFor(SW_DIRECTORY_AT + sw_directory.lock)
  )
}

/**
 * Take all roles of a participant away from it, in the channel and in each mutex, and its waits for
 * the locks of the heap and the directory. False: nothing was done, as the region has none of that
 * but the channel, or this thread cannot run the code of the heap; then mutexes are left to those
 * that wait for them.
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
 * Null where nothing needs one, as it takes 10 ms to compile the code, and where there is no memory
 * for one, which must not stop the rest of an eviction.
 */
function codeFor({ core, words, size, codeHost, commons, instance }: Place): GuardedObjects | null {
  const heap = core.sw_region_heap(0, size) >>> 0
  if (heap === 0 || !hasNeed(words, heap)) return null
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
