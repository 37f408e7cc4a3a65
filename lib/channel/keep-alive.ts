// What keeps the process alive for a channel: what ref() and unref() asked for, and otherwise that
// it receives from a side that is not dead; and in any case that messages wait for a living
// participant.
import * as dispatcher from '../loop/dispatcher.js'
import type { ChannelParticipant } from './participant.js'

export class KeepAlive {
  readonly #channel: ChannelParticipant<unknown>
  readonly #hold = dispatcher.holdOf(this)
  /** What ref() and unref() have asked for; null: neither was called. */
  #asked: boolean | null = null
  #portAsks = false

  constructor(channel: ChannelParticipant<unknown>) {
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
    if (wanted === this.#hold.held) return
    this.#hold.held = wanted
    if (wanted) dispatcher.ref()
    else dispatcher.unref()
  }

  #receives(): boolean {
    const { state, consumer, peer } = this.#channel
    const receives = state.takenFor === 'port' ? this.#portAsks : consumer.receiving
    return receives && (!peer.isGone || state.deathUntold)
  }
}
