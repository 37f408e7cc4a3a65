// How queues are found by names: which class opens one, and which blocks it owns.
import { type HeapObject, type ObjectHome, provideObject } from '../heap/heap-object.js'
import type { HeapMember } from '../heap/member.js'
import type { OwnedMemory } from '../region/own.js'
import { QueueAttachment } from './attachment.js'

/** Let queues of a class have names in the directory. */
export function provideQueue(
  type: number,
  name: string,
  open: (home: ObjectHome, memory: OwnedMemory) => HeapObject,
): void {
  provideObject<HeapObject>({
    type,
    name,
    open: (heap, shared) => open(heap, shared),
    blocks: blocksOf,
  })
}

/** The pointers of all blocks that the queue at `pointer` owns. */
function* blocksOf(member: HeapMember, pointer: number): Generator<number, void, undefined> {
  const attachment = new QueueAttachment(member)
  const { core, handle } = member
  try {
    if (core.sw_queue_open(attachment.at, handle, pointer, 0) !== 0) return
    for (let i = 0; ; i++) {
      const block = core.sw_queue_block(attachment.at, handle, i) >>> 0
      if (block === 0) return
      yield block
    }
  } finally {
    attachment.leave()
  }
}
