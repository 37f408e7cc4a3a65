// Peers that are connected by WebRTC: each with each other one.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { Bucket } from './bucket.js'
import { backoff, backoffOf, hostClock, type P2PBackoff, type P2PClock } from './clock.js'
import { idWords, isId } from './ids.js'
import { Link, type LinkSettings, MOST_BYTES } from './link.js'
import { PACKET } from './options.js'
import type { P2PRTCClass, P2PRTCConnection } from './rtc.js'
import { decodeSignal, encodeSignal, type P2PSignaller, type Signal } from './signals.js'
import type { P2PTransport, P2PTransportEvents } from './transport.js'

export interface P2PWebRTCOptions {
  /** This peer, as the signaller names it to the others: at most 32 bytes of UTF-8. */
  id: string
  signaller: P2PSignaller
  /** The class of connections: that of the page unless given, such as that of `werift` in Node. */
  RTCPeerConnection?: P2PRTCClass
  /** What its constructor is given, such as `{ iceServers }`. */
  configuration?: object
  /** Peers that are connected to at most: 31 unless given. Others are counted as `refused`. */
  maxPeers?: number
  /** The most bytes of one message of the network: 16 KiB unless given, 1200 to 64 KiB. */
  maxBytes?: number
  /** Bytes that wait in one channel to one peer before it takes no more: 256 KiB unless given. */
  maxBuffered?: number
  /** Milliseconds that one attempt to connect may take: 10,000 unless given. */
  connectTimeout?: number
  /** Milliseconds that a connection may be interrupted: 5000 unless given. */
  disconnectTimeout?: number
  /** Times between attempts. */
  backoff?: P2PBackoff
  /** The time, for tests. */
  clock?: P2PClock
}

const NAMES = [
  'id',
  'signaller',
  'RTCPeerConnection',
  'configuration',
  'maxPeers',
  'maxBytes',
  'maxBuffered',
  'connectTimeout',
  'disconnectTimeout',
  'backoff',
  'clock',
] as const satisfies readonly (keyof P2PWebRTCOptions)[]

/** What was not taken, by its reason. */
export interface P2PWebRTCStats {
  /** Attempts to connect, of either side. */
  attempts: number
  /** Connections that have opened. */
  opened: number
  /** Signals that no peer of Sabway's sends, or not in that state. */
  malformed: number
  /** Signals and offers beyond what a peer may send in a second. */
  flood: number
  /** Signals of peers that the signaller has not told of. */
  unknown: number
  /** Peers beyond `maxPeers`, or with ids that are too long. */
  refused: number
  /** Messages that were no bytes, or too many; candidates of no use. */
  unusable: number
}

/** Signals of one peer in a second, and offers, each of which makes a connection. */
const SIGNALS_PER_SECOND = 100
const OFFERS_PER_SECOND = 4
/** A connection that has lasted for that is stable: its loss begins the times anew. */
const STABLE_MS = 10_000

interface Remote {
  readonly id: string
  readonly signals: Bucket
  readonly offers: Bucket
  link: Link | undefined
  /** The signaller reaches it. */
  isPresent: boolean
  /** It was disconnected: until the signaller tells of it anew. */
  isCut: boolean
  /** Attempts without success. */
  attempts: number
  openedAt: number
  cancelRetry: (() => void) | undefined
}

/**
 * A full mesh over WebRTC data channels: one that is reliable and in order, and one that is
 * neither. Of two peers that one offers whose id is less, so that offers do not meet. What is lost
 * is connected again, after times that grow.
 *
 *     const transport = new P2PWebRTC({ id: 'alice', signaller })
 *     const manager = new P2PManager({ transport })
 */
