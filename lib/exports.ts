// What every entry point exports but sabway/bytes. Each of them calls loadParts, too.

export { ChannelPort, type ChannelPortEventMap } from './channel/port.js'
export * from './exports-bytes.js'
export {
  AllocatedMemory,
  ConcurrentHashMap,
  type ConcurrentHashMapOptions,
  createPointer,
  type Forgotten,
  getPointer,
  type Heap,
  type HeapArray,
  type HeapArrayType,
  type HeapBlock,
  type HeapStats,
  Lock,
  type LockOptions,
  type MapKey,
  type MapNumeric,
  MemoryHeap,
  type MemoryHeapConfig,
  type MemoryHeapMemory,
  Mutex,
  type ObjectHome,
  type RawHeap,
  Region,
  type SetOptions,
  type SharedAllocatedMemory,
  SharedMap,
  type SharedMapOptions,
  type SharedObjectMemory,
  warnForgotten,
} from './objects.js'
