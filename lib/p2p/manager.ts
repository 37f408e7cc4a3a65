// Between the queues of engines and a network of peers.
import { lengthOf, plain } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { ListenerTarget } from '../base/events.js'
import { every } from '../base/every.js'
import { now as hostNow, microtask, type Timer } from '../base/host.js'
import { reason as reasonOf } from '../base/shown.js'
import { P2PChannel } from './channel.js'
import { P2PFailureEvent, type P2PManagerEventMap, P2PPeerEvent } from './events.js'
import { expose, type P2PExposeNames } from './expose.js'
import { idWords, isId } from './ids.js'
import {
  newCounters,
  type P2PCounters,
  type P2PDropReason,
  type P2PManagerOptions,
  type Settings,
  settingsOf,
} from './options.js'
import { Outbox } from './outbox.js'
import { Peer } from './peer.js'
import type { P2PMessage, P2PReader } from './reader.js'
import { decodeFragment, decodeHello, decodeMessages, encodeHello, FRAGMENT, HELLO, MESSAGES } from './wire.js'

/** Peers that were cut off and may not come back, at most. */
const EXPELLED_MOST = 1024

export interface P2PPeerStats extends Readonly<P2PCounters> {
  readonly id: string
  /** Can it be sent to? */
  readonly joined: boolean
  /** Bytes that wait for the network. */
  readonly pendingBytes: number
}

export interface P2PChannelStats {
  readonly channel: number
  /** Messages that wait for room in the queue, and large ones that wait for a reader. */
  readonly backlog: number
  readonly large: number
  /** Messages of the engine's that were of wrong sizes. */
  readonly skipped: number
  /** Counts that the engine had written back, and that were put right. */
  readonly repaired: number
}

export interface P2PStats extends Readonly<P2PCounters> {
  readonly peers: readonly P2PPeerStats[]
  readonly channels: readonly P2PChannelStats[]
}

/**
 * Moves messages between the queues of an engine and the peers of a network. Each channel, by its
 * number, has a queue, which is made when it is first asked for.
 *
 *     const manager = new P2PManager({ transport })
 *     manager.expose(window)
 *     manager.addEventListener('peer-joined', ({ peer }) => console.log(peer))
 *     manager.sendP2PMessage(null, 0, true) // all that the engine has written, to all peers
 */
export class P2PManager extends ListenerTarget<P2PManagerEventMap> {
  readonly #settings: Settings
  readonly #counters = newCounters()
  readonly #channels: (P2PChannel | undefined)[]
  readonly #peers = new Map<string, Peer>()
  #joinedPeers: readonly Peer[] | undefined
  readonly #expelled = new Set<string>()
  readonly #outbox: Outbox
  readonly #now: () => number
  readonly #timer: Timer
  readonly #concealments: (() => void)[] = []
  readonly #eachFrame = new Map<number, { reliable: boolean; target: string | null }>()
  #closed = false

