// Peers over NATS, with real servers that are killed and started again.
import assert from 'node:assert/strict'
import { jetstream } from '@nats-io/jetstream'
import type { ConnectionOptions } from '@nats-io/transport-node'
import { P2PManager, P2PNats, type P2PNatsOptions } from 'sabway/p2p'
import { TcpProxy } from '../support/tcp-proxy.js'
import { addStream, numbered, numberOf, PATIENCE, pause, Servers, until } from './servers.js'

const STREAM = { name: 'GAME', subjects: ['game.r.>'] }

describe('peers over NATS', function () {
  this.timeout(PATIENCE)
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
    const js = await addStream(connection, { ...STREAM, num_replicas: servers.all.length })
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

  /** All send to all, while something is done to the network. */
  async function survives(three: Awaited<ReturnType<typeof peer>>[], count: number, disturb: () => Promise<void>) {
    await until('all joined', () => three.every(({ manager }) => manager.peers.length === three.length - 1))
    const sending = three.map(async ({ manager }) => {
      for (let n = 0; n < count; n++) {
        assert.equal(manager.broadcast(1, true, numbered(n)), true)
        if (n % 20 === 19) await pause(10)
      }
    })
    await until('some are there', () => three[1]!.of(three[0]!.id, 1).length >= count / 10)
    await disturb()
    await Promise.all(sending)
    for (const { of, id, events } of three) {
      for (const from of three.map((each) => each.id).filter((each) => each !== id)) {
        await until(`all of ${from} at ${id}`, () => of(from, 1).length >= count)
        assert.deepEqual(of(from, 1), first(count))
      }
      assert.equal(events.filter((each) => each.endsWith('left')).length, 0)
    }
    for (const { transport } of three) {
      await until('all acknowledged', () => transport.stats().waiting === 0)
      assert.ok(transport.stats().acknowledged >= (three.length - 1) * count)
    }
  }
  const times = { backoff: { least: 50, most: 500 } }

  it('loses nothing that is reliable when the server is killed and started again', async () => {
    const server = await servers.start()
    const three = await Promise.all(['a', 'b', 'c'].map((id) => peer(id, times)))
    await survives(three, 600, async () => {
      await server.kill()
      await pause(200)
      server.start()
    })
    assert.ok(three.some(({ transport }) => transport.stats().retries > 0))
  })

  it('loses nothing that is reliable when one of three servers is killed', async () => {
    await servers.cluster(3)
    // Each begins with another one.
    const three = await Promise.all(
      servers.all.map(({ port }, i) =>
        peer('abc'[i]!, { ...times, timeout: 10_000 }, { servers: `127.0.0.1:${port}`, noRandomize: true }),
      ),
    )
    await survives(three, 600, () => servers.all[0]!.kill())
  })

  describe('through a network that is none', () => {
    let proxy: TcpProxy
    const viaProxy = (): ConnectionOptions => ({
      servers: `127.0.0.1:${proxy.port}`,
      ignoreClusterUpdates: true,
      pingInterval: 300,
      maxPingOut: 2,
      timeout: 1000,
    })
    beforeEach(async () => {
      proxy = await TcpProxy.to((await servers.start()).port)
    })
    afterEach(() => proxy.end())

    for (const [what, disturb] of [
      ['is slow', async () => {}],
      [
        'drops everything for a second',
        async () => {
          proxy.hold()
          await pause(1200)
          proxy.release()
        },
      ],
      [
        'is cut for two seconds',
        async () => {
          proxy.cut()
          await pause(2000)
          proxy.heal()
        },
      ],
    ] as const) {
      it(`loses nothing that is reliable, and keeps the order, where that ${what}`, async () => {
        proxy.delay = 15
        const two = [await peer('a', { ...times, timeout: 10_000 }), await peer('b', times, viaProxy())]
        await survives(two, 500, disturb)
        assert.equal(proxy.connections > 1, what !== 'is slow')
      })
    }

    it('tells the others that a peer has left which is cut off for long, and goes on when it is back', async () => {
      const [a, b] = [await peer('a', { ...times, timeout: 1000 }), await peer('b', times, viaProxy())]
      await until('joined', () => a.manager.peers.length === 1 && b.manager.peers.length === 1)
      proxy.cut()
      b.manager.sendP2PMessage('a', 0, true, numbered(1))
      b.manager.sendP2PMessage('a', 0, false, numbered(2))
      await until('b has left', () => a.events.includes('b left'))
      assert.deepEqual(b.events, ['a joined'])
      proxy.heal()
      await until('its message', () => a.of('b', 0).length > 0)
      assert.equal(a.of('b', 0)[0], 1)
      await until('both are there', () => a.manager.peers.join() === 'b' && b.manager.peers.join() === 'a')
      a.manager.sendP2PMessage('b', 0, true, numbered(3))
      await until('the answer', () => b.of('a', 0).join() === '3')
    })
  })

  it('has the id that the server lets it have', async () => {
    const api = (to: string) => [
      '$JS.API.STREAM.INFO.GAME',
      `$JS.API.CONSUMER.CREATE.GAME.*.game.r.*.${to}`,
      '$JS.API.CONSUMER.INFO.GAME.*',
      '$JS.API.CONSUMER.MSG.NEXT.GAME.*',
      '$JS.API.CONSUMER.DELETE.GAME.*',
    ]
    const user = (name: string) => ({
      user: name,
      password: name,
      permissions: {
        publish: [`game.here.${name}`, `game.u.${name}.*`, `game.r.${name}.*`, ...api(name)],
        subscribe: ['game.here.*', `game.u.*.${name}`, `_INBOX_${name}.>`],
      },
    })
    const admin = { user: 'admin', password: 'admin' }
    await servers.start(`authorization { users: ${JSON.stringify([admin, user('alice'), user('bob')])} }`)
    await addStream(await servers.connect({ user: 'admin', pass: 'admin' }), STREAM)
    const as = async (name: string, id: string) => {
      const options = { user: name, pass: name, inboxPrefix: `_INBOX_${name}` }
      const connection = await servers.connect(options)
      const transport = new P2PNats({
        id,
        connection,
        jetstream: jetstream(connection, { timeout: 1000, checkAPI: false } as object),
        stream: 'GAME',
        prefix: 'game',
        heartbeat: 200,
      })
      const manager = new P2PManager({ transport, frameInterval: 5 })
      managers.push(manager)
      const failures: string[] = []
      manager.addEventListener('peer-failed', ({ error }) => failures.push(error.message))
      return { connection, manager, failures }
    }
    const [alice, bob] = [await as('alice', 'alice'), await as('bob', 'bob')]
    await until('joined', () => alice.manager.peers.length === 1 && bob.manager.peers.length === 1)
    alice.manager.sendP2PMessage('bob', 0, true, numbered(5))
    const came: string[] = []
    await until('her message', () => {
      came.push(...bob.manager.readP2PMessagesOnChannel(0).map(({ from, data }) => `${from} ${numberOf(data)}`))
      return came.length > 0
    })
    assert.deepEqual(came, ['alice 5'])
    assert.deepEqual([...alice.failures, ...bob.failures], [])
    const mallory = await as('bob', 'alice') // with bob's password
    await until('the server refuses', () => mallory.failures.length > 0)
    await pause(300)
    assert.deepEqual(mallory.manager.peers, [])
    assert.deepEqual(bob.manager.peers, ['alice'])
    assert.match(mallory.failures.join(), /permission/i)
  })
})
