// What the library must know of queues before one is opened by name.
import { SW_TYPE_PRIORITY_QUEUE, SW_TYPE_QUEUE, SW_TYPE_RING_QUEUE, SW_TYPE_SINGLE_QUEUE } from '../generated/abi.js'
import { provideQueueHandles } from './attachment.js'
import { LockFreeQueue, RingBufferChannel } from './lock-free.js'
import { MultiProducerQueue } from './multi-producer.js'
import { provideQueue } from './naming.js'
import { PriorityQueue } from './priority.js'

/** Let queues have names in the directory. */
export function provideQueues(): void {
  provideQueueHandles()
  provideQueue(SW_TYPE_QUEUE, 'multi-producer queue', (home, memory) => new MultiProducerQueue(home, memory))
  provideQueue(SW_TYPE_SINGLE_QUEUE, 'lock-free queue', (home, memory) => new LockFreeQueue(home, memory))
  provideQueue(SW_TYPE_PRIORITY_QUEUE, 'priority queue', (home, memory) => new PriorityQueue(home, memory))
  provideQueue(SW_TYPE_RING_QUEUE, 'ring buffer channel', (home, memory) => new RingBufferChannel(home, memory))
}
