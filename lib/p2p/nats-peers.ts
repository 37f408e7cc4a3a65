// Peers that are connected by NATS: they find each other by signs of life. Messages that may be
// lost go by core NATS, and reliable ones by a stream, from which each peer reads its own.
import { SabwayError } from '../base/errors.js'
import { microtask } from '../base/host.js'
import { reason } from '../base/shown.js'
import { Bucket } from './bucket.js'
import { backoff, type P2PClock } from './clock.js'
import { freshId } from './ids.js'
import { MOST_BYTES } from './link.js'
import { consume, type NatsConsumer } from './nats.js'
import { type NatsSettings, natsSettings, type P2PNatsOptions, type P2PNatsStats } from './nats-options.js'
import {
  framed,
  GONE,
  HERE,
  idOf,
  LOSSY_HEAD,
  numberAt,
  PRESENCE_BYTES,
  presence,
  RELIABLE_HEAD,
  sessionAt,
  tokenOf,
} from './nats-wire.js'
import { Sequence } from './sequence.js'
import type { P2PTransport, P2PTransportEvents } from './transport.js'

/** Times that a peer may begin anew in a second. */
const SESSIONS_PER_SECOND = 4
/** Sessions that are over, and are remembered, at most. */
const OVER_MOST = 1024
/** Messages to one peer that the stream has not acknowledged, at most. */
const WINDOW = 1024
/** Milliseconds between answers to peers that are new. */
const ANSWER_MS = 20

interface Remote {
  readonly id: string
  readonly token: string
  readonly session: string
  readonly sessions: Bucket
  readonly incoming: Sequence
  isJoined: boolean
  isCut: boolean
  lastSeen: number
  /** Of the next reliable message to it. */
  number: number
  waiting: number
  waitingBytes: number
  /** Something was refused. */
  isBlocked: boolean
}

/**
 * Peers by way of NATS. Each peer has an id of its own, under which the server lets it publish.
 *
 *     const transport = new P2PNats({ id: 'alice', connection, jetstream: jetstream(connection),
 *       stream: 'GAME', prefix: 'game' })
 *     const manager = new P2PManager({ transport })
 *
 * Reliable messages are published again until the stream has acknowledged them. The receiver reads
 * them from where it has joined, and gives each once, in the order of its sender. While the server
 * is not there nothing happens: that a peer has left is known by signs of life that are missing
 * while this peer's own come back.
 */
