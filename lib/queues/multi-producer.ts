// The queue of any number of producers and consumers, and what it hands out where values are
// acknowledged: see native/core/queue/ack.c.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import type { OpeningOptions } from '../codec/options.js'
import { SW_QUEUE_ACK, SW_TYPE_QUEUE } from '../generated/abi.js'
import { NOTHING } from '../loop/block.js'
import type { QueueHome } from './place.js'
import {
  END,
  QUEUE_OPTIONS,
  type QueueOptions,
  type QueueShape,
  type QueueWaitOptions,
  SharedQueue,
  type Taken,
} from './queue.js'

export interface MultiProducerQueueOptions extends QueueOptions {
  /**
   * With 'ack' a value that was received stays the queue's until it is acknowledged: when its
   * consumer ends before that, another one gets it. 'at-most-once' by default.
   */
  delivery?: 'at-most-once' | 'ack'
}

/** A value that was received, and is to be acknowledged. */
export class Delivery<T> {
  readonly value: T
  /** How often the value was delivered, this time included. */
  readonly deliveries: number
  readonly #settle: (done: boolean) => boolean
  #over = false

  /** @internal */
  constructor(value: T, deliveries: number, settle: (done: boolean) => boolean) {
    this.value = value
    this.deliveries = deliveries
    this.#settle = settle
  }

  /**
   * It is done with. Errors: ERR_SABWAY_INVALID_STATE: it was settled before, or given to another
   * consumer, because this thread was taken for dead; ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  ack(): void {
    this.#end(true)
  }

  /** Let another consumer have it, before all other values. Errors: as `ack`. */
  nack(): void {
    this.#end(false)
  }

  /** `nack`, where it was not settled. */
  [Symbol.dispose](): void {
    if (!this.#over) this.nack()
  }

  get [Symbol.toStringTag](): string {
    return 'Delivery'
  }

  #end(done: boolean): void {
    if (this.#over) throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'this delivery was settled before')
    this.#over = true
    if (!this.#settle(done))
      throw new SabwayError(
        'ERR_SABWAY_INVALID_STATE',
        'another consumer has this value: this thread was taken for dead',
      )
  }
}

/**
 * A queue for any number of producers and consumers, threads of any processes. Values come out in
 * the order in which they went in; none waits for another participant, and one that ends in a call
 * leaves the queue whole.
 */
export class MultiProducerQueue<T = unknown> extends SharedQueue<T> {
  /** As that of LockFreeQueue. */
  constructor(home: QueueHome, given?: Partial<MultiProducerQueueOptions> | object | number, open?: OpeningOptions) {
    super(home, given, shapeOf, open)
  }

  /**
   * Put a value at the end, as soon as there is room. Errors: ERR_SABWAY_CLOSED, ERR_SABWAY_FREED,
   * ERR_SABWAY_HEAP_FULL, ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_NOT_ENCODABLE; ERR_SABWAY_TIMEOUT,
   * ERR_SABWAY_ABORTED, ERR_SABWAY_UNSUPPORTED: no event loop.
   */
  enqueue(value: T, options?: QueueWaitOptions): Promise<void> {
    return this.wait(1, () => (this.put(value) ? undefined : NOTHING), options)
  }

  /** As `dequeueAsync`. */
  dequeue(options?: QueueWaitOptions): Promise<T> {
    return this.dequeueAsync(options)
  }

  /** Put a value, where there is room: else false. Never waits. Errors: as `enqueue`. */
  tryEnqueue(value: T): boolean {
    return this.put(value)
  }

  /** Block this thread until there was room. Errors: as `enqueue`; ERR_SABWAY_INVALID_STATE. */
  enqueueSync(value: T, options?: { timeout?: number }): void {
    this.block(1, () => (this.put(value) ? undefined : NOTHING), options)
  }

  /** Put values until there is no room: how many. Errors: as `enqueue`. */
  enqueueBatch(values: Iterable<T>): number {
    return check.taken(values, 'values', (value) => this.put(value))
  }

  // ---- values that are acknowledged ----

  /** How values are handed out, by the one that made the queue. */
  get delivery(): 'at-most-once' | 'ack' {
    return (this.flags & SW_QUEUE_ACK) === 0 ? 'at-most-once' : 'ack'
  }

  /**
   * The first value, to be acknowledged; null when there is none. Errors: as `tryDequeue`;
   * ERR_SABWAY_INVALID_STATE: the queue was made without delivery: 'ack'.
   */
  tryReceive(): Delivery<T> | null {
    this.#mustAcknowledge()
    const taken = this.takeCell()
    return taken === NOTHING || taken === END ? null : this.#delivery(taken)
  }

  /** The same, as soon as there is one. Errors: as `tryReceive` and `dequeueAsync`. */
  receive(options?: QueueWaitOptions): Promise<Delivery<T>> {
    return this.wait(
      0,
      () => {
        this.#mustAcknowledge()
        const taken = this.takeCell()
        if (taken === END) throw this.closedError()
        return taken === NOTHING ? NOTHING : this.#delivery(taken)
      },
      options,
    )
  }

  /**
   * The values, each taken, up to the end of a queue that is closed. With delivery: 'ack' a value
   * is acknowledged when the next one is asked for; the one at which the loop is left, by `break`
   * or an error, is delivered again. Errors: as `dequeueAsync`.
   */
  override async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    if ((this.flags & SW_QUEUE_ACK) === 0) return yield* super[Symbol.asyncIterator]()
    for (;;) {
      const taken = await this.wait(0, () => this.takeCell())
      if (taken === END) return
      const delivery = this.#delivery(taken as Taken<T>)
      try {
        yield delivery.value
        delivery.ack()
      } finally {
        delivery[Symbol.dispose]()
      }
    }
  }

  #mustAcknowledge(): void {
    if ((this.flags & SW_QUEUE_ACK) === 0)
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', "the queue was made without delivery: 'ack'")
  }

  #delivery({ value, cell }: Taken<T>): Delivery<T> {
    const { member, attachment } = this
    const { core, handle } = member
    const deliveries = core.sw_queue_deliveries(attachment.at, handle, cell) >>> 0
    return new Delivery(value, deliveries, (done) => {
      const status = this.call(() =>
        done ? core.sw_queue_ack(attachment.at, handle, cell) : core.sw_queue_nack(attachment.at, handle, cell),
      )
      if (status < 0) throw this.error(status)
      this.nudge()
      return status === 1
    })
  }
}

function shapeOf(given: object | undefined): QueueShape {
  const { delivery = 'at-most-once' } = check.options(given as MultiProducerQueueOptions | undefined, 'queue options', [
    ...QUEUE_OPTIONS,
    'delivery',
  ])
  check.oneOf(delivery, 'delivery', ['at-most-once', 'ack'])
  return {
    type: SW_TYPE_QUEUE,
    name: 'multi-producer queue',
    flags: delivery === 'ack' ? SW_QUEUE_ACK : 0,
    levels: 0,
  }
}
