// Copies a channel's messages over a MessagePort: for pages that cannot have the shared memory.
// Each end has one side of a real channel: the page a local one, whose other side its code uses,
// and main the one that it shares.
//
// Flow control is by credit, one for each direction: as much may be on its way as the ring holds
// from which it comes, and as the other end writes into its ring it acknowledges that. Without
// credit the rest stays in the ring, and its sender is slowed down. The other end is not trusted: a
// parcel that is no parcel is dropped, and one that goes beyond the credit, or has what is no
// message in it, ends the stream.
import { isUint8Array, lengthOf } from '../base/brand.js'
import { microtask } from '../base/host.js'
import type { SharedMemoryChannel } from '../channel/channel.js'

/**
 * A MessagePort of the page, or Electron's MessagePortMain. What comes out of it is the other
 * end's.
 */
export interface Wire {
  post(parcel: Parcel): void
  onParcel(callback: (parcel: unknown) => void): void
  /** The other end is gone. */
  onClose(callback: () => void): void
  close(): void
}

/** Messages; or so many bytes that the other end has taken; or the end of the stream. */
export type Parcel = { messages: Uint8Array[] } | { taken: number } | { end: true }

/** How many bytes may be on their way: the capacities of the rings they come from. */
export interface CreditLimits {
  outgoing: number
  incoming: number
}

/** For the channel that is given to `pump`: the credit bounds what its queue holds. */
export const COPIED_SIDE = { maxQueued: Number.POSITIVE_INFINITY } as const

/** What a message costs beside its bytes, so that empty ones cannot flood the wire. */
const OVERHEAD = 64

const costOf = (message: Uint8Array): number => lengthOf(message) + OVERHEAD

/**
 * Copy messages both ways until the stream or the wire ends; `over` is then called, with true for
 * the stream.
 */
export function pump(
  channel: SharedMemoryChannel,
  wire: Wire,
  limits: CreditLimits,
  over: (ended: boolean) => void,
): void {
  const flow = new Flow(channel, wire, limits, over)
  wire.onClose(() => flow.finish(false))
  wire.onParcel((parcel) => flow.arrive(parcel))
  channel.addEventListener('drain', () => flow.acknowledge())
  channel.addEventListener('close', () => flow.end())
  flow.start()
}

class Flow {
  readonly #channel: SharedMemoryChannel
  readonly #wire: Wire
  readonly #limits: CreditLimits
  readonly #over: (ended: boolean) => void
  #credit: number
  #parcel: Uint8Array[] = []
  /** Cost of what has arrived and is not acknowledged. */
  #owed = 0
  #done = false

  constructor(channel: SharedMemoryChannel, wire: Wire, limits: CreditLimits, over: (ended: boolean) => void) {
    this.#channel = channel
    this.#wire = wire
    this.#limits = limits
    this.#over = over
    this.#credit = limits.outgoing
  }

  start(): void {
    this.#channel.startReceiving((message) => this.#collect(message))
  }

  #collect(message: Uint8Array): void {
    if (this.#parcel.length === 0) microtask(() => this.#flush())
    this.#parcel.push(message)
    this.#credit -= costOf(message)
    if (this.#credit <= 0) this.#channel.stopReceiving()
  }

  #flush(): void {
    const messages = this.#parcel
    this.#parcel = []
    if (!this.#done && messages.length !== 0) this.#wire.post({ messages })
  }

  /** The ring took all that has arrived. */
  acknowledge(): void {
    if (!this.#done && this.#owed !== 0) this.#wire.post({ taken: this.#owed })
    this.#owed = 0
  }

  /** The stream of this end is over: tell the other. */
  end(): void {
    this.#flush()
    if (!this.#done) this.#wire.post({ end: true })
    this.finish(true)
  }

  finish(ended: boolean): void {
    if (this.#done) return
    this.#done = true
    this.#wire.close()
    this.#over(ended)
  }

  arrive(parcel: unknown): void {
    if (this.#done || typeof parcel !== 'object' || parcel === null) return
    if ('end' in parcel) this.finish(true)
    else if ('taken' in parcel) this.#addCredit(parcel.taken)
    else if ('messages' in parcel && Array.isArray(parcel.messages)) this.#deliver(parcel.messages)
  }

  #addCredit(bytes: unknown): void {
    if (typeof bytes !== 'number' || !(bytes > 0)) return
    const stopped = this.#credit <= 0
    this.#credit = Math.min(this.#limits.outgoing, this.#credit + bytes)
    if (stopped && this.#credit > 0) this.start()
  }

  #deliver(messages: unknown[]): void {
    for (const message of messages) this.#owed += isUint8Array(message) ? costOf(message) : Number.POSITIVE_INFINITY
    // The credit, and the one message that went beyond it.
    const most = 2 * this.#limits.incoming + OVERHEAD
    if (this.#owed > most) {
      this.end()
      return
    }
    try {
      let room = true
      for (const message of messages) room = this.#channel.send(message as Uint8Array)
      if (room) this.acknowledge()
    } catch {
      this.end() // the side is closed: these will not be read
    }
  }
}
