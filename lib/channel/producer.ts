// The producer of a ring in one JavaScript thread: a thin layer over the core's sw_producer
// (native/include/sabway/ring.h), whose block lies in the region at `handle`. What the ring has no
// room for waits in front of it, in the send queue (send-queue.ts).
//
// States:
//
//   state   role     `ended`   what a send does
//   new     free     null      takes the producer's role, then sends
//   open    held     null      sends, or says that there is no room now
//   ended   any      error     throws that error
//
// A role can also be lost while it is held: another participant evicts this one, and then the
// ring's role word names that other one. Each call compares the word before it writes (`mustHold`).
//
// Protocol: find room, write the payload, commit its length, publish. Three ways do that:
//
//   #appendFast  one call of the core: for what fits in front of the ring's end as far as is known
//   append       reserve and commit: wraps at the ring's end, and looks for the consumer
//   sendBatch    as many frames as fit, listed in the instance's slices, for one call of the core
//
// What a crash leaves: the consumer still gets all that was published. What was reserved or
// committed but not published does not exist for the next producer, which goes on behind the last
// published frame. The role word names the crashed participant until another one evicts it.
import type { RegionBinding } from '../base/addon.js'
import { lengthOf } from '../base/brand.js'
import * as check from '../base/check.js'
import { copyIn, copyInFree, lead, type Windows } from '../base/copy.js'
import type { GuardedCore, HotCore, Offset } from '../base/core.js'
import { asCorruptError, coreError, type Ending, overwritten, replaced, SabwayError } from '../base/errors.js'
import type { SharedBytes } from '../base/shared-bytes.js'
import {
  ERRORS,
  SW_ALIGN,
  SW_BATCH,
  SW_FRAME_HEADER,
  SW_RING_MAX,
  sw_instance,
  sw_producer,
  sw_ring,
} from '../generated/abi.js'
import type { ChannelPlace } from '../region/channel-place.js'
import type { Region } from '../region/region.js'

const FULL = ERRORS.ERR_SABWAY_FULL.number
const CLOSED = ERRORS.ERR_SABWAY_CLOSED.number
const TOO_LARGE = ERRORS.ERR_SABWAY_MESSAGE_TOO_LARGE.number
const TAKEN = 'a channel has one producer on each side; attach to the other side, or clean up the first'
const ENDED = 'this side has ended its stream (cleanup, or its writable was closed); make a new channel'
const WRITING = 'a callback of write fills the place where the next message goes; send when it has returned'

const LONGEST_LIST = 2 ** 32 - 1