  /**
   * Begins at once: the transport is started when the running code is done. Errors:
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE;
   * ERR_SABWAY_UNSUPPORTED: there are no timers here, and `frameInterval` is not Infinity.
   */
  constructor(options: P2PManagerOptions) {
    super()
    const settings = settingsOf(options)
    idWords(settings.transport.id, 'transport.id')
    this.#settings = settings
    this.#channels = new Array(settings.channels).fill(undefined)
    this.#outbox = new Outbox(settings, this.#counters, (peer, cause) => this.#fail(peer, cause))
    this.#now = settings.now ?? hostNow
    this.#timer = every(this, settings.frameInterval, (manager) => manager.frame())
    microtask(() => this.#start())
  }

  /** This peer, as the others know it. */
  get id(): string {
    return this.#settings.transport.id
  }

  /** The peers that can be sent to. */
  get peers(): string[] {
    return this.#joined().map(({ id }) => id)
  }

  // ---- for engines ----

  /**
   * The memory of a channel's queue: a SharedArrayBuffer, or an ArrayBuffer in a page that is not
   * cross-origin isolated. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE.
   */
  getP2PChannelQueue(channel: number): SharedArrayBuffer | ArrayBuffer {
    return this.#channel(channel).queue.buffer
  }

  /**
   * Put the queues and these calls under names of `scope`, such as window, until `close`, or until
   * the function that it returns is called. Errors: ERR_SABWAY_INVALID_TYPE,
   * ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_CLOSED; ERR_SABWAY_INVALID_STATE: a name is taken.
   */
  expose(scope: object, names?: P2PExposeNames): () => void {
    this.#mustBeOpen()
    const calls = {
      getP2PChannelQueue: this.getP2PChannelQueue.bind(this),
      sendP2PMessage: this.sendP2PMessage.bind(this),
      readP2PMessagesOnChannel: this.readP2PMessagesOnChannel.bind(this),
    }
    const conceal = expose(scope, names, this.#settings.channels, (channel) => this.getP2PChannelQueue(channel), calls)
    this.#concealments.push(conceal)
    return conceal
  }

  /**
   * Send to one peer, or with null to all of them: `payload`, or without one all that the engine
   * has written to the channel's queue. True: all of it was sent, or waits for the network. False:
   * some was dropped; `stats` says why. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_CLOSED.
   */
  sendP2PMessage(target: string | null, channel: number, reliable: boolean, payload?: Uint8Array): boolean {
    this.#mustBeOpen()
    checkTarget(target)
    const { outgoing } = this.#channel(channel)
    check.flag(reliable, 'reliable')
    if (payload === undefined) return this.#drain(target, channel, reliable, outgoing, Number.POSITIVE_INFINITY).sent
    check.bytes(payload)
    const peers = this.#targets(target)
    // Of a fixed length: memory that grows may be longer a moment later.
    const sent = this.#outbox.post(peers, channel, reliable, plain(payload, lengthOf(payload)))
    return this.#outbox.sendScratch(peers, channel, reliable) && sent
  }

  /**
   * Have `frame()` send what the engine has written to a channel's queue, so that it need not call:
   * to one peer, or with null to all; without a target no more. Errors: as sendP2PMessage.
   */
  sendEachFrame(channel: number, reliable: boolean, target?: string | null): void {
    this.#mustBeOpen()
    this.#channel(channel)
    check.flag(reliable, 'reliable')
    if (target === undefined) this.#eachFrame.delete(channel)
    else this.#eachFrame.set(channel, { reliable, target: checkTarget(target) })
  }

  /** As sendP2PMessage to all peers. */
  broadcast(channel: number, reliable: boolean, payload?: Uint8Array): boolean {
    return this.sendP2PMessage(null, channel, reliable, payload)
  }

  /**
   * Up to `most` messages of a channel, in the order in which they came: for programs in
   * JavaScript, on channels that no engine reads. Errors: ERR_SABWAY_INVALID_TYPE,
   * ERR_SABWAY_OUT_OF_RANGE.
   */
  readP2PMessagesOnChannel(channel: number, most = Number.POSITIVE_INFINITY): P2PMessage[] {
    check.count(most, 'most')
    return this.#channel(channel).take(most)
  }

  /**
   * What is to be done once a frame: send what waits, move messages that wait into their queues,
   * and look at the counts that engines go by. The manager does it by itself every `frameInterval`
   * milliseconds. Returns how many messages it has moved into queues, and out of them.
   */
  frame(): number {
    if (this.#closed) return 0
    let moved = 0
    for (const [number, { reliable, target }] of this.#eachFrame) {
      const outgoing = this.#ready(number)?.outgoing
      if (outgoing === undefined) continue
      moved += this.#drain(target, number, reliable, outgoing, this.#settings.frameBudget - moved).count
    }
    for (const peer of this.#joined()) this.#outbox.flush(peer)
    const now = this.#now()
    for (const peer of this.#peers.values()) peer.assemblies.expire(now)
    this.#channels.forEach((made, number) => {
      const channel = made === undefined ? undefined : this.#ready(number)
      if (channel === undefined) return
      moved += channel.flush(this.#settings.frameBudget - moved)
      channel.writer.repair()
    })
    return moved
  }

  /** What was sent, received and dropped, at the moment. */
  stats(): P2PStats {
    const copy = (counters: P2PCounters): P2PCounters => ({ ...counters, dropped: { ...counters.dropped } })
    return {
      ...copy(this.#counters),
      peers: Array.from(this.#peers.values(), (peer) => ({
        ...copy(peer.counters),
        id: peer.id,
        joined: peer.hello !== undefined,
        pendingBytes: peer.pendingBytes,
      })),
      channels: this.#channels.flatMap((each, channel) => {
        if (each === undefined) return []
        const { backlog, large, skipped, repaired } = each
        return { channel, backlog, large, skipped, repaired }
      }),
    }
  }

  /** Leave the network. Queues stay as they are. Any number of times. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#timer.cancel()
    for (const conceal of this.#concealments) conceal()
    for (const peer of this.#peers.values()) peer.end()
    this.#peers.clear()
    this.#joinedPeers = undefined
    void Promise.resolve()
      .then(() => this.#settings.transport.close())
      .catch((error) => this.#fail(null, error))
  }

  [Symbol.dispose](): void {
    this.close()
  }

  // ---- sending ----

  #mustBeOpen(): void {
    if (this.#closed) throw new SabwayError('ERR_SABWAY_CLOSED', 'this manager was closed; make a new one')
  }

  #channel(number: number): P2PChannel {
    check.integer(number, 'channel', 0, this.#settings.channels - 1)
    this.#channels[number] ??= new P2PChannel(number, this.#settings)
    return this.#channels[number]
  }

  /**
   * The channel, unless its queue cannot be had: calls of the program are told why, and others of
   * the network go on without it.
   */
  #ready(number: number): P2PChannel | undefined {
    try {
      const channel = this.#channel(number)
      void channel.queue
      return channel
    } catch {
      return undefined
    }
  }

