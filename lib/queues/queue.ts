// What the classes of queues share: see native/include/sabway/queue.h.
import * as check from '../base/check.js'
import { asCorruptError, coreError, SabwayError } from '../base/errors.js'
import { now as clock } from '../base/host.js'
import { formatFor } from '../channel/parts.js'
import type { Codec, CodecName } from '../codec/codec.js'
import { CODING_OPTIONS, type CodingOptions, codecOf, type OpeningOptions } from '../codec/options.js'
import {
  ERRORS,
  OBJECT_ERRORS,
  SW_QUEUE_ACK,
  SW_QUEUE_MOST,
  SW_WAIT_PATROL_MS,
  sw_heap,
  sw_queue,
} from '../generated/abi.js'
import { HeapObject, isShared } from '../heap/heap-object.js'
import type { HeapMember } from '../heap/member.js'
import { NOTHING } from '../loop/block.js'
import { WaitSet, type WaitSource } from '../loop/waits.js'
import { codecNumber, formatIn } from '../map/format.js'
import { putValue, takeValue, type ValueRules } from '../map/values.js'
import type { OwnedMemory } from '../region/own.js'
import type { Region } from '../region/region.js'
import { attachments, QueueAttachment } from './attachment.js'
import { placeOf, type QueueHome } from './place.js'

const BUSY = OBJECT_ERRORS.ERR_SABWAY_BUSY.number
const CLOSED = ERRORS.ERR_SABWAY_CLOSED.number
const TAKEN = ERRORS.ERR_SABWAY_SIDE_TAKEN.number
const RANGE = ERRORS.ERR_SABWAY_OUT_OF_RANGE.number

/**
 * How a queue is made. `codec` is for values that are no number, bigint, boolean, string, null,
 * typed array or DataView: 'structured' by default. All participants use the same; 'structured',
 * 'msgpack' and 'v8' are found by those that open the queue.
 */
export interface QueueOptions extends CodingOptions<never> {
  /** How many values there is room for. */
  capacity: number
}

/** The names, for check.options. */
export const QUEUE_OPTIONS = ['capacity', ...CODING_OPTIONS] as const satisfies readonly (keyof QueueOptions)[]

/** How long a call waits. */
export interface QueueWaitOptions {
  /** Milliseconds; without it the call waits as long as it takes. */
  timeout?: number
  signal?: AbortSignal
}

/** @internal What a class of queues is to the core. */
export interface QueueShape {
  type: number
  name: string
  flags: number
  levels: number
  /** The least capacity. */
  least?: number
}

/** What was taken, of a queue whose values are acknowledged. */
export interface Taken<T> {
  value: T
  cell: number
}

/** A bounded queue of values, for threads of any process. */
export abstract class SharedQueue<T> extends HeapObject implements AsyncIterable<T> {
  /** @internal */ protected readonly attachment: QueueAttachment
  /** The region that is this queue's alone, or null. `close()` ends this thread's part in it. */
  readonly region: Region | null
  readonly #waits: WaitSet
  readonly #rules: ValueRules
  /** Does each value go through the codec, numbers too? */
  readonly #allCoded: boolean
  readonly #name: string
  readonly #values: WaitSource
  readonly #room: WaitSource
  readonly #key: string
  readonly #single: boolean
  /** When this thread has last looked for dead consumers. */
  #lookedAt = clock()
  /** @internal */ protected readonly flags: number
  readonly #capacity: number

  /** @internal */
  constructor(
    where: QueueHome,
    given: unknown,
    shapeOf: (options: object | undefined) => QueueShape,
    open?: OpeningOptions,
    least = 1,
  ) {
    const place = placeOf(where, given, least, SW_QUEUE_MOST, open)
    const asked = isShared(place.given) ? undefined : (place.given as QueueOptions | undefined)
    let shape: QueueShape
    let codec: CodecName | Codec<never> | undefined
    try {
      shape = shapeOf(asked)
      codec = codecOf<never>({
        ...asked,
        ...check.options(place.open as OpeningOptions | undefined, 'open options', CODING_OPTIONS),
      })
      super(place.home, place.given, shape.type, (member) => make(member, shape, asked, codec))
    } catch (error) {
      place.own?.close()
      throw error
    }
    const { member, pointer, generation } = this
    const word = (field: number) => Atomics.load(member.region.words, (pointer + field) >>> 2) >>> 0
    this.region = place.own
    this.#name = shape.name
    this.#single = shape.name === 'lock-free queue'
    this.flags = word(sw_queue.flags)
    this.#capacity = word(sw_queue.capacity) * Math.max(word(sw_queue.levels), 1)
    this.#rules = { numeric: 0, format: formatIn(word(sw_queue.codec), codec, 'queue') }
    this.#allCoded = this.#rules.format?.takes === 'all'
    this.attachment = new QueueAttachment(member)
    attachments.register(this, this.attachment, this)
    const { at } = this.attachment
    const { core, handle } = member
    const status = core.sw_queue_open(at, handle, pointer, generation)
    if (status !== 0) throw this.error(status)
    this.#waits = WaitSet.of(member.region as Region)
    this.#key = `${pointer}:${generation}:`
    const source = (room: number): WaitSource => ({
      begin: () => {
        core.sw_queue_begin_wait(at, handle, room)
        if (this.flags === SW_QUEUE_ACK) this.#evictDead()
      },
      end: () => core.sw_queue_end_wait(at, handle, room),
    })
    this.#values = source(0)
    this.#room = source(1)
  }

