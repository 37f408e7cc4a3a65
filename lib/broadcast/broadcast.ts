// The public class of broadcasts in a heap: see native/core/broadcast/broadcast.c.
import * as check from '../base/check.js'
import { asCorruptError, coreError, SabwayError } from '../base/errors.js'
import { formatFor } from '../channel/parts.js'
import type { Codec, CodecName } from '../codec/codec.js'
import { CODING_OPTIONS, type CodingOptions, codecOf, type OpeningOptions } from '../codec/options.js'
import {
  ERRORS,
  OBJECT_ERRORS,
  SW_BROADCAST_BLOCK,
  SW_BROADCAST_DROP_OLDEST,
  SW_BROADCAST_LATEST_ONLY,
  SW_BROADCAST_MAX,
  SW_BROADCAST_MESSAGES,
  SW_BROADCAST_MIN,
  SW_BROADCAST_ROOM,
  SW_HEAP_AT,
  SW_PAGE,
  SW_TYPE_BROADCAST,
  sw_broadcast,
  sw_broadcast_message,
  sw_heap,
  sw_subscriber,
} from '../generated/abi.js'
import { HeapObject, isShared, type ObjectHome, provideObject, type SharedObjectMemory } from '../heap/heap-object.js'
import type { HeapMember } from '../heap/member.js'
import { NOTHING } from '../loop/block.js'
import { WaitSet, type WaitSource } from '../loop/waits.js'
import { codecNumber, formatIn } from '../map/format.js'
import { putValue, takeValue, type ValueRules } from '../map/values.js'
import { isHome } from '../queues/home.js'
import { handleIn, type OwnedMemory } from '../region/own.js'
import { Region } from '../region/region.js'
import { Staging } from './staging.js'

const FULL = ERRORS.ERR_SABWAY_FULL.number
const CLOSED = ERRORS.ERR_SABWAY_CLOSED.number
const BUSY = OBJECT_ERRORS.ERR_SABWAY_BUSY.number
/** A value is longer than the place that it was to be copied to. */
const TOO_SMALL = ERRORS.ERR_SABWAY_OUT_OF_RANGE.number
const USUAL_CAPACITY = 65536

/** What becomes of a value for which a slow subscriber has left no room. */
export type BroadcastPolicy = 'block' | 'drop-oldest' | 'latest-only'

const POLICIES: Readonly<Record<BroadcastPolicy, number>> = {
  block: SW_BROADCAST_BLOCK,
  'drop-oldest': SW_BROADCAST_DROP_OLDEST,
  'latest-only': SW_BROADCAST_LATEST_ONLY,
}

/**
 * How a broadcast is made. `codec` is for values that are no number, bigint, boolean, string, null,
 * typed array or DataView: 'structured' by default. All participants use the same; 'structured',
 * 'msgpack' and 'v8' are found by those that open the broadcast.
 */
export interface SharedBroadcastOptions extends CodingOptions<never> {
  /**
   * 'block', the default: it waits until every living subscriber has received what is in its place.
   * 'drop-oldest': it takes the place of the oldest, and slow subscribers miss those.
   * 'latest-only': likewise, and a subscriber always receives the newest value there is.
   */
  policy?: BroadcastPolicy
  /** Bytes of the ring, rounded up to a power of two; a value may have half of that. 64 KiB. */
  capacity?: number
}

const NAMES = ['policy', 'capacity', ...CODING_OPTIONS] as const satisfies readonly (keyof SharedBroadcastOptions)[]

/** Whether a new subscriber begins with what is there still. */
export interface SubscribeOptions {
  /**
   * 'next', the default: with the next value that is broadcast. 'oldest': with the oldest there.
   */
  from?: 'next' | 'oldest'
}

/** How a call waits, and what ends the waiting. */
export type BroadcastPatience = check.Patience

/**
 * What one participant broadcasts, every subscriber receives: threads of any processes, each at its
 * own pace, from one ring in a heap. A thread is one subscriber, however many objects it has for
 * one broadcast. Any number of threads may broadcast; what one of them sends arrives in its order,
 * and all subscribers see the same order.
 */
