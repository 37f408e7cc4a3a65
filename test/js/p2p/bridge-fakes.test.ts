// What a bridge does when publishing or putting does not succeed, with a client of the test's own.
import assert from 'node:assert/strict'
import { type ErrorCode, MultiProducerQueue, SharedBroadcast, SharedChannel } from 'sabway'
import { type BridgeOptions, bridge, type NatsConsumer, type NatsMessage } from 'sabway/p2p'
import { throwsError } from '../support/errors.js'
import { Clock } from './clock.js'
import { numbered, numberOf, pause, until } from './servers.js'

const FAST = { least: 1, most: 2 }

async function* status() {}

/** Acknowledges when the test says so. */
class Publisher {
  readonly published: { n: number; msgID: string; ack: () => void; fail: (error: Error) => void }[] = []
  publish(_subject: string, bytes: Uint8Array, { msgID }: { msgID: string }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.published.push({ n: numberOf(bytes), msgID, ack: resolve, fail: reject })
    })
  }
}

/** Brings these messages, and notes what becomes of each. */
function consumerOf(...numbers: number[]): NatsConsumer & { became: string[]; asked: number } {
  const became: string[] = []
  const found = {
    became,
    asked: 0,
    consume: async ({ max_messages }: { max_messages: number }) => {
      found.asked = max_messages
      let stop = () => {}
      const stopped = new Promise<void>((resolve) => {
        stop = resolve
      })
      async function* messages(): AsyncGenerator<NatsMessage> {
        for (let n = numbers.shift(); n !== undefined; n = numbers.shift()) {
          const note = (what: string) => () => void became.push(`${what} ${n}`)
          yield { subject: 's', data: numbered(n), seq: n, ack: note('ack'), nak: note('nak'), term: note('term') }
        }
        await stopped
      }
      return Object.assign(messages(), { stop, status })
    },
    delete: async () => {},
  }
  return found
}

const channel = (capacity = 4) => new SharedChannel<Uint8Array>({ capacity })

