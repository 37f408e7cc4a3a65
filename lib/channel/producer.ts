// The sending half of a channel in one JavaScript thread: the ring's producer and, in front of it, the queue of what did not
// fit yet.
import { abortedError, onAbort } from '../base/abort.js'
import type { RegionBinding } from '../base/addon.js'
import { copyOf, lengthOf } from '../base/brand.js'
import * as check from '../base/check.js'
import { copyIn, copyInFree, lead, Windows } from '../base/copy.js'
import type { Core, Offset } from '../base/core.js'
import { coreError, overwritten, replaced, SabwayError, trapped } from '../base/errors.js'
import { after, needLoop } from '../base/host.js'
import type { SharedBytes } from '../base/shared-bytes.js'
import {
  ERRORS,
  SW_ALIGN,
  SW_BATCH,
  SW_FRAME_HEADER,
  SW_RING_MAX,
  sw_channel,
  sw_instance,
  sw_producer,
  sw_ring,
} from '../generated/abi.js'
import type { Region } from '../region/region.js'

const FULL = ERRORS.ERR_SABWAY_FULL.number
const CLOSED = ERRORS.ERR_SABWAY_CLOSED.number
const TAKEN = 'a channel has one producer on each side; attach to the other side, or clean up the first'
const ENDED = 'this side has ended its stream (cleanup, or its writable was closed); make a new channel'
const TOO_LARGE = ERRORS.ERR_SABWAY_MESSAGE_TOO_LARGE.number

const COMPOSING = 'a callback of write fills the place where the next message goes; send when it has returned'

const LONGEST_LIST = 2 ** 32 - 1

/** What the queue may hold where the channel's options do not say, or this many rings where that is more. */
const QUEUE_BYTES = 2 ** 27
const QUEUE_RINGS = 4
/** What a message counts at least: the queue's entry for a small one takes more memory than the message. */
const QUEUE_ENTRY = 64

const weightOf = (length: number): number => Math.max(length, QUEUE_ENTRY)

/** A message that waits for room: a copy. */
interface Queued {
  message: Uint8Array
  /** Is it sendDirect's? */
  promised: boolean
  /** Settle the promises that wait for this message. */
  done?: (error?: unknown) => void
}

export type SendOptions = check.Patience

