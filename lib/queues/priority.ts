// The queue from which the most urgent value is taken first: see native/core/queue/sorted.c.
import * as check from '../base/check.js'
import type { OpeningOptions } from '../codec/options.js'
import { SW_QUEUE_LEVELS, SW_QUEUE_SORTED, SW_TYPE_PRIORITY_QUEUE } from '../generated/abi.js'
import { NOTHING } from '../loop/block.js'
import type { QueueHome } from './place.js'
import { QUEUE_OPTIONS, type QueueOptions, type QueueShape, type QueueWaitOptions, SharedQueue } from './queue.js'

export interface PriorityQueueOptions extends QueueOptions {
  /**
   * With so many levels, up to 64, priorities are integers from 0 to `levels - 1`, each level has
   * room for `capacity` values, and no call waits for another participant. Without it, priorities
   * are any numbers, and calls take turns.
   */
  levels?: number
}

/**
 * A queue from which values of the highest priority are taken first, and those of the same priority
 * in the order in which they came. For threads of any process.
 */
export class PriorityQueue<T = unknown> extends SharedQueue<T> {
  /** As that of LockFreeQueue. */
  constructor(home: QueueHome, given?: Partial<PriorityQueueOptions> | object | number, open?: OpeningOptions) {
    super(home, given, shapeOf, open)
  }

  /**
   * Put a value, as soon as there is room. Errors: ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_INVALID_TYPE: the priority; as MultiProducerQueue.enqueue.
   */
  enqueue(value: T, priority: number, options?: QueueWaitOptions): Promise<void> {
    return this.wait(1, () => (this.#put(value, priority) ? undefined : NOTHING), options)
  }

  /** As `dequeueAsync`. */
  dequeue(options?: QueueWaitOptions): Promise<T> {
    return this.dequeueAsync(options)
  }

  /** Put a value, where there is room: else false. Errors: as `enqueue`. */
  tryEnqueue(value: T, priority: number): boolean {
    return this.#put(value, priority)
  }

  /** Block this thread until there was room. Errors: as `enqueue`; ERR_SABWAY_INVALID_STATE. */
  enqueueSync(value: T, priority: number, options?: { timeout?: number }): void {
    this.block(1, () => (this.#put(value, priority) ? undefined : NOTHING), options)
  }

  /**
   * Put pairs of a value and its priority until there is no room: how many. Errors: as `enqueue`.
   */
  enqueueBatch(values: Iterable<readonly [value: T, priority: number]>): number {
    return check.taken(values, 'values', (pair) => {
      const [value, priority] = check.array(pair, 'a value and its priority') as readonly [T, number]
      return this.#put(value, priority)
    })
  }

  #put(value: T, priority: number): boolean {
    if (typeof priority !== 'number') check.refuse('ERR_SABWAY_INVALID_TYPE', 'priority must be a number', priority)
    if ((this.flags & SW_QUEUE_SORTED) === 0) check.integer(priority, 'priority', 0, SW_QUEUE_LEVELS - 1)
    if (Number.isNaN(priority)) check.refuse('ERR_SABWAY_OUT_OF_RANGE', 'priority must not be NaN', priority)
    return this.put(value, priority)
  }
}

function shapeOf(given: object | undefined): QueueShape {
  const { levels } = check.options(given as PriorityQueueOptions | undefined, 'queue options', [
    ...QUEUE_OPTIONS,
    'levels',
  ])
  if (levels !== undefined) check.integer(levels, 'levels', 1, SW_QUEUE_LEVELS)
  const flags = levels === undefined ? SW_QUEUE_SORTED : 0
  return { type: SW_TYPE_PRIORITY_QUEUE, name: 'priority queue', flags, levels: levels ?? 0 }
}
