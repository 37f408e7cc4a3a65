// What every entry point exports but sabway/bytes. Each of them calls loadParts, too.

export { ChannelPort, type ChannelPortEventMap } from './channel/port.js'
export * from './exports-bytes.js'
export { AllocatedMemory, type HeapArray, type HeapArrayType } from './heap/allocated-memory.js'
export type { Heap, HeapBlock } from './heap/heap.js'
export type { HeapStats } from './heap/member.js'
export { createPointer, getPointer, type SharedAllocatedMemory } from './heap/pointer.js'
export type { RawHeap } from './heap/raw-heap.js'
export { Lock, type LockOptions, Mutex } from './mutex/mutex.js'
export { MemoryHeap, type MemoryHeapConfig, type MemoryHeapMemory } from './region/memory-heap.js'
