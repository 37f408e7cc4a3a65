// What lives in the heap of a region. A program that imports one of these names loads the code of
// the heap with it; a bundler leaves all of that out of a page that imports none. So this file and
// the files that only it imports are one chunk in dist (tsdown.config.ts), and package.json does
// not list that among those with side effects: the call below is kept when, and only when, a name
// is used.
import { provideErrors } from './base/errors.js'
import { provideBroadcast } from './broadcast/broadcast.js'
import { provideChannels } from './channel/named.js'
import { provideSharedChannel } from './channels/shared-channel.js'
import { provideList } from './containers/list.js'
import { provideString } from './containers/string.js'
import { provideVector } from './containers/vector.js'
import { OBJECT_ERRORS } from './generated/abi.js'
import { freeChannel, giveHandles, makeChannel, takeHandles } from './heap/channels.js'
import { evictOwn, evictRole } from './heap/eviction.js'
import { format } from './heap/format.js'
import { provideObjects } from './heap/heap-object.js'
import { provideJoin } from './heap/member.js'
import * as names from './heap/names.js'
import { relay } from './loop/dispatcher.js'
import { provideMap } from './map/map.js'
import { provideMutex } from './mutex/mutex.js'
import { providePool } from './pools/shared-memory-pool.js'
import { provideQueues } from './queues/provide.js'
import { provideSharedObject } from './record/shared-object.js'
import { provideSharedStructArray } from './record/struct-array.js'
import { heapPart } from './region/parts.js'
import { Region as AnyRegion } from './region/region.js'
import { provideBarrier } from './sync/barrier.js'
import { provideCondition } from './sync/condition.js'
import { provideEvent } from './sync/event.js'
import { provideOnce } from './sync/once.js'
import { provideRwLock } from './sync/rwlock.js'
import { provideSemaphore } from './sync/semaphore.js'
import { provideSpinLock } from './sync/spin-lock.js'
import { provideWaitGroup } from './sync/wait-group.js'

/**
 * Let every region of this thread have its heap and its names, also those that were made before.
 */
export function loadObjects(): void {
  provideErrors(OBJECT_ERRORS)
  heapPart.provide({ ...names, evictOwn, evictRole, format, freeChannel, giveHandles, makeChannel, takeHandles })
  provideJoin((region) => relay(region as AnyRegion))
  provideMutex()
  provideObjects()
  provideSharedObject()
  provideSharedStructArray()
  provideChannels()
  provideString()
  provideVector()
  provideList()
  provideMap()
  providePool()
  provideEvent()
  provideSemaphore()
  provideCondition()
  provideRwLock()
  provideBarrier()
  provideWaitGroup()
  provideOnce()
  provideSpinLock()
  provideQueues()
  provideBroadcast()
  provideSharedChannel()
}

loadObjects()

