// Carries a channel's messages over a MessagePort, by copy: for renderers that cannot have the
// shared memory. Each end has one side of a real channel: the page a local one, whose other side
// its code uses, and main the one that it shares.
import { isUint8Array, lengthOf } from '../base/brand.js'
import { microtask } from '../base/host.js'
import type { SharedMemoryChannel } from '../channel/channel.js'

/**
 * A MessagePort of the page, or Electron's MessagePortMain. What comes out of it is the other
 * end's, and is looked at closely.
 */
export interface Port {
  post(parcel: Parcel): void
  onParcel(callback: (parcel: unknown) => void): void
  /** The other end is gone. */
  onClose(callback: () => void): void
  close(): void
}

/** Messages; or so many bytes that were taken over there; or the end of the stream. */
export type Parcel = { messages: Uint8Array[] } | { taken: number } | { end: true }

/** How many bytes may be on their way: the capacities of the rings they come from. */
export interface Windows {
  outgoing: number
  incoming: number
}

/** For the channel that is given to `pump`: the window bounds what its queue holds. */
export const CARRIER = { maxQueued: Number.POSITIVE_INFINITY } as const

/** What a message costs beside its bytes, so that empty ones cannot flood the port. */
const OVERHEAD = 64

function costOf(messages: readonly unknown[]): number {
  let cost = 0
  for (const message of messages) cost += isUint8Array(message) ? lengthOf(message) + OVERHEAD : Number.NaN
  return cost
}

/**
 * Carry messages both ways until the stream or the port ends; `over` is then called, with true for
 * the stream. When a window's worth is on its way and not yet taken over there, the rest stays in
 * the ring, and its sender is slowed down.
 */
export function pump(channel: SharedMemoryChannel, port: Port, windows: Windows, over: (ended: boolean) => void): void {
  const flow = new Flow(channel, port, windows, over)
  port.onClose(() => flow.finish(false))
  port.onParcel((parcel) => flow.arrive(parcel))
  channel.addEventListener('drain', () => flow.acknowledge())
  channel.addEventListener('close', () => flow.end())
  flow.start()
}

class Flow {
  private credit: number
  private parcel: Uint8Array[] = []
  /** Cost of what has arrived and is not acknowledged. */
  private owed = 0
  private done = false

  constructor(
    private readonly channel: SharedMemoryChannel,
    private readonly port: Port,
    private readonly windows: Windows,
    private readonly over: (ended: boolean) => void,
  ) {
    this.credit = windows.outgoing
  }

  start(): void {
    this.channel.startReceiving((message) => this.collect(message))
  }

  private collect(message: Uint8Array): void {
    if (this.parcel.length === 0) microtask(() => this.flush())
    this.parcel.push(message)
    this.credit -= message.length + OVERHEAD
    if (this.credit <= 0) this.channel.stopReceiving()
  }

  private flush(): void {
    const messages = this.parcel
    this.parcel = []
    if (!this.done && messages.length !== 0) this.port.post({ messages })
  }

  /** The ring took all that has arrived. */
  acknowledge(): void {
    if (!this.done && this.owed !== 0) this.port.post({ taken: this.owed })
    this.owed = 0
  }

  /** The stream of this end is over: tell the other. */
  end(): void {
    this.flush()
    if (!this.done) this.port.post({ end: true })
    this.finish(true)
  }

  finish(ended: boolean): void {
    if (this.done) return
    this.done = true
    this.port.close()
    this.over(ended)
  }

  arrive(parcel: unknown): void {
    if (this.done || typeof parcel !== 'object' || parcel === null) return
    if ('end' in parcel) this.finish(true)
    else if ('taken' in parcel) this.taken(parcel.taken)
    else if ('messages' in parcel && Array.isArray(parcel.messages)) this.deliver(parcel.messages)
  }

  private taken(bytes: unknown): void {
    if (typeof bytes !== 'number' || !(bytes > 0)) return
    const stopped = this.credit <= 0
    this.credit = Math.min(this.windows.outgoing, this.credit + bytes)
    if (stopped && this.credit > 0) this.start()
  }

  private deliver(messages: unknown[]): void {
    this.owed += costOf(messages)
    // a window, and the one message that went beyond it
    const most = 2 * this.windows.incoming + OVERHEAD
    try {
      if (!(this.owed <= most)) throw new RangeError('more than was allowed, or no messages at all')
      let room = true
      for (const message of messages) room = this.channel.send(message as Uint8Array)
      if (room) this.acknowledge()
    } catch {
      this.end() // or the side is closed: these will not be read
    }
  }
}
