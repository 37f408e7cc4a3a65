// The public class of channels in Go's sense: a queue of values, and select over several.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { CODING_OPTIONS, type CodingOptions, type OpeningOptions } from '../codec/options.js'
import { SW_QUEUE_MOST, SW_TYPE_CHANNEL } from '../generated/abi.js'
import { isShared } from '../heap/heap-object.js'
import { NOTHING } from '../loop/block.js'
import { WaitSet } from '../loop/waits.js'
import { provideQueueHandles } from '../queues/attachment.js'
import { isHome } from '../queues/home.js'
import type { QueueHome } from '../queues/place.js'
import { END, provideQueue, type QueueShape, SharedQueue } from '../queues/queue.js'
import type { Region } from '../region/region.js'
import { type Awaited, sourceOf } from './waiting.js'

const USUAL_CAPACITY = 64
const NAMES = ['capacity', 'maxMessages', 'bufferSize', 'enableBatching', ...CODING_OPTIONS] as const
const SHAPE: QueueShape = { type: SW_TYPE_CHANNEL, name: 'channel', flags: 0, levels: 0 }

/**
 * How a channel is made. `codec` is for values that are no number, bigint, boolean, string, null,
 * typed array or DataView: 'structured' by default. All participants use the same; 'structured',
 * 'msgpack' and 'v8' are found by those that open the channel.
 */
export interface SharedChannelOptions extends CodingOptions<never> {
  /** How many values wait in it, before `send` waits: from 1 to 1,048,576; 64 by default. */
  capacity?: number
  /** The same, by another name. */
  maxMessages?: number
  /**
   * Bytes that are expected at once. A hint that nothing follows from: values take the room that
   * they need, in the heap.
   */
  bufferSize?: number
  /** A hint that nothing follows from: sendBatch and receiveBatch are always there. */
  enableBatching?: boolean
}

/** How a call waits, and what ends the waiting. */
export type ChannelPatience = check.Patience

/**
 * A channel in Go's sense, with room for a number of values: any number of threads of any processes
 * send and receive; each value is received once, and those of one sender in their order. A
 * participant that ends in a call has sent its value or not, and received one or not.
 */
export class SharedChannel<T = unknown> extends SharedQueue<T> {
  readonly #set: WaitSet
  /** @internal What `receive` and `send` wait for. */ readonly values: Awaited
  /** @internal */ readonly room: Awaited

  /**
   * `new SharedChannel(options)` has a region of its own; `new SharedChannel(heap, options)` is in
   * a heap. `new SharedChannel(heap, memory, open)`, or of a channel with its own region `new
   * SharedChannel(memory, open)`, is the channel whose getSharedMemory() gave that; `open` as that
   * of a LockFreeQueue. Errors: as Heap.alloc, Region.create and codecOf; ERR_SABWAY_INVALID_TYPE,
   * ERR_SABWAY_OUT_OF_RANGE; ERR_SABWAY_UNSUPPORTED: a capacity of 0, which would be a channel
   * whose sender waits for its receiver; ERR_SABWAY_FREED, ERR_SABWAY_OTHER_KIND,
   * ERR_SABWAY_WILD_POINTER.
   */
  constructor(
    home?: QueueHome | SharedChannelOptions,
    given?: SharedChannelOptions | object | number,
    open?: OpeningOptions,
  ) {
    const alone = !isHome(home)
    const asked = alone ? home : given
    const options = isShared(asked) ? undefined : settled(asked as SharedChannelOptions)
    const inRegion = alone && options !== undefined
    super(
      inRegion ? options.capacity : (home as QueueHome),
      inRegion ? options.coding : options === undefined ? given : { ...options.coding, capacity: options.capacity },
      () => SHAPE,
      open,
    )
    const { member, attachment, pointer, generation } = this
    const { core, handle } = member
    this.#set = WaitSet.of(member.region as Region)
    const awaited = (room: 0 | 1): Awaited => ({
      key: `${pointer}:${generation}:${room}`,
      begin: () => core.sw_queue_begin_wait(attachment.at, handle, room),
      end: () => core.sw_queue_end_wait(attachment.at, handle, room),
    })
    this.values = awaited(0)
    this.room = awaited(1)
  }

  // ---- sending ----

  /**
   * Send a value, as soon as there is room; calls of one thread are served in their order. Errors:
   * ERR_SABWAY_CLOSED: the channel was closed; ERR_SABWAY_FREED, ERR_SABWAY_HEAP_FULL,
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_NOT_ENCODABLE, ERR_SABWAY_CORRUPT; ERR_SABWAY_TIMEOUT,
   * ERR_SABWAY_ABORTED, ERR_SABWAY_UNSUPPORTED: no event loop.
   */
  async send(data: T, options?: ChannelPatience): Promise<void> {
    await this.#wait<true>(this.room, () => this.trySend(data) || NOTHING, options, 'had no room')
  }

  /** As `send`; false where that would wait. Errors: as `send`. */
  trySend(data: T): boolean {
    return this.put(data)
  }