/**
 * Writes one message in place. It is given the region's bytes, always the same view, and where in
 * them the message lies: `start` is a multiple of 8. Returns how many bytes the message has;
 * undefined: all of them.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: what returns nothing is such a callback, too
export type WriteCallback = (bytes: SharedBytes, start: number, end: number) => number | void

export class Producer {
  /**
   * Messages that wait in front of the ring, which a new one must not pass: the send queue's count.
   */
  queued = 0
  readonly bytes: SharedBytes
  readonly words: Int32Array
  readonly binding: RegionBinding | null
  readonly #region: Region
  readonly #place: ChannelPlace
  readonly #onOpen: () => void
  readonly #core: GuardedCore
  readonly #handle: Offset
  /** Index of the first word of the core's block. */
  readonly #block: number
  readonly #slices: Offset
  /** Index of the word by which the ring names its producer, and how that word names this one. */
  readonly #roleWord: number
  #role = 0
  /** The lengths of one batch's messages. */
  readonly #lengths = new Int32Array(SW_BATCH)
  #opened = false
  #ended: Ending | null = null
  #reservation: number | null = null
  /** The callback of `write` is running. */
  #writing = false
  // As fields: looking a function up in the instance's exports on every call costs more than the
  // call.
  readonly #reserveFrame: HotCore['sw_producer_reserve']
  readonly #pushFrame: HotCore['sw_producer_push']
  readonly #appendFrame: HotCore['sw_producer_append']
  readonly #appendFrames: HotCore['sw_producer_append_batch']
  readonly #publishFrames: HotCore['sw_producer_publish']
  readonly #windows: Windows

  /** `handle`: where the core's block is. `onOpen`: called when the role has been taken. */
  constructor(region: Region, place: ChannelPlace, handle: Offset, onOpen: () => void) {
    const { core, hot, instance } = region
    this.bytes = region.bytes
    this.words = region.words
    this.binding = region.binding
    this.#region = region
    this.#place = place
    this.#onOpen = onOpen
    this.#core = core
    this.#handle = handle
    this.#slices = instance + sw_instance.outgoing
    this.#block = this.#handle >>> 2
    this.#roleWord = place.outgoing(sw_ring.producer)
    this.#windows = region.windows
    this.#reserveFrame = hot.sw_producer_reserve
    this.#pushFrame = hot.sw_producer_push
    this.#appendFrame = hot.sw_producer_append
    this.#appendFrames = hot.sw_producer_append_batch
    this.#publishFrames = hot.sw_producer_publish
  }

  // ---- the role ----

  /** Take the producer's role, on first use. */
  open(): void {
    if (this.#ended !== null) throw this.#ended.error
    if (!this.#opened) this.#takeRole()
  }

  #takeRole(): void {
    const { size, endpoint } = this.#region
    const { offset, generation, side } = this.#place
    this.#region.join(side)
    const status = this.#core.sw_channel_open_producer(this.#handle, 0, size, offset, generation, side, endpoint)
    if (status !== 0) throw coreError(status, status === CLOSED ? ENDED : TAKEN)
    this.#opened = true
    this.#role = this.words[this.#block + (sw_producer.role >>> 2)]!
    this.#onOpen()
  }

  /** Has this object taken the role, and not let go of it? */
  get isOpen(): boolean {
    return this.#opened
  }

  /** Does the ring still name this participant as its producer? */
  get holds(): boolean {
    return this.words[this.#roleWord] === this.#role
  }

  /**
   * Before a message is sent: take the role, on first use. Errors: why nothing is sent any more.
   */
  #mustOwn(): void {
    if (!this.#opened || this.#ended !== null) this.open()
    if (!this.holds) throw replaced()
  }

  /**
   * Before anything is written: a producer that was evicted would write where its successor does.
   */
  mustHold(): void {
    if (!this.holds) throw replaced()
  }

  /** By which slot this thread hears of the ring from now on: see Bell. */
  setSlot(slot: number): void {
    if (this.#opened) this.#core.sw_producer_set_slot(this.#handle, slot)
  }

  get capacity(): number {
    return this.words[
      this.#opened ? this.#block + (sw_producer.capacity >>> 2) : this.#place.outgoing(sw_ring.capacity)
    ]!
  }

  /** From now on all sends throw the error; the first one stays. */
  end(why: Ending): void {
    this.#ended ??= why
  }

  /**
   * Let go of the role without an end of the stream: the next producer goes on behind what was
   * published.
   */
  leave(): void {
    if (this.#opened) this.#letGo(false)
  }

  /** End of the stream: the consumer gets what was published, then 'close'. */
  close(): void {
    try {
      if (!this.#opened) this.#takeRole()
    } catch {
      return // another participant sends for this side, and closes it
    }
    this.#letGo(true)
  }

  #letGo(close: boolean): void {
    this.#opened = false
    try {
      if (close) this.#core.sw_producer_close(this.#handle)
      this.#core.sw_producer_leave(this.#handle)
    } catch {
      // Its words were overwritten, so the peer cannot be told. The region takes the role back when
      // it is closed.
    }
  }

  // ---- one message ----

  /**
   * Send the first `length` bytes of the message, if there is room now and nothing is queued before
   * them.
   */
  trySend(message: Uint8Array, length: number): boolean {
    this.#mustOwn()
    if (this.queued === 0) return this.#appendFast(message, length, 1) || this.append(message, length, 1)
    this.mustFit(length)
    return false
  }

  /** As `trySend`, but the consumer does not see the message before `publish`. */
  appendUnpublished(message: Uint8Array, length: number): boolean {
    this.#mustOwn()
    return this.queued === 0 && (this.#appendFast(message, length, 0) || this.append(message, length, 0))
  }

  /** Let the consumer see what `appendUnpublished` wrote. */
  publish(): void {
    if (!this.#opened) return
    this.mustHold()
    try {
      this.#publishFrames(this.#handle)
    } catch (error) {
      throw asCorruptError(error)
    }
  }

  /** Errors: ERR_SABWAY_MESSAGE_TOO_LARGE, for what can never find room. */
  mustFit(length: number, index?: number): void {
    const { capacity } = this
    if (length > capacity) throw coreError(TOO_LARGE, check.placed(index) + tooLarge(length, capacity))
  }

  /** False where the message needs the long way, `append`. */
  #appendFast(message: Uint8Array, length: number, publish: 0 | 1): boolean {
    const { words, bytes, binding } = this
    const room = words[this.#block + (sw_producer.room >>> 2)]! >>> 0
    if (length > room || lead(message, length, binding) !== 0) return false
    try {
      const at = this.#inBounds(words[this.#block + (sw_producer.next >>> 2)]! >>> 0, room)
      copyInFree(this.#windows.within(at + room), bytes, at, message, length, binding, words)
      return this.#appendFrame(this.#handle, length, publish) === 0
    } catch (error) {
      throw asCorruptError(error)
    }
  }

  /** Into the ring, whatever is queued. False when there is no room now. The role must be held. */
  append(message: Uint8Array, length: number, publish: 0 | 1): boolean {
    const { binding } = this
    if (length > SW_RING_MAX) this.mustFit(length) // the core counts in 32 bits
    const at = this.#findRoom(length, lead(message, length, binding))
    if (at === 0) return this.#noRoom(length)
    copyIn(this.bytes, at, message, length, binding, this.words)
    this.#commitFrame(length, publish)
    return true
  }

  // ---- many messages ----

  /**
   * How many of the list's messages, from its first, are now in the ring. Published together. All
   * are looked at before the first is sent, so an error means that none was; what goes wrong behind
   * the first is for the next call to tell.
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
    this.#mustOwn()
    const { capacity } = this
    const lengths = count <= SW_BATCH ? this.#lengths : new Int32Array(count)
    for (let i = 0; i < count; i++) {
      let length = lengthOf(messages[i]!)
      if (length === 0) length = check.message(messages[i], i)
      if (length > capacity) this.mustFit(length, i)
      lengths[i] = length
    }
    return this.queued === 0 ? this.#appendAll(messages, lengths, count) : 0
  }

  #appendAll(messages: readonly Uint8Array[], lengths: Int32Array, count: number): number {
    const { binding } = this
    let sent = 0
    let published = 0
    try {
      for (;;) {
        const some = this.#fill(messages, lengths, sent, Math.min(SW_BATCH, count - sent))
        if (some !== 0) {
          const publish = some === SW_BATCH || sent + some === count ? 1 : 0
          sent += this.#appendFrames(this.#handle, this.#slices, some, publish)
          if (publish === 1) published = sent
        }
        if (sent === count) break
        // The long way wraps and looks for the consumer: behind this message more room may be
        // known.
        const message = messages[sent]!
        const length = lengths[sent]!
        const at = this.#findRoom(length, lead(message, length, binding))
        if (at === 0) break
        copyIn(this.bytes, at, message, length, binding, this.words)
        this.#commitFrame(length, 0)
        sent++
      }
      if (published !== sent) this.#publishFrames(this.#handle)
    } catch (error) {
      if (published === 0) throw asCorruptError(error)
      return published
    }
    if (sent === 0 && count !== 0) this.#noRoom(lengths[0]!)
    return sent
  }

  /**
   * Write payloads where frames side by side have them, as far as room is known, and list them in
   * the slices. Returns how many.
   */
  #fill(messages: readonly Uint8Array[], lengths: Int32Array, from: number, count: number): number {
    const { words, bytes, binding } = this
    let room = words[this.#block + (sw_producer.room >>> 2)]! >>> 0
    if (room === 0) return 0
    let at = this.#inBounds(words[this.#block + (sw_producer.next >>> 2)]! >>> 0, room)
    const free = this.#windows.within(at + room)
    for (let i = 0, word = this.#slices >>> 2; i < count; i++, word += 2) {
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

  // ---- in place ----

  /**
   * Where in the region a message of up to `length` bytes can be written; 0 when there is no room
   * now.
   */
  reserve(length: number): Offset {
    this.#mustOwn()
    this.mustFit(length)
    if (this.queued !== 0) return 0
    const at = this.#findRoom(length, 0)
    if (at !== 0) this.#reservation = length
    else this.#noRoom(length)
    return at
  }

  /** Send the first `length` bytes of what was reserved. */
  commit(length = this.#reservation ?? 0): void {
    check.integer(length, 'length', 0, Number.MAX_SAFE_INTEGER)
    this.#mustNotWrite()
    this.#mustOwn()
    this.mustFit(length)
    const status = this.#commitFrame(length, 1)
    if (status !== 0)
      throw coreError(
        status,
        this.#reservation === null
          ? 'commit without reserve'
          : `${this.#reservation} bytes were reserved, not ${length}`,
      )
    this.#reservation = null
  }

  abandon(): void {
    this.#mustNotWrite()
    this.#mustOwn()
    const status = this.#core.sw_producer_abandon(this.#handle)
    if (status !== 0) throw coreError(status, 'abandon without reserve')
    this.#reservation = null
  }

  /**
   * Have the callback write a message of up to `length` bytes into the ring, and send it. False
   * when there is no room now. What the callback throws goes on to the caller; then, and when it
   * returns no such length, nothing is sent.
   */
  write(length: number, callback: WriteCallback): boolean {
    this.#mustOwn()
    this.mustFit(length)
    if (this.queued !== 0) return false
    const at = this.#findRoom(length, 0)
    if (at === 0) return this.#noRoom(length)
    let written: number
    this.#writing = true
    try {
      const returned = callback(this.bytes, at, at + length)
      written =
        returned === undefined ? length : check.integer(returned, 'what the callback of write returns', 0, length)
    } catch (error) {
      this.#abandonQuietly()
      throw error
    } finally {
      this.#writing = false
    }
    // the callback has closed the channel, and another participant may have the ring
    if (!this.#opened) throw this.#ended!.error
    this.#commitFrame(written, 1)
    return true
  }

  #mustNotWrite(): void {
    if (this.#writing) throw new SabwayError('ERR_SABWAY_INVALID_STATE', WRITING)
  }

  /** Forget the message that a callback did not finish. */
  #abandonQuietly(): void {
    if (!this.#opened) return
    try {
      this.#core.sw_producer_abandon(this.#handle)
    } catch {
      // Its words were overwritten, as the next call will tell.
    }
  }

  // ---- the core ----

  /** Where the core found room for a payload; 0 when there is none. */
  #findRoom(length: number, lead: number): Offset {
    try {
      const at = this.#reserveFrame(this.#handle, length, lead) >>> 0
      return at === 0 ? 0 : this.#inBounds(at, length)
    } catch (error) {
      throw asCorruptError(error)
    }
  }

  #commitFrame(length: number, publish: 0 | 1): number {
    try {
      return publish === 1 ? this.#pushFrame(this.#handle, length) : this.#core.sw_producer_commit(this.#handle, length)
    } catch (error) {
      throw asCorruptError(error)
    }
  }

  /**
   * Bounds check: the core's block lies in shared memory, where any participant may have
   * overwritten it.
   */
  #inBounds(at: number, length: number): number {
    if (at + length > this.bytes.length) throw overwritten()
    return at
  }

  /** Why the core found no room: false when some will come, else an error. */
  #noRoom(length: number): false {
    const status = this.words[this.#block + (sw_producer.status >>> 2)]!
    if (status === FULL) return false
    throw coreError(status, this.#explain(status, length))
  }

  #explain(status: number, length: number): string {
    if (status === TOO_LARGE) return tooLarge(length, this.capacity)
    if (status === CLOSED) return 'the other side was cleaned up'
    if (status !== ERRORS.ERR_SABWAY_INVALID_STATE.number) return 'while sending'
    return this.#writing ? WRITING : 'a reservation is open; commit or abandon it first'
  }

  /** Ask to be rung when `length` bytes fit. True when they fit already. */
  wantSpace(length: number): boolean {
    return this.#core.sw_producer_want_space(this.#handle, length) !== 0
  }

  stats(): { messages: number; bytes: number; capacity: number; used: number } {
    const { capacity } = this
    if (!this.#opened) return { messages: 0, bytes: 0, capacity, used: 0 }
    return {
      messages: this.#counter(sw_producer.messages),
      bytes: this.#counter(sw_producer.bytes),
      capacity,
      used: this.#core.sw_producer_used(this.#handle),
    }
  }

  #counter(field: number): number {
    const word = this.#block + (field >>> 2)
    return (this.words[word]! >>> 0) + (this.words[word + 1]! >>> 0) * 2 ** 32
  }
}

function tooLarge(length: number, capacity: number): string {
  const remedy =
    length > SW_RING_MAX
      ? `send parts: no ring is larger than ${SW_RING_MAX}`
      : 'make the channel larger, or send parts'
  return `${length} bytes into a ring of ${capacity}; ${remedy}`
}
