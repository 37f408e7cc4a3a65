// One attempt to connect to one peer by WebRTC, and what comes of it: two channels. Both sides
// make them under the same ids, so that neither waits to be told of the other's.
import { isArrayBuffer, isUint8Array, plain } from '../base/brand.js'
import { SabwayError } from '../base/errors.js'
import type { P2PClock } from './clock.js'
import type { P2PRTCCandidate, P2PRTCChannel, P2PRTCConnection } from './rtc.js'
import type { Signal } from './signals.js'

/** Candidates of one side, at most. */
const CANDIDATES_MOST = 64
/** Milliseconds that the other side has to hear that the channels are closed. */
const CLOSING_MS = 2000

export interface LinkSettings {
  readonly clock: P2PClock
  /** What is sent at once. */
  readonly maxBytes: number
  /** Bytes that wait in a channel before it takes no more. */
  readonly maxBuffered: number
  readonly connectTimeout: number
  readonly disconnectTimeout: number
  /** The platform's own connection, which copies what it is given. */
  readonly copies: boolean
}

export interface LinkEvents {
  signal(signal: Signal): void
  open(): void
  /** Once. Undefined: the other side has closed it. */
  over(error: SabwayError | undefined): void
  message(bytes: Uint8Array): void
  /** It was no bytes, or too many. */
  refused(): void
  drained(): void
}

const failure = (detail: string, cause?: unknown): SabwayError =>
  new SabwayError('ERR_SABWAY_TRANSPORT', detail, cause === undefined ? undefined : { cause })

export class Link {
  readonly session: string
  readonly #settings: LinkSettings
  readonly #on: LinkEvents
  readonly #connection: P2PRTCConnection
  readonly #reliable: P2PRTCChannel
  readonly #lossy: P2PRTCChannel
  isOpen = false
  isAnswered = false
  #isOver = false
  #isOffering = false
  /** The last step of connecting, when it has ended in either way. */
  #settled = Promise.resolve()
  /** Something was refused. */
  #isBlocked = false
  #cancelTimeout: () => void
  #cancelDisconnect: (() => void) | undefined
  #cancelClosing: (() => void) | undefined
  /** Those that came before the description that they belong to. */
  #early: P2PRTCCandidate[] | undefined = []
  #candidates = 0