  /** What a process had that was killed comes again: its death rings no participant. */
  #evictDead(): void {
    const now = clock()
    // Half of it: each patrol of a wait looks, also one that is early.
    if (now - this.#lookedAt < SW_WAIT_PATROL_MS / 2) return
    this.#lookedAt = now
    this.member.core.sw_queue_evict_dead(this.attachment.at, this.member.handle)
  }

  // ---- what all queues have ----

  /**
   * Take the first value, or undefined when there is none. Never waits. Errors: ERR_SABWAY_FREED,
   * ERR_SABWAY_CLOSED: the region; ERR_SABWAY_CORRUPT, ERR_SABWAY_NOT_DECODABLE; of a LockFreeQueue
   * ERR_SABWAY_SIDE_TAKEN: another thread takes its values.
   */
  tryDequeue(): T | undefined {
    const taken = this.takeOrEnd()
    return taken === NOTHING || taken === END ? undefined : taken
  }

  /**
   * Take the first value, as soon as there is one; calls of one thread are served in their order.
   * Errors: as `tryDequeue`; ERR_SABWAY_CLOSED: the queue was closed, and is empty;
   * ERR_SABWAY_TIMEOUT, ERR_SABWAY_ABORTED; ERR_SABWAY_UNSUPPORTED: no event loop.
   */
  dequeueAsync(options?: QueueWaitOptions): Promise<T> {
    return this.wait(0, () => this.takeOrThrow(), options)
  }

  /**
   * Block this thread until it has taken the first value. Errors: as `dequeueAsync`;
   * ERR_SABWAY_INVALID_STATE: this thread may not block, as a page's main thread.
   */
  dequeueSync(options?: { timeout?: number }): T {
    return this.block(0, () => this.takeOrThrow(), options)
  }

  /** Take up to `most` values, those that are there. Errors: as `tryDequeue`. */
  dequeueBatch(most: number): T[] {
    check.integer(most, 'most', 0, 2 ** 32)
    const values: T[] = []
    while (values.length < most) {
      const taken = this.takeOrEnd()
      if (taken === NOTHING || taken === END) break
      values.push(taken)
    }
    return values
  }