export class P2PWebRTC implements P2PTransport {
  readonly id: string
  readonly maxBytes: number
  readonly #signaller: P2PSignaller
  readonly #connect: () => P2PRTCConnection
  readonly #settings: LinkSettings
  readonly #clock: P2PClock
  readonly #backoff: Required<P2PBackoff>
  readonly #maxPeers: number
  readonly #remotes = new Map<string, Remote>()
  readonly #stats: P2PWebRTCStats = {
    attempts: 0,
    opened: 0,
    malformed: 0,
    flood: 0,
    unknown: 0,
    refused: 0,
    unusable: 0,
  }
  #events: P2PTransportEvents | undefined
  #closed = false

  /**
   * Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE;
   * ERR_SABWAY_UNSUPPORTED: there is no RTCPeerConnection here, and none was given.
   */
  constructor(options: P2PWebRTCOptions) {
    const given = check.options<P2PWebRTCOptions>(options, 'WebRTC options', NAMES)
    idWords(given.id as string, 'id')
    this.id = given.id as string
    this.#signaller = signallerOf(given.signaller)
    this.#clock = given.clock ?? hostClock
    this.#maxPeers = check.integer(given.maxPeers ?? 31, 'maxPeers', 1, 1024)
    this.maxBytes = check.integer(given.maxBytes ?? 1 << 14, 'maxBytes', PACKET, MOST_BYTES)
    this.#backoff = backoffOf(given.backoff, { least: 250, most: 15_000 })
    const own = (globalThis as { RTCPeerConnection?: P2PRTCClass }).RTCPeerConnection
    const Connection = given.RTCPeerConnection ?? own
    if (Connection === undefined) {
      throw new SabwayError(
        'ERR_SABWAY_UNSUPPORTED',
        "this scope has no RTCPeerConnection; give one, such as that of npm's werift, as { RTCPeerConnection }",
      )
    }
    check.callback(Connection, 'RTCPeerConnection')
    const { configuration } = given
    this.#connect = () => new Connection(configuration as never)
    this.#settings = {
      clock: this.#clock,
      maxBytes: this.maxBytes,
      maxBuffered: check.integer(given.maxBuffered ?? 2 ** 18, 'maxBuffered', 1, 2 ** 24),
      connectTimeout: check.milliseconds(given.connectTimeout ?? 10_000, 'connectTimeout'),
      disconnectTimeout: check.milliseconds(given.disconnectTimeout ?? 5000, 'disconnectTimeout'),
      copies: Connection === own,
    }
  }

  /** Errors: ERR_SABWAY_INVALID_STATE: it was started, or closed; what the signaller throws. */
  start(events: P2PTransportEvents): void | Promise<void> {
    if (this.#closed || this.#events !== undefined) {
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'a transport is started once; make a new one')
    }
    this.#events = events
    const open =
      <Args extends unknown[]>(act: (...args: Args) => void) =>
      (...args: Args) => {
        if (!this.#closed) act(...args)
      }
    return this.#signaller.start({
      joined: open((peer) => this.#onPresent(peer)),
      left: open((peer) => this.#onAbsent(peer)),
      message: open((peer, text) => this.#onText(peer, text)),
      failed: open((error) => events.failed(null, error)),
    })
  }

  send(peer: string, _channel: number, reliable: boolean, bytes: Uint8Array): boolean {
    return this.#remotes.get(peer)?.link?.send(reliable, bytes) ?? true // without a link it is lost
  }

  /** It is not connected to again before the signaller has told that it left and joined. */
  disconnect(peer: string): void {
    const remote = this.#remotes.get(peer)
    if (remote === undefined) return
    remote.isCut = true
    this.#drop(remote)
  }

  /** What was tried, and what was not taken. */
  stats(): P2PWebRTCStats {
    return { ...this.#stats }
  }

  close(): void | Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const remote of this.#remotes.values()) {
      remote.cancelRetry?.()
      remote.link?.close()
    }
    this.#remotes.clear()
    if (this.#events !== undefined) return this.#signaller.close()
  }

  // ---- what the signaller tells ----

  #onPresent(id: string): void {
    const known = this.#remotes.get(id)
    if (id === this.id || (known === undefined && (this.#remotes.size >= this.#maxPeers || !isId(id)))) {
      this.#stats.refused++
      return
    }
    const now = this.#clock.now()
    const remote: Remote = known ?? {
      id,
      signals: new Bucket(SIGNALS_PER_SECOND, now),
      offers: new Bucket(OFFERS_PER_SECOND, now),
      link: undefined,
      isPresent: true,
      isCut: false,
      attempts: 0,
      openedAt: 0,
      cancelRetry: undefined,
    }
    this.#remotes.set(id, remote)
    remote.isPresent = true
    remote.isCut = false
    // Another program may be there under the same id: it says so when it has another session.
    if (remote.link?.isOpen) this.#signal(remote, { kind: 'hello', session: remote.link.session })
    else if (remote.cancelRetry === undefined) {
      this.#drop(remote)
      this.#try(remote)
    }
  }

  #onAbsent(id: string): void {
    const remote = this.#remotes.get(id)
    if (remote === undefined) return
    remote.isPresent = false
    remote.cancelRetry?.()
    remote.cancelRetry = undefined
    if (remote.link?.isOpen) return // it may have lost only the signaller
    this.#drop(remote)
    this.#remotes.delete(id)
  }

  #onText(id: string, text: string): void {
    const remote = this.#remotes.get(id)
    if (remote === undefined || remote.isCut) {
      this.#stats.unknown++
      return
    }
    if (!remote.signals.take(1, this.#clock.now())) {
      this.#stats.flood++
      return
    }
    const signal = decodeSignal(text)
    if (signal === undefined || !this.#take(remote, signal)) this.#stats.malformed++
  }

  /** False: no peer sends that to this one. */
  #take(remote: Remote, signal: Signal): boolean {
    const { link } = remote
    const isOurs = link !== undefined && link.session === signal.session
    switch (signal.kind) {
      case 'hello':
        this.#onHello(remote, signal.session)
        return true
      case 'offer':
        if (this.#offers(remote)) return false
        if (!isOurs) this.#onOffer(remote, signal.session, signal.sdp)
        return true
      case 'answer':
        if (!this.#offers(remote)) return false
        if (isOurs) link.onAnswer(signal.sdp)
        return true // of an attempt that is over
      case 'candidate':
        return !isOurs || link.onCandidate(signal.candidate)
    }
  }

  /** Its connection to this peer has that session. */
  #onHello(remote: Remote, session: string): void {
    const { link } = remote
    if (link?.session === session) return
    if (link?.isOpen) {
      this.#drop(remote) // it has lost this one, or is another program
      this.#again(remote)
    } else if (!this.#offers(remote)) {
      // It will offer when it hears that there is nothing.
      if (link === undefined && session !== '') this.#signal(remote, { kind: 'hello', session: '' })
    } else if (link === undefined) {
      if (remote.cancelRetry === undefined) this.#try(remote)
    } else if (!link.isAnswered) link.offer() // it may not have heard it
  }

  #onOffer(remote: Remote, session: string, sdp: string): void {
    if (!remote.offers.take(1, this.#clock.now())) {
      this.#stats.flood++
      return
    }
    this.#drop(remote)
    this.#begin(remote, session)?.accept(sdp)
  }

  // ---- connections ----

  /** Of the two, that one offers. */
  #offers(remote: Remote): boolean {
    return this.id < remote.id
  }

  #signal(remote: Remote, signal: Signal): void {
    if (!remote.isPresent) return
    try {
      this.#signaller.send(remote.id, encodeSignal(signal))
    } catch (error) {
      this.#events?.failed(null, error)
    }
  }

  #try(remote: Remote): void {
    if (this.#offers(remote)) this.#begin(remote, this.#newSession())?.offer()
    else {
      this.#signal(remote, { kind: 'hello', session: '' })
      // Until it offers, which ends this.
      this.#again(remote)
    }
  }

  /** What is no secret: it tells attempts of the same two peers apart. */
  #newSession(): string {
    const part = () => Math.floor(this.#clock.random() * 2 ** 32).toString(36)
    return `${this.#stats.attempts.toString(36)}-${part()}${part()}`
  }

  #begin(remote: Remote, session: string): Link | undefined {
    remote.cancelRetry?.()
    remote.cancelRetry = undefined
    this.#stats.attempts++
    const isCurrent = () => remote.link === link
    let link: Link
    try {
      link = new Link(session, this.#connect(), this.#settings, {
        signal: (signal) => {
          if (isCurrent()) this.#signal(remote, signal)
        },
        open: () => {
          if (!isCurrent()) return
          this.#stats.opened++
          remote.openedAt = this.#clock.now()
          this.#events?.joined(remote.id)
        },
        over: (error) => {
          if (isCurrent()) this.#onOver(remote, error)
        },
        message: (bytes) => {
          if (isCurrent()) this.#events?.message(remote.id, bytes)
        },
        drained: () => {
          if (isCurrent()) this.#events?.drained(remote.id)
        },
        refused: () => {
          this.#stats.unusable++
        },
      })
    } catch (error) {
      this.#events?.failed(remote.id, error)
      this.#again(remote)
      return undefined
    }
    remote.link = link
    return link
  }

  #onOver(remote: Remote, error: SabwayError | undefined): void {
    remote.link = undefined
    const { openedAt } = remote
    remote.openedAt = 0
    if (openedAt > 0 && this.#clock.now() - openedAt >= STABLE_MS) remote.attempts = 0
    if (error !== undefined) this.#events?.failed(remote.id, error)
    else if (openedAt > 0) this.#events?.left(remote.id)
    this.#again(remote)
  }

  /** End the connection from this side. */
  #drop(remote: Remote): void {
    const { link } = remote
    if (link === undefined) return
    const wasOpen = link.isOpen
    remote.link = undefined
    remote.openedAt = 0
    link.close()
    if (wasOpen) this.#events?.left(remote.id)
  }

  /** Try once more, later. */
  #again(remote: Remote): void {
    if (this.#closed || remote.isCut) return
    if (!remote.isPresent) {
      this.#remotes.delete(remote.id)
      return
    }
    remote.cancelRetry?.()
    const wait = backoff(this.#backoff, remote.attempts++, this.#clock.random())
    remote.cancelRetry = this.#clock.after(wait, () => {
      remote.cancelRetry = undefined
      if (remote.isPresent && !remote.isCut && remote.link === undefined) this.#try(remote)
    })
  }
}

const CALLS = ['start', 'send', 'close'] as const

function signallerOf(signaller: unknown): P2PSignaller {
  const expected = 'signaller must be an object with start, send and close'
  if (typeof signaller !== 'object' || signaller === null) {
    return check.refuse('ERR_SABWAY_INVALID_TYPE', expected, signaller)
  }
  const found = check.fields(signaller, 'signaller', CALLS)
  for (const name of CALLS) {
    if (typeof found[name] !== 'function') check.refuse('ERR_SABWAY_INVALID_TYPE', expected, signaller)
  }
  return signaller as P2PSignaller
}
