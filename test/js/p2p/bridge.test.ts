// The bridge between Sabway's own objects and NATS, with real servers that are killed.
import assert from 'node:assert/strict'
import { AckPolicy, jetstreamManager } from '@nats-io/jetstream'
import type { ConnectionOptions } from '@nats-io/transport-node'
import {
  LockFreeQueue,
  MultiProducerQueue,
  PriorityQueue,
  RingBufferChannel,
  SharedBroadcast,
  SharedChannel,
  SharedMemoryChannel,
} from 'sabway'
import { type BridgeEnd, bridge, type NatsConsumer } from 'sabway/p2p'
import { TcpProxy } from '../support/tcp-proxy.js'
import { addStream, numbered, numberOf, PATIENCE, pause, Servers, until } from './servers.js'

type Put = (bytes: Uint8Array) => Promise<unknown> | unknown
interface Pair {
  /** What the program puts in, and where the bridge takes it. */
  put: Put
  from: BridgeEnd
  /** Where the other bridge puts it, and what the program takes. */
  into: BridgeEnd
  take: () => Promise<unknown>
}

/** A SharedMemoryChannel: one side is the program's, the other one the bridge's. */
function sides() {
  const ours = new SharedMemoryChannel(4096, 4096)
  return { ours, theirs: SharedMemoryChannel.attach(ours.handle, { side: 'native' }) }
}

const PAIRS: Record<string, () => Pair> = {
  SharedChannel: () => {
    const [from, into] = [new SharedChannel<Uint8Array>({ capacity: 4 }), new SharedChannel({ capacity: 4 })]
    return { put: (bytes) => from.send(bytes), from, into, take: () => into.receive() }
  },
  'SharedChannel without a buffer': () => {
    const [from, into] = [new SharedChannel<Uint8Array>({ capacity: 0 }), new SharedChannel({ capacity: 0 })]
    return { put: (bytes) => from.send(bytes), from, into, take: () => into.receive() }
  },
  "MultiProducerQueue with delivery: 'ack'": () => {
    const from = new MultiProducerQueue<Uint8Array>(1024, { delivery: 'ack' } as object)
    const into = new MultiProducerQueue(16)
    return { put: (bytes) => from.enqueue(bytes), from, into, take: () => into.dequeue() }
  },
  LockFreeQueue: () => {
    const [from, into] = [new LockFreeQueue<Uint8Array>(16), new RingBufferChannel(16)]
    return { put: (bytes) => from.enqueueAsync(bytes), from, into, take: () => into.dequeueAsync() }
  },
  SharedBroadcast: () => {
    const [from, into] = [new SharedBroadcast<Uint8Array>(), new SharedBroadcast()]
    into.subscribe()
    return { put: (bytes) => from.broadcast(bytes), from, into, take: () => into.receive() }
  },
  SharedMemoryChannel: () => {
    const [first, second] = [sides(), sides()]
    return {
      put: (bytes) => first.ours.sendDirect(bytes),
      from: first.theirs,
      into: second.theirs,
      take: () => second.ours.receive(),
    }
  },
}