  /** The first value, which stays there; undefined when there is none. Errors: as `tryDequeue`. */
  peek(): T | undefined {
    const { member, attachment } = this
    let [at, room, block] = [attachment.taken, attachment.room, 0]
    try {
      for (;;) {
        const type = this.call(() => member.core.sw_queue_peek(attachment.at, member.handle, at, room))
        if (type === 0 || type === CLOSED) return undefined
        const { length } = attachment
        if (type >= 0) return takeValue(attachment.views, at, length, type, this.#rules.format) as T
        if (type !== RANGE) throw this.#failure(type)
        if (block !== 0) member.free(block)
        block = member.allocate(length)
        at = block
        room = length
      }
    } finally {
      if (block !== 0) member.free(block)
    }
  }

  /** How many values are there, at the moment. Errors: ERR_SABWAY_CLOSED: the region. */
  getSize(): number {
    const { member, attachment } = this
    member.mustBeOpen()
    return member.core.sw_queue_size(attachment.at, member.handle) >>> 0
  }

  /** How many values there is room for. */
  getCapacity(): number {
    return this.#capacity
  }

  isEmpty(): boolean {
    return this.getSize() === 0
  }

  isFull(): boolean {
    return this.getSize() >= this.#capacity
  }

  /**
   * Take away what is there. Of values that come meanwhile some may be taken. Errors: as
   * `tryDequeue`.
   */
  clear(): void {
    for (let left = this.#capacity; left > 0; left--) {
      const taken = this.#take()
      if (taken === NOTHING || taken === END) return
      this.drop()
    }
  }

  /**
   * Let no more values in: those that are there can still be taken, and then calls that wait end
   * with ERR_SABWAY_CLOSED, and iterations end. Any participant, any number of times.
   */
  close(): void {
    const { member, attachment } = this
    const status = this.call(() => member.core.sw_queue_close(attachment.at, member.handle))
    if (status !== 0) throw this.#failure(status)
    this.#waits.nudge()
  }

  /** Was it closed? Values may be there still. */
  get isClosed(): boolean {
    return !this.member.closed && this.member.core.sw_queue_is_closed(this.attachment.at, this.member.handle) !== 0
  }

  /** The values, each taken, up to the end of a queue that is closed. Errors: as `dequeueAsync`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const taken = await this.wait(0, () => this.takeOrEnd())
      if (taken === END) return
      yield taken as T
    }
  }

  /** What another thread makes its own object of the queue of. Structured-cloneable. */
  override getSharedMemory(): OwnedMemory {
    const memory = super.getSharedMemory()
    return this.region === null ? memory : { ...memory, region: this.region.handle }
  }

  /**
   * Free the queue and its values, when no participant uses it any more; and its region, where that
   * is its own. Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  override free(): void {
    super.free()
    this.region?.close()
  }

  get [Symbol.toStringTag](): string {
    return this.constructor.name
  }

  override toJSON(): object {
    return { pointer: this.pointer, capacity: this.#capacity }
  }

  /** @internal */
  release(): number {
    const { core, handle } = this.member
    return this.member.until(() => core.sw_queue_free(this.attachment.at, handle))
  }

  // ---- for the classes ----

  /** @internal Put a value; false: there is no room. */
  protected put(value: T, priority = 0): boolean {
    const { member, attachment } = this
    const { hot, handle } = member
    member.mustBeOpen()
    // before a value is made into bytes
    if (typeof value !== 'number' || this.#allCoded) {
      const room = this.call(() => hot.sw_queue_has_room(attachment.at, handle, priority))
      if (room === 0) return false
      if (room < 0) throw this.#failure(room, priority)
    }
    const { value: place } = attachment
    const type = this.#encode(value)
    let status: number
    try {
      status = hot.sw_queue_put(attachment.at, handle, type, place.at, place.length, priority)
    } catch (error) {
      throw asCorruptError(error)
    }
    if (status === BUSY)
      status = this.call(() => hot.sw_queue_put(attachment.at, handle, type, place.at, place.length, priority))
    if (status < 0) throw this.#failure(status, priority)
    if (status === 1) this.#waits.nudge()
    return status === 1
  }

  /** @internal The first value; NOTHING; or END: it is closed and empty. */
  protected takeOrEnd(): T | typeof NOTHING | typeof END {
    const taken = this.#take()
    if (taken !== NOTHING && taken !== END) this.drop()
    return taken
  }

  /** @internal As takeOrEnd, of a queue whose values are acknowledged, before that. */
  protected takeCell(): Taken<T> | typeof NOTHING | typeof END {
    const value = this.#take()
    return value === NOTHING || value === END
      ? (value as typeof NOTHING | typeof END)
      : { value: value as T, cell: this.attachment.cell }
  }

  /** @internal What was taken last is done with. */
  protected drop(): void {
    if ((this.flags & SW_QUEUE_ACK) === 0) return
    const { member, attachment } = this
    member.core.sw_queue_ack(attachment.at, member.handle, attachment.cell)
    this.#waits.nudge()
  }

  /** @internal */
  protected takeOrThrow(): T | typeof NOTHING {
    const taken = this.takeOrEnd()
    if (taken === END) throw this.closedError()
    return taken
  }

  /** @internal */
  protected closedError(): SabwayError {
    return new SabwayError('ERR_SABWAY_CLOSED', `the ${this.#name} was closed, and all its values were taken`)
  }

  /** @internal `room`: 1 for room, 0 for a value. */
  protected wait<R>(room: 0 | 1, take: () => R | typeof NOTHING, options?: QueueWaitOptions): Promise<R> {
    return new Promise((resolve, reject) => {
      const patience = check.patience(options, 'wait options')
      const source = room === 1 ? this.#room : this.#values
      const timedOut = (timeout: number) => this.#timedOut(room, timeout)
      this.#waits.wait(this.#key + room, { ...patience, source, take, timedOut }).then(resolve, reject)
    })
  }

  /** @internal */
  protected block<R>(room: 0 | 1, take: () => R | typeof NOTHING, options?: { timeout?: number }): R {
    const { timeout = Number.POSITIVE_INFINITY } = check.options(options, 'wait options', ['timeout'])
    check.milliseconds(timeout, 'timeout')
    const taken = this.#waits.block(this.#key + room, room === 1 ? this.#room : this.#values, take, timeout)
    if (taken === NOTHING) throw this.#timedOut(room, timeout)
    return taken
  }

  /** @internal Of calls of this thread that wait. */
  protected nudge(): void {
    this.#waits.nudge()
  }

  /** @internal A status of the core, once no other participant is in the way. */
  protected call(call: () => number): number {
    this.member.mustBeOpen()
    try {
      const status = call()
      return status === BUSY ? this.member.until(call) : status
    } catch (error) {
      throw asCorruptError(error)
    }
  }

  /** @internal A value as a word, for a call that keeps it until it is sent. Errors: as `put`. */
  protected pack(value: T): number {
    const { member, attachment } = this
    const type = this.#encode(value)
    const { at, length } = attachment.value
    return member.make(length, () => member.core.sw_queue_pack(attachment.at, member.handle, type, at, length))
  }

  /** @internal The value of a word that was received. */
  protected unpack(word: number): T {
    const { member, attachment } = this
    const { at, taken, room } = attachment
    const type = this.call(() => member.core.sw_queue_unpack(at, member.handle, word, taken, room))
    if (type <= 0) throw this.#failure(type)
    return this.#decode(type)
  }

  /** @internal Why a call of the core has failed. */
  protected failure(status: number): SabwayError {
    return this.#failure(status)
  }

  /** The value is in the attachment's place then: returns its type. */
  #encode(value: T): number {
    if (value === undefined) check.refuse('ERR_SABWAY_INVALID_TYPE', 'a queue has no room for undefined', value)
    return putValue(this.attachment.views, this.attachment.value, value, this.#rules)
  }

  #take(): T | typeof NOTHING | typeof END {
    const { member, attachment } = this
    member.mustBeOpen()
    let type: number
    try {
      type = member.hot.sw_queue_take(attachment.at, member.handle, attachment.taken, attachment.room)
    } catch (error) {
      throw asCorruptError(error)
    }
    if (type === BUSY)
      type = this.call(() => member.hot.sw_queue_take(attachment.at, member.handle, attachment.taken, attachment.room))
    if (type === 0) return NOTHING
    if (type === CLOSED) return END
    if (type < 0) throw this.#failure(type)
    return this.#decode(type)
  }

