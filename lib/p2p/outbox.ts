// What a manager sends: messages become frames, and frames that the network does not take yet wait.
import type { P2PCounters, Settings } from './options.js'
import { newBatch, type Peer } from './peer.js'
import { type Batch, encodeFragments, FRAGMENT_HEAD, fitsFrame } from './wire.js'

export class Outbox {
  readonly #settings: Settings
  readonly #counters: P2PCounters
  readonly #fail: (peer: string, cause: unknown) => void
  /** For what may be lost, and for what may not. */
  readonly #scratch: readonly [Batch, Batch]

  #depth = 0

  /** `counters` are those of all peers; `fail` is told what the transport throws. */
  constructor(settings: Settings, counters: P2PCounters, fail: (peer: string, cause: unknown) => void) {
    this.#settings = settings
    this.#counters = counters
    this.#fail = fail
    this.#scratch = [newBatch(settings.frameBytes, false), newBatch(settings.frameBytes, true)]
  }

  /** Is the transport sending? No code of the program's may run now: it could send, too. */
  get isSending(): boolean {
    return this.#depth > 0
  }

  /** Put a message where it is sent from: the scratch batch, each peer's batch, or fragments. */
  post(peers: readonly Peer[] | null, channel: number, reliable: boolean, data: Uint8Array): boolean {
    if (peers === null) {
      this.#counters.dropped['no-peer']++
      return false
    }
    const { frameBytes, batch: batching } = this.#settings
    const scratch = this.#scratch[reliable ? 1 : 0]
    const { length } = data
    const fits = fitsFrame(length, frameBytes)
    let sent = true
    if (batching === 'none' && fits && peers.every((peer) => takes(peer, length))) {
      if (!scratch.hasRoom(length)) sent = this.sendScratch(peers, channel, reliable)
      scratch.add(channel, data)
      return sent
    }
    if (!this.sendScratch(peers, channel, reliable)) sent = false
    for (const peer of peers) {
      if (!takes(peer, length)) {
        peer.drop('too-large', 1)
        sent = false
        continue
      }
      const batch = peer.batch(channel, reliable, frameBytes)
      if (batch.count > 0 && (!fits || !batch.hasRoom(length)))
        sent = this.#sendBatch(peer, channel, reliable, batch) && sent
      if (!fits) sent = this.#sendFragments(peer, channel, reliable, data) && sent
      else batch.add(channel, data)
      if (fits && batching === 'none') sent = this.#sendBatch(peer, channel, reliable, batch) && sent
    }
    return sent
  }

  sendScratch(peers: readonly Peer[] | null, channel: number, reliable: boolean): boolean {
    const scratch = this.#scratch[reliable ? 1 : 0]
    if (scratch.count === 0 || peers === null) return true
    const { frame, count, dataBytes } = scratch
    let sent = true
    for (const peer of peers) sent = this.transmit(peer, channel, reliable, frame, count, dataBytes) && sent
    scratch.clear()
    return sent
  }

  #sendBatch(peer: Peer, channel: number, reliable: boolean, batch: Batch): boolean {
    if (batch.count === 0) return true
    const sent = this.transmit(peer, channel, reliable, batch.frame, batch.count, batch.dataBytes)
    batch.clear()
    return sent
  }

  /** The message counts when its last fragment is sent. */
  #sendFragments(peer: Peer, channel: number, reliable: boolean, data: Uint8Array): boolean {
    const { frameBytes } = this.#settings
    let left = data.length
    for (const frame of encodeFragments(channel, reliable, peer.nextFragments(), data, frameBytes)) {
      left -= frame.length - FRAGMENT_HEAD
      const last = left === 0
      if (!this.transmit(peer, channel, reliable, frame, last ? 1 : 0, last ? data.length : 0)) {
        if (!last) peer.drop('back-pressure', 1)
        return false
      }
    }
    return true
  }

  /** One frame. What is reliable waits where the network does not take it. */
  transmit(peer: Peer, channel: number, reliable: boolean, bytes: Uint8Array, messages: number, data: number): boolean {
    if (!(reliable && peer.isWaiting)) {
      const taken = this.#send(peer, channel, reliable, bytes, messages, data)
      if (taken !== false) return taken === true
    }
    if (reliable && peer.pendingBytes + bytes.length <= this.#settings.maxPendingBytes) {
      peer.hold({ channel, bytes: bytes.slice(), messages, data })
      return true
    }
    peer.drop('back-pressure', messages)
    return false
  }

  /** True: the network has taken it. False: it takes no more now. Null: it has failed. */
  #send(
    peer: Peer,
    channel: number,
    reliable: boolean,
    bytes: Uint8Array,
    messages: number,
    data: number,
  ): boolean | null {
    this.#depth++
    try {
      if (!this.#settings.transport.send(peer.id, channel, reliable, bytes)) return false
    } catch (error) {
      peer.drop('transport', messages)
      this.#fail(peer.id, error)
      return null
    } finally {
      this.#depth--
    }
    peer.countSent(messages, data)
    return true
  }

  flush(peer: Peer): void {
    peer.flush(({ channel, bytes, messages, data }) => this.#send(peer, channel, true, bytes, messages, data) !== false)
    for (const [key, batch] of peer.batches) this.#sendBatch(peer, key >> 1, (key & 1) === 1, batch)
  }
}

/** Does the peer take messages of that length? */
const takes = ({ hello }: Peer, length: number): boolean => length <= Math.max(hello!.slotData, hello!.largest)