describe('a bridge to NATS', function () {
  this.timeout(PATIENCE)
  let servers: Servers
  beforeEach(() => {
    servers = new Servers()
  })
  afterEach(() => servers.end())

  /** A stream, its client, and a consumer of it. */
  async function game(replicas = 1, ackWait = 2e9, connecting: ConnectionOptions = {}) {
    const connection = await servers.connect(connecting)
    const js = await addStream(connection, { name: 'GAME', subjects: ['game.>'], num_replicas: replicas })
    const manager = await jetstreamManager(connection)
    await until('the consumer', async () => {
      try {
        await manager.consumers.add('GAME', {
          durable_name: 'sabway',
          ack_policy: AckPolicy.Explicit,
          ack_wait: ackWait,
          max_ack_pending: 10_000,
        })
        return true
      } catch {
        return false
      }
    })
    const consumer = (): Promise<NatsConsumer> => js.consumers.get('GAME', 'sabway')
    const waiting = async () => (await manager.consumers.info('GAME', 'sabway')).num_ack_pending
    return { connection, js, consumer, waiting }
  }

  for (const [name, make] of Object.entries(PAIRS)) {
    it(`brings what a ${name} has to another one, each value once`, async () => {
      await servers.start()
      const { js, consumer, waiting } = await game()
      const { put, from, into, take } = make()
      const sending = bridge(from, 'game.test', { publisher: js })
      const taking = bridge(into, null, { consumer: await consumer() })
      const putting = (async () => {
        for (let n = 0; n < 100; n++) await put(numbered(n))
      })()
      const came: number[] = []
      while (came.length < 100) came.push(numberOf((await take()) as Uint8Array))
      await putting
      assert.deepEqual(came, [...Array(100).keys()])
      await until('all are acknowledged', () => sending.stats().published === 100 && taking.stats().delivered === 100)
      await until('the server knows', async () => (await waiting()) === 0)
      assert.deepEqual(await sending.close(), [])
      assert.deepEqual(await taking.close(), [])
    })
  }

  it('is for both directions at once, and for values that are no bytes', async () => {
    await servers.start()
    const { js, consumer } = await game()
    const ours = new SharedMemoryChannel<object>(4096, 4096, { codec: 'structured' })
    const theirs = SharedMemoryChannel.attach<object>(ours.handle, { side: 'native', codec: 'structured' })
    const coded = bridge<object>(theirs, 'game.echo', {
      publisher: js,
      consumer: await consumer(),
      encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
      decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as object,
    })
    await ours.sendDirect({ hello: 'world' })
    assert.deepEqual(await ours.receive(), { hello: 'world' })
    await js.publish('game.echo', new Uint8Array([123]))
    await until('what is none is refused', () => coded.stats().refused === 1)
    await ours.sendDirect({ n: 2 })
    assert.deepEqual(await ours.receive(), { n: 2 })
    await coded.close()
  })

  it('takes values of a queue of levels, by their levels', async () => {
    await servers.start()
    const { js, consumer } = await game()
    const queue = new PriorityQueue<Uint8Array>(8)
    for (const n of [2, 0, 1]) await queue.enqueue(numbered(n), n)
    queue.close()
    await bridge(queue, 'game.test', { publisher: js }).finished
    const into = new SharedChannel<Uint8Array>()
    const taking = bridge(into, null, { consumer: await consumer() })
    const came = [numberOf(await into.receive()), numberOf(await into.receive()), numberOf(await into.receive())]
    assert.deepEqual(came.sort(), [0, 1, 2])
    await taking.close()
  })

  async function survives(count: number, disturb: () => Promise<void>, replicas = 1) {
    const { js, consumer } = await game(replicas)
    const from = new SharedChannel<Uint8Array>({ capacity: 8 })
    const into = new MultiProducerQueue<Uint8Array>(64)
    const times = { least: 20, most: 300 }
    const sending = bridge(from, 'game.test', { publisher: js, window: 16, backoff: times })
    const taking = bridge(into, null, { consumer: await consumer(), backoff: times })
    const putting = (async () => {
      for (let n = 0; n < count; n++) {
        await from.send(numbered(n))
        if (n % 10 === 9) await pause(5)
      }
      from.close()
    })()
    const came = new Set<number>()
    const reading = (async () => {
      while (came.size < count) came.add(numberOf(await into.dequeue()))
    })()
    await until('some are there', () => came.size >= count / 4)
    await disturb()
    await putting
    await sending.finished
    assert.equal(sending.stats().published, count)
    assert.equal(sending.stats().waiting, 0)
    await reading
    assert.deepEqual(await sending.close(), [])
    await taking.close()
    return { sending, taking }
  }

  it('loses nothing when the server is killed and started again', async () => {
    const server = await servers.start()
    const { sending } = await survives(500, async () => {
      await server.kill()
      await pause(300)
      server.start()
    })
    assert.ok(sending.stats().retries > 0)
  })

  it('loses nothing when one of three servers is killed', async () => {
    await servers.cluster(3)
    await survives(
      500,
      async () => {
        await servers.all[0]!.kill()
      },
      3,
    )
  })

  it('loses nothing, and stops reading, when the network is slow and then cut for two seconds', async () => {
    const proxy = await TcpProxy.to((await servers.start()).port)
    try {
      proxy.delay = 10
      const { js, consumer } = await game(1, 2e9, {
        servers: `127.0.0.1:${proxy.port}`,
        ignoreClusterUpdates: true,
        pingInterval: 300,
        maxPingOut: 2,
      })
      const from = new SharedChannel<Uint8Array>({ capacity: 8 })
      const into = new SharedChannel<Uint8Array>({ capacity: 8 })
      const times = { least: 20, most: 300 }
      const sending = bridge(from, 'game.test', { publisher: js, window: 16, backoff: times })
      const taking = bridge(into, null, { consumer: await consumer(), backoff: times })
      const came = new Set<number>()
      const reading = (async () => {
        while (came.size < 300) came.add(numberOf(await into.receive()))
      })()
      let sent = 0
      const putting = (async () => {
        for (; sent < 300; sent++) await from.send(numbered(sent))
      })()
      await until('some are there', () => came.size > 50)
      proxy.cut()
      await until('the window and the channel are full', () => sending.stats().waiting === 16 && from.getLength() === 8)
      await pause(2000)
      assert.ok(sent < 300)
      assert.deepEqual([sending.stats().waiting, from.getLength()], [16, 8])
      proxy.heal()
      await putting
      await reading
      await until('all are acknowledged', () => sending.stats().waiting === 0)
      assert.equal(sending.stats().published, 300)
      await sending.close()
      await taking.close()
    } finally {
      await proxy.end()
    }
  })

  it('leaves with the server what a full queue has no room for', async () => {
    await servers.start()
    const { js, consumer, waiting } = await game(1, 60e9)
    for (let n = 0; n < 50; n++) await js.publish('game.test', numbered(n))
    const queue = new MultiProducerQueue<Uint8Array>(8)
    const taking = bridge(queue, null, { consumer: await consumer(), window: 16 })
    await until('the queue is full', () => queue.isFull())
    await pause(200)
    const capacity = queue.getCapacity()
    assert.equal(taking.stats().delivered, capacity)
    const unacknowledged = await waiting()
    assert.ok(unacknowledged > 0 && unacknowledged <= 16 + capacity, `${unacknowledged}`)
    const came: number[] = []
    while (came.length < 50) came.push(numberOf(await queue.dequeue()))
    assert.deepEqual(came, [...Array(50).keys()])
    await until('all are acknowledged', async () => (await waiting()) === 0)
    await taking.close()
  })
})
