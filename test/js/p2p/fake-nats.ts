// A server of NATS in memory, as tests want it: it delivers in turns of its own, and stores
// messages when the test says.
import type { NatsConnection, NatsConsumer, NatsJetStream, NatsMessage, NatsMessages } from 'sabway/p2p'
import { turns } from './clock.js'

interface Stored {
  readonly subject: string
  readonly data: Uint8Array
  readonly msgID: string
}

const matches = (pattern: string, subject: string): boolean => {
  const [wanted, found] = [pattern.split('.'), subject.split('.')]
  return wanted.length === found.length && wanted.every((part, i) => part === '*' || part === found[i])
}

export class FakeNats {
  /** Core NATS: subjects that were published, and what. */
  readonly published: { subject: string; data: Uint8Array }[] = []
  readonly stored: Stored[] = []
  readonly #subscribers = new Set<{ pattern: string; callback: (error: null, message: Stored) => void }>()
  readonly #readers = new Set<() => void>()
  /** The server is not there: nothing arrives, and nothing is acknowledged. */
  isDown = false
  /** What is published to the stream waits for the test. */
  isManual = false
  readonly waiting: { stored: Stored; ack: () => void; fail: (error: Error) => void }[] = []
  consumersMade: object[] = []
  /** What `consumers.get` rejects with. */
  refusal: Error | undefined
  streamName = 'GAME'

  /** As a client that the server lets publish anything. */
  publish(subject: string, data: Uint8Array): void {
    this.published.push({ subject, data })
    if (this.isDown) return
    if (!this.isSilent) void this.tell('heartbeat')
    for (const { pattern, callback } of this.#subscribers) {
      if (matches(pattern, subject)) queueMicrotask(() => callback(null, { subject, data, msgID: '' }))
    }
  }

  store(stored: Stored): number {
    const known = this.stored.findIndex(({ msgID }) => msgID === stored.msgID)
    if (known >= 0) return known + 1
    this.stored.push(stored)
    for (const wake of this.#readers) wake()
    return this.stored.length
  }

  /** Have the readers end, as if the consumer was gone. */
  endReaders(): void {
    this.#hasEnded++
    for (const wake of this.#readers) wake()
  }
  #hasEnded = 0

  readonly connection: NatsConnection = {
    publish: (subject, data) => this.publish(subject, data),
    subscribe: (pattern, { callback }) => {
      const entry = { pattern, callback }
      this.#subscribers.add(entry)
      return { unsubscribe: () => void this.#subscribers.delete(entry) }
    },
    flush: async () => {},
  }

  readonly jetstream: NatsJetStream = {
    publish: (subject, data, { msgID }) => {
      const stored = { subject, data, msgID }
      if (this.isDown) return Promise.reject(new Error('no responders'))
      if (!this.isManual) return Promise.resolve({ stream: this.streamName, seq: this.store(stored) })
      return new Promise((resolve, reject) => {
        const ack = () => resolve({ stream: this.streamName, seq: this.store(stored) })
        this.waiting.push({ stored, ack, fail: reject })
      })
    },
    consumers: {
      get: async (_stream, options): Promise<NatsConsumer> => {
        this.consumersMade.push(options)
        if (this.refusal !== undefined) throw this.refusal
        const { filter_subjects, opt_start_seq } = options as { filter_subjects: string; opt_start_seq: number }
        return { consume: async () => this.#read(filter_subjects, opt_start_seq), delete: async () => {} }
      },
    },
  }

  /** Consumers give no signs of life: else one whenever the client publishes something. */
  isSilent = false
  /** The client tells of all consumers. */
  async tell(type: string): Promise<void> {
    for (const hear of this.#listeners) hear(type)
    await turns()
  }
  readonly #listeners = new Set<(type: string) => void>()
  async *#status() {
    for (;;) {
      const type = await new Promise<string>((resolve) => this.#listeners.add(resolve))
      yield { type }
    }
  }

  #read(pattern: string, from: number): NatsMessages {
    let isStopped = false
    let wake = () => {}
    const stored = this.stored
    const reader = () => wake()
    this.#readers.add(reader)
    const ends = this.#hasEnded
    const hasEnded = () => this.#hasEnded > ends
    async function* messages(): AsyncGenerator<NatsMessage> {
      for (let seq = from; !isStopped && !hasEnded(); ) {
        const found = stored[seq - 1]
        if (found === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
          continue
        }
        const { subject, data } = found
        const act = () => {}
        if (matches(pattern, subject)) yield { subject, data, seq, ack: act, nak: act, term: act }
        seq++
      }
    }
    return Object.assign(messages(), {
      status: () => this.#status(),
      stop: () => {
        isStopped = true
        reader()
      },
    })
  }
}