export class P2PNats implements P2PTransport {
  readonly id: string
  readonly maxBytes: number
  readonly #given: NatsSettings
  readonly #clock: P2PClock
  readonly #token: string
  readonly #session = freshId()
  readonly #remotes = new Map<string, Remote>()
  readonly #over = new Set<string>()
  readonly #stats: P2PNatsStats = {
    acknowledged: 0,
    waiting: 0,
    retries: 0,
    duplicates: 0,
    stale: 0,
    malformed: 0,
    refused: 0,
    lost: 0,
    twins: 0,
  }
  #events: P2PTransportEvents | undefined
  readonly #subscriptions: { unsubscribe(): void }[] = []
  #consumer: NatsConsumer | undefined
  #messages: { stop(): void } | undefined
  /** The next place of the stream to read. */
  #from: number | undefined
  #hasBegun = false
  #closed = false
  #echoAt = Number.NEGATIVE_INFINITY
  /** Since when its own signs of life have come back without a break. */
  #aliveSince = 0
  #cancelTick: (() => void) | undefined
  #cancelAnswer: (() => void) | undefined
  readonly #cancelWaits = new Set<() => void>()

  /** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE. */
  constructor(options: P2PNatsOptions) {
    const given = natsSettings(options)
    this.id = given.id
    this.maxBytes = given.maxBytes
    this.#clock = given.clock
    this.#given = given
    this.#token = tokenOf(this.id)
  }

  /**
   * What goes wrong while it connects is told as `failed(null, error)`, and tried again. Errors:
   * ERR_SABWAY_INVALID_STATE: it was started, or closed; what `connection.subscribe` throws.
   */
  start(events: P2PTransportEvents): void {
    if (this.#closed || this.#events !== undefined) {
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'a transport is started once; make a new one')
    }
    this.#events = events
    this.#hear(`here.*`, (from, data) => this.#onPresence(from, data))
    this.#hear(`u.*.${this.#token}`, (from, data) => this.#onLossy(from, data))
    void this.#read()
  }

  send(peer: string, _channel: number, reliable: boolean, bytes: Uint8Array): boolean {
    const remote = this.#remotes.get(peer)
    if (!remote?.isJoined || this.#closed) return true // it is lost
    if (!reliable) {
      if (this.#isAlive()) {
        const frame = framed(this.#session, remote.session, bytes)
        this.#given.connection.publish(this.#subject('u', remote.token), frame)
      } else this.#stats.lost++ // the client would keep it, and send it when it is of no use
      return true
    }
    const { maxBuffered } = this.#given
    const { waiting, waitingBytes } = remote
    if (waiting >= WINDOW || (waiting > 0 && waitingBytes + bytes.length > maxBuffered)) {
      remote.isBlocked = true
      return false
    }
    void this.#publish(remote, framed(this.#session, remote.session, bytes, remote.number), remote.number++)
    return true
  }

  /** It is not heard until it has begun anew. */
  disconnect(peer: string): void {
    const remote = this.#remotes.get(peer)
    if (remote === undefined || remote.isCut) return
    remote.isCut = true
    this.#leave(remote)
  }

  /** What was acknowledged, and what was not taken. */
  stats(): P2PNatsStats {
    let waiting = 0
    for (const remote of this.#remotes.values()) waiting += remote.waiting
    return { ...this.#stats, waiting }
  }

  /** What the stream has not acknowledged is lost. The connection stays open. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelTick?.()
    this.#cancelAnswer?.()
    for (const cancel of this.#cancelWaits) cancel()
    for (const each of this.#subscriptions) quietly(() => each.unsubscribe())
    this.#messages?.stop()
    this.#remotes.clear()
    if (!this.#hasBegun) return
    // Where there is no server any more, all of this may take as long as the client tries.
    quietly(() => this.#consumer?.delete())
    quietly(() => this.#here(GONE))
    quietly(() => this.#given.connection.flush())
  }

  // ---- connecting ----

  #subject(kind: 'u' | 'r', to: string): string {
    return `${this.#given.prefix}.${kind}.${this.#token}.${to}`
  }

  #hear(subject: string, act: (from: string, data: Uint8Array) => void): void {
    const { connection, prefix } = this.#given
    this.#subscriptions.push(
      connection.subscribe(`${prefix}.${subject}`, {
        callback: (error, message) => {
          if (this.#closed) return
          if (error) this.#events?.failed(null, error)
          else if (this.#hasBegun) this.#heard(message, act)
        },
      }),
    )
  }

  /** A message with the id of its sender, which its subject says. */
  #heard({ subject, data }: { subject: string; data: Uint8Array }, act: (from: string, data: Uint8Array) => void) {
    const from = idOf(subject.slice(this.#given.prefix.length + 1).split('.')[1] ?? '')
    if (from === undefined) this.#stats.malformed++
    else act(from, data)
  }

  /** Read the stream, from where this peer has joined. Only then is it told to the others. */
  async #read(): Promise<void> {
    const { jetstream, stream, prefix } = this.#given
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        this.#from ??= await this.#joinedAt()
        this.#consumer = await jetstream.consumers.get(stream, {
          filter_subjects: `${prefix}.r.*.${this.#token}`,
          deliver_policy: 'by_start_sequence',
          opt_start_seq: this.#from,
        })
        const messages = await consume(this.#consumer, 256, this.#clock, () => this.#from)
        this.#messages = messages
        if (this.#closed) messages.stop()
        else this.#begin()
        for await (const message of messages) {
          if (this.#closed) return
          this.#from = message.seq + 1
          attempt = 0
          this.#heard(message, (from, data) => this.#onReliable(from, data))
        }
        throw new Error('the consumer has ended, or gave no sign of life')
      } catch (error) {
        if (this.#closed) return
        this.#events?.failed(null, error)
      } finally {
        this.#messages?.stop()
      }
      await this.#wait(attempt)
    }
  }

  /** A message to itself tells where the stream is, and that this peer may publish to it. */
  async #joinedAt(): Promise<number> {
    const { jetstream, stream } = this.#given
    const options = { msgID: `${this.#session}-join` }
    const bytes = framed(this.#session, this.#session, new Uint8Array(), 0)
    const stored = await jetstream.publish(this.#subject('r', this.#token), bytes, options)
    if (stored.stream === stream) return stored.seq + 1
    throw new Error(`the subjects are those of the stream '${stored.stream}', not of '${stream}'`)
  }

  #begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    this.#tick()
  }

  #here(kind: number): void {
    const { connection, prefix } = this.#given
    connection.publish(`${prefix}.here.${this.#token}`, presence(kind, this.#session))
  }

  #tick(): void {
    this.#cancelTick = this.#clock.after(this.#given.heartbeat, () => this.#tick())
    quietly(() => this.#here(HERE)) // a connection that is closed is told of by what is read
    if (!this.#isAlive()) return
    const now = this.#clock.now()
    const { timeout, gapTimeout } = this.#given
    for (const remote of [...this.#remotes.values()]) {
      if (now - Math.max(remote.lastSeen, this.#aliveSince) > timeout) this.#leave(remote)
      const { waitsSince } = remote.incoming
      if (waitsSince !== undefined && now - Math.max(waitsSince, this.#aliveSince) > gapTimeout) this.#skip(remote)
    }
  }

  /** Does what it publishes reach the server, and come back? */
  #isAlive(): boolean {
    return this.#clock.now() - this.#echoAt < 2.5 * this.#given.heartbeat
  }

  /** The wait before the attempt with that number; it ends when the transport is closed. */
  async #wait(attempt: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(backoff(this.#given.backoff, attempt, this.#clock.random()), () => end())
      const end = () => {
        cancel()
        this.#cancelWaits.delete(end)
        resolve()
      }
      this.#cancelWaits.add(end)
    })
  }

  // ---- peers ----

  #onPresence(from: string, data: Uint8Array): void {
    const kind = data[0]
    if (data.length < PRESENCE_BYTES || (kind !== HERE && kind !== GONE)) {
      this.#stats.malformed++
      return
    }
    const session = sessionAt(data, 1)
    if (from === this.id) this.#onEcho(session)
    else if (kind === HERE) this.#present(from, session)
    else {
      const remote = this.#remotes.get(from)
      this.#end(session)
      if (remote?.session !== session) return
      this.#remotes.delete(from)
      this.#leave(remote)
    }
  }

  #onEcho(session: string): void {
    if (session !== this.#session) {
      if (this.#stats.twins++ === 0)
        this.#events?.failed(null, new Error(`another program is there as '${this.id}'; ids must be unique`))
      return
    }
    if (!this.#isAlive()) this.#aliveSince = this.#clock.now()
    this.#echoAt = this.#clock.now()
  }

  /** The peer lives, and has that session. Undefined: it is not to be heard. */
  #present(id: string, session: string): Remote | undefined {
    const now = this.#clock.now()
    const known = this.#remotes.get(id)
    if (known?.session === session) {
      known.lastSeen = now
      if (known.isCut) return undefined
      if (!known.isJoined) this.#join(known)
      return known
    }
    if (this.#over.has(session)) {
      this.#stats.stale++
      return undefined
    }
    const sessions = known?.sessions ?? new Bucket(SESSIONS_PER_SECOND, now)
    if (known === undefined ? this.#remotes.size >= this.#given.maxPeers : !sessions.take(1, now)) {
      this.#stats.refused++
      return undefined
    }
    if (known !== undefined) {
      this.#end(known.session)
      this.#leave(known)
    }
    const remote: Remote = {
      id,
      token: tokenOf(id),
      session,
      sessions,
      incoming: new Sequence(),
      isJoined: false,
      isCut: false,
      lastSeen: now,
      number: 0,
      waiting: 0,
      waitingBytes: 0,
      isBlocked: false,
    }
    this.#remotes.set(id, remote)
    this.#answer()
    this.#join(remote)
    return remote
  }

  /** A peer that is new has not heard of this one. */
  #answer(): void {
    this.#cancelAnswer ??= this.#clock.after(ANSWER_MS * this.#clock.random(), () => {
      this.#cancelAnswer = undefined
      quietly(() => this.#here(HERE))
    })
  }

  #end(session: string): void {
    if (this.#over.size >= OVER_MOST) this.#over.clear()
    this.#over.add(session)
  }

  #join(remote: Remote): void {
    remote.isJoined = true
    this.#events?.joined(remote.id)
  }

  #leave(remote: Remote): void {
    if (!remote.isJoined) return
    remote.isJoined = false
    this.#events?.left(remote.id)
  }

  // ---- messages ----

  #isUsable(data: Uint8Array, head: number): boolean {
    if (data.length >= head && data.length <= head + MOST_BYTES) {
      if (sessionAt(data, 8) === this.#session) return true
      this.#stats.stale++
    } else this.#stats.malformed++
    return false
  }

  #onLossy(from: string, data: Uint8Array): void {
    if (from === this.id || !this.#isUsable(data, LOSSY_HEAD)) return
    if (this.#present(from, sessionAt(data, 0)) !== undefined) this.#events?.message(from, data.subarray(LOSSY_HEAD))
  }

  #onReliable(from: string, data: Uint8Array): void {
    if (from === this.id || !this.#isUsable(data, RELIABLE_HEAD)) return
    const remote = this.#present(from, sessionAt(data, 0))
    if (remote === undefined) return
    const number = numberAt(data, LOSSY_HEAD)
    const add = () =>
      remote.incoming.add(number, data.subarray(RELIABLE_HEAD), this.#clock.now(), this.#deliverTo(remote))
    let became = add()
    if (became === 'full') {
      this.#skip(remote)
      became = add()
    }
    if (became === 'known') this.#stats.duplicates++
  }

  /** What was still to come from it counts no more when it has left, or this peer has. */
  #deliverTo(remote: Remote): (bytes: Uint8Array) => boolean {
    return (bytes) => {
      if (this.#closed || !remote.isJoined) return false
      this.#events?.message(remote.id, bytes)
      return true
    }
  }

  /** A reliable message does not come: the stream has kept it for too short a time. */
  #skip(remote: Remote): void {
    if (remote.isJoined) {
      remote.isJoined = false
      this.#events?.failed(remote.id, new Error('reliable messages were lost; let the stream keep them for longer'))
    }
    if (this.#closed || remote.isCut || this.#remotes.get(remote.id) !== remote) return
    this.#join(remote)
    remote.incoming.skip(this.#clock.now(), this.#deliverTo(remote))
  }

  async #publish(remote: Remote, frame: Uint8Array, number: number): Promise<void> {
    remote.waiting++
    remote.waitingBytes += frame.length - RELIABLE_HEAD
    const options = { msgID: `${this.#session}-${remote.session}-${number}` }
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#given.jetstream.publish(this.#subject('r', remote.token), frame, options)
        break
      } catch (cause) {
        if (this.#closed || this.#over.has(remote.session)) return
        this.#stats.retries++
        this.#report(cause)
        await this.#wait(attempt)
        if (this.#closed || this.#over.has(remote.session)) return
      }
    }
    this.#stats.acknowledged++
    remote.waiting--
    remote.waitingBytes -= frame.length - RELIABLE_HEAD
    if (!remote.isBlocked || remote.waiting > WINDOW / 2 || remote.waitingBytes > this.#given.maxBuffered / 2) return
    remote.isBlocked = false
    if (!this.#closed && remote.isJoined) this.#events?.drained(remote.id)
  }

  #report(cause: unknown): void {
    const { onRetry } = this.#given
    if (onRetry === undefined) return
    const error = new SabwayError(
      'ERR_SABWAY_TRANSPORT',
      `a reliable message was not acknowledged: ${reason(cause)}; it is published again, and the cause says why`,
      { cause },
    )
    microtask(() => onRetry(error))
  }
}

/** Of what is ended, and of what is tried again anyway, errors are of no use. */
function quietly(act: () => unknown): void {
  void Promise.resolve()
    .then(act)
    .catch(() => {})
}
