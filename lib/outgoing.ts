// The sending half of a channel in one JavaScript thread: the ring's producer and, in front of it, the queue of what did not
// fit yet.
import { abortedError, onAbort } from './abort.js'
import type { RegionBinding } from './addon.js'
import * as check from './check.js'
import { copyIn, lead } from './copy.js'
import type { Core, Offset } from './core.js'
import { coreError, overwritten, SabwayError, trapped } from './errors.js'
import {
  ERRORS,
  SW_BATCH,
  SW_HEAP_AT,
  SW_RING_MAX,
  sw_channel,
  sw_instance,
  sw_producer,
  sw_ring,
} from './generated/abi.js'
import { after } from './host.js'
import type { Region } from './region.js'

const FULL = ERRORS.ERR_SABWAY_FULL.number
const TOO_LARGE = ERRORS.ERR_SABWAY_MESSAGE_TOO_LARGE.number

/** A message that waits for room. */
interface Queued {
  message: Uint8Array
  /** Settle the promise of sendDirect; absent for send. */
  done?: (error?: unknown) => void
}

export type SendOptions = check.Patience

export class Outgoing {
  onQueueEmpty: (() => void) | null = null
  private readonly core: Core
  private readonly bytes: Uint8Array
  private readonly words: Int32Array
  private readonly producer: Offset
  private readonly slices: Offset
  private readonly sliceWord: number
  private readonly statusWord: number
  private readonly nextWord: number
  private readonly roomWord: number
  private queue: Queued[] = []
  private queuedBytes = 0
  private opened = false
  private failure: SabwayError | null = null
  private reservation: number | null = null
  // Held apart: looking a function up in the instance's exports on every call costs more than the call.
  private readonly reserveFrame: Core['sw_producer_reserve']
  private readonly pushFrame: Core['sw_producer_push']
  private readonly appendFrame: Core['sw_producer_append']
  private readonly publishFrames: Core['sw_producer_publish']
  private readonly binding: RegionBinding | null

  constructor(
    private readonly region: Region,
    private readonly side: number,
    /** Ask the event loop to call flush, now and when there is room. */
    private readonly wantLoop: () => void,
    private readonly onOpen: () => void,
  ) {
    this.core = region.core
    this.bytes = region.bytes
    this.words = region.words
    this.producer = region.instance + sw_instance.producer
    this.slices = region.instance + sw_instance.outgoing
    this.sliceWord = this.slices >>> 2
    this.statusWord = (this.producer + sw_producer.status) >>> 2
    this.nextWord = (this.producer + sw_producer.next) >>> 2
    this.roomWord = (this.producer + sw_producer.room) >>> 2
    this.binding = region.binding
    this.reserveFrame = this.core.sw_producer_reserve
    this.pushFrame = this.core.sw_producer_push
    this.appendFrame = this.core.sw_producer_append
    this.publishFrames = this.core.sw_producer_publish
  }

  /** Take the producer's role, on first use. */
  open(): void {
    if (this.failure !== null) throw this.failure
    if (this.opened) return
    const { core, region, side } = this
    region.join(side)
    const status = core.sw_channel_open_producer(this.producer, 0, region.size, SW_HEAP_AT, side, region.endpoint)
    if (status !== 0) {
      throw coreError(
        status,
        'a channel has one producer on each side; attach to the other side, or clean up the first',
      )
    }
    this.opened = true
    this.onOpen()
  }

  get capacity(): number {
    const ring = SW_HEAP_AT + sw_channel.rings + this.side * sw_ring.sizeof
    return this.words[(this.opened ? this.producer + sw_producer.capacity : ring + sw_ring.capacity) >>> 2]!
  }

  trySend(message: Uint8Array): boolean {
    check.bytes(message)
    if (!this.opened || this.failure !== null) this.open()
    if (this.queue.length === 0) return this.append(message, 1) || this.write(message, 1)
    if (message.length > this.capacity) throw coreError(TOO_LARGE, this.explain(TOO_LARGE, message.length))
    return false
  }

