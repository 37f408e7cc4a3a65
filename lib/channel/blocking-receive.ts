// receiveSync and tryReceive: what a thread does that blocks until a message comes
// (loop/block.ts). It is the event loop's stand-in meanwhile: it serves relays and moves the send
// queue.

import type { BlockingWait, NOTHING } from '../loop/block.js'
import { standIn } from '../loop/dispatcher.js'
import type { ChannelParticipant } from './participant.js'

export class BlockingReceive<T> implements BlockingWait<T> {
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
    const { queue, bell, region } = this.#channel
    standIn(bell, region)
    if (queue.pending) queue.flush()
  }
}
