// The consumer of a ring in one JavaScript thread: a thin layer over the core's sw_consumer
// (native/include/sabway/ring.h), whose block lies in the region at `handle`, and the one callback
// that is given the ring's messages.
//
// States:
//
//   state      role     `#callback`   what is given messages
//   new        free     null          nothing; the first call takes the role
//   idle       held     null          single calls: `drain`, `takeOne`
//   receiving  held     set           the callback, by `pump`
//   ended      any      null or set   nothing: the stream ended, or this side let go
//
// The role can also be lost while it is held: another participant evicts this one, and then the
// ring's role word names that other one. Each peek and release compares the word before it
// (`#holds`).
//
// Protocol: peek a batch, hand its messages out in place, release those that were handed out. When
// a callback throws, stops the receiving or uses up the time, the rest of the batch is peeked again
// later: what was handed out counts as received, also when its callback threw.
//
// What a crash leaves: messages that were peeked and not released are still in the ring, and the
// next consumer gets them, so the batch that was being handed out comes once more. The role word
// names the crashed participant until another one evicts it.
import type { GuardedCore, HotCore, Offset } from '../base/core.js'
import { coreError, SabwayError } from '../base/errors.js'
import { type Context, now } from '../base/host.js'
import type { SharedBytes } from '../base/shared-bytes.js'
import {
  ERRORS,
  SW_BATCH,
  SW_FRAME_HEADER,
  SW_SLOT_QUIET,
  sw_consumer,
  sw_instance,
  sw_ring,
} from '../generated/abi.js'
import { NOTHING } from '../loop/block.js'
import type { ChannelPlace } from '../region/channel-place.js'
import type { Region } from '../region/region.js'
import { BUDGET_MS, Clock } from './budget.js'

const CLOSED = ERRORS.ERR_SABWAY_CLOSED.number
const CORRUPT = ERRORS.ERR_SABWAY_CORRUPT.number
const REPLACED = ERRORS.ERR_SABWAY_REPLACED.number
export const RECEIVING = "startReceiving, a 'message' listener, a pending receive() or a port takes the messages"
const TAKEN = 'a channel has one consumer on each side; attach to the other side, or clean up the first'
const ENDED = 'this side has said that it reads no more (cleanup, or its readable was cancelled); make a new channel'

export type MessageCallback<T = Uint8Array> = (message: T) => void
/** The region's bytes, and where in them the message lies. */
export type DrainCallback = (bytes: SharedBytes, start: number, end: number) => void

/**
 * Makes a message of the receiver's own of one in place. `words` are the same memory as `bytes`.
 */
export type ToMessage<T> = (bytes: SharedBytes, start: number, end: number, words: Int32Array) => T

export interface ReceiveOptions {
  /**
   * Milliseconds of callbacks per turn of the event loop (default 8): then others have their turn.
   */
  budget?: number
  /**
   * Give each message as a copy with an ArrayBuffer of its own (default); or, cheaper between 64
   * and 4096 bytes, as a copy that may share its ArrayBuffer with other messages, as Node's Buffers
   * do, and so cannot be transferred (`'pooled'`); or in place, as `drain` does: valid during the
   * callback only, and the peer can still change it (false).
   */
  copy?: boolean | 'pooled'
}

const NEVER = Number.POSITIVE_INFINITY

export class Consumer {
  readonly words: Int32Array
  readonly #bytes: SharedBytes
  readonly #region: Region
  readonly #place: ChannelPlace
  readonly #onEnd: (error: SabwayError | null) => void
  readonly #onOpen: () => void
  readonly #core: GuardedCore
  readonly #hot: HotCore
  readonly #handle: Offset
  /** Index of the first word of the core's block. */
  readonly #block: number
  readonly #slices: Offset
  /** Index of the word by which the ring names its consumer, and how that word names this one. */
  readonly #roleWord: number
  #role = 0
  #opened = false
  #handing = false
  /** A callback stopped the receiving or closed the channel: hand out no more of the batch. */
  #interrupted = false
  #ended = false
  #callback: DrainCallback | null = null
  /** The async context in which the callback runs: entered once for all messages of a turn. */
  #inContext: Context | null = null
  #budget = BUDGET_MS

  /**
   * `handles`: where the core's blocks are. `onEnd`: called once, when the stream ends; no error
   * when the peer closed it. `onOpen`: called when the role has been taken.
   */
  constructor(
    region: Region,
    place: ChannelPlace,
    handles: Offset,
    onEnd: (error: SabwayError | null) => void,
    onOpen: () => void,
  ) {
    this.words = region.words
    this.#bytes = region.bytes
    this.#region = region
    this.#place = place
    this.#onEnd = onEnd
    this.#onOpen = onOpen
    this.#core = region.core
    this.#hot = region.hot
    this.#handle = handles + sw_instance.consumer - sw_instance.producer
    this.#slices = region.instance + sw_instance.incoming
    this.#block = this.#handle >>> 2
    this.#roleWord = place.incoming(sw_ring.consumer)
  }