export class SharedBroadcast<T = unknown> extends HeapObject implements AsyncIterable<T> {
  /** The region that is this broadcast's alone, or null. */
  readonly region: Region | null
  /** The longest value, in bytes. */
  readonly longest: number
  readonly policy: BroadcastPolicy
  readonly #rules: ValueRules
  readonly #staging: Staging
  readonly #waits: WaitSet
  /** Index of this thread's missed values, in integers. */
  readonly #missed: number

  /**
   * A new broadcast, in a region of its own if no other home is given; or the one that another
   * participant has made, of its getSharedMemory() or pointer, and `open` then has the codec, the
   * key and so on, where those are not found by a name. Errors: as Heap.alloc and codecOf;
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_CLOSED; ERR_SABWAY_FREED, ERR_SABWAY_OTHER_KIND, ERR_SABWAY_WILD_POINTER: there is
   * no broadcast.
   */
  constructor(options?: SharedBroadcastOptions)
  constructor(memory: OwnedMemory, open?: OpeningOptions)
  constructor(home: ObjectHome, given?: SharedBroadcastOptions | SharedObjectMemory | number, open?: OpeningOptions)
  constructor(
    first?: ObjectHome | SharedBroadcastOptions | OwnedMemory,
    second?: SharedBroadcastOptions | SharedObjectMemory | number,
    open?: OpeningOptions,
  ) {
    const isMemory = handleIn(first) !== null
    const alone = isMemory || (second === undefined && !isHome(first))
    const given = alone ? (first as SharedBroadcastOptions | OwnedMemory | undefined) : second
    const opening = open ?? (isMemory ? (second as OpeningOptions | undefined) : undefined)
    const codec = codecOf<never>({
      ...(isShared(given) ? undefined : check.options(given as SharedBroadcastOptions, 'broadcast options', NAMES)),
      ...check.options(opening, 'open options', CODING_OPTIONS),
    })
    const own = alone ? ownRegion(given as SharedBroadcastOptions | OwnedMemory | undefined) : null
    try {
      super(own ?? (first as ObjectHome), given, SW_TYPE_BROADCAST, (member) =>
        make(member, given as SharedBroadcastOptions | undefined, codec),
      )
    } catch (error) {
      own?.close()
      throw error
    }
    this.region = own
    const { member, pointer } = this
    const word = (field: number) => Atomics.load(member.region.words, (pointer + field) >>> 2) >>> 0
    const shape = word(sw_broadcast.shape)
    this.#rules = { numeric: 0, format: formatIn(word(sw_broadcast.codec), codec, 'broadcast') }
    this.policy = nameOf((shape >>> 8) & 0xff)
    this.longest = member.core.sw_broadcast_longest(member.handle, pointer)
    this.#staging = Staging.of(member)
    this.#waits = WaitSet.of(member.region as Region)
    const entry = pointer + sw_broadcast.subscriber + member.region.endpoint * sw_subscriber.sizeof
    this.#missed = (entry + sw_subscriber.missed) >>> 3
  }

  // ---- broadcasting ----

