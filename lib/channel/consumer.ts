// The receiving half of a channel in one JavaScript thread: the ring's consumer, and who is given its messages.
import type { Core, Offset } from '../base/core.js'
import { coreError, SabwayError } from '../base/errors.js'
import { type Context, now } from '../base/host.js'
import type { SharedBytes } from '../base/shared-bytes.js'
import { ERRORS, SW_BATCH, SW_FRAME_HEADER, sw_channel, sw_consumer, sw_instance, sw_ring } from '../generated/abi.js'
import { NOTHING } from '../loop/waiting.js'
import type { Region } from '../region/region.js'

const CLOSED = ERRORS.ERR_SABWAY_CLOSED.number
const CORRUPT = ERRORS.ERR_SABWAY_CORRUPT.number
const REPLACED = ERRORS.ERR_SABWAY_REPLACED.number
export const RECEIVING = "startReceiving, a 'message' listener, a pending receive() or a port takes the messages"
const TAKEN = 'a channel has one consumer on each side; attach to the other side, or clean up the first'
const ENDED = 'this side has said that it reads no more (cleanup, or its readable was cancelled); make a new channel'
/** Messages between two looks at the clock, while callbacks are quick. */
const CLOCK_EVERY = 16
const SLOW_MS = 0.5

export type MessageCallback<T = Uint8Array> = (message: T) => void
/** The region's bytes, and where in them the message lies. */
export type DrainCallback = (bytes: SharedBytes, start: number, end: number) => void

export interface ReceiveOptions {
  /** Milliseconds of callbacks per turn of the event loop (default 8): then others have their turn. */
  budget?: number
  /**
   * Give each message as a copy with an ArrayBuffer of its own (default); or, cheaper between 64 and 4096 bytes, as a copy that may
   * share its ArrayBuffer with other messages, as Node's Buffers do, and so cannot be transferred (`'pooled'`); or in place, as
   * `drain` does: valid during the callback only, and the peer can still change it (false).
   */
  copy?: boolean | 'pooled'
}

const NEVER = Number.POSITIVE_INFINITY

/** Looks at the time now and then: often when callbacks are slow, seldom when they are quick. */
class Clock {
  private last = now()

  constructor(private readonly deadline: number) {}

  /** How many messages until the next look; 0 when the time is up. */
  next(): number {
    const time = now()
    const slow = time - this.last > SLOW_MS
    this.last = time
    return time >= this.deadline ? 0 : slow ? 1 : CLOCK_EVERY
  }
}

export class Consumer {
  private readonly core: Core
  private readonly bytes: Uint8Array<SharedArrayBuffer>
  private readonly words: Int32Array
  private readonly handle: Offset
  private readonly slices: Offset
  private readonly sliceWord: number
  /** Where the ring names its consumer, and how it names this one. */
  private readonly roleWord: number
  private role = 0
  private opened = false
  private draining = false
  /** A callback stopped receiving or closed the channel: hand out no more of the batch. */
  private interrupted = false
  private ended = false
  private callback: DrainCallback | null = null
  /** The async context in which the callback runs: entered once for all messages of a turn. */
  private inContext: Context | null = null
  private budget = 8

  constructor(
    private readonly region: Region,
    private readonly side: number,
    /** Called once, when the stream ends: no error when the peer closed it. */
    private readonly onEnd: (error: SabwayError | null) => void,
    private readonly onOpen: () => void,
  ) {
    this.core = region.core
    this.bytes = region.bytes
    this.words = region.words
    this.handle = region.instance + sw_instance.consumer
    this.slices = region.instance + sw_instance.incoming
    this.sliceWord = this.slices >>> 2
    this.roleWord = (region.channelAt + sw_channel.rings + (1 - side) * sw_ring.sizeof + sw_ring.consumer) >>> 2
  }

  /** Take the consumer's role, on first use. */
  open(): void {
    if (this.opened) return
    const { core, region, side } = this
    region.join(side)
    const status = core.sw_channel_open_consumer(this.handle, 0, region.size, region.channelAt, side, region.endpoint)
    if (status !== 0) throw coreError(status, status === CLOSED ? ENDED : TAKEN)
    this.opened = true
    this.role = this.words[(this.handle + sw_consumer.role) >>> 2]!
    this.onOpen()
  }

  /** Is the consumer's role still this participant's? */
  private get holds(): boolean {
    return this.words[this.roleWord] === this.role
  }

  get capacity(): number {
    const ring = this.region.channelAt + sw_channel.rings + (1 - this.side) * sw_ring.sizeof
    return this.words[(this.opened ? this.handle + sw_consumer.capacity : ring + sw_ring.capacity) >>> 2]!
  }

  /** `inContext`: the callback's async context, or null where it only settles promises, which have their own. */
  start(callback: DrainCallback, options: ReceiveOptions, inContext: Context | null): void {
    if (this.callback !== null)
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', `already receiving: ${RECEIVING}; call stopReceiving first`)
    this.open()
    this.callback = callback
    this.inContext = inContext
    this.budget = options.budget ?? 8
  }

  stop(): void {
    this.callback = null
    this.interrupted = true
  }

  get receiving(): boolean {
    return this.callback !== null
  }

  /** Does this side hold the consumer's role? */
  get isOpen(): boolean {
    return this.opened
  }

  /** Is a message being handed out right now? */
  get handing(): boolean {
    return this.draining
  }

  /** Give all that is there, but at most `max` messages, to the callback in place. Returns how many. Ends in a flood, too: after a ring full. */
  drain(callback: DrainCallback, max: number): number {
    this.open()
    const enough = this.released() + this.capacity
    let done = 0
    while (done < max) {
      const got = this.pass(callback, Math.min(SW_BATCH, max - done), NEVER)
      if (got === 0) break
      done += got
      if (!this.opened || this.released() >= enough) break
    }
    return done
  }