  /** As `send`, blocking this thread. Errors: as `send`; ERR_SABWAY_INVALID_STATE. */
  sendSync(data: T, options?: { timeout?: number }): void {
    this.#block<true>(this.room, () => this.trySend(data) || NOTHING, options, 'had no room')
  }

  /**
   * Send values one after the other. What ends it leaves those behind unsent. Errors: as `send`.
   */
  async sendBatch(data: Iterable<T>, options?: ChannelPatience): Promise<void> {
    for (const value of check.list(data, 'data')) {
      if (this.#set.isWaiting(this.room.key) || !this.trySend(value)) await this.send(value, options)
    }
  }

  // ---- receiving ----

  /**
   * The next value, as soon as there is one; calls of one thread are served in their order. Errors:
   * ERR_SABWAY_CLOSED: the channel was closed, and all was received; ERR_SABWAY_FREED,
   * ERR_SABWAY_NOT_DECODABLE, ERR_SABWAY_CORRUPT; ERR_SABWAY_TIMEOUT, ERR_SABWAY_ABORTED,
   * ERR_SABWAY_UNSUPPORTED: no event loop.
   */
  async receive(options?: ChannelPatience): Promise<T> {
    return this.#wait<T>(this.values, () => this.takeOrThrow(), options, 'had no value')
  }

  /** The next value, or undefined where `receive` would wait. Errors: as `receive`. */
  tryReceive(): T | undefined {
    const taken = this.takeOrThrow()
    return taken === NOTHING ? undefined : taken
  }

  /** As `receive`, blocking this thread. Errors: as `receive`; ERR_SABWAY_INVALID_STATE. */
  receiveSync(options?: { timeout?: number }): T {
    return this.#block<T>(this.values, () => this.takeOrThrow(), options, 'had no value')
  }

  /**
   * Up to `count` values: those that are there, as soon as there is one; none at the end of a
   * channel that was closed. Errors: ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_INVALID_TYPE; as
   * `receive`.
   */
  async receiveBatch(count: number, options?: ChannelPatience): Promise<T[]> {
    check.integer(count, 'count', 1, SW_QUEUE_MOST)
    const first = await this.#wait<T | typeof END>(this.values, () => this.takeOrEnd(), options, 'had no value')
    return first === END ? [] : [first, ...this.dequeueBatch(count - 1)]
  }

  /** The values, up to the end of a channel that was closed. Errors: as `receive`. */
  override async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const taken = await this.#wait<T | typeof END>(this.values, () => this.takeOrEnd(), undefined, '')
      if (taken === END) return
      yield taken
    }
  }

  /** How many values are there, at the moment. Errors: ERR_SABWAY_CLOSED: the region is. */
  getLength(): number {
    return this.getSize()
  }

  // ---- for select ----

  /** @internal */
  attemptReceive(): T | typeof NOTHING | typeof END {
    return this.takeOrEnd()
  }

  /** @internal Of the region. */
  get waitSet(): WaitSet {
    return this.#set
  }

  /** @internal Is it a channel of this copy of the library? */
  static isChannel(value: object): value is SharedChannel {
    return #set in value
  }

  #wait<R>(
    thing: Awaited,
    take: () => R | typeof NOTHING,
    options: ChannelPatience | undefined,
    why: string,
  ): Promise<R> {
    return this.#set.wait<R>(thing.key, {
      ...check.patience(options, 'wait options'),
      source: sourceOf(this.#set, [thing]),
      take,
      timedOut: (timeout) => late(why, timeout),
    })
  }

  #block<R>(thing: Awaited, take: () => R | typeof NOTHING, options: { timeout?: number } | undefined, why: string): R {
    const { timeout = Number.POSITIVE_INFINITY } = check.options(options, 'wait options', ['timeout'])
    check.milliseconds(timeout, 'timeout')
    const taken = this.#set.block<R>(thing.key, sourceOf(this.#set, [thing]), take, timeout)
    if (taken === NOTHING) throw late(why, timeout)
    return taken
  }
}

const late = (why: string, timeout: number): SabwayError =>
  new SabwayError('ERR_SABWAY_TIMEOUT', `the channel ${why} within ${timeout} ms`)

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_UNSUPPORTED. */
function settled(given: SharedChannelOptions | undefined): { capacity: number; coding: CodingOptions<never> } {
  const options = check.options(given, 'channel options', NAMES)
  const { capacity, maxMessages, bufferSize, enableBatching: _, ...coding } = options
  if (bufferSize !== undefined) check.integer(bufferSize, 'bufferSize', 0, Number.MAX_SAFE_INTEGER)
  const asked = capacity ?? maxMessages ?? USUAL_CAPACITY
  check.integer(asked, capacity === undefined ? 'maxMessages' : 'capacity', 0, SW_QUEUE_MOST)
  if (asked !== 0) return { capacity: asked, coding }
  throw new SabwayError(
    'ERR_SABWAY_UNSUPPORTED',
    'a channel without room, whose sender waits for its receiver, is not there yet; one with a capacity of 1 is the nearest',
  )
}

/** Let channels have names in the directory. */
export function provideSharedChannel(): void {
  provideQueueHandles()
  provideQueue(SW_TYPE_CHANNEL, 'channel of values', (home, memory) => new SharedChannel(home, memory))
}