  // ---- the role ----

  /** Take the consumer's role, on first use. */
  open(): void {
    if (this.#opened) return
    const { size, endpoint } = this.#region
    const { offset, generation, side } = this.#place
    this.#region.join(side)
    const status = this.#core.sw_channel_open_consumer(this.#handle, 0, size, offset, generation, side, endpoint)
    if (status !== 0) throw coreError(status, status === CLOSED ? ENDED : TAKEN)
    this.#opened = true
    this.#role = this.words[this.#block + (sw_consumer.role >>> 2)]!
    this.#onOpen()
  }

  /** Has this object taken the role, and not let go of it? */
  get isOpen(): boolean {
    return this.#opened
  }

  /** Does the ring still name this participant as its consumer? */
  get #holds(): boolean {
    return this.words[this.#roleWord] === this.#role
  }

  /**
   * By which slot this thread hears of the ring from now on: see Bell. `messages`: of those, too.
   */
  setSlot(slot: number, messages: boolean): void {
    if (this.#opened)
      this.#core.sw_consumer_set_slot(this.#handle, slot === 0 || messages ? slot : slot | SW_SLOT_QUIET)
  }

  get capacity(): number {
    return this.words[
      this.#opened ? this.#block + (sw_consumer.capacity >>> 2) : this.#place.incoming(sw_ring.capacity)
    ]!
  }

  /**
   * Let go of the role without an end of the stream: the next consumer goes on behind what was
   * released.
   */
  leave(): void {
    this.stop()
    this.#ended = true
    if (this.#opened) this.#letGo(false)
  }

  /** The producer is told that this side reads no more. */
  close(): void {
    this.stop()
    try {
      this.open()
    } catch {
      return // another participant receives for this side, and closes it
    }
    this.#ended = true
    this.#letGo(true)
  }

  #letGo(close: boolean): void {
    this.#opened = false
    try {
      if (close) this.#core.sw_consumer_close(this.#handle)
      this.#core.sw_consumer_leave(this.#handle)
    } catch {
      // Its words were overwritten, so the peer cannot be told. The region takes the role back when
      // it is closed.
    }
  }

  // ---- the callback ----

  /**
   * Have `pump` give every message to the callback, for `budget` milliseconds a turn. `inContext`:
   * the callback's async context, or null where it only resolves promises, which have their own.
   */
  start(callback: DrainCallback, budget: number | undefined, inContext: Context | null): void {
    if (this.#callback !== null)
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', `already receiving: ${RECEIVING}; call stopReceiving first`)
    this.open()
    this.#callback = callback
    this.#inContext = inContext
    this.#budget = budget ?? BUDGET_MS
  }

  stop(): void {
    this.#callback = null
    this.#interrupted = true
  }

  get receiving(): boolean {
    return this.#callback !== null
  }

  /** Is a message being handed out right now? */
  get handing(): boolean {
    return this.#handing
  }

  /** One turn of the event loop: within the budget. True when there may be more. */
  pump(): boolean {
    const callback = this.#callback
    if (callback === null || this.#ended) return false
    return this.#inContext === null ? this.#turn(callback) : this.#inContext(this.#turn, callback)
  }

  readonly #turn = (callback: DrainCallback): boolean => {
    const deadline = now() + this.#budget
    let did = false
    while (this.#callback === callback && this.#opened) {
      if (this.#handOut(callback, SW_BATCH, deadline) === 0) return did
      did = true
      if (now() >= deadline) return true
    }
    return did
  }

  /** Before sleeping: is there a message for the callback after all? */
  ready(): boolean {
    if (this.#callback === null || this.#ended) return false
    try {
      return this.available()
    } catch {
      this.#end(CORRUPT)
      return false
    }
  }

  // ---- single calls ----

  /**
   * Give all that is there, but at most `max` messages, to the callback in place. Returns how many.
   * Ends although the producer goes on: after a ring full.
   */
  drain(callback: DrainCallback, max: number): number {
    this.open()
    const enough = this.#released() + this.capacity
    let done = 0
    while (done < max) {
      const got = this.#handOut(callback, Math.min(SW_BATCH, max - done), NEVER)
      if (got === 0) break
      done += got
      if (!this.#opened || this.#released() >= enough) break
    }
    return done
  }

  /** Bytes of the ring, at least, that were given back to the producer so far. */
  #released(): number {
    return this.#counter(sw_consumer.bytes) + this.#counter(sw_consumer.messages) * SW_FRAME_HEADER
  }

  /** Before `takeOne`: no callback takes the messages, and none is running. */
  openForTaking(): void {
    if (this.#callback !== null)
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', `${RECEIVING}; call stopReceiving first`)
    if (this.#handing)
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'receiveSync was called inside a message callback')
    this.open()
  }

  /**
   * One message, or NOTHING when there is none now. Errors: also ERR_SABWAY_CLOSED, at the end of
   * the stream.
   */
  takeOne<T>(toMessage: ToMessage<T>): T | typeof NOTHING {
    const count = this.#peek(1)
    if (count === 0) return NOTHING
    if (count < 0) {
      const end = count === CLOSED ? 'the other side is done, and all it sent has been received' : 'while receiving'
      throw coreError(count, end)
    }
    const slice = this.#slices >>> 2
    const start = this.words[slice]! >>> 0
    const end = start + (this.words[slice + 1]! >>> 0)
    if (end > this.#bytes.length) throw coreError(CORRUPT, 'while receiving')
    try {
      return toMessage(this.#bytes, start, end, this.words)
    } finally {
      this.#release(1, 1)
    }
  }

  /** Is there a message, or the end of the stream? */
  available(): boolean {
    return !this.#holds || this.#core.sw_consumer_ready(this.#handle) !== 0
  }

  // ---- the core ----

  /**
   * Peek a batch, hand it out, release what was handed out. Stops early at the deadline, or when a
   * callback closes or throws.
   */
  #handOut(give: DrainCallback, max: number, deadline: number): number {
    if (this.#handing) throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'drain was called inside a message callback')
    // Inside a callback of another channel of the region: that one's batch has the slices, but the
    // first, whose message its callback was given already.
    const nested = this.#region.handing
    const count = this.#peek(nested ? 1 : max)
    if (count <= 0) return this.#end(count)
    const bytes = this.#bytes
    const { words } = this
    const first = this.#slices >>> 2
    const clock = deadline === NEVER ? null : new Clock(deadline)
    const last = first + 2 * count
    let look = clock === null ? last : first + 2
    let word = first
    this.#handing = true
    this.#region.handing = true
    this.#interrupted = false
    try {
      for (;;) {
        const start = words[word]! >>> 0
        const end = start + (words[word + 1]! >>> 0)
        word += 2 // before the call: a message whose callback throws was given
        if (end > bytes.length) return this.#end(CORRUPT)
        give(bytes, start, end)
        if (this.#interrupted) break
        if (word < look) continue
        const more = word === last ? 0 : clock!.next()
        if (more === 0) break
        look = Math.min(last, word + 2 * more)
      }
    } finally {
      this.#handing = false
      this.#region.handing = nested
      if (this.#opened) this.#release((word - first) >>> 1, count)
    }
    return (word - first) >>> 1
  }

  #peek(max: number): number {
    if (!this.#holds) return REPLACED
    try {
      return this.#hot.sw_consumer_peek_batch(this.#handle, this.#slices, max)
    } catch {
      return CORRUPT // the core's own words were overwritten
    }
  }

  /** The first `handed` of the `peeked` messages. */
  #release(handed: number, peeked: number): void {
    if (!this.#holds) return // the next peek tells
    try {
      if (handed < peeked) this.#core.sw_consumer_release_first(this.#handle, handed)
      else this.#hot.sw_consumer_release(this.#handle)
    } catch {
      this.#end(CORRUPT)
    }
  }

  /** No message was peeked: 0 when there was none, else why the stream has ended. */
  #end(status: number): 0 {
    if (status === 0 || this.#ended) return 0
    this.#ended = true
    this.#onEnd(
      status === CLOSED ? null : coreError(status, 'while receiving; this side reads no more from the channel'),
    )
    return 0
  }

  stats(): { messages: number; bytes: number; capacity: number; used: number } {
    const { capacity } = this
    if (!this.#opened) return { messages: 0, bytes: 0, capacity, used: 0 }
    return {
      messages: this.#counter(sw_consumer.messages),
      bytes: this.#counter(sw_consumer.bytes),
      capacity,
      used: this.#core.sw_consumer_used(this.#handle),
    }
  }

  #counter(field: number): number {
    const word = this.#block + (field >>> 2)
    return (this.words[word]! >>> 0) + (this.words[word + 1]! >>> 0) * 2 ** 32
  }
}
