// The send queue: copies of messages for which the ring had no room, in the order in which they
// were sent. It is private memory of this thread in front of the producer (producer.ts).
//
// Protocol: `send` and `sendDirect` try the ring first, and queue a copy when there is no room, or
// when something is queued before it. From then on the event loop calls `flush`, which moves what
// fits into the ring, and before it sleeps `wantSpace`, which asks the consumer to ring when the
// first one fits.
//
// An entry leaves the queue in one of four ways:
//
//   in the ring          `flush`      a promise resolves
//   timeout, abort       #giveUp      sendDirect's only: its promise rejects
//   the other side died  `peerDied`   sendDirect's only: rejects; the others wait for a successor
//   end of the stream    `fail`       promises reject, what `send` queued is lost
//
// What a crash leaves: nothing of the queue. The consumer gets what is in the ring.
import { abortedError, onAbort } from '../base/abort.js'
import { copyOf } from '../base/brand.js'
import * as check from '../base/check.js'
import { type Ending, SabwayError } from '../base/errors.js'
import { after, needLoop } from '../base/host.js'
import type { Producer } from './producer.js'

/**
 * What the queue may hold where the channel's options do not say, or this many rings where that is
 * more.
 */
const QUEUE_BYTES = 2 ** 27
const QUEUE_RINGS = 4
/**
 * What a message counts at least: the queue's entry for a small one takes more memory than the
 * message.
 */
const QUEUE_ENTRY = 64

const weightOf = (length: number): number => Math.max(length, QUEUE_ENTRY)

/** A message that waits for room: a copy. */
interface Queued {
  message: Uint8Array
  /** Is it sendDirect's? */
  promised: boolean
  /** Resolve or reject the promises that wait for this message. */
  done?: (error?: unknown) => void
}

export type SendOptions = check.Patience

/** The part of its channel that a send queue uses. */
export interface SendQueueOwner {
  /** Have the event loop call `flush`, now and when there is room. */
  want(): void
  /** The queue has become empty. */
  drained(): void
  /** Messages were queued that will not be sent, and no promise tells of it. */
  report(error: SabwayError): void
}

export class SendQueue {
  readonly #producer: Producer
  readonly #owner: SendQueueOwner
  readonly #maxQueued: number | undefined
  #queue: Queued[] = []
  #bytes = 0
  /** What the queue counts against its bound, and how much of that sendDirect has put there. */
  #weight = 0
  #promisedWeight = 0
  /** The other side's holder died, and no call was told of it. */
  #death: SabwayError | null = null

  /**
   * `maxQueued`: bytes that may wait here; undefined: as many as QUEUE_BYTES and QUEUE_RINGS say.
   */
  constructor(producer: Producer, owner: SendQueueOwner, maxQueued: number | undefined) {
    this.#producer = producer
    this.#owner = owner
    this.#maxQueued = maxQueued
  }

  trySend(message: Uint8Array): boolean {
    return this.#producer.trySend(message, check.message(message))
  }

  send(message: Uint8Array): boolean {
    const length = check.message(message)
    return this.#producer.trySend(message, length) || this.#enqueueCopy(message, length, true)
  }

  /**
   * As `send`, however much is queued: a port's control frames must not get lost between messages.
   */
  sendAlways(message: Uint8Array): void {
    if (!this.trySend(message)) this.#enqueueCopy(message, message.length, false)
  }

