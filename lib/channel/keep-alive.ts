// What keeps the process alive for a channel: what ref() and unref() asked for, and otherwise that
// it receives from a side that is not dead; and in any case that messages wait for a living
// participant.
import { keepAliveReasonOf, setActive } from '../loop/keep-alive.js'
import type { Consumer } from './consumer.js'
import type { PeerWatch } from './peer-watch.js'
import type { SendQueue } from './send-queue.js'
import type { ChannelState } from './state.js'

/** What decides whether a channel keeps the process alive. */
export interface Reasons {
  readonly state: ChannelState
  readonly queue: SendQueue
  readonly peer: PeerWatch
  readonly consumer: Consumer
}

export class KeepAlive {
  readonly #channel: Reasons
  readonly #reason = keepAliveReasonOf(this)
  /** What ref() and unref() have asked for; null: neither was called. */
  #asked: boolean | null = null
  #portAsks = false

  constructor(channel: Reasons) {
    this.#channel = channel
  }

  /** ref() and unref(). */
  ask(keep: boolean): void {
    this.#asked = keep
    this.update()
  }

  /** The same of the channel's port, which counts while that receives. */
  askForPort(keep: boolean): void {
    this.#portAsks = keep
    this.update()
  }

  /** Hold the process, or let it go, if what decides that has changed. */
  update(): void {
    const { state, queue, peer } = this.#channel
    const wanted = !state.closed && ((this.#asked ?? this.#receives()) || (queue.pending && peer.isAlive))
    setActive(this.#reason, wanted)
  }

  #receives(): boolean {
    const { state, consumer, peer } = this.#channel
    const receives = state.takenFor === 'port' ? this.#portAsks : consumer.receiving
    return receives && (!peer.isGone || state.deathUntold)
  }
}
