// The public class of channels in Go's sense: a queue of values, and select over several.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { needLoop } from '../base/host.js'
import { CODING_OPTIONS, type CodingOptions, type OpeningOptions } from '../codec/options.js'
import { SW_QUEUE_MOST, SW_TYPE_CHANNEL } from '../generated/abi.js'
import { isShared } from '../heap/heap-object.js'
import { NOTHING } from '../loop/block.js'
import { WaitSet } from '../loop/waits.js'
import { provideQueueHandles } from '../queues/attachment.js'
import { isHome } from '../queues/home.js'
import { provideQueue } from '../queues/naming.js'
import type { QueueHome } from '../queues/place.js'
import { END, type QueueShape, SharedQueue } from '../queues/queue.js'
import type { Region } from '../region/region.js'
import { type Attempt, Meeting, type Selected, tryAll } from './meeting.js'
import { type Awaited, sourceOf } from './waiting.js'

const USUAL_CAPACITY = 64
const NAMES = ['capacity', 'maxMessages', 'bufferSize', 'enableBatching', ...CODING_OPTIONS] as const
const SHAPE: QueueShape = { type: SW_TYPE_CHANNEL, name: 'channel', flags: 0, levels: 0, least: 0 }

/**
 * How a channel is made. `codec` is for values that are no number, bigint, boolean, string, null,
 * typed array or DataView: 'structured' by default. All participants use the same; 'structured',
 * 'msgpack' and 'v8' are found by those that open the channel.
 */
export interface SharedChannelOptions extends CodingOptions<never> {
  /**
   * How many values wait in it, before `send` waits: up to 1,048,576; 64 by default. With 0 it is
   * unbuffered: `send` waits until its value was received.
   */
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
 * A channel in Go's sense, with room for a number of values or for none: any number of threads of
 * any processes send and receive; each value is received once, and those of one sender in their
 * order. A participant that ends in a call has sent its value or not, and received one or not.
 *
 * With a capacity of 0 a value passes from a sender to a receiver that is there: `send` is done
 * when a receiver has taken its value, `trySend` succeeds where a receiver waits, and
 * `tryReceive` where a sender does. The value is the receiver's from then on: a receiver that
 * ends before its code has seen it takes it along. What a sender that has ended was still
 * offering is received once or never.
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
   * ERR_SABWAY_OUT_OF_RANGE; ERR_SABWAY_FREED, ERR_SABWAY_OTHER_KIND, ERR_SABWAY_WILD_POINTER.
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
      0,
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
   * Send a value, as soon as there is room, or of an unbuffered channel until it was received;
   * calls of one thread are served in their order. Errors:
   * ERR_SABWAY_CLOSED: the channel was closed; ERR_SABWAY_FREED, ERR_SABWAY_HEAP_FULL,
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_NOT_ENCODABLE, ERR_SABWAY_CORRUPT; ERR_SABWAY_TIMEOUT,
   * ERR_SABWAY_ABORTED, ERR_SABWAY_UNSUPPORTED: no event loop.
   */
  async send(data: T, options?: ChannelPatience): Promise<void> {
    if (this.isUnbuffered) await this.#meet(true, data, options)
    else await this.#wait<true>(this.room, () => this.trySend(data) || NOTHING, options, 'had no room')
  }

  /** As `send`; false where that would wait. Errors: as `send`. */
  trySend(data: T): boolean {
    return this.put(data)
  }

  /** As `send`, blocking this thread. Errors: as `send`; ERR_SABWAY_INVALID_STATE. */
  sendSync(data: T, options?: { timeout?: number }): void {
    if (this.isUnbuffered) this.#meetSync(true, data, options)
    else this.#block<true>(this.room, () => this.trySend(data) || NOTHING, options, 'had no room')
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
    const taken = await this.#receive(options)
    if (taken === END) throw this.closedError()
    return taken
  }

  /** The next value, or undefined where `receive` would wait. Errors: as `receive`. */
  tryReceive(): T | undefined {
    const taken = this.takeOrThrow()
    return taken === NOTHING ? undefined : taken
  }

  /** As `receive`, blocking this thread. Errors: as `receive`; ERR_SABWAY_INVALID_STATE. */
  receiveSync(options?: { timeout?: number }): T {
    if (!this.isUnbuffered) return this.#block<T>(this.values, () => this.takeOrThrow(), options, 'had no value')
    const { value, done } = this.#meetSync(false, undefined, options)
    if (done) throw this.closedError()
    return value as T
  }

  /**
   * Up to `count` values: those that are there, as soon as there is one; none at the end of a
   * channel that was closed. Errors: ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_INVALID_TYPE; as
   * `receive`.
   */
  async receiveBatch(count: number, options?: ChannelPatience): Promise<T[]> {
    check.integer(count, 'count', 1, SW_QUEUE_MOST)
    const first = await this.#receive(options)
    return first === END ? [] : [first, ...this.dequeueBatch(count - 1)]
  }