  /** Of what the core has taken. */
  #decode(type: number): T {
    const { member, attachment } = this
    const { held, length } = attachment
    try {
      const at = held === 0 ? attachment.taken : held + 8
      if (at + length > attachment.views.bytes.length) throw this.error(ERRORS.ERR_SABWAY_CORRUPT.number)
      return takeValue(attachment.views, at, length, type, this.#rules.format) as T
    } finally {
      if (held !== 0) member.core.sw_queue_done(attachment.at, member.handle)
      this.#waits.nudge()
    }
  }

  #timedOut(room: 0 | 1, timeout: number): SabwayError {
    const what = room === 1 ? 'had no room' : 'had no value'
    return new SabwayError('ERR_SABWAY_TIMEOUT', `the ${this.#name} ${what} within ${timeout} ms`)
  }

  #failure(status: number, priority = 0): SabwayError {
    if (status === CLOSED) return new SabwayError('ERR_SABWAY_CLOSED', `the ${this.#name} was closed`)
    if (status === OBJECT_ERRORS.ERR_SABWAY_HEAP_FULL.number) return this.member.full(this.attachment.value.length)
    if (status === RANGE)
      return new SabwayError(
        'ERR_SABWAY_OUT_OF_RANGE',
        `priority must be ${(this.flags & 2) !== 0 ? 'a number' : 'the number of a level, from 0 up'}, got ${priority}`,
      )
    if (status === TAKEN && this.#single)
      return new SabwayError(
        'ERR_SABWAY_SIDE_TAKEN',
        'a lock-free queue is for one producer and one consumer, and another thread is that; a MultiProducerQueue is for any number',
      )
    return this.error(status)
  }
}

/** The queue was closed, and is empty. */
export const END: unique symbol = Symbol('end')

/** Returns the pointer of the new queue. */
function make(
  member: HeapMember,
  shape: QueueShape,
  options: QueueOptions | undefined,
  codec: CodecName | Codec<never> | undefined,
): number {
  const { capacity } = check.fields(options ?? {}, 'queue options', ['capacity']) as QueueOptions
  check.integer(capacity, 'capacity', shape.least ?? 1, SW_QUEUE_MOST)
  const number = codecNumber(formatFor(codec ?? 'structured'))
  const { core, handle, region, scratch } = member
  const words = [shape.type, shape.flags, capacity, shape.levels, number]
  let at = 0
  const status = member.until(() => {
    for (const [i, value] of words.entries()) Atomics.store(region.words, (scratch >>> 2) + i, value | 0)
    at = core.sw_queue_new(handle, scratch) >>> 0
    return at === 0 ? Atomics.load(region.words, (handle + sw_heap.status) >>> 2) : 0
  })
  if (at !== 0) return at
  if (status === OBJECT_ERRORS.ERR_SABWAY_HEAP_FULL.number) throw member.full(16 * capacity)
  throw coreError(status, `while making a ${shape.name} of ${capacity} values`)
}