  /** Bytes of the ring, at least, that were given back to the producer so far. */
  private released(): number {
    return this.counter(sw_consumer.bytes) + this.counter(sw_consumer.messages) * SW_FRAME_HEADER
  }

  /** One turn of the event loop: within the budget. True when there may be more. */
  pump(): boolean {
    const { callback, inContext } = this
    if (callback === null || this.ended) return false
    return inContext === null ? this.turn(callback) : inContext(this.turn, callback)
  }

  private readonly turn = (callback: DrainCallback): boolean => {
    const deadline = now() + this.budget
    let did = false
    while (this.callback === callback && this.opened) {
      if (this.pass(callback, SW_BATCH, deadline) === 0) return did
      did = true
      if (now() >= deadline) return true
    }
    return did
  }

  /** One message as a copy, or NOTHING when there is none now. Errors: also ERR_SABWAY_CLOSED, at the end of the stream. */
  take<T>(take: (bytes: SharedBytes, start: number, end: number) => T): T | typeof NOTHING {
    const count = this.peek(1)
    if (count === 0) return NOTHING
    if (count < 0) {
      const end = count === CLOSED ? 'the other side is done, and all it sent has been received' : 'while receiving'
      throw coreError(count, end)
    }
    const start = this.words[this.sliceWord]! >>> 0
    const end = start + (this.words[this.sliceWord + 1]! >>> 0)
    if (end > this.bytes.length) throw coreError(CORRUPT, 'while receiving')
    try {
      return take(this.bytes, start, end)
    } finally {
      this.release(1, 1)
    }
  }

  /** Before taking messages one by one: nobody else is given them. */
  openForTaking(): void {
    if (this.callback !== null)
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', `${RECEIVING}; call stopReceiving first`)
    if (this.draining)
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'receiveSync was called inside a message callback')
    this.open()
  }

  /** Is there a message, or the end of the stream? */
  available(): boolean {
    return !this.holds || this.core.sw_consumer_ready(this.handle) !== 0
  }

  /** Peek a batch, hand it out, release what was handed out. Stops early at the deadline, or when a callback closes or throws. */
  private pass(give: DrainCallback, max: number, deadline: number): number {
    if (this.draining) throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'drain was called inside a message callback')
    const { bytes, words, sliceWord } = this
    const count = this.peek(max)
    if (count <= 0) return this.nothing(count)
    const clock = deadline === NEVER ? null : new Clock(deadline)
    const last = sliceWord + 2 * count
    let look = clock === null ? last : sliceWord + 2
    let word = sliceWord
    this.draining = true
    this.interrupted = false
    try {
      for (;;) {
        const start = words[word]! >>> 0
        const end = start + (words[word + 1]! >>> 0)
        word += 2 // before the call: what throws has been given
        if (end > bytes.length) return this.nothing(CORRUPT)
        give(bytes, start, end)
        if (this.interrupted) break
        if (word < look) continue
        const more = word === last ? 0 : clock!.next()
        if (more === 0) break
        look = Math.min(last, word + 2 * more)
      }
    } finally {
      this.draining = false
      if (this.opened) this.release((word - sliceWord) >>> 1, count)
    }
    return (word - sliceWord) >>> 1
  }

  private peek(max: number): number {
    if (!this.holds) return REPLACED
    try {
      return this.core.sw_consumer_peek_batch(this.handle, this.slices, max)
    } catch {
      return CORRUPT // the core's own words were overwritten
    }
  }

  private release(handed: number, peeked: number): void {
    if (!this.holds) return // the next peek tells
    try {
      if (handed < peeked) {
        this.core.sw_consumer_rewind(this.handle)
        this.core.sw_consumer_peek_batch(this.handle, this.slices, handed)
      }
      this.core.sw_consumer_release(this.handle)
    } catch {
      this.nothing(CORRUPT)
    }
  }

  private nothing(status: number): 0 {
    if (status === 0 || this.ended) return 0
    this.ended = true
    this.onEnd(
      status === CLOSED ? null : coreError(status, 'while receiving; this side reads no more from the channel'),
    )
    return 0
  }

  /** Before sleeping: is there something after all? */
  ready(): boolean {
    if (this.callback === null || this.ended) return false
    try {
      return !this.holds || this.core.sw_consumer_ready(this.handle) !== 0
    } catch {
      this.nothing(CORRUPT)
      return false
    }
  }

  /** Let go of the role without an end of the stream: the next consumer goes on behind what was released. */
  leave(): void {
    this.stop()
    this.ended = true
    if (!this.opened) return
    this.opened = false
    try {
      this.core.sw_consumer_leave(this.handle)
    } catch {
      // As in Producer: the region takes the role back.
    }
  }

  /** The producer is told that this side reads no more. */
  close(): void {
    this.stop()
    if (!this.opened) {
      try {
        this.open()
      } catch {
        return // somebody else receives for this side, and closes it
      }
    }
    this.opened = false
    this.ended = true
    try {
      this.core.sw_consumer_close(this.handle)
      this.core.sw_consumer_leave(this.handle)
    } catch {
      // As in Producer: the region takes the role back.
    }
  }

  stats(): { messages: number; bytes: number; capacity: number; used: number } {
    return {
      messages: this.opened ? this.counter(sw_consumer.messages) : 0,
      bytes: this.opened ? this.counter(sw_consumer.bytes) : 0,
      capacity: this.capacity,
      used: this.opened ? this.core.sw_consumer_used(this.handle) : 0,
    }
  }

  private counter(field: number): number {
    const word = (this.handle + field) >>> 2
    return (this.words[word]! >>> 0) + (this.words[word + 1]! >>> 0) * 2 ** 32
  }
}