  constructor(session: string, connection: P2PRTCConnection, settings: LinkSettings, on: LinkEvents) {
    this.session = session
    this.#connection = connection
    this.#settings = settings
    this.#on = on
    this.#reliable = this.#channel('sabway-reliable', 0, { ordered: true })
    this.#lossy = this.#channel('sabway-unreliable', 1, { ordered: false, maxRetransmits: 0 })
    connection.onicecandidate = ({ candidate }: { candidate?: P2PRTCCandidate | null }) => {
      if (!candidate?.candidate || this.#isOver) return
      const found: P2PRTCCandidate = { candidate: candidate.candidate }
      // What it is must be copied: the platform's objects have getters.
      if (typeof candidate.sdpMid === 'string') found.sdpMid = candidate.sdpMid
      if (typeof candidate.sdpMLineIndex === 'number') found.sdpMLineIndex = candidate.sdpMLineIndex
      on.signal({ kind: 'candidate', session, candidate: found })
    }
    connection.onconnectionstatechange = () => this.#onState()
    const { clock, connectTimeout } = settings
    this.#cancelTimeout = clock.after(connectTimeout, () =>
      this.#end(
        failure(`no connection within ${connectTimeout} ms; is there a way between the two, such as a TURN server?`),
      ),
    )
  }

  // ---- connecting ----

  /** Offer, and say so again if the peer has not heard it. */
  offer(): void {
    if (this.#connection.localDescription !== null) this.#describe('offer')
    else if (!this.#isOffering) {
      this.#isOffering = true
      this.#step(this.#connection.setLocalDescription(), () => this.#describe('offer'))
    }
  }

  /** Answer an offer. */
  accept(sdp: string): void {
    this.#step(this.#connection.setRemoteDescription({ type: 'offer', sdp }), () => {
      this.#heard()
      this.#step(this.#connection.setLocalDescription(), () => this.#describe('answer'))
    })
  }

  onAnswer(sdp: string): void {
    if (this.isAnswered) return
    this.isAnswered = true
    this.#step(this.#connection.setRemoteDescription({ type: 'answer', sdp }), () => this.#heard())
  }

  /** False: there were too many. */
  onCandidate(candidate: P2PRTCCandidate): boolean {
    if (++this.#candidates > CANDIDATES_MOST) return false
    if (this.#early === undefined) this.#add(candidate)
    else this.#early.push(candidate)
    return true
  }

  #heard(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const candidate of early) this.#add(candidate)
  }

  /** One that is of no use to this platform is no reason to end: others may be. */
  #add(candidate: P2PRTCCandidate): void {
    void Promise.resolve()
      .then(() => (this.#isOver ? undefined : this.#connection.addIceCandidate(candidate)))
      .catch(() => this.#on.refused())
  }

  #describe(kind: 'offer' | 'answer'): void {
    const sdp = this.#connection.localDescription?.sdp ?? ''
    this.#on.signal({ kind, session: this.session, sdp })
  }

  #step(doing: Promise<unknown>, then: () => void): void {
    this.#settled = doing.then(
      () => {},
      () => {},
    )
    doing
      .then(() => {
        if (!this.#isOver) then()
      })
      .catch((error) => this.#end(failure('the two could not agree on a connection; the cause says why', error)))
  }

  #onState(): void {
    const state = this.#connection.connectionState
    if (state === 'failed') this.#end(failure('the connection was lost'))
    else if (state === 'closed') this.#end(undefined)
    else if (state === 'disconnected') {
      const { clock, disconnectTimeout } = this.#settings
      this.#cancelDisconnect ??= clock.after(disconnectTimeout, () =>
        this.#end(failure(`the connection was interrupted for ${disconnectTimeout} ms`)),
      )
    } else {
      this.#cancelDisconnect?.()
      this.#cancelDisconnect = undefined
    }
  }

  // ---- channels ----

  #channel(label: string, id: number, options: { ordered: boolean; maxRetransmits?: number }): P2PRTCChannel {
    const channel = this.#connection.createDataChannel(label, { negotiated: true, id, ...options })
    if ('binaryType' in channel) channel.binaryType = 'arraybuffer'
    channel.bufferedAmountLowThreshold = Math.floor(this.#settings.maxBuffered / 2)
    const isReliable = id === 0
    channel.addEventListener('open', () => {
      if (isReliable) this.#open()
    })
    channel.addEventListener('message', (event) => this.#onMessage(isReliable, (event as { data: unknown }).data))
    channel.addEventListener('bufferedamountlow', () => {
      if (!this.#isBlocked || this.#isFull(true) || this.#isFull(false)) return
      this.#isBlocked = false
      if (!this.#isOver) this.#on.drained()
    })
    channel.addEventListener('close', () => {
      this.#end(undefined)
      this.#closeWhenTold()
    })
    return channel
  }

  #open(): void {
    if (this.isOpen || this.#isOver) return
    const takes = this.#connection.sctp?.maxMessageSize ?? Number.POSITIVE_INFINITY
    const { maxBytes } = this.#settings
    // 0: any size.
    if (takes < maxBytes && takes !== 0) {
      this.#end(failure(`the connection takes ${takes} bytes at once, and maxBytes is ${maxBytes}; lower maxBytes`))
      return
    }
    this.isOpen = true
    this.#cancelTimeout()
    this.#on.open()
  }

  #onMessage(isReliable: boolean, data: unknown): void {
    if (this.#isOver) return
    // Some platforms tell of a channel's first message before they tell that it is open.
    if (isReliable) this.#open()
    if (!this.isOpen) return // it may be lost
    let bytes: Uint8Array | undefined
    // A Buffer's `slice` is a view, and those that read these bytes copy by `slice`.
    if (isUint8Array(data)) bytes = plain(data)
    else if (isArrayBuffer(data)) bytes = new Uint8Array(data)
    if (bytes === undefined || bytes.length > MOST_BYTES) this.#on.refused()
    else this.#on.message(bytes)
  }

  #of(reliable: boolean): P2PRTCChannel {
    return reliable ? this.#reliable : this.#lossy
  }

  /** Above its threshold: the event that it has fallen below it will come. */
  #isFull(reliable: boolean): boolean {
    return this.#of(reliable).bufferedAmount >= this.#settings.maxBuffered
  }

  /** False: it takes no more at the moment. */
  send(reliable: boolean, bytes: Uint8Array): boolean {
    const channel = this.#of(reliable)
    if (this.#isOver || channel.readyState !== 'open') return true // it is lost
    if (this.#isFull(reliable)) {
      this.#isBlocked = true
      return false
    }
    channel.send(this.#taken(bytes) as never)
    return true
  }

  /** Pages refuse shared memory, and packages keep what they are given, as a Buffer. */
  #taken(bytes: Uint8Array): Uint8Array {
    const { Buffer } = globalThis as { Buffer?: { from(bytes: Uint8Array): Uint8Array } }
    if (!this.#settings.copies) return Buffer === undefined ? bytes.slice() : Buffer.from(bytes)
    return isArrayBuffer(bytes.buffer) ? bytes : new Uint8Array(bytes)
  }

  // ---- the end ----

  #end(error: SabwayError | undefined): void {
    if (this.#isOver) return
    this.close()
    this.#on.over(error)
  }

  /** Without an event. */
  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.isOpen = false
    this.#cancelTimeout()
    this.#cancelDisconnect?.()
    for (const channel of [this.#reliable, this.#lossy]) quietly(() => channel.close())
    // A connection of werift that is closed while it gathers candidates opens their sockets yet.
    void this.#settled.then(() => {
      this.#cancelClosing = this.#settings.clock.after(CLOSING_MS, () => this.#closeConnection())
      this.#closeWhenTold()
    })
  }

  /** Some platforms tell the other side only of the channels, and nothing behind the connection. */
  #closeWhenTold(): void {
    if (this.#cancelClosing === undefined) return
    if (this.#reliable.readyState === 'closed' && this.#lossy.readyState === 'closed') this.#closeConnection()
  }

  #closeConnection(): void {
    this.#cancelClosing?.()
    this.#cancelClosing = undefined
    quietly(() => this.#connection.close())
  }
}

/** The most that a peer may send at once: `maxBytes` of any peer is at most that. */
export const MOST_BYTES = 65536

/** Of what is ended, errors of the end are of no use. */
function quietly(act: () => unknown): void {
  void Promise.resolve()
    .then(act)
    .catch(() => {})
}