  /**
   * Have every subscriber receive the value. With 'block' as soon as there is room for it. Errors:
   * ERR_SABWAY_NOT_ENCODABLE, ERR_SABWAY_INVALID_TYPE; ERR_SABWAY_MESSAGE_TOO_LARGE: it has more
   * than `longest` bytes; ERR_SABWAY_CLOSED, ERR_SABWAY_FREED, ERR_SABWAY_BUSY,
   * ERR_SABWAY_CORRUPT; ERR_SABWAY_TIMEOUT, ERR_SABWAY_ABORTED.
   */
  async broadcast(data: T, options?: BroadcastPatience): Promise<void> {
    await this.#waits.wait<true>(this.#key(SW_BROADCAST_ROOM), {
      ...check.patience(options, 'broadcast options'),
      source: this.#source(SW_BROADCAST_ROOM),
      take: () => this.#send(data) || NOTHING,
      timedOut: (timeout) => noRoom(timeout),
    })
  }

  /** As `broadcast`; false where that would wait. Errors: as `broadcast`. */
  tryBroadcast(data: T): boolean {
    return this.#send(data)
  }

  /** As `broadcast`, blocking this thread. Errors: as `broadcast`; ERR_SABWAY_INVALID_STATE. */
  broadcastSync(data: T, options?: { timeout?: number }): void {
    const { timeout = Number.POSITIVE_INFINITY } = check.options(options, 'broadcast options', ['timeout'])
    check.milliseconds(timeout, 'timeout')
    const key = this.#key(SW_BROADCAST_ROOM)
    const sent = this.#waits.block<true>(
      key,
      this.#source(SW_BROADCAST_ROOM),
      () => this.#send(data) || NOTHING,
      timeout,
    )
    if (sent === NOTHING) throw noRoom(timeout)
  }

  // ---- subscribing ----

  /**
   * Let this thread be a subscriber. One that is stays as it is. Errors: ERR_SABWAY_INVALID_TYPE,
   * ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_FREED, ERR_SABWAY_CLOSED: the region is;
   * ERR_SABWAY_BUSY, ERR_SABWAY_CORRUPT.
   */
  subscribe(options?: SubscribeOptions): void {
    const { from = 'next' } = check.options(options, 'subscribe options', ['from'])
    check.oneOf(from, 'from', ['next', 'oldest'])
    const { core, handle } = this.member
    this.#until(() => core.sw_broadcast_subscribe(handle, this.pointer, this.generation, from === 'oldest' ? 1 : 0))
  }

  /**
   * Subscribe no more: what was not received is not waited for. Errors: ERR_SABWAY_NOT_SUBSCRIBED,
   * ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  unsubscribe(): void {
    this.member.mustBeOpen()
    const { core, handle } = this.member
    const status = core.sw_broadcast_unsubscribe(handle, this.pointer, this.generation)
    if (status !== 0) throw this.error(status)
    this.#waits.nudge()
  }

  /**
   * How many threads subscribe, of those that live. Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  getSubscriberCount(): number {
    this.member.mustBeOpen()
    const { core, handle } = this.member
    const count = core.sw_broadcast_subscribers(handle, this.pointer, this.generation)
    if (count < 0) throw this.error(count)
    return count
  }

  /** Does this thread subscribe? Errors: ERR_SABWAY_CLOSED. */
  isSubscribed(): boolean {
    this.member.mustBeOpen()
    const { core, handle } = this.member
    return core.sw_broadcast_is_subscribed(handle, this.pointer, this.generation) !== 0
  }

  /**
   * How many values this thread has missed since it subscribed: they were overwritten before it
   * received them. Errors: ERR_SABWAY_CLOSED.
   */
  get missed(): number {
    return this.isSubscribed() ? Number(this.#staging.views.integers[this.#missed]) : 0
  }

  // ---- receiving ----

  /**
   * The next value, as soon as there is one; with 'latest-only' the newest. Errors:
   * ERR_SABWAY_NOT_SUBSCRIBED; ERR_SABWAY_CLOSED: the broadcast is, and all was received;
   * ERR_SABWAY_NOT_DECODABLE, ERR_SABWAY_FREED, ERR_SABWAY_BUSY, ERR_SABWAY_CORRUPT;
   * ERR_SABWAY_TIMEOUT, ERR_SABWAY_ABORTED; as Heap.alloc.
   */
  async receive(options?: BroadcastPatience): Promise<T> {
    return this.#waits.wait<T>(this.#key(SW_BROADCAST_MESSAGES), {
      ...check.patience(options, 'receive options'),
      source: this.#source(SW_BROADCAST_MESSAGES),
      take: () => this.#receive(),
      timedOut: (timeout) => noValue(timeout),
    })
  }

  /** The next value, or undefined where `receive` would wait. Errors: as `receive`. */
  tryReceive(): T | undefined {
    const value = this.#receive()
    return value === NOTHING ? undefined : value
  }

  /** As `receive`, blocking this thread. Errors: as `receive`; ERR_SABWAY_INVALID_STATE. */
  receiveSync(options?: { timeout?: number }): T {
    const { timeout = Number.POSITIVE_INFINITY } = check.options(options, 'receive options', ['timeout'])
    check.milliseconds(timeout, 'timeout')
    const key = this.#key(SW_BROADCAST_MESSAGES)
    const value = this.#waits.block<T>(key, this.#source(SW_BROADCAST_MESSAGES), () => this.#receive(), timeout)
    if (value === NOTHING) throw noValue(timeout)
    return value
  }

  /**
   * The values, until the broadcast is closed. Subscribes first, and no more when the loop is left,
   * unless this thread did before. Errors: as `subscribe` and `receive`.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const before = this.isSubscribed()
    if (!before) this.subscribe()
    try {
      for (;;) {
        let value: T
        try {
          value = await this.receive()
        } catch (error) {
          if (this.#isOver(error)) return
          throw error
        }
        yield value
      }
    } finally {
      if (!before && !this.member.closed && !this.isFreed && this.isSubscribed()) this.unsubscribe()
    }
  }

  // ---- the end ----

  /**
   * Let no value be broadcast any more. Subscribers receive what is there first; then `receive` is
   * ERR_SABWAY_CLOSED, and loops end. Once more does nothing. Errors: ERR_SABWAY_FREED,
   * ERR_SABWAY_CLOSED: the region is; ERR_SABWAY_BUSY, ERR_SABWAY_CORRUPT.
   */
  close(): void {
    const { core, handle } = this.member
    this.#until(() => {
      const status = core.sw_broadcast_close(handle, this.pointer, this.generation)
      return status === CLOSED ? 0 : status
    })
    this.#waits.nudge()
  }

  /** Was it closed? Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED: the region is. */
  get closed(): boolean {
    this.member.mustBeOpen()
    const { core, handle } = this.member
    const closed = core.sw_broadcast_is_closed(handle, this.pointer, this.generation)
    if (closed < 0) throw this.error(closed)
    return closed !== 0
  }

  /** What another thread makes its own object of the broadcast of. Structured-cloneable. */
  override getSharedMemory(): OwnedMemory {
    const memory = super.getSharedMemory()
    return this.region === null ? memory : { ...memory, region: this.region.handle }
  }

  /**
   * Free the broadcast, when no participant uses it any more; and its region, where that is its
   * own. Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  override free(): void {
    super.free()
    this.region?.close()
  }

  /** @internal */
  release(): number {
    const { core, handle } = this.member
    const status = this.member.until(() => core.sw_broadcast_free(handle, this.pointer, this.generation))
    this.#waits.nudge()
    return status
  }

  get [Symbol.toStringTag](): string {
    return 'SharedBroadcast'
  }

  override toJSON(): object {
    return { pointer: this.pointer, policy: this.policy }
  }

  // ---- what the core does ----

  #send(data: T): boolean {
    const { member } = this
    member.mustBeOpen()
    const { sent, views } = this.#staging
    const type = putValue(views, sent, data, this.#rules)
    if (sent.length > this.longest) {
      throw new SabwayError(
        'ERR_SABWAY_MESSAGE_TOO_LARGE',
        `the value has ${sent.length} bytes, and this broadcast takes ${this.longest} at most; make it with a larger capacity`,
      )
    }
    const { hot, handle } = member
    const { pointer, generation } = this
    let status: number
    try {
      status = hot.sw_broadcast_try_send(handle, pointer, generation, type, sent.at, sent.length)
    } catch (error) {
      throw asCorruptError(error)
    }
    if (status === BUSY)
      status = this.#call(() => hot.sw_broadcast_try_send(handle, pointer, generation, type, sent.at, sent.length))
    if (status === FULL) return false
    if (status !== 0) throw this.#why(status)
    this.#waits.nudge()
    return true
  }

  #receive(): T | typeof NOTHING {
    const { member } = this
    member.mustBeOpen()
    const { hot, handle, region } = member
    const { pointer, generation } = this
    const { message, received, views } = this.#staging
    const { words } = region
    for (;;) {
      let status: number
      try {
        status = hot.sw_broadcast_try_receive(handle, pointer, generation, received.at, received.room, message)
      } catch (error) {
        throw asCorruptError(error)
      }
      if (status === BUSY)
        status = this.#call(() =>
          hot.sw_broadcast_try_receive(handle, pointer, generation, received.at, received.room, message),
        )
      if (status === 0) return NOTHING
      const length = Atomics.load(words, (message + sw_broadcast_message.length) >>> 2) >>> 0
      if (status === TOO_SMALL && length > received.room && length <= this.longest) {
        received.need(length)
        continue
      }
      if (status !== 1) throw this.#why(status)
      if (this.policy === 'block') this.#waits.nudge()
      const type = Atomics.load(words, (message + sw_broadcast_message.type) >>> 2) >>> 0
      return takeValue(views, received.at, length, type, this.#rules.format) as T
    }
  }

  #call(call: () => number): number {
    return this.member.until(() => {
      try {
        return call()
      } catch (error) {
        throw asCorruptError(error)
      }
    })
  }

  #until(call: () => number): void {
    this.member.mustBeOpen()
    const status = this.#call(call)
    if (status !== 0) throw this.#why(status)
  }

  #why(status: number): SabwayError {
    return status === CLOSED ? coreError(status, 'the broadcast was closed') : this.error(status)
  }

  #isOver(error: unknown): boolean {
    return error instanceof SabwayError && error.code === 'ERR_SABWAY_CLOSED' && !this.member.closed
  }

  #key(what: number): string {
    return `${this.pointer}:${this.generation}:${what}`
  }

  #source(what: number): WaitSource {
    const { core, handle } = this.member
    const { pointer, generation } = this
    return {
      begin: () => void core.sw_broadcast_begin_wait(handle, pointer, generation, what),
      end: () => void core.sw_broadcast_end_wait(handle, pointer, generation, what),
    }
  }
}