export {
  type BroadcastPatience,
  type BroadcastPolicy,
  SharedBroadcast,
  SharedBroadcast as BroadcastChannel,
  type SharedBroadcastOptions,
  type SubscribeOptions,
} from './broadcast/broadcast.js'
export { type SelectCase, type Selected, type SelectOptions, select, selectSync } from './channels/select.js'
export { type ChannelPatience, SharedChannel, type SharedChannelOptions } from './channels/shared-channel.js'
export type { Component, ElementArray, ElementType } from './containers/elements.js'
export {
  SharedList,
  type SharedListItem,
  type SharedListMemory,
  type SharedListOptions,
} from './containers/list.js'
export {
  type CachedItem,
  CachedItemList,
  type PointerItem,
  type PointerListConfig,
  SharedPointerList,
} from './containers/pointer-list.js'
export { SharedString } from './containers/string.js'
export { SharedVector, type SharedVectorOptions } from './containers/vector.js'
export { AllocatedMemory, type HeapArray, type HeapArrayType } from './heap/allocated-memory.js'
export type { Heap, HeapBlock } from './heap/heap.js'
export { type Forgotten, type ObjectHome, type SharedObjectMemory, warnForgotten } from './heap/heap-object.js'
export type { HeapStats } from './heap/member.js'
export { createPointer, getPointer, type SharedAllocatedMemory } from './heap/pointer.js'
export type { RawHeap } from './heap/raw-heap.js'
export { type BufferHeader, type BufferMemory, SharedMemoryBuffer } from './manager/buffer.js'
export { type BufferLeak, type SharedMemoryConfig, SharedMemoryManager } from './manager/manager.js'
export { ConcurrentHashMap, type ConcurrentHashMapOptions } from './map/concurrent.js'
export { type MapHome, type MapNumeric, type SetOptions, SharedMap, type SharedMapOptions } from './map/map.js'
export type { MapKey } from './map/values.js'
export { Lock, type LockOptions, Mutex } from './mutex/mutex.js'
export { BufferPool } from './pools/buffer-pool.js'
export { MemoryPool, type MemoryPoolConfig, type MemoryPoolStats } from './pools/memory-pool.js'
export { ObjectLease, ObjectPool, type ObjectPoolConfig } from './pools/object-pool.js'
export { type AcquireOptions, PoolBlock, type PoolBlockMemory } from './pools/pool-block.js'
export {
  SharedMemoryPool,
  type SharedMemoryPoolOptions,
  type SharedMemoryPoolStats,
} from './pools/shared-memory-pool.js'
export { ImmediateQueue, LockFreeQueue, RingBufferChannel } from './queues/lock-free.js'
export { Delivery, MultiProducerQueue, type MultiProducerQueueOptions } from './queues/multi-producer.js'
export type { QueueHome } from './queues/place.js'
export { PriorityQueue, type PriorityQueueOptions } from './queues/priority.js'
export { type QueueOptions, type QueueWaitOptions, SharedQueue } from './queues/queue.js'
export type {
  FieldCopies,
  FieldInputs,
  Fields,
  FieldType,
  FieldValue,
  ObjectDefinition,
} from './record/definition.js'
export type { Draft, DraftNumbers } from './record/draft.js'
export {
  addFloat32,
  addFloat64,
  convertFloat32ToInt32,
  convertInt32ToFloat32,
  exchangeFloat32,
  type Float32Words,
  type Float64Words,
  loadFloat32,
  storeFloat32,
} from './record/float-atomics.js'
export type { StructLayout } from './record/layout.js'
export {
  createObjectFromMemory,
  createObjectFromPointer,
  type SerializableValue,
  serializeObjectToMemory,
} from './record/serialize.js'
export { defineObject, SharedObject, type SharedObjectClass, type SharedObjectOptions } from './record/shared-object.js'
export {
  SharedStructArray,
  type SharedStructArrayOptions,
  type StridedColumn,
  type StructArrayDraft,
  type StructRow,
} from './record/struct-array.js'
export { MemoryHeap, type MemoryHeapConfig, type MemoryHeapMemory } from './region/memory-heap.js'
export type { OwnedMemory } from './region/own.js'
export { type AtomicArray, SharedMemoryAtomics } from './sync/atomics.js'
export { SharedBarrier, type SharedBarrierOptions } from './sync/barrier.js'
export { SharedCondition } from './sync/condition.js'
export { SharedEvent, type SharedEventOptions } from './sync/event.js'
export { SharedOnce } from './sync/once.js'
export { ReadLock, SharedRwLock, WriteLock } from './sync/rwlock.js'
export { Permit, SharedSemaphore, type SharedSemaphoreOptions } from './sync/semaphore.js'
export { SharedSpinLock, SpinHold, SpinLock } from './sync/spin-lock.js'
export type { BlockOptions, SharedPlace, WaitingOptions } from './sync/sync-object.js'
export { SharedWaitGroup, type SharedWaitGroupOptions, WaitGroupPart } from './sync/wait-group.js'

/** A variable of this file: importing it must load the heap, which `region.heap` gives. */
export const Region = AnyRegion
export type Region = AnyRegion
export type { RunOptions, SharedPoolOptions } from './tasks/options.js'
export { serveTasks, type Task, type TaskFunction } from './tasks/serve.js'
export { SharedPool } from './tasks/shared-pool.js'