/**
 * Writes one message in place. It is given the region's bytes, always the same view, and where in them the message lies: `start` is a
 * multiple of 8. Returns how many bytes the message has; undefined: all of them.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: what returns nothing is such a callback, too
export type WriteCallback = (bytes: SharedBytes, start: number, end: number) => number | void

export class Producer {
  onQueueEmpty: (() => void) | null = null
  /** Messages were queued that will not be sent, and no promise tells of it. */
  onLoss: ((error: SabwayError) => void) | null = null
  private readonly core: Core
  private readonly bytes: SharedBytes
  private readonly words: Int32Array
  private readonly handle: Offset
  private readonly slices: Offset
  private readonly sliceWord: number
  private readonly statusWord: number
  private readonly nextWord: number
  private readonly roomWord: number
  /** Where the ring names its producer, and how it names this one. */
  private readonly roleWord: number
  private role = 0
  /** Of the messages of one batch. */
  private readonly lengths = new Int32Array(SW_BATCH)
  private queue: Queued[] = []
  private queuedBytes = 0
  /** What the queue counts against its bound, and how much of that sendDirect has put there. */
  private queuedWeight = 0
  private promisedWeight = 0
  private opened = false
  private failure: SabwayError | null = null
  /** The other side's holder died, and no call was told of it. */
  private death: SabwayError | null = null
  private reservation: number | null = null
  /** The callback of `compose` is running. */
  private composing = false
  // Held apart: looking a function up in the instance's exports on every call costs more than the call.
  private readonly reserveFrame: Core['sw_producer_reserve']
  private readonly pushFrame: Core['sw_producer_push']
  private readonly appendFrame: Core['sw_producer_append']
  private readonly appendFrames: Core['sw_producer_append_batch']
  private readonly publishFrames: Core['sw_producer_publish']
  private readonly binding: RegionBinding | null
  private readonly windows: Windows

  constructor(
    private readonly region: Region,
    private readonly side: number,
    /** Ask the event loop to call flush, now and when there is room. */
    private readonly wantLoop: () => void,
    private readonly onOpen: () => void,
    /** Bytes that may wait for room in front of the ring; undefined: as many as QUEUE_BYTES and QUEUE_RINGS say. */
    private readonly maxQueued: number | undefined,
  ) {
    this.core = region.core
    this.bytes = region.bytes
    this.words = region.words
    this.handle = region.instance + sw_instance.producer
    this.slices = region.instance + sw_instance.outgoing
    this.sliceWord = this.slices >>> 2
    this.statusWord = (this.handle + sw_producer.status) >>> 2
    this.nextWord = (this.handle + sw_producer.next) >>> 2
    this.roomWord = (this.handle + sw_producer.room) >>> 2
    this.roleWord = (region.channelAt + sw_channel.rings + side * sw_ring.sizeof + sw_ring.producer) >>> 2
    this.binding = region.binding
    this.windows = new Windows(region.bytes)
    this.reserveFrame = this.core.sw_producer_reserve
    this.pushFrame = this.core.sw_producer_push
    this.appendFrame = this.core.sw_producer_append
    this.appendFrames = this.core.sw_producer_append_batch
    this.publishFrames = this.core.sw_producer_publish
  }

  /** Take the producer's role, on first use. */
  open(): void {
    if (this.failure !== null) throw this.failure
    if (this.opened) return
    const { core, region, side } = this
    region.join(side)
    const status = core.sw_channel_open_producer(this.handle, 0, region.size, region.channelAt, side, region.endpoint)
    if (status !== 0) throw coreError(status, status === CLOSED ? ENDED : TAKEN)
    this.opened = true
    this.role = this.words[(this.handle + sw_producer.role) >>> 2]!
    this.onOpen()
  }

  /** Before anything is written: where this one would write, its successor does. */
  private mustHold(): void {
    if (!this.holds) throw replaced()
  }

  /** Is the producer's role still this participant's? */
  private get holds(): boolean {
    return this.words[this.roleWord] === this.role
  }

  get capacity(): number {
    const ring = this.region.channelAt + sw_channel.rings + this.side * sw_ring.sizeof
    return this.words[(this.opened ? this.handle + sw_producer.capacity : ring + sw_ring.capacity) >>> 2]!
  }

  trySend(message: Uint8Array): boolean {
    return this.put(message, check.message(message))
  }

  send(message: Uint8Array): boolean {
    const length = check.message(message)
    return this.put(message, length) || this.later(message, length, true)
  }

  /** As `send`, however much is queued: for the few words of a protocol, which must not get lost between messages. */
  sendAlways(message: Uint8Array): void {
    if (!this.trySend(message)) this.later(message, message.length, false)
  }

  /** Queue a copy. Apart from `send`, so that this stays small enough for V8 to put it into its callers. */
  private later(message: Uint8Array, length: number, bounded: boolean): false {
    needLoop()
    if (bounded) this.mustQueue(length, this.queuedWeight)
    this.enqueue({ message: copyOf(message, length), promised: false })
    return false
  }

  /** Errors: ERR_SABWAY_QUEUE_FULL, when a message of this length would go beyond the bound behind so much that waits. */
  private mustQueue(length: number, waiting: number): void {
    const most = this.maxQueued ?? Math.max(QUEUE_BYTES, QUEUE_RINGS * this.capacity)
    if (waiting + weightOf(length) <= most) return
    const { queue, queuedBytes } = this
    const later = queue.length === 0 ? '' : "send again at 'drain', "
    throw new SabwayError(
      'ERR_SABWAY_QUEUE_FULL',
      `${queue.length} messages of ${queuedBytes} bytes wait for room in the ring, and ${length} bytes more would exceed maxQueued, ` +
        `${most}; this message was not queued: await sendDirect, which waits, ${later}or drop what trySend refuses`,
    )
  }

  /** The first `length` bytes, if there is room now. */
  private put(message: Uint8Array, length: number): boolean {
    if (!this.opened || this.failure !== null) this.open()
    this.mustHold()
    if (this.queue.length === 0) return this.append(message, length, 1) || this.write(message, length, 1)
    this.mustFit(length)
    return false
  }

  /** Errors: ERR_SABWAY_MESSAGE_TOO_LARGE, for what can never find room. */
  mustFit(length: number, index?: number): void {
    const { capacity } = this
    if (length > capacity) throw coreError(TOO_LARGE, check.placed(index) + tooLarge(length, capacity))
  }

  /**
   * `bounded`: refuse the message with ERR_SABWAY_QUEUE_FULL where others of sendDirect wait already, and with this one would be more
   * than the bound. A single one is always taken, whatever `send` has queued: it is how a program waits for room.
   */
  sendDirect(message: Uint8Array, { timeout, signal }: SendOptions, bounded: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) throw abortedError(signal)
      const length = check.message(message)
      if (this.put(message, length)) return resolve()
      if (this.death !== null) {
        const { death } = this
        this.death = null
        throw death
      }
      needLoop()
      if (bounded && this.promisedWeight !== 0) this.mustQueue(length, this.promisedWeight)
      const queued: Queued = { message: copyOf(message, length), promised: true }
      const giveUp = (error: SabwayError) => {
        const at = this.queue.indexOf(queued)
        if (at < 0) return
        this.queue.splice(at, 1)
        this.count(queued, -1)
        queued.done?.(error)
        this.wantLoop() // what stood behind it may fit, or nothing is left to wait for
        if (this.queue.length === 0) this.onQueueEmpty?.()
      }
      const onTimeout = () =>
        giveUp(new SabwayError('ERR_SABWAY_TIMEOUT', `no room for ${length} bytes within ${timeout} ms`))
      const timer = timeout === undefined ? undefined : after(timeout, onTimeout)
      const deafen = onAbort(signal, () => giveUp(abortedError(signal!)))
      queued.done = (error) => {
        timer?.cancel()
        deafen()
        if (error === undefined) resolve()
        else reject(error)
      }
      this.enqueue(queued)
    })
  }

  /**
   * How many of the list's messages, from its first, are now in the ring. Published together. All are looked at before the first is
   * sent, so an error means that none was; what goes wrong behind the first is for the next call to tell.
   */
  sendBatch(list: readonly Uint8Array[]): number {
    // Each element is read once, before anything else: reading may run code of the list's own.
    const count = check.integer(list.length, 'the length of the list', 0, LONGEST_LIST)
    const messages: Uint8Array[] = count <= SW_BATCH ? new Array(count) : []
    for (let i = 0; i < count; i++) {
      const message: unknown = list[i]
      check.bytes(message, i)
      messages[i] = message
    }
    if (!this.opened || this.failure !== null) this.open()
    this.mustHold()
    const { capacity } = this
    const lengths = count <= SW_BATCH ? this.lengths : new Int32Array(count)
    for (let i = 0; i < count; i++) {
      let length = lengthOf(messages[i]!)
      if (length === 0) length = check.message(messages[i], i)
      if (length > capacity) this.mustFit(length, i)
      lengths[i] = length
    }
    return this.queue.length === 0 ? this.writeAll(messages, lengths, count) : 0
  }

  private writeAll(messages: readonly Uint8Array[], lengths: Int32Array, count: number): number {
    const { binding } = this
    let sent = 0
    let seen = 0
    try {
      for (;;) {
        const some = this.fill(messages, lengths, sent, Math.min(SW_BATCH, count - sent))
        if (some !== 0) {
          const publish = some === SW_BATCH || sent + some === count ? 1 : 0
          sent += this.appendFrames(this.handle, this.slices, some, publish)
          if (publish === 1) seen = sent
        }
        if (sent === count) break
        // Past the ring's end, or as far as the consumer has come meanwhile: what is known there is known behind this message.
        const message = messages[sent]!
        const length = lengths[sent]!
        const at = this.room(length, lead(message, length, binding))
        if (at === 0) break
        copyIn(this.bytes, at, message, length, binding, this.words)
        this.push(length, 0)
        sent++
      }
      if (seen !== sent) this.publishFrames(this.handle)
    } catch (error) {
      if (seen === 0) throw trapped(error)
      return seen
    }
    if (sent === 0 && count !== 0) this.refused(lengths[0]!)
    return sent
  }

  /** Write payloads where frames side by side have them, as far as room is known, and list them in the slices. Returns how many. */
  private fill(messages: readonly Uint8Array[], lengths: Int32Array, from: number, count: number): number {
    const { words, sliceWord, bytes, binding } = this
    let room = words[this.roomWord]! >>> 0
    if (room === 0) return 0
    let at = this.inside(words[this.nextWord]! >>> 0, room)
    const free = this.windows.within(at + room)
    for (let i = 0, word = sliceWord; i < count; i++, word += 2) {
      const message = messages[from + i]!
      const length = lengths[from + i]!
      const skip = lead(message, length, binding)
      if (skip + length > room) return i
      copyInFree(free, bytes, at + skip, message, length, binding, words)
      words[word] = skip
      words[word + 1] = length
      const span = (SW_FRAME_HEADER + skip + length + SW_ALIGN - 1) & -SW_ALIGN
      at += span
      room -= span
    }
    return count
  }

  reserve(length: number): SharedBytes | null {
    check.integer(length, 'length', 0, Number.MAX_SAFE_INTEGER)
    this.open()
    this.mustHold()
    this.mustFit(length)
    if (this.queue.length !== 0) return null
    const at = this.room(length, 0)
    if (at === 0) {
      this.refused(length)
      return null
    }
    this.reservation = length
    return new Uint8Array(this.region.bytes.buffer, at, length)
  }

  /**
   * Have the callback write a message of up to `length` bytes into the ring, and send it. False when there is no room now. What the
   * callback throws goes on to the caller; then, and when it returns no such length, nothing is sent.
   */
  compose(length: number, callback: WriteCallback): boolean {
    if (!this.opened || this.failure !== null) this.open()
    this.mustFit(length)
    if (this.queue.length !== 0) return false
    const at = this.room(length, 0)
    if (at === 0) return this.refused(length)
    let written: number
    this.composing = true
    try {
      const said = callback(this.bytes, at, at + length)
      written = said === undefined ? length : check.integer(said, 'what the callback of write returns', 0, length)
    } catch (error) {
      this.forgo()
      throw error
    } finally {
      this.composing = false
    }
    if (!this.opened) throw this.failure! // the callback has closed the channel, and the ring may be another's by now
    this.push(written, 1)
    return true
  }

  /** Forget the message that a callback did not finish. */
  private forgo(): void {
    if (!this.opened) return
    try {
      this.core.sw_producer_abandon(this.handle)
    } catch {
      // Its words were overwritten, as the next call will tell.
    }
  }

  /** Into the ring, but not seen before `publish`. False when that cannot be done now. */
  hold(message: Uint8Array, length: number): boolean {
    if (!this.opened || this.failure !== null) this.open()
    this.mustHold()
    return this.queue.length === 0 && (this.append(message, length, 0) || this.write(message, length, 0))
  }

  /** Have what was held seen. */
  publish(): void {
    if (!this.opened) return
    this.mustHold()
    try {
      this.publishFrames(this.handle)
    } catch (error) {
      throw trapped(error)
    }
  }

  commit(length = this.reservation ?? 0): void {
    check.integer(length, 'length', 0, Number.MAX_SAFE_INTEGER)
    this.mustNotCompose()
    this.open()
    this.mustHold()
    this.mustFit(length)
    const status = this.push(length, 1)
    if (status !== 0)
      throw coreError(
        status,
        this.reservation === null ? 'commit without reserve' : `${this.reservation} bytes were reserved, not ${length}`,
      )
    this.reservation = null
  }

  private mustNotCompose(): void {
    if (this.composing) throw new SabwayError('ERR_SABWAY_INVALID_STATE', COMPOSING)
  }

  abandon(): void {
    this.mustNotCompose()
    this.open()
    this.mustHold()
    const status = this.core.sw_producer_abandon(this.handle)
    if (status !== 0) throw coreError(status, 'abandon without reserve')
    this.reservation = null
  }

  /** The short way, for what fits in front of the ring's end as far as is known: one call of the core. */
  private append(message: Uint8Array, length: number, publish: 0 | 1): boolean {
    const { words, bytes, binding } = this
    const room = words[this.roomWord]! >>> 0
    if (length > room || lead(message, length, binding) !== 0) return false
    try {
      const at = this.inside(words[this.nextWord]! >>> 0, room)
      copyInFree(this.windows.within(at + room), bytes, at, message, length, binding, words)
      return this.appendFrame(this.handle, length, publish) === 0
    } catch (error) {
      throw trapped(error)
    }
  }

  private write(message: Uint8Array, length: number, publish: 0 | 1): boolean {
    const { binding } = this
    if (length > SW_RING_MAX) this.mustFit(length) // the core counts in 32 bits
    const at = this.room(length, lead(message, length, binding))
    if (at === 0) return this.refused(length)
    copyIn(this.bytes, at, message, length, binding, this.words)
    this.push(length, publish)
    return true
  }

  /** Where the core found room for a payload; 0 when there is none. */
  private room(length: number, lead: number): number {
    try {
      const at = this.reserveFrame(this.handle, length, lead) >>> 0
      return at === 0 ? 0 : this.inside(at, length)
    } catch (error) {
      throw trapped(error)
    }
  }

  private push(length: number, publish: 0 | 1): number {
    try {
      return publish === 1 ? this.pushFrame(this.handle, length) : this.core.sw_producer_commit(this.handle, length)
    } catch (error) {
      throw trapped(error)
    }
  }

  /** An offset from the core, whose own words lie where others may have written. */
  private inside(at: number, length: number): number {
    if (at + length > this.bytes.length) throw overwritten()
    return at
  }

  /** Why the core gave no room: false when some will come, else an error. */
  private refused(length: number): false {
    const status = this.words[this.statusWord]!
    if (status === FULL) return false
    throw coreError(status, this.explain(status, length))
  }

  private explain(status: number, length: number): string {
    if (status === TOO_LARGE) return tooLarge(length, this.capacity)
    if (status === ERRORS.ERR_SABWAY_CLOSED.number) return 'the other side was cleaned up'
    if (status !== ERRORS.ERR_SABWAY_INVALID_STATE.number) return 'while sending'
    return this.composing ? COMPOSING : 'a reservation is open; commit or abandon it first'
  }

  private enqueue(queued: Queued): void {
    this.queue.push(queued)
    this.count(queued, 1)
    this.wantLoop()
  }

  /** A message has come into the queue, or has left it: `sign` 1 or -1. */
  private count({ message: { length }, promised }: Queued, sign: 1 | -1): void {
    this.queuedBytes += sign * length
    this.queuedWeight += sign * weightOf(length)
    if (promised) this.promisedWeight += sign * weightOf(length)
  }

  /** Does this side hold the producer's role? */
  get isOpen(): boolean {
    return this.opened
  }

  get pending(): boolean {
    return this.queue.length !== 0
  }

  /** Resolves when what is queued now is in the ring; rejects when the last of it was given up. */
  settled(): Promise<void> {
    const last = this.queue.at(-1)
    if (last === undefined) return Promise.resolve()
    const { done } = last
    return new Promise((resolve, reject) => {
      last.done = (error) => {
        done?.(error)
        if (error === undefined) resolve()
        else reject(error)
      }
    })
  }

  /** Move what fits from the queue into the ring. True when something moved. */
  flush(): boolean {
    let moved = 0
    try {
      this.mustHold()
      while (moved < this.queue.length) {
        const queued = this.queue[moved]!
        const { message } = queued
        if (!this.write(message, message.length, 1)) break
        this.count(queued, -1)
        moved++
      }
    } catch (error) {
      for (const { done } of this.queue.splice(0, moved)) done?.()
      const silent = this.queue.some(({ done }) => done === undefined)
      this.fail(error)
      if (silent && (error as SabwayError).code === 'ERR_SABWAY_REPLACED') this.onLoss?.(error as SabwayError)
      return true
    }
    if (moved === 0) return false
    for (const { done } of this.queue.splice(0, moved)) done?.()
    if (this.queue.length === 0) this.onQueueEmpty?.()
    return true
  }

  /** Before sleeping: ask to be rung when the first message of the queue fits. True when it fits already. */
  wantSpace(): boolean {
    const first = this.queue[0]
    try {
      if (first === undefined) return false
      if (!this.holds) return true // for `flush` to tell
      // A quarter of the ring at least: a slow consumer is not to make a system call for every message.
      const wanted = Math.max(first.message.length, this.capacity >>> 2)
      return this.core.sw_producer_want_space(this.handle, wanted) !== 0
    } catch (error) {
      this.fail(error)
      return false
    }
  }

  /** No message will be sent any more: settle those that wait. */
  fail(error: unknown): void {
    this.failure ??= error as SabwayError
    const waiting = this.queue.splice(0)
    this.queuedBytes = this.queuedWeight = this.promisedWeight = 0
    for (const { done } of waiting) done?.(error)
  }

  /**
   * The other side's holder died: the promises that wait for room are rejected, or the next one that would have to wait when
   * there is none and nothing else has `told` the caller. What `send` queued stays for a successor of the dead one.
   */
  peerDied(told: boolean): void {
    const promised = this.queue.filter(({ done }) => done !== undefined)
    this.queue = this.queue.filter(({ done }) => done === undefined)
    this.death = told || promised.length !== 0 ? null : diedWaiting()
    for (const queued of promised) {
      this.count(queued, -1)
      queued.done?.(diedWaiting())
    }
  }

  /** Is there a death that the caller is to be told of? */
  get mourns(): boolean {
    return this.death !== null
  }

  /** A successor holds the other side: it makes room. */
  peerCame(): void {
    this.death = null
  }

  /** Let go of the role without an end of the stream: the next producer goes on behind what was published. */
  leave(reason: string): void {
    this.fail(new SabwayError('ERR_SABWAY_CLOSED', reason))
    if (!this.opened) return
    this.opened = false
    try {
      this.core.sw_producer_leave(this.handle)
    } catch {
      // Its words were overwritten. The region takes the role back when it is closed.
    }
  }

  /** End of the stream: the consumer gets what was published, then 'close'. Who sends later is told why not. */
  close(reason = 'cleanup was called'): void {
    this.fail(new SabwayError('ERR_SABWAY_CLOSED', reason))
    if (!this.opened) {
      try {
        this.failure = null
        this.open()
      } catch {
        return // somebody else sends for this side, and closes it
      } finally {
        this.failure = new SabwayError('ERR_SABWAY_CLOSED', reason)
      }
    }
    this.opened = false
    try {
      this.core.sw_producer_close(this.handle)
      this.core.sw_producer_leave(this.handle)
    } catch {
      // Its words were overwritten, so it cannot tell the peer. The region takes the role back when it is closed.
    }
  }

  stats(): { messages: number; bytes: number; queued: number; queuedBytes: number; capacity: number; used: number } {
    const { opened, handle, queue, queuedBytes } = this
    return {
      messages: opened ? this.counter(sw_producer.messages) : 0,
      bytes: opened ? this.counter(sw_producer.bytes) : 0,
      queued: queue.length,
      queuedBytes,
      capacity: this.capacity,
      used: opened ? this.core.sw_producer_used(handle) : 0,
    }
  }

  private counter(field: number): number {
    const word = (this.handle + field) >>> 2
    return (this.words[word]! >>> 0) + (this.words[word + 1]! >>> 0) * 2 ** 32
  }
}

const diedWaiting = () => new SabwayError('ERR_SABWAY_PEER_DIED', 'while this message waited for room; it was not sent')

function tooLarge(length: number, capacity: number): string {
  const remedy =
    length > SW_RING_MAX
      ? `send parts: no ring is larger than ${SW_RING_MAX}`
      : 'make the channel larger, or send parts'
  return `${length} bytes into a ring of ${capacity}; ${remedy}`
}
