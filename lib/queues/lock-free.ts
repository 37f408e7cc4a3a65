// Queues whose calls never wait: see queue.ts.

import * as check from '../base/check.js'
import type { OpeningOptions } from '../codec/options.js'
import { SW_TYPE_RING_QUEUE, SW_TYPE_SINGLE_QUEUE } from '../generated/abi.js'
import { NOTHING } from '../loop/block.js'
import type { QueueHome } from './place.js'
import { QUEUE_OPTIONS, type QueueOptions, type QueueShape, type QueueWaitOptions, SharedQueue } from './queue.js'

/** A queue in which `enqueue` and `dequeue` return at once. */
export abstract class ImmediateQueue<T> extends SharedQueue<T> {
  /**
   * Put a value at the end: false, when there is no room. Never waits. Errors: ERR_SABWAY_CLOSED,
   * ERR_SABWAY_FREED; ERR_SABWAY_HEAP_FULL; ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_NOT_ENCODABLE: the
   * value; of a LockFreeQueue ERR_SABWAY_SIDE_TAKEN: another thread puts its values.
   */
  enqueue(value: T): boolean {
    return this.put(value)
  }

  /** The same. */
  tryEnqueue(value: T): boolean {
    return this.put(value)
  }

  /** As `tryDequeue`. */
  dequeue(): T | undefined {
    return this.tryDequeue()
  }

  /** Put values until there is no room: how many. Errors: as `enqueue`. */
  enqueueBatch(values: Iterable<T>): number {
    return check.taken(values, 'values', (value) => this.put(value))
  }

  /**
   * Put a value as soon as there is room. Errors: as `enqueue`; ERR_SABWAY_TIMEOUT,
   * ERR_SABWAY_ABORTED, ERR_SABWAY_UNSUPPORTED.
   */
  enqueueAsync(value: T, options?: QueueWaitOptions): Promise<void> {
    return this.wait(1, () => (this.put(value) ? undefined : NOTHING), options)
  }

  /**
   * Block this thread until there was room. Errors: as `enqueueAsync`;
   * ERR_SABWAY_INVALID_STATE.
   */
  enqueueSync(value: T, options?: { timeout?: number }): void {
    this.block(1, () => (this.put(value) ? undefined : NOTHING), options)
  }
}

const shapeOf =
  (type: number, name: string) =>
  (options: object | undefined): QueueShape => {
    if (options !== undefined) check.options(options, `${name} options`, QUEUE_OPTIONS as never)
    return { type, name, flags: 0, levels: 0 }
  }

/**
 * A queue of one producer and one consumer: two threads of any processes, or one that is both. The
 * first thread that puts a value is its producer, and the first that takes one its consumer, until
 * they end or call `leave`; then others may follow.
 */
export class LockFreeQueue<T = unknown> extends ImmediateQueue<T> {
  /**
   * `new LockFreeQueue(capacity)` has a region of its own; `new LockFreeQueue(heap, { capacity })`
   * is in a heap. `new LockFreeQueue(heap, memory, open)`, or of a queue with its own region
   * `new LockFreeQueue(memory, open)`, is the queue whose getSharedMemory() gave that; `open` has
   * the codec, the key and so on, where those are not found by a name. Errors: as Heap.alloc,
   * Region.create and codecOf; ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE; ERR_SABWAY_FREED,
   * ERR_SABWAY_OTHER_KIND, ERR_SABWAY_WILD_POINTER.
   */
  constructor(home: QueueHome, given?: Partial<QueueOptions> | object | number, open?: OpeningOptions) {
    super(home, given, shapeOf(SW_TYPE_SINGLE_QUEUE, 'lock-free queue'), open)
  }

  /** This thread is no producer or consumer any more: another may follow. */
  leave(): void {
    const { member, attachment } = this
    member.mustBeOpen()
    member.core.sw_queue_close_handle(attachment.at, member.handle)
    const status = member.core.sw_queue_open(attachment.at, member.handle, this.pointer, this.generation)
    if (status !== 0) throw this.error(status)
  }
}

/** A channel over a ring of values: any number of threads put and take, and none of them waits. */
export class RingBufferChannel<T = unknown> extends ImmediateQueue<T> {
  /** As that of LockFreeQueue. */
  constructor(home: QueueHome, given?: Partial<QueueOptions> | object | number, open?: OpeningOptions) {
    super(home, given, shapeOf(SW_TYPE_RING_QUEUE, 'ring buffer channel'), open)
  }
}
