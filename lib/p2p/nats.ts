// A bridge between programs of Sabway and NATS: what one side has acknowledged the other one has.
// The client is the program's own (@nats-io/jetstream); what is used of it stands here, and its
// types are in no declaration of Sabway's.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { reason } from '../base/shown.js'
import { backoff, hostClock, type P2PBackoff } from './clock.js'

/** What publishes to a stream: `jetstream(connection)`. */
export interface NatsPublisher {
  publish(subject: string, bytes: Uint8Array, options: { msgID: string }): Promise<unknown>
}

/** A message of a stream. */
export interface NatsMessage {
  readonly data: Uint8Array
  ack(): void
  nak(): void
}

/**
 * A consumer of a stream, with explicit acknowledgement: `await js.consumers.get(stream, name)`.
 */
export interface NatsConsumer {
  consume(options: { max_messages: number }): Promise<AsyncIterable<NatsMessage> & { stop(): void }>
}

export interface NatsBridgeOptions {
  /** Messages that go out: what a channel, a queue or a subscriber of a broadcast iterates. */
  out?: { messages: AsyncIterable<Uint8Array>; publisher: NatsPublisher; subject: string }
  /** Where messages of a consumer go: it resolves when the channel or queue has the message. */
  into?: { send: (bytes: Uint8Array) => unknown; consumer: NatsConsumer }
  /** Names this bridge in what it publishes, so that the server knows a message it has: a UUID. */
  name: string
  /** Messages that wait for an acknowledgement, in each direction: 256 unless given. */
  window?: number
  /** Times between attempts. */
  backoff?: P2PBackoff
  /** What did not succeed and is tried again. */
  onRetry?: (error: SabwayError) => void
}

export interface NatsBridge {
  /** Settles when all of `out` is acknowledged, or when the bridge is closed. */
  readonly finished: Promise<void>
  stats(): { published: number; delivered: number; retries: number; waiting: number }
  /** Ends both directions. What was not acknowledged comes again, to the next one. */
  close(): Promise<void>
}

const NAMES = ['out', 'into', 'name', 'window', 'backoff', 'onRetry'] as const

/**
 * At least once, in both directions: a message that goes out is published again until the stream
 * has acknowledged it, under an id by which the stream knows those that it has; one that comes in
 * is acknowledged when `send` has taken it. At most `window` messages are under way: beyond that no
 * more are taken from `out`, whose channel is full then, and no more are asked of the server. Those
 * that go out keep their order while none is published again; `window: 1` keeps it always. What
 * `messages` has given and the stream has not acknowledged is lost with this process. Errors:
 * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE.
 */
export function natsBridge(options: NatsBridgeOptions): NatsBridge {
  const given = check.options<NatsBridgeOptions>(options, 'bridge options', NAMES)
  const { out, into, onRetry } = given
  const name = check.text(given.name, 'name', 64)
  if (out === undefined && into === undefined)
    check.refuse('ERR_SABWAY_INVALID_ARGUMENT', 'a bridge needs { out }, { into } or both', options)
  if (out !== undefined) {
    check.text(out.subject, 'out.subject', 1024)
    check.callback(out.publisher?.publish, 'out.publisher.publish')
    check.callback(out.messages?.[Symbol.asyncIterator], 'out.messages[Symbol.asyncIterator]')
  }
  if (into !== undefined) {
    check.callback(into.send, 'into.send')
    check.callback(into.consumer?.consume, 'into.consumer.consume')
  }
  if (onRetry !== undefined) check.callback(onRetry, 'onRetry')
  const window = check.integer(given.window ?? 256, 'window', 1, 2 ** 16)
  const times = check.options<P2PBackoff>(given.backoff, 'backoff', ['least', 'most'])
  const least = check.integer(times.least ?? 50, 'backoff.least', 1, 2 ** 31 - 1)
  const waits = { least, most: check.integer(times.most ?? 5000, 'backoff.most', least, 2 ** 31 - 1) }

  const stats = { published: 0, delivered: 0, retries: 0, waiting: 0 }
  let closed = false
  let close!: () => void
  const over = new Promise<void>((resolve) => {
    close = resolve
  })
  let running: { stop(): void } | undefined

  const retry = async (attempt: number, cause: unknown): Promise<void> => {
    stats.retries++
    onRetry?.(
      new SabwayError('ERR_SABWAY_TRANSPORT', `NATS: ${reason(cause)}; it is tried again, and the cause says why`, {
        cause,
      }),
    )
    let cancel = () => {}
    const wait = new Promise<void>((resolve) => {
      cancel = hostClock.after(backoff(waits, attempt, hostClock.random()), resolve)
    })
    await Promise.race([wait, over])
    cancel()
  }

  const publish = async (to: NonNullable<typeof out>, bytes: Uint8Array, msgID: string): Promise<void> => {
    for (let attempt = 0; !closed; attempt++) {
      try {
        await to.publisher.publish(to.subject, bytes, { msgID })
        stats.published++
        return
      } catch (error) {
        await retry(attempt, error)
      }
    }
  }

  const sendOut = async (from: NonNullable<typeof out>): Promise<void> => {
    const waiting = new Set<Promise<void>>()
    const messages = from.messages[Symbol.asyncIterator]()
    for (let n = 0; !closed; n++) {
      if (waiting.size >= window) await Promise.race([...waiting, over])
      const next = await Promise.race([messages.next(), over])
      if (closed || next === undefined || next.done) break
      // The memory may be the channel's, and the message is published again perhaps.
      const sending: Promise<void> = publish(from, new Uint8Array(next.value), `${name}-${n}`).finally(() => {
        waiting.delete(sending)
        stats.waiting = waiting.size
      })
      waiting.add(sending)
      stats.waiting = waiting.size
    }
    await Promise.all(waiting)
  }

  const takeIn = async (to: NonNullable<typeof into>): Promise<void> => {
    for (let attempt = 0; !closed; attempt++) {
      try {
        const messages = await to.consumer.consume({ max_messages: window })
        running = messages
        if (closed) messages.stop()
        for await (const message of messages) {
          if (closed) break
          try {
            await to.send(message.data)
          } catch (error) {
            message.nak()
            await retry(attempt, error)
            continue
          }
          message.ack()
          stats.delivered++
          attempt = 0
        }
        if (!closed) await retry(attempt, new Error('the consumer has ended'))
      } catch (error) {
        if (!closed) await retry(attempt, error)
      }
    }
  }

  const outgoing = out === undefined ? Promise.resolve() : sendOut(out)
  const incoming = into === undefined ? Promise.resolve() : takeIn(into)
  return {
    finished: outgoing,
    stats: () => ({ ...stats }),
    async close() {
      closed = true
      close()
      running?.stop()
      await Promise.allSettled([outgoing, incoming])
    },
  }
}
