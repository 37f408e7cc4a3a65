// One channel of a manager: its queue, and what waits in front of that.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import type { P2PDropReason, Settings } from './options.js'
import { P2PQueue } from './queue.js'
import type { P2PMessage, P2PReader } from './reader.js'
import type { P2PWriter } from './writer.js'

/** Bytes of messages that are too large for a slot, which a channel keeps for JavaScript. */
const LARGE_BYTES = 2 ** 20

interface Large {
  /** Of how many messages of the queue it is behind. */
  readonly position: number
  readonly message: P2PMessage
}

export class P2PChannel {
  #queue!: P2PQueue
  #writer!: P2PWriter
  #outgoing!: P2PReader
  readonly #number: number
  readonly #settings: Settings
  #incoming: P2PReader | undefined
  /** Of what was in memory that has moved. */
  #skipped = 0
  #repaired = 0
  /** Messages that were written to the queue. */
  #written = 0
  #backlog: P2PMessage[] = []
  #large: Large[] = []
  #largeBytes = 0

  constructor(number: number, settings: Settings) {
    this.#number = number
    this.#settings = settings
    this.#begin()
  }

  /** Errors: as P2PQueue.writer; ERR_SABWAY_INVALID_ARGUMENT: `makeQueue` gives another form. */
  #begin(): void {
    const { makeQueue, queue } = this.#settings
    const made = makeQueue === undefined ? new P2PQueue(queue) : checkQueue(makeQueue(this.#number), this.#settings)
    const writer = made.writer('incoming')
    const outgoing = made.reader('outgoing')
    if (this.#queue !== undefined) {
      this.#skipped = this.skipped
      this.#repaired = this.repaired
    }
    this.#outgoing = outgoing
    this.#writer = writer
    this.#queue = made
    this.#incoming = undefined
  }

  /** Errors: as the constructor. */
  get queue(): P2PQueue {
    if (this.#queue.isGone && this.#settings.makeQueue !== undefined) this.#begin()
    return this.#queue
  }

  /** The network's side of what goes to the engine. */
  get writer(): P2PWriter {
    void this.queue
    return this.#writer
  }

  /** The network's side of what comes from the engine. */
  get outgoing(): P2PReader {
    void this.queue
    return this.#outgoing
  }

  /** Messages of the engine's that were of wrong sizes. */
  get skipped(): number {
    return this.#skipped + this.#outgoing.skipped
  }

  /** Counts that the engine had written back, and that were put right. */
  get repaired(): number {
    return this.#repaired + this.#outgoing.repaired + this.#writer.repaired
  }

  /** Messages that wait for room in the queue. */
  get backlog(): number {
    return this.#backlog.length
  }

  /** Large messages that wait for a reader. */
  get large(): number {
    return this.#large.length
  }

  /**
   * A message for the engine: why it is dropped, or undefined. `data` may change behind the call.
   */
  deliver(from: string, reliable: boolean, data: Uint8Array): P2PDropReason | undefined {
    const { shape, maxMessageBytes, maxBacklog } = this.#settings
    const timestamp = shape.timestamps ? Date.now() : 0
    if (data.length > shape.most) {
      if (data.length > maxMessageBytes) return 'too-large'
      return this.#keep({ from, channel: this.#number, timestamp, data: data.slice() })
    }
    if (this.#backlog.length === 0 && this.#write(from, data, timestamp)) return undefined
    if (!reliable) return 'queue-full'
    if (this.#backlog.length >= maxBacklog) return 'backlog-full'
    this.#backlog.push({ from, channel: this.#number, timestamp, data: data.slice() })
    return undefined
  }

  #keep(message: P2PMessage): P2PDropReason | undefined {
    const { length } = message.data
    if (this.#largeBytes + length > Math.max(LARGE_BYTES, this.#settings.maxMessageBytes)) return 'backlog-full'
    this.#largeBytes += length
    this.#large.push({ position: this.#written + this.#backlog.length, message })
    return undefined
  }

  #write(from: string, data: Uint8Array, timestamp: number): boolean {
    if (!this.writer.write(from, this.#number, data, timestamp)) return false
    this.#written++
    return true
  }

  /** Move up to `most` messages that wait into the queue: how many. */
  flush(most: number): number {
    let count = 0
    for (; count < most && count < this.#backlog.length; count++) {
      const { from, data, timestamp } = this.#backlog[count]!
      if (!this.#write(from, data, timestamp)) break
    }
    if (count > 0) this.#backlog = this.#backlog.slice(count)
    return count
  }

  /** Up to `most` messages, in the order in which they came. */
  take(most: number): P2PMessage[] {
    const { queue } = this
    this.#incoming ??= queue.reader('incoming')
    const messages: P2PMessage[] = []
    for (;;) {
      const first = this.#large[0]
      const left = most - messages.length
      const before = first === undefined ? left : first.position - (this.#written - this.#incoming.pending)
      if (left > 0 && first !== undefined && before <= 0) {
        this.#large.shift()
        this.#largeBytes -= first.message.data.length
        messages.push(first.message)
        continue
      }
      const count = this.#incoming.read(
        (message) => {
          messages.push(message.toMessage())
        },
        Math.max(Math.min(left, before), 0),
      )
      const moved = this.flush(Number.POSITIVE_INFINITY)
      if (messages.length >= most || (count === 0 && moved === 0)) return messages
    }
  }
}

function checkQueue(queue: unknown, { shape }: Settings): P2PQueue {
  if (!(queue instanceof P2PQueue)) {
    return check.refuse('ERR_SABWAY_INVALID_TYPE', 'makeQueue must return a P2PQueue', queue)
  }
  const { slotBytes, timestamps, single } = queue
  if (!single && slotBytes === shape.slotBytes && timestamps === shape.timestamps) return queue
  throw new SabwayError(
    'ERR_SABWAY_INVALID_ARGUMENT',
    `makeQueue must return a queue with both directions, slotBytes ${shape.slotBytes} and timestamps ${shape.timestamps}, got ${single ? 'one direction' : 'two'}, ${slotBytes} and ${timestamps}`,
  )
}