const noRoom = (timeout: number): SabwayError =>
  new SabwayError('ERR_SABWAY_TIMEOUT', `a subscriber left no room for the value within ${timeout} ms`)

const noValue = (timeout: number): SabwayError =>
  new SabwayError('ERR_SABWAY_TIMEOUT', `no value was broadcast within ${timeout} ms`)

function nameOf(policy: number): BroadcastPolicy {
  for (const [name, number] of Object.entries(POLICIES)) if (number === policy) return name as BroadcastPolicy
  throw new SabwayError('ERR_SABWAY_CORRUPT', `a broadcast has the policy ${policy}`)
}

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE. */
function checked(given: SharedBroadcastOptions | undefined): { policy: number; capacity: number } {
  const { policy = 'block', capacity = USUAL_CAPACITY } = check.options(given, 'broadcast options', NAMES)
  check.oneOf(policy, 'policy', ['block', 'drop-oldest', 'latest-only'])
  check.integer(capacity, 'capacity', SW_BROADCAST_MIN, SW_BROADCAST_MAX)
  return { policy: POLICIES[policy], capacity }
}

/** Beside what the broadcast needs: the heap's own tables, and blocks of values on their way. */
const SPARE = 4 * SW_PAGE

/**
 * Of a broadcast that is made without a place. Errors: as `checked`, Region.create, Region.open.
 */
