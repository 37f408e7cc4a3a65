// What every entry point exports but sabway/bytes. Each of them calls loadParts, too.

export { ChannelPort, type ChannelPortEventMap } from './channel/port.js'
export * from './exports-bytes.js'
export {
  AllocatedMemory,
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
  MemoryHeap,
  type MemoryHeapConfig,
  type MemoryHeapMemory,
  Mutex,
  type ObjectHome,
  type RawHeap,
  Region,
  type SharedAllocatedMemory,
  type SharedObjectMemory,
  SharedString,
  warnForgotten,
} from './objects.js'
