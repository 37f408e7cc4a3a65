// One peer, as a manager knows it.
import { Assemblies } from './assembly.js'
import { Bucket } from './bucket.js'
import { newCounters, type P2PCounters, type P2PDropReason, PACKET, type Settings } from './options.js'
import { Batch, type Hello } from './wire.js'

/** A frame that waits for the network. */
interface Pending {
  readonly channel: number
  readonly bytes: Uint8Array
  readonly messages: number
  /** Bytes of the data in it. */
  readonly data: number
}

export class Peer {
  readonly id: string
  readonly counters: P2PCounters = newCounters()
  readonly #total: P2PCounters
  readonly assemblies: Assemblies
  readonly messages: Bucket
  readonly bytes: Bucket
  /** What it has said of itself; until then nothing is sent to it. */
  hello: Hello | undefined
  malformed = 0
  pendingBytes = 0
  #pending: Pending[] = []
  /** By channel, twice, and one more for reliable ones. */
  readonly batches = new Map<number, Batch>()
  #fragments = 0

  /** `total` counts what is dropped, too. */
  constructor(id: string, settings: Settings, total: P2PCounters, now: number) {
    this.id = id
    this.#total = total
    this.assemblies = new Assemblies(settings.limits, () => this.drop('incomplete', 1))
    this.messages = new Bucket(settings.limits.messagesPerSecond, now)
    this.bytes = new Bucket(settings.limits.bytesPerSecond, now)
  }

  get isWaiting(): boolean {
    return this.#pending.length > 0
  }

  drop(reason: P2PDropReason, count: number): void {
    this.counters.dropped[reason] += count
    this.#total.dropped[reason] += count
  }

  countSent(messages: number, bytes: number): void {
    this.counters.sentMessages += messages
    this.counters.sentBytes += bytes
    this.#total.sentMessages += messages
    this.#total.sentBytes += bytes
  }

  /** One message. */
  countReceived(bytes: number): void {
    this.counters.receivedMessages++
    this.counters.receivedBytes += bytes
    this.#total.receivedMessages++
    this.#total.receivedBytes += bytes
  }

  /** The number of the next message that is sent in fragments. */
  nextFragments(): number {
    this.#fragments = (this.#fragments + 1) >>> 0
    return this.#fragments
  }

  batch(channel: number, reliable: boolean, frameBytes: number): Batch {
    const key = channel * 2 + (reliable ? 1 : 0)
    let batch = this.batches.get(key)
    if (batch === undefined) {
      batch = newBatch(frameBytes, reliable)
      this.batches.set(key, batch)
    }
    return batch
  }

  // ---- what waits for the network ----

  hold(pending: Pending): void {
    this.#pending.push(pending)
    this.pendingBytes += pending.bytes.length
  }

  /** Have `send` take what waits, one after the other, until it does not. */
  flush(send: (pending: Pending) => boolean): void {
    let count = 0
    for (; count < this.#pending.length; count++) {
      const pending = this.#pending[count]!
      if (!send(pending)) break
      this.pendingBytes -= pending.bytes.length
    }
    if (count > 0) this.#pending = this.#pending.slice(count)
  }

  /** It is gone: what was for it, and what came of it in part. */
  end(): void {
    for (const { messages } of this.#pending) this.drop('no-peer', messages)
    for (const { count } of this.batches.values()) this.drop('no-peer', count)
    this.#pending = []
    this.pendingBytes = 0
    this.batches.clear()
    this.assemblies.clear()
  }
}

export const newBatch = (frameBytes: number, reliable: boolean): Batch =>
  new Batch(frameBytes, reliable ? frameBytes : PACKET, reliable)