function ownRegion(given: SharedBroadcastOptions | OwnedMemory | undefined): Region {
  const handle = handleIn(given)
  if (handle !== null) return Region.open(handle)
  return Region.create({ size: SW_HEAP_AT + SPARE + 2 * checked(given as SharedBroadcastOptions).capacity })
}

/** Returns the new broadcast's pointer. */
function make(
  member: HeapMember,
  given: SharedBroadcastOptions | undefined,
  codec: CodecName | Codec<never> = 'structured',
): number {
  const { policy, capacity } = checked(given)
  const format = formatFor(codec)
  const { core, handle, region } = member
  let at = 0
  const status = member.until(() => {
    at = core.sw_broadcast_new(handle, capacity, policy, codecNumber(format)) >>> 0
    return at === 0 ? Atomics.load(region.words, (handle + sw_heap.status) >>> 2) : 0
  })
  if (at === 0) throw coreError(status, `while making a broadcast of ${capacity} bytes`)
  return at
}

/** Let broadcasts have names in the directory. */
export function provideBroadcast(): void {
  provideObject<SharedBroadcast>({
    type: SW_TYPE_BROADCAST,
    name: 'broadcast',
    open: (heap, shared) => new SharedBroadcast(heap, shared),
    blocks: (member, pointer) => [Atomics.load(member.region.words, (pointer + sw_broadcast.ring) >>> 2) >>> 0],
  })
}
