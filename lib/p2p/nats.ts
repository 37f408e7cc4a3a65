// What is used of a client of NATS: that of `@nats-io/jetstream` and a connection of
// `@nats-io/transport-node` have it. The client is the program's own, and its types are in no
// declaration of Sabway's.
import type { P2PClock } from './clock.js'

/** What publishes to a stream: `jetstream(connection)`. */
export interface NatsPublisher {
  publish(subject: string, bytes: Uint8Array, options: { msgID: string }): Promise<unknown>
}

/** A message of a stream. */
export interface NatsMessage {
  readonly subject: string
  readonly data: Uint8Array
  /** Its place in the stream. */
  readonly seq: number
  ack(): void
  /** It is to come again. */
  nak(): void
  /** It is of no use, and is not to come again. */
  term(): void
}

/** The messages of a consumer, and what the client tells of it. */
export interface NatsMessages extends AsyncIterable<NatsMessage> {
  stop(): void
  status(): AsyncIterable<{ readonly type: string }>
}

/**
 * A consumer of a stream, with explicit acknowledgement: `await js.consumers.get(stream, name)`.
 */
export interface NatsConsumer {
  consume(options: { max_messages: number; idle_heartbeat: number }): Promise<NatsMessages>
  delete(): Promise<unknown>
}

/** The client of JetStream: `jetstream(connection)`. */
export interface NatsJetStream {
  publish(
    subject: string,
    bytes: Uint8Array,
    options: { msgID: string },
  ): Promise<{ readonly stream: string; readonly seq: number }>
  readonly consumers: { get(stream: string, options: object): Promise<NatsConsumer> }
}

/** A connection: `await connect({ servers })`. */
export interface NatsConnection {
  publish(subject: string, bytes: Uint8Array): void
  subscribe(
    subject: string,
    options: {
      callback: (error: Error | null, message: { readonly subject: string; readonly data: Uint8Array }) => void
    },
  ): { unsubscribe(): void }
  flush(): Promise<void>
}

/** Milliseconds between signs of life of a consumer. */
const HEARTBEAT = 1000
/** Signs of life that are missing in a row when a consumer is given up. */
const MISSED_MOST = 3

/**
 * Messages of a consumer, until it gives no signs of life. The client alone does not end: where the
 * consumer's server does not answer, it asks for the consumer once in half a minute, and when its
 * own connection was interrupted, it counts no missing signs until that has succeeded. `received`
 * is the count of messages so far: one that comes is a sign of life, too. It is undefined while a
 * message is in hand: the consumer is silent then when as many as may are there already.
 */
export async function consume(
  consumer: NatsConsumer,
  most: number,
  clock: P2PClock,
  received: () => number | undefined,
): Promise<Pick<NatsMessages, 'stop' | typeof Symbol.asyncIterator>> {
  const messages = await consumer.consume({ max_messages: most, idle_heartbeat: HEARTBEAT })
  let missed = 0
  let before = received()
  let cancel = () => {}
  const stop = () => {
    cancel()
    messages.stop()
  }
  // Counts, not times: in a program that was suspended, a sign of life comes late but once.
  const tick = () => {
    const count = received()
    missed = count === undefined || count !== before ? 0 : missed + 1
    before = count
    if (missed >= MISSED_MOST) stop()
    else cancel = clock.after(HEARTBEAT, tick)
  }
  cancel = clock.after(HEARTBEAT, tick)
  const watch = async () => {
    for await (const { type } of messages.status()) if (type === 'heartbeat') missed = 0
  }
  watch().catch(() => {})
  return { stop, [Symbol.asyncIterator]: () => messages[Symbol.asyncIterator]() }
}
