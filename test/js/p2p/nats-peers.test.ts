// Peers over NATS, with real servers that are killed and started again.
import assert from 'node:assert/strict'
import type { ConnectionOptions } from '@nats-io/transport-node'
import { P2PManager, P2PNats, type P2PNatsOptions } from 'sabway/p2p'
import { addStream, numbered, numberOf, pause, Servers, until } from './servers.js'

const STREAM = { name: 'GAME', subjects: ['game.r.>'] }

describe('peers over NATS', () => {
  let servers: Servers
  const managers: P2PManager[] = []

  beforeEach(() => {
    servers = new Servers()
  })
  afterEach(async () => {
    for (const manager of managers.splice(0)) manager.close()
    await servers.end()
  })

  async function peer(id: string, options: Partial<P2PNatsOptions> = {}, connecting: ConnectionOptions = {}) {
    const connection = await servers.connect(connecting)
    const js = await addStream(connection, STREAM)
    const transport = new P2PNats({
      id,
      connection,
      jetstream: js,
      stream: 'GAME',
      prefix: 'game',
      heartbeat: 200,
      timeout: 2000,
      ...options,
    })
    const manager = new P2PManager({
      transport,
      frameInterval: 5,
      maxBacklog: 2 ** 20,
      maxPendingBytes: 2 ** 26,
      limits: { messagesPerSecond: 1e9, bytesPerSecond: 1e12 },
    })
    managers.push(manager)
    const events: string[] = []
    manager.addEventListener('peer-joined', ({ peer }) => events.push(`${peer} joined`))
    manager.addEventListener('peer-left', ({ peer }) => events.push(`${peer} left`))
    manager.addEventListener('peer-failed', ({ peer, error }) => events.push(`${peer} failed: ${error.message}`))
    const came = new Map<string, number[]>()
    const read = (channel: number) => {
      for (const { from, data } of manager.readP2PMessagesOnChannel(channel)) {
        const key = `${from} ${channel}`
        came.set(key, [...(came.get(key) ?? []), numberOf(data)])
      }
      return came
    }
    const of = (from: string, channel: number) => read(channel).get(`${from} ${channel}`) ?? []
    return { id, connection, manager, transport, events, of }
  }
  const first = (count: number) => [...Array(count).keys()]

  it('brings reliable messages of three to both others, each once and in order, and the others', async () => {
    await servers.start()
    const ids = ['alice', 'bob', 'no token: *.>']
    const three = await Promise.all(ids.map((id) => peer(id)))
    await until('all joined', () => three.every(({ manager }) => manager.peers.length === 2))
    for (const n of first(1000)) for (const { manager } of three) manager.broadcast(3, true, numbered(n))
    for (const { of, id } of three) {
      for (const from of ids.filter((each) => each !== id)) {
        await until(`all of ${from} at ${id}`, () => of(from, 3).length >= 1000)
        assert.deepEqual(of(from, 3), first(1000))
      }
    }
    for (const n of first(100)) three[0]!.manager.broadcast(4, false, numbered(n))
    await until('some that may be lost', () => three[1]!.of('alice', 4).length > 0)
    assert.ok(three[1]!.of('alice', 4).length <= 100)
    three[2]!.manager.broadcast(5, true, new Uint8Array(50_000))
    const large: number[] = []
    await until('a large one', () => {
      large.push(...three[0]!.manager.readP2PMessagesOnChannel(5).map(({ data }) => data.length))
      return large.length === 1
    })
    assert.deepEqual(large, [50_000])
    for (const { transport, events } of three) {
      assert.equal(transport.stats().malformed + transport.stats().stale + transport.stats().twins, 0)
      assert.equal(events.filter((each) => !each.endsWith('joined')).length, 0)
    }
  })

  it('tells that a peer has left, whether it says so or has died, and joins it anew', async () => {
    await servers.start()
    const [a, b, c] = [await peer('a'), await peer('b'), await peer('c')]
    await until('joined', () => a.manager.peers.length === 2 && b.manager.peers.length === 2)
    b.manager.close()
    await until('b has left', () => a.events.includes('b left'))
    await c.connection.close() // it says nothing any more
    await until('c has left', () => a.events.includes('c left'))
    const again = await peer('c')
    await until('c is there', () => a.manager.peers.join() === 'c' && again.manager.peers.join() === 'a')
    again.manager.sendP2PMessage('a', 0, true, numbered(7))
    await until('its message', () => a.of('c', 0).length === 1)
    assert.deepEqual(
      a.events.filter((each) => each.startsWith('c')),
      ['c joined', 'c left', 'c joined'],
    )
  })

  it('loses nothing that is reliable when the server is killed and started again', async () => {
    const server = await servers.start()
    const three = await Promise.all(['a', 'b', 'c'].map((id) => peer(id, { backoff: { least: 50, most: 500 } })))
    await until('all joined', () => three.every(({ manager }) => manager.peers.length === 2))
    const COUNT = 3000
    const sending = three.map(async ({ manager }) => {
      for (const n of first(COUNT)) {
        assert.equal(manager.broadcast(1, true, numbered(n)), true)
        if (n % 20 === 19) await pause(10)
      }
    })
    await until('some are there', () => three[1]!.of('a', 1).length >= 300)
    await server.kill()
    await pause(500)
    server.start()
    await Promise.all(sending)
    for (const { of, id, events } of three) {
      for (const from of ['a', 'b', 'c'].filter((each) => each !== id)) {
        await until(`all of ${from} at ${id}`, () => of(from, 1).length >= COUNT)
        assert.deepEqual(of(from, 1), first(COUNT))
      }
      assert.equal(events.filter((each) => each.endsWith('left')).length, 0)
    }
    for (const { transport } of three) {
      await until('all acknowledged', () => transport.stats().waiting === 0)
      assert.ok(transport.stats().acknowledged >= 2 * COUNT)
    }
    assert.ok(three.some(({ transport }) => transport.stats().retries > 0))
  })
})