  /** The values, up to the end of a channel that was closed. Errors: as `receive`. */
  override async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const taken = await this.#receive()
      if (taken === END) return
      yield taken
    }
  }

  /** How many values are there, at the moment. Errors: ERR_SABWAY_CLOSED: the region is. */
  getLength(): number {
    return this.getSize()
  }

  /** Does a value pass only from a sender to a receiver that is there? */
  get isUnbuffered(): boolean {
    return this.getCapacity() === 0
  }

  // ---- for select ----

  /** @internal A send of that value, or a receive. */
  attemptOf(sends: boolean, value?: T): Attempt<T> {
    const { core, hot, handle } = this.member
    const { at } = this.attachment
    return {
      thing: sends ? this.room : this.values,
      set: this.#set,
      member: this.member,
      unbuffered: this.isUnbuffered,
      sends,
      at,
      attempt: () => {
        if (sends) return this.trySend(value as T) ? SENT : NOTHING
        const taken = this.takeOrEnd()
        return taken === NOTHING ? NOTHING : taken === END ? { done: true } : { value: taken, done: false }
      },
      mayBe: () => (sends ? hot.sw_queue_has_room(at, handle, 0) : core.sw_queue_has_news(at, handle)) !== 0,
      pack: () => this.pack(value as T),
      unpack: (word) => this.unpack(word),
      failure: (status) => this.failure(status),
    }
  }

  /** @internal Of the region. */
  get waitSet(): WaitSet {
    return this.#set
  }

  /** @internal Is it a channel of this copy of the library? */
  static isChannel(value: object): value is SharedChannel {
    return #set in value
  }

  /** The next value, or END. */
  async #receive(options?: ChannelPatience): Promise<T | typeof END> {
    if (!this.isUnbuffered)
      return this.#wait<T | typeof END>(this.values, () => this.takeOrEnd(), options, 'had no value')
    const { value, done } = await this.#meet(false, undefined, options)
    return done ? END : (value as T)
  }

  /** Of an unbuffered channel: send or receive. */
  async #meet(sends: boolean, data: T | undefined, options: ChannelPatience | undefined): Promise<Selected<T>> {
    const attempt = this.attemptOf(sends, data)
    const { key } = attempt.thing
    const patience = check.patience(options, 'wait options')
    const call = {
      ...patience,
      source: sourceOf(this.#set, [attempt.thing]),
      take: () => tryAll([attempt]),
      timedOut: (timeout: number) => late(sends ? NO_RECEIVER : NO_SENDER, timeout),
    }
    if (patience.timeout === 0 || patience.signal?.aborted) return this.#set.wait<Selected<T>>(key, call)
    needLoop()
    const meeting = new Meeting([attempt])
    try {
      return await this.#set.wait<Selected<T>>(key, {
        ...call,
        take: () => meeting.take(),
        last: () => meeting.last(),
      })
    } finally {
      meeting.end()
    }
  }

  #meetSync(sends: boolean, data: T | undefined, options: { timeout?: number } | undefined): Selected<T> {
    const { timeout = Number.POSITIVE_INFINITY } = check.options(options, 'wait options', ['timeout'])
    check.milliseconds(timeout, 'timeout')
    const attempt = this.attemptOf(sends, data)
    const { key } = attempt.thing
    const source = sourceOf(this.#set, [attempt.thing])
    const meeting = timeout === 0 ? null : new Meeting([attempt])
    try {
      const take = meeting === null ? () => tryAll([attempt]) : () => meeting.take()
      let taken = this.#set.block<Selected<T>>(key, source, take, timeout)
      if (taken === NOTHING && meeting !== null) taken = meeting.last()
      if (taken === NOTHING) throw late(sends ? NO_RECEIVER : NO_SENDER, timeout)
      return taken
    } finally {
      meeting?.end()
    }
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

const NO_RECEIVER = 'had no receiver'
const NO_SENDER = 'had no sender'
const SENT = { done: false }

const late = (why: string, timeout: number): SabwayError =>
  new SabwayError('ERR_SABWAY_TIMEOUT', `the channel ${why} within ${timeout} ms`)

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE. */
function settled(given: SharedChannelOptions | undefined): { capacity: number; coding: CodingOptions<never> } {
  const options = check.options(given, 'channel options', NAMES)
  const { capacity, maxMessages, bufferSize, enableBatching: _, ...coding } = options
  if (bufferSize !== undefined) check.integer(bufferSize, 'bufferSize', 0, Number.MAX_SAFE_INTEGER)
  const asked = capacity ?? maxMessages ?? USUAL_CAPACITY
  check.integer(asked, capacity === undefined ? 'maxMessages' : 'capacity', 0, SW_QUEUE_MOST)
  return { capacity: asked, coding }
}

/** Let channels have names in the directory. */
export function provideSharedChannel(): void {
  provideQueueHandles()
  provideQueue(SW_TYPE_CHANNEL, 'channel of values', (home, memory) => new SharedChannel(home, memory))
}