  send(message: Uint8Array): boolean {
    if (this.trySend(message)) return true
    this.enqueue({ message: message.slice() })
    return false
  }

  sendDirect(message: Uint8Array, { timeout, signal }: SendOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) throw abortedError(signal)
      if (this.trySend(message)) return resolve()
      const queued: Queued = { message: message.slice() }
      const giveUp = (error: SabwayError) => {
        const at = this.queue.indexOf(queued)
        if (at < 0) return
        this.queue.splice(at, 1)
        this.queuedBytes -= message.length
        queued.done?.(error)
        this.wantLoop() // what stood behind it may fit, or nothing is left to wait for
        if (this.queue.length === 0) this.onQueueEmpty?.()
      }
      const deafen = onAbort(signal, () => giveUp(abortedError(signal!)))
      const timer =
        timeout === undefined
          ? undefined
          : after(timeout, () =>
              giveUp(new SabwayError('ERR_SABWAY_TIMEOUT', `no room for ${message.length} bytes within ${timeout} ms`)),
            )
      queued.done = (error) => {
        timer?.cancel()
        deafen()
        if (error === undefined) resolve()
        else reject(error)
      }
      this.enqueue(queued)
    })
  }

  /** How many of the list's messages, from its first, are now in the ring. Published together. */
  sendBatch(list: readonly Uint8Array[]): number {
    if (!this.opened || this.failure !== null) this.open()
    if (this.queue.length !== 0) return 0
    let sent = 0
    try {
      while (sent < list.length) {
        const some = Math.min(SW_BATCH, list.length - sent)
        const fitted = this.writeBatch(list, sent, some)
        sent += fitted
        if (fitted < some) break
      }
      return sent
    } catch (error) {
      throw trapped(error)
    }
  }

  private writeBatch(list: readonly Uint8Array[], from: number, count: number): number {
    const { words, sliceWord, bytes, binding } = this
    for (let i = 0, word = sliceWord; i < count; i++, word += 2) {
      const message = list[from + i]
      check.bytes(message)
      const length = message!.length
      words[word] = lead(message, length, binding)
      words[word + 1] = length
    }
    const fitted = this.core.sw_producer_reserve_batch(this.producer, this.slices, count)
    for (let i = 0, word = sliceWord; i < fitted; i++, word += 2) {
      const message = list[from + i]!
      copyIn(bytes, this.inside(words[word]! >>> 0, message.length), message, message.length, binding, words)
    }
    this.core.sw_producer_publish(this.producer)
    if (fitted < count) this.refused(list[from + fitted]!.length)
    return fitted
  }

  reserve(length: number): Uint8Array<SharedArrayBuffer> | null {
    check.integer(length, 'length', 0, SW_RING_MAX)
    this.open()
    if (this.queue.length !== 0) return null
    const at = this.room(length, 0)
    if (at === 0) {
      this.refused(length)
      return null
    }
    this.reservation = length
    return new Uint8Array(this.region.buffer, at, length)
  }

  /** Into the ring, but not seen before `publish`. False when that cannot be done now. */
  hold(message: Uint8Array): boolean {
    if (!this.opened || this.failure !== null) this.open()
    return this.queue.length === 0 && (this.append(message, 0) || this.write(message, 0))
  }

  /** Have what was held seen. */
  publish(): void {
    if (!this.opened) return
    try {
      this.publishFrames(this.producer)
    } catch (error) {
      throw trapped(error)
    }
  }

  commit(length = this.reservation ?? 0): void {
    check.integer(length, 'length', 0, SW_RING_MAX)
    this.open()
    const status = this.push(length, 1)
    if (status !== 0)
      throw coreError(
        status,
        this.reservation === null ? 'commit without reserve' : `${this.reservation} bytes were reserved, not ${length}`,
      )
    this.reservation = null
  }

  abandon(): void {
    this.open()
    const status = this.core.sw_producer_abandon(this.producer)
    if (status !== 0) throw coreError(status, 'abandon without reserve')
    this.reservation = null
  }

  /** The short way, for what fits in front of the ring's end as far as is known: one call of the core. */
  private append(message: Uint8Array, publish: 0 | 1): boolean {
    const { words, bytes, binding } = this
    const length = message.length
    if (length > words[this.roomWord]! >>> 0 || lead(message, length, binding) !== 0) return false
    try {
      copyIn(bytes, this.inside(words[this.nextWord]! >>> 0, length), message, length, binding, words)
      return this.appendFrame(this.producer, length, publish) === 0
    } catch (error) {
      throw trapped(error)
    }
  }

  private write(message: Uint8Array, publish: 0 | 1): boolean {
    const length = message.length
    const { binding } = this
    const at = this.room(length, lead(message, length, binding))
    if (at === 0) return this.refused(length)
    copyIn(this.bytes, at, message, length, binding, this.words)
    this.push(length, publish)
    return true
  }

  /** Where the core found room for a payload; 0 when there is none. */
  private room(length: number, lead: number): number {
    try {
      return this.inside(this.reserveFrame(this.producer, length, lead) >>> 0, length)
    } catch (error) {
      throw trapped(error)
    }
  }

  private push(length: number, publish: 0 | 1): number {
    try {
      return publish === 1 ? this.pushFrame(this.producer, length) : this.core.sw_producer_commit(this.producer, length)
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
    if (status === TOO_LARGE) {
      return `${length} bytes into a ring of ${this.capacity}; make the channel larger, or send parts`
    }
    if (status === ERRORS.ERR_SABWAY_CLOSED.number) return 'the other side was cleaned up'
    return status === ERRORS.ERR_SABWAY_INVALID_STATE.number
      ? 'a reservation is open; commit or abandon it first'
      : 'while sending'
  }

  private enqueue(queued: Queued): void {
    this.queue.push(queued)
    this.queuedBytes += queued.message.length
    this.wantLoop()
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
      while (moved < this.queue.length && this.write(this.queue[moved]!.message, 1)) {
        this.queuedBytes -= this.queue[moved]!.message.length
        moved++
      }
    } catch (error) {
      for (const { done } of this.queue.splice(0, moved)) done?.()
      this.fail(error)
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
      // A quarter of the ring at least: a slow consumer is not to make a system call for every message.
      const wanted = Math.max(first.message.length, this.capacity >>> 2)
      return this.core.sw_producer_want_space(this.producer, wanted) !== 0
    } catch (error) {
      this.fail(error)
      return false
    }
  }

  /** No message will be sent any more: settle those that wait. */
  fail(error: unknown): void {
    this.failure ??= error as SabwayError
    const waiting = this.queue.splice(0)
    this.queuedBytes = 0
    for (const { done } of waiting) done?.(error)
  }

  /** Nobody may come to make room: settle the promises. What `send` queued stays for whoever takes the other side. */
  peerDied(error: SabwayError): void {
    const promised = this.queue.filter(({ done }) => done !== undefined)
    this.queue = this.queue.filter(({ done }) => done === undefined)
    for (const { message, done } of promised) {
      this.queuedBytes -= message.length
      done?.(error)
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
      this.core.sw_producer_close(this.producer)
      this.core.sw_producer_leave(this.producer)
    } catch {
      // Its words were overwritten, so it cannot tell the peer. The region takes the role back when it is closed.
    }
  }

  stats(): { messages: number; bytes: number; queued: number; queuedBytes: number; capacity: number; used: number } {
    const { opened, producer, queue, queuedBytes } = this
    return {
      messages: opened ? this.counter(sw_producer.messages) : 0,
      bytes: opened ? this.counter(sw_producer.bytes) : 0,
      queued: queue.length,
      queuedBytes,
      capacity: this.capacity,
      used: opened ? this.core.sw_producer_used(producer) : 0,
    }
  }

  private counter(field: number): number {
    const word = (this.producer + field) >>> 2
    return (this.words[word]! >>> 0) + (this.words[word + 1]! >>> 0) * 2 ** 32
  }
}