describe('a bridge', () => {
  it('takes no more than its window while nothing is acknowledged, and then one for each', async () => {
    const from = channel()
    const publisher = new Publisher()
    const out = bridge(from, 's', { publisher, window: 3 })
    for (let n = 0; n < 7; n++) await from.send(numbered(n))
    await until('the window is full', () => publisher.published.length === 3)
    await pause(20)
    assert.equal(from.trySend(numbered(7)), false)
    assert.deepEqual(out.stats(), { published: 0, delivered: 0, refused: 0, retries: 0, waiting: 3 })
    publisher.published[1]!.ack()
    await until('one more', () => publisher.published.length === 4)
    assert.equal(from.trySend(numbered(7)), true)
    assert.equal(out.stats().published, 1)
    assert.deepEqual(
      (await out.close({ timeout: 0 })).map((bytes) => numberOf(bytes as Uint8Array)),
      [0, 2, 3],
    )
  })

  it('publishes again under the same id what was not acknowledged, and says so', async () => {
    const from = channel()
    const publisher = new Publisher()
    const told: string[] = []
    const out = bridge(from, 's', {
      publisher,
      backoff: FAST,
      onRetry: ({ code, message }) => told.push(`${code} ${message}`),
    })
    await from.send(numbered(5))
    await from.send(numbered(6))
    await until('both', () => publisher.published.length === 2)
    const [five, six] = publisher.published
    assert.notEqual(five!.msgID, six!.msgID)
    five!.fail(new Error('timed out'))
    await until('again', () => publisher.published.length === 3)
    const again = publisher.published[2]!
    assert.deepEqual([again.n, again.msgID], [5, five!.msgID])
    again.ack()
    six!.ack()
    from.close()
    await out.finished
    assert.deepEqual(out.stats(), { published: 2, delivered: 0, refused: 0, retries: 1, waiting: 0 })
    assert.equal(told.length, 1)
    assert.match(told[0]!, /^ERR_SABWAY_TRANSPORT .*: NATS: timed out; it is tried again/)
  })

  it('has ids that another bridge does not have', async () => {
    const ids = new Set<string>()
    for (let i = 0; i < 2; i++) {
      const from = channel()
      const publisher = new Publisher()
      const out = bridge(from, 's', { publisher })
      await from.send(numbered(1))
      await until('published', () => publisher.published.length === 1)
      ids.add(publisher.published[0]!.msgID)
      publisher.published[0]!.ack()
      await out.close()
    }
    assert.equal(ids.size, 2)
  })

  it('leaves in a channel what comes when it is closed, and gives back what was not acknowledged', async () => {
    const from = channel()
    const publisher = new Publisher()
    const out = bridge(from, 's', { publisher })
    await pause(5) // it waits for a value
    const closing = out.close()
    await from.send(numbered(1))
    assert.deepEqual(await closing, [])
    await out.finished
    assert.equal(from.getLength(), 1)
    const other = bridge(from, 's', { publisher })
    await until('taken', () => publisher.published.length === 1)
    assert.deepEqual(
      (await other.close({ timeout: 5 })).map((bytes) => numberOf(bytes as Uint8Array)),
      [1],
    )
    assert.equal(other.stats().waiting, 0)
  })

  it('waits at its end for what is under way', async () => {
    const from = channel()
    const publisher = new Publisher()
    const out = bridge(from, 's', { publisher })
    await from.send(numbered(1))
    await until('taken', () => publisher.published.length === 1)
    const closing = out.close()
    publisher.published[0]!.ack()
    assert.deepEqual(await closing, [])
    assert.equal(out.stats().published, 1)
  })

  it('acknowledges a value of a queue when the stream has it, and otherwise leaves it to another consumer', async () => {
    const queue = new MultiProducerQueue<Uint8Array>(8, { delivery: 'ack' } as object)
    assert.equal(queue.delivery, 'ack')
    assert.equal(new MultiProducerQueue(8).delivery, 'at-most-once')
    const publisher = new Publisher()
    const out = bridge(queue, 's', { publisher })
    for (const n of [1, 2, 3]) await queue.enqueue(numbered(n))
    await until('taken', () => publisher.published.length === 3)
    publisher.published[0]!.ack()
    await until('acknowledged', () => out.stats().published === 1)
    assert.deepEqual(await out.close({ timeout: 0 }), [])
    const left = [queue.tryReceive(), queue.tryReceive()].map((each) => {
      each!.ack()
      return [numberOf(each!.value), each!.deliveries]
    })
    assert.deepEqual(left.sort(), [
      [2, 2],
      [3, 2],
    ])
    assert.equal(queue.tryReceive(), null)
  })

  it('hears a broadcast while it is open', async () => {
    const broadcast = new SharedBroadcast<Uint8Array>()
    const publisher = new Publisher()
    const out = bridge(broadcast, 's', { publisher })
    assert.equal(broadcast.isSubscribed(), true)
    await broadcast.broadcast(numbered(4))
    await until('published', () => publisher.published.length === 1)
    publisher.published[0]!.ack()
    await out.close()
    assert.equal(broadcast.isSubscribed(), false)
    broadcast.subscribe()
    await bridge(broadcast, 's', { publisher }).close()
    assert.equal(broadcast.isSubscribed(), true)
  })

  it('ends with what cannot be encoded, and leaves that in a queue', async () => {
    const queue = new MultiProducerQueue<unknown>(8, { delivery: 'ack' } as object)
    await queue.enqueue('no bytes')
    const out = bridge(queue, 's', { publisher: new Publisher() })
    await assert.rejects(out.finished, { code: 'ERR_SABWAY_INVALID_TYPE', message: /encode/ })
    assert.equal(queue.tryReceive()!.value, 'no bytes')
  })

  it('ends with what the end throws', async () => {
    const end = { receive: async () => assert.fail('of the end') }
    await assert.rejects(bridge(end, 's', { publisher: new Publisher() }).finished, /of the end/)
  })

  it('puts a message again until the channel takes it, and keeps the order', async () => {
    const consumer = consumerOf(1, 2, 3)
    const came: number[] = []
    let refusals = 3
    const end = {
      send: async (bytes: Uint8Array) => {
        if (refusals-- > 0) throw new Error('no room')
        came.push(numberOf(bytes))
      },
    }
    const into = bridge(end as never, null, { consumer, backoff: FAST, window: 9 })
    await until('all have come', () => into.stats().delivered === 3)
    assert.equal(consumer.asked, 9)
    assert.deepEqual(came, [1, 2, 3])
    assert.deepEqual(consumer.became, ['ack 1', 'ack 2', 'ack 3'])
    assert.equal(into.stats().retries, 3)
    await into.close()
  })

  it('acknowledges nothing that the channel has not, and hands that back when it is closed', async () => {
    const to = channel(2)
    const consumer = consumerOf(1, 2, 3, 4)
    const into = bridge(to, null, { consumer })
    await until('full', () => into.stats().delivered === 2)
    await pause(10)
    assert.deepEqual(consumer.became, ['ack 1', 'ack 2'])
    await into.close()
    assert.deepEqual(consumer.became, ['ack 1', 'ack 2', 'nak 3'])
    assert.equal(to.getLength(), 2)
  })

  it('asks anew when a consumer gives no sign of life, but not while a message is in hand', async () => {
    const to = channel(1)
    const consumer = consumerOf(1, 2)
    const clock = new Clock()
    const into = bridge(to, null, { consumer, backoff: FAST, clock })
    await until('full', () => into.stats().delivered === 1)
    await pause(5)
    await clock.pass(10_000)
    assert.equal(into.stats().retries, 0)
    assert.equal(numberOf(await to.receive()), 1)
    assert.equal(numberOf(await to.receive()), 2)
    await until('delivered', () => into.stats().delivered === 2)
    await clock.pass(2900) // a second of it began before
    assert.equal(into.stats().retries, 0)
    await clock.pass(1100)
    assert.equal(into.stats().retries, 1)
    assert.deepEqual(consumer.became, ['ack 1', 'ack 2'])
    await into.close()
    await clock.pass(0)
    assert.deepEqual(clock.due, [])
  })

  it('ends when the channel is closed, and hands the message back', async () => {
    const to = channel()
    to.close()
    const consumer = consumerOf(1)
    const into = bridge(to, null, { consumer })
    await into.finished
    assert.deepEqual(consumer.became, ['nak 1'])
    assert.equal(into.stats().retries, 0)
  })

  it('refuses for good what cannot be decoded', async () => {
    const to = channel()
    const consumer = consumerOf(1, 2)
    const told: string[] = []
    const decode = (bytes: Uint8Array) => {
      if (numberOf(bytes) === 1) throw new Error('odd')
      return bytes
    }
    const into = bridge(to, null, { consumer, decode, onRetry: ({ message }) => told.push(message) })
    assert.equal(numberOf(await to.receive()), 2)
    await until('acknowledged', () => into.stats().delivered === 1)
    assert.deepEqual(consumer.became, ['term 1', 'ack 2'])
    assert.equal(into.stats().refused, 1)
    assert.match(told.join(), /odd; the message is refused/)
    await into.close()
  })

  it('asks again when a consumer fails or ends', async () => {
    const to = channel()
    const working = consumerOf(7)
    let asked = 0
    const consumer = {
      ...working,
      consume: async (options: never) => {
        if (asked++ === 0) throw new Error('no leader')
        if (asked === 2) return Object.assign((async function* () {})(), { stop() {}, status })
        return working.consume(options)
      },
    }
    const into = bridge(to, null, { consumer: consumer as NatsConsumer, backoff: FAST })
    assert.equal(numberOf(await to.receive()), 7)
    assert.equal(into.stats().retries, 2)
    await into.close()
  })

  it('refuses options that are none', () => {
    const publisher = new Publisher()
    const refused = (act: () => unknown, code: ErrorCode, message: RegExp) => throwsError(act, code, message)
    refused(() => bridge(channel(), 's', {}), 'ERR_SABWAY_INVALID_ARGUMENT', /publisher/)
    refused(() => bridge(5 as never, 's', { publisher }), 'ERR_SABWAY_INVALID_TYPE', /channel, a queue/)
    refused(() => bridge({}, 's', { publisher }), 'ERR_SABWAY_INVALID_TYPE', /receive/)
    refused(() => bridge({}, null, { consumer: consumerOf() }), 'ERR_SABWAY_INVALID_TYPE', /send/)
    refused(() => bridge(channel(), null, { publisher }), 'ERR_SABWAY_INVALID_TYPE', /subject/)
    refused(() => bridge(channel(), 's', { publisher: {} as never }), 'ERR_SABWAY_INVALID_TYPE', /publish/)
    refused(() => bridge(channel(), 's', { consumer: {} as never }), 'ERR_SABWAY_INVALID_TYPE', /consume/)
    refused(() => bridge(channel(), 's', { publisher, window: 0 }), 'ERR_SABWAY_OUT_OF_RANGE', /window/)
    refused(() => bridge(channel(), 's', { publisher, encode: 1 as never }), 'ERR_SABWAY_INVALID_TYPE', /encode/)
    refused(
      () => bridge(channel(), 's', { publisher, backoff: { least: 9, most: 3 } }),
      'ERR_SABWAY_OUT_OF_RANGE',
      /backoff.most/,
    )
    const unknown = { publisher, name: 'x' } as BridgeOptions
    refused(() => bridge(channel(), 's', unknown), 'ERR_SABWAY_INVALID_ARGUMENT', /name/)
  })
})