  /** Those that have said hello. The list does not change: there is another one then. */
  #joined(): readonly Peer[] {
    this.#joinedPeers ??= Array.from(this.#peers.values()).filter(({ hello }) => hello !== undefined)
    return this.#joinedPeers
  }

  /** Null: there is no such peer. */
  #targets(target: string | null): readonly Peer[] | null {
    if (target === null) return this.#joined()
    const peer = this.#peers.get(target)
    return peer?.hello === undefined ? null : [peer]
  }

  #drain(target: string | null, channel: number, reliable: boolean, outgoing: P2PReader, most: number) {
    const peers = this.#targets(target)
    let sent = true
    const count = outgoing.read(({ data }) => {
      if (!this.#outbox.post(peers, channel, reliable, data)) sent = false
    }, most)
    if (!this.#outbox.sendScratch(peers, channel, reliable)) sent = false
    return { count, sent }
  }

  // ---- what the transport tells ----

  #start(): void {
    if (this.#closed) return
    const open =
      <Args extends unknown[]>(act: (...args: Args) => void) =>
      (...args: Args) => {
        if (!this.#closed) act(...args)
      }
    /** A transport that tells something while it sends is heard when it has sent. */
    const later = <Args extends unknown[]>(act: (...args: Args) => void) => {
      const told = open(act)
      return (...args: Args) => {
        if (this.#outbox.isSending) microtask(() => told(...args))
        else told(...args)
      }
    }
    const events = {
      joined: later((peer: string) => this.#onJoined(peer)),
      left: later((peer: string) => this.#onLeft(peer)),
      failed: later((peer: string | null, error: unknown) => this.#onFailed(peer, error)),
      message: open((peer: string, bytes: Uint8Array) => this.#onMessage(peer, bytes)),
      drained: later((peer: string) => this.#onDrained(peer)),
    }
    void Promise.resolve()
      .then(() => this.#settings.transport.start(events))
      .catch((error) => events.failed(null, error))
  }

  #onJoined(id: string): void {
    const { transport } = this.#settings
    if (this.#expelled.has(id) || !isId(id)) {
      if (!this.#expelled.has(id)) this.#fail(id, new RangeError(`its id has more than 32 bytes, or a NUL`))
      transport.disconnect(id)
      return
    }
    this.#remove(id)
    const peer = new Peer(id, this.#settings, this.#counters, this.#now())
    this.#peers.set(id, peer)
    this.#greet(peer, false)
  }

  #greet(peer: Peer, isAnswer: boolean): void {
    const { shape, maxMessageBytes: largest } = this.#settings
    this.#outbox.transmit(peer, 0, true, encodeHello({ largest, slotData: shape.most, isAnswer }), 0, 0)
  }

  #onLeft(id: string): void {
    if (this.#remove(id)) this.#tell(new P2PPeerEvent('peer-left', id))
  }

  #onFailed(id: string | null, error: unknown): void {
    this.#fail(id, error)
    if (id !== null) this.#onLeft(id)
  }

  /** Had it joined? */
  #remove(id: string): boolean {
    const peer = this.#peers.get(id)
    if (peer === undefined) return false
    this.#peers.delete(id)
    this.#joinedPeers = undefined
    peer.end()
    return peer.hello !== undefined
  }

  #fail(id: string | null, cause: unknown): void {
    const of = id === null ? 'the transport' : `the connection to '${id}'`
    const error = new SabwayError('ERR_SABWAY_TRANSPORT', `${of} failed: ${reasonOf(cause)}; the cause says what`, {
      cause,
    })
    this.#tell(new P2PFailureEvent(id, error))
  }

  #tell(event: Event): void {
    if (this.#outbox.isSending) microtask(() => this.dispatchEvent(event))
    else this.dispatchEvent(event)
  }

  #onDrained(id: string): void {
    const peer = this.#peers.get(id)
    if (peer?.hello !== undefined) this.#outbox.flush(peer)
  }

  #onMessage(id: string, bytes: Uint8Array): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) {
      this.#counters.dropped['unknown-peer']++
      return
    }
    if (!peer.bytes.take(bytes.length, this.#now())) {
      peer.drop('flood', 1)
      return
    }
    if (this.#take(peer, bytes)) return
    peer.drop('malformed', 1)
    if (++peer.malformed > this.#settings.limits.malformed) this.#expel(peer)
  }

  /** False: it is malformed. */
  #take(peer: Peer, bytes: Uint8Array): boolean {
    switch (bytes[0]) {
      case HELLO:
        return this.#onHello(peer, bytes)
      case MESSAGES:
        return decodeMessages(bytes, (channel, reliable, start, end) =>
          this.#deliver(peer, channel, reliable, bytes.subarray(start, end)),
        )
      case FRAGMENT:
        return this.#onFragment(peer, bytes)
      default:
        return false
    }
  }

  #onHello(peer: Peer, bytes: Uint8Array): boolean {
    const hello = decodeHello(bytes)
    if (hello === undefined) return false
    const isNew = peer.hello === undefined
    peer.hello = hello
    this.#joinedPeers = undefined
    if (isNew) this.#tell(new P2PPeerEvent('peer-joined', peer.id))
    // It has begun anew, and this side's transport has not noticed.
    else if (!hello.isAnswer) this.#greet(peer, true)
    return true
  }

  #onFragment(peer: Peer, bytes: Uint8Array): boolean {
    const fragment = decodeFragment(bytes)
    if (fragment === undefined) return false
    if (fragment.total > this.#settings.maxMessageBytes) {
      if (fragment.index === 0) peer.drop('too-large', 1)
      return true
    }
    const whole = peer.assemblies.add(fragment, this.#now())
    if (whole) this.#deliver(peer, fragment.channel, fragment.reliable, whole)
    return whole !== undefined
  }

  #deliver(peer: Peer, number: number, reliable: boolean, data: Uint8Array): void {
    const dropped = this.#dropped(peer, number, reliable, data)
    if (dropped === undefined) peer.countReceived(data.length)
    else peer.drop(dropped, 1)
  }

  #dropped(peer: Peer, number: number, reliable: boolean, data: Uint8Array): P2PDropReason | undefined {
    if (!peer.messages.take(1, this.#now())) return 'flood'
    const channel = number < this.#settings.channels ? this.#ready(number) : undefined
    return channel === undefined ? 'no-channel' : channel.deliver(peer.id, reliable, data)
  }

  #expel(peer: Peer): void {
    if (this.#expelled.size < EXPELLED_MOST) this.#expelled.add(peer.id)
    const hadJoined = this.#remove(peer.id)
    this.#settings.transport.disconnect(peer.id)
    const error = new SabwayError(
      'ERR_SABWAY_PEER_EXPELLED',
      `'${peer.id}' has sent ${peer.malformed} frames that are no frames, and was cut off; raise limits.malformed if it is to stay`,
    )
    this.#tell(new P2PFailureEvent(peer.id, error))
    if (hadJoined) this.#tell(new P2PPeerEvent('peer-left', peer.id))
  }
}

function checkTarget(target: string | null): string | null {
  if (target === null || typeof target === 'string') return target
  return check.refuse('ERR_SABWAY_INVALID_TYPE', 'target must be the id of a peer, or null for all', target)
}
