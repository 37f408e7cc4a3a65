// receiveSync and tryReceive: what a thread does that blocks until a message comes
// (loop/waiting.ts). It is the event loop's stand-in meanwhile: it serves relays and moves the send
// queue.
import * as dispatcher from '../loop/dispatcher.js'
import type { Awaited, NOTHING } from '../loop/waiting.js'
import type { ChannelParticipant } from './participant.js'

export class BlockingReceive<T> implements Awaited<T> {
  readonly #channel: ChannelParticipant<T>

  constructor(channel: ChannelParticipant<T>) {
    this.#channel = channel
  }

  take(): T | typeof NOTHING {
    return this.#channel.consumer.takeOne(this.#channel.toMessage)
  }

  ready(): boolean {
    const { peer, consumer, queue, receiver } = this.#channel
    if (peer.look()) this.#channel.peerHasDied(true)
    return consumer.available() || queue.wantSpace() || receiver.hasUntoldDeath
  }

  role(): number {
    return this.#channel.peer.receiver
  }

  patrol(closely: boolean): void {
    const { peer, consumer, receiver } = this.#channel
    if (closely ? peer.lookClosely() : peer.look()) this.#channel.peerHasDied(true)
    if (!receiver.hasUntoldDeath || consumer.available()) return
    throw receiver.takeDeath()
  }

  meanwhile(): void {
    const { queue } = this.#channel
    dispatcher.serveAll()
    if (queue.pending) queue.flush()
  }
}