  /** Apart from `send`, so that this stays small enough for V8 to put it into its callers. */
  #enqueueCopy(message: Uint8Array, length: number, bounded: boolean): false {
    needLoop()
    if (bounded) this.#mustQueue(length, this.#weight)
    this.#enqueue({ message: copyOf(message, length), promised: false })
    return false
  }

  /**
   * Resolves when the message is in the ring. `bounded`: refuse it with ERR_SABWAY_QUEUE_FULL where
   * others of sendDirect wait already, and with this one would be more than the bound. A single one
   * is always taken, whatever `send` has queued: it is how a program waits for room.
   */
  sendDirect(message: Uint8Array, { timeout, signal }: SendOptions, bounded: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) throw abortedError(signal)
      const length = check.message(message)
      if (this.#producer.trySend(message, length)) return resolve()
      if (this.#death !== null) {
        const death = this.#death
        this.#death = null
        throw death
      }
      needLoop()
      if (bounded && this.#promisedWeight !== 0) this.#mustQueue(length, this.#promisedWeight)
      const queued: Queued = { message: copyOf(message, length), promised: true }
      const onTimeout = () =>
        this.#giveUp(queued, new SabwayError('ERR_SABWAY_TIMEOUT', `no room for ${length} bytes within ${timeout} ms`))
      const timer = timeout === undefined ? undefined : after(timeout, onTimeout)
      const ignoreSignal = onAbort(signal, () => this.#giveUp(queued, abortedError(signal!)))
      queued.done = (error) => {
        timer?.cancel()
        ignoreSignal()
        if (error === undefined) resolve()
        else reject(error)
      }
      this.#enqueue(queued)
    })
  }

  #giveUp(queued: Queued, error: SabwayError): void {
    const at = this.#queue.indexOf(queued)
    if (at < 0) return
    this.#queue.splice(at, 1)
    this.#count(queued, -1)
    queued.done?.(error)
    this.#owner.want() // what stood behind it may fit, or nothing is left to wait for
    if (this.#queue.length === 0) this.#owner.drained()
  }

  /**
   * Errors: ERR_SABWAY_QUEUE_FULL, when a message of this length would exceed the bound behind what
   * waits.
   */
  #mustQueue(length: number, waiting: number): void {
    const most = this.#maxQueued ?? Math.max(QUEUE_BYTES, QUEUE_RINGS * this.#producer.capacity)
    if (waiting + weightOf(length) <= most) return
    const count = this.#queue.length
    const later = count === 0 ? '' : "send again at 'drain', "
    throw new SabwayError(
      'ERR_SABWAY_QUEUE_FULL',
      `${count} messages of ${this.#bytes} bytes wait for room in the ring, and ${length} bytes more would exceed maxQueued, ` +
        `${most}; this message was not queued: await sendDirect, which waits, ${later}or drop what trySend refuses`,
    )
  }

  #enqueue(queued: Queued): void {
    this.#queue.push(queued)
    this.#count(queued, 1)
    this.#owner.want()
  }

  /** A message has come into the queue, or has left it: `sign` 1 or -1. */
  #count({ message: { length }, promised }: Queued, sign: 1 | -1): void {
    this.#producer.queued += sign
    this.#bytes += sign * length
    this.#weight += sign * weightOf(length)
    if (promised) this.#promisedWeight += sign * weightOf(length)
  }

  get pending(): boolean {
    return this.#queue.length !== 0
  }

  /** Resolves when what is queued now is in the ring; rejects when the last of it was given up. */
  drained(): Promise<void> {
    const last = this.#queue.at(-1)
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
    const producer = this.#producer
    let moved = 0
    try {
      producer.mustHold()
      while (moved < this.#queue.length) {
        const queued = this.#queue[moved]!
        const { message } = queued
        if (!producer.append(message, message.length, 1)) break
        this.#count(queued, -1)
        moved++
      }
    } catch (error) {
      for (const { done } of this.#queue.splice(0, moved)) done?.()
      const silent = this.#queue.some(({ done }) => done === undefined)
      this.fail({ error: error as SabwayError })
      if (silent && (error as SabwayError).code === 'ERR_SABWAY_REPLACED') this.#owner.report(error as SabwayError)
      return true
    }
    if (moved === 0) return false
    for (const { done } of this.#queue.splice(0, moved)) done?.()
    if (this.#queue.length === 0) this.#owner.drained()
    return true
  }

  /**
   * Before sleeping: ask to be rung when the first message of the queue fits. True when it fits
   * already.
   */
  wantSpace(): boolean {
    const first = this.#queue[0]
    if (first === undefined) return false
    const producer = this.#producer
    try {
      if (!producer.holds) return true // `flush` tells what that means
      // A quarter of the ring at least: a slow consumer is not to make a system call for every
      // message.
      return producer.wantSpace(Math.max(first.message.length, producer.capacity >>> 2))
    } catch (error) {
      this.fail({ error: error as SabwayError })
      return false
    }
  }

  /** Nothing is sent from now on: reject the promises of what waits. */
  fail(why: Ending): void {
    this.#producer.end(why)
    const waiting = this.#queue.splice(0)
    this.#producer.queued = this.#bytes = this.#weight = this.#promisedWeight = 0
    for (const { done } of waiting) done?.(why.error)
  }

  /**
   * The other side's holder died: the promises that wait for room are rejected, or the next one
   * that would have to wait when there is none and nothing else has `told` the caller. What `send`
   * queued stays for a successor of the dead one.
   */
  peerDied(told: boolean): void {
    const promised = this.#queue.filter(({ done }) => done !== undefined)
    this.#queue = this.#queue.filter(({ done }) => done === undefined)
    this.#death = told || promised.length !== 0 ? null : diedWaiting()
    for (const queued of promised) {
      this.#count(queued, -1)
      queued.done?.(diedWaiting())
    }
  }

  /** Is there a death that no call was told of? */
  get hasUntoldDeath(): boolean {
    return this.#death !== null
  }

  /** A successor holds the other side: it makes room. */
  peerCame(): void {
    this.#death = null
  }

  stats(): { queued: number; queuedBytes: number } {
    return { queued: this.#queue.length, queuedBytes: this.#bytes }
  }
}

const diedWaiting = () => new SabwayError('ERR_SABWAY_PEER_DIED', 'while this message waited for room; it was not sent')
