// Managers of peers over a network in memory: what is sent arrives, in the order of its channel;
// what cannot be sent or taken is dropped, and counted by its reason.
import assert from 'node:assert/strict'
import { P2PLoopback, P2PManager, P2PQueue, type P2PTransport } from 'sabway/p2p'
import { throwsError } from '../support/errors.js'
import { bound, bytes, closeGames, engine, filled, game, nothingDropped, read } from './game.js'

afterEach(closeGames)

describe('a manager of peers', () => {
  it('tells of peers that join and leave', async () => {
    const { hub, events, manager, pass } = bound(game())
    const alice = await manager('alice')
    const bob = await manager('bob')
    assert.equal(alice.id, 'alice')
    assert.deepEqual([alice.peers, bob.peers], [['bob'], ['alice']])
    bob.close()
    await pass()
    assert.deepEqual(events.sort(), ['alice: bob joined', 'alice: bob left', 'bob: alice joined'])
    assert.deepEqual(alice.peers, [])
    const again = await manager('bob')
    assert.deepEqual([alice.peers, again.peers], [['bob'], ['alice']])
    throwsError(() => hub.connect('bob'), 'ERR_SABWAY_INVALID_STATE', /'bob' is connected/)
  })

  it('sends what the engine has written to one peer, or to all', async () => {
    const { manager, pass } = bound(game())
    const [alice, bob, carol] = [await manager('alice'), await manager('bob'), await manager('carol')]
    const { outgoing } = engine(alice, 3)
    for (let n = 0; n < 200; n++) outgoing.write('whatever it says', 77, bytes(n, n))
    assert.equal(alice.sendP2PMessage('bob', 3, true), true)
    outgoing.write('', 0, bytes(1))
    assert.equal(alice.sendP2PMessage(null, 3, false), true)
    await pass()
    const { incoming } = engine(bob, 3)
    const messages = incoming.take()
    assert.deepEqual(messages[7], { from: 'alice', channel: 3, timestamp: 0, data: bytes(7, 7) })
    assert.deepEqual(
      messages.map(({ data }) => data[0]),
      [...Array(200).keys(), 1],
    )
    assert.deepEqual(
      engine(carol, 3)
        .incoming.take()
        .map(({ from, data }) => [from, data[0]]),
      [['alice', 1]],
    )
    nothingDropped(alice, bob, carol)
    const { sentMessages, peers } = alice.stats()
    assert.equal(sentMessages, 202)
    assert.deepEqual(peers.map(({ id, sentMessages }) => [id, sentMessages]).sort(), [
      ['bob', 201],
      ['carol', 1],
    ])
    assert.equal(bob.stats().receivedMessages, 201)
  })

  it('sends payloads, and gives them to JavaScript', async () => {
    const { manager, pass } = bound(game())
    const [alice, bob] = [await manager('alice'), await manager('bob', { queue: { timestamps: true } })]
    for (let n = 0; n < 600; n++) assert.equal(alice.broadcast(0, true, bytes(n)), true)
    await pass()
    assert.equal(bob.stats().channels[0]!.backlog, 600 - 255)
    assert.equal(bob.readP2PMessagesOnChannel(0, 10).length, 10)
    const rest = bob.readP2PMessagesOnChannel(0)
    assert.deepEqual(
      rest.map(({ data }) => data[0]),
      Array.from({ length: 590 }, (_, n) => (n + 10) % 256),
    )
    assert.ok(Date.now() - rest[0]!.timestamp < 60_000)
    assert.deepEqual(bob.readP2PMessagesOnChannel(0), [])
    nothingDropped(alice, bob)
  })

  it('keeps channels apart', async () => {
    const { manager, pass } = bound(game())
    const [alice, bob] = [await manager('alice'), await manager('bob')]
    for (let channel = 0; channel < 64; channel++) alice.broadcast(channel, true, bytes(channel))
    await pass()
    for (let channel = 0; channel < 64; channel++) assert.deepEqual(read(bob, channel), [channel])
    assert.equal(bob.stats().channels.length, 64)
    assert.notEqual(bob.getP2PChannelQueue(0), bob.getP2PChannelQueue(1))
    assert.equal(bob.getP2PChannelQueue(0), bob.getP2PChannelQueue(0))
  })

  it('loses nothing that is reliable, and keeps its order, whatever the network does', async () => {
    const { manager, pass } = bound(game({ delay: [1, 50], loss: 0.3, seed: 7, maxInFlight: 2000 }))
    const [alice, bob] = [await manager('alice'), await manager('bob')]
    let sent = 0
    let seen = 0
    for (let round = 0; seen < 1500; round++) {
      for (let i = 0; i < 40 && sent < 1500; i++) {
        const message = new Uint8Array(new Uint32Array([sent]).buffer)
        if (!alice.sendP2PMessage('bob', 1, true, message)) break
        sent++
      }
      alice.frame()
      await pass(16)
      bob.frame()
      for (const { data } of bob.readP2PMessagesOnChannel(1)) {
        assert.equal(new DataView(data.buffer, data.byteOffset).getUint32(0, true), seen)
        seen++
      }
      assert.ok(round < 10_000)
    }
    nothingDropped(bob)
  })

  it('gives what may be lost and is not', async () => {
    const { manager, pass } = bound(game({ loss: 0.5, seed: 3 }))
    const [alice, bob] = [await manager('alice'), await manager('bob')]
    let seen = 0
    for (let n = 0; n < 1000; n++) {
      alice.sendP2PMessage('bob', 1, false, bytes(n))
      await pass(1)
      if (n % 100 === 99) seen += bob.readP2PMessagesOnChannel(1).length
    }
    const { receivedMessages } = bob.stats()
    assert.ok(receivedMessages > 350 && receivedMessages < 650, `${receivedMessages}`)
    assert.equal(seen, receivedMessages)
    nothingDropped(alice, bob)
    assert.equal(alice.stats().sentMessages, 1000)
  })

  it('puts together what is larger than a slot, in its place among the others', async () => {
    const { manager, pass } = bound(game({ delay: [1, 9] }))
    const [alice, bob] = [await manager('alice'), await manager('bob')]
    const lengths = [10, 981, 5, 17_000, 65_536, 980, 16_384, 40_000]
    for (const length of lengths) assert.equal(alice.sendP2PMessage('bob', 2, true, filled(length)), true)
    await pass()
    assert.deepEqual(bob.readP2PMessagesOnChannel(2, 0), [])
    const messages = [1, 0, 2, 1].flatMap((most) => bob.readP2PMessagesOnChannel(2, most))
    messages.push(...bob.readP2PMessagesOnChannel(2))
    assert.deepEqual(bob.readP2PMessagesOnChannel(2, 0), [])
    assert.deepEqual(
      messages.map(({ data }) => data.length),
      lengths,
    )
    for (const { data, from } of messages) {
      assert.equal(from, 'alice')
      assert.deepEqual(Uint8Array.from(data), filled(data.length))
    }
    nothingDropped(alice, bob)
    assert.deepEqual(engine(bob, 2).incoming.take(), [])
  })

  it('gives an engine no large message, and does not have others wait for one', async () => {
    const { manager, pass } = bound(game())
    const [alice, bob] = [await manager('alice'), await manager('bob')]
    for (let n = 0; n < 40; n++) alice.broadcast(0, true, filled(40_000))
    for (let n = 0; n < 3; n++) alice.broadcast(0, true, bytes(n))
    await pass()
    assert.deepEqual(
      engine(bob, 0)
        .incoming.take()
        .map(({ data }) => data.length),
      [1, 1, 1],
    )
    const { dropped, channels } = bob.stats()
    assert.ok(dropped['backlog-full'] > 0)
    assert.equal(channels[0]!.large + dropped['backlog-full'], 40)
  })

  it('sends no larger message than a peer takes', async () => {
    const { manager, pass } = bound(game())
    const alice = await manager('alice')
    const small = await manager('small', { maxMessageBytes: 0, queue: { slotBytes: 512 } })
    const large = await manager('large', { maxMessageBytes: 100_000 })
    assert.equal(alice.broadcast(0, true, filled(469)), false)
    assert.equal(alice.broadcast(0, true, filled(468)), true)
    assert.equal(alice.sendP2PMessage('large', 0, true, filled(100_001)), false)
    assert.equal(alice.sendP2PMessage('large', 0, true, filled(100_000)), true)
    await pass()
    assert.deepEqual(
      small.readP2PMessagesOnChannel(0).map(({ data }) => data.length),
      [468],
    )
    assert.deepEqual(
      large.readP2PMessagesOnChannel(0).map(({ data }) => data.length),
      [469, 468, 100_000],
    )
    assert.equal(alice.stats().dropped['too-large'], 2)
  })

  it('sends fewer, larger pieces with batches', async () => {
    const pieces: Record<string, number> = {}
    for (const batch of ['none', 'frame'] as const) {
      const { hub, manager, pass } = bound(game())
      const transport = hub.connect('alice')
      const { send } = transport
      let sends = 0
      const reliable = new Set<boolean>()
      transport.send = (...args) => {
        sends++
        reliable.add(args[2])
        return send.apply(transport, args)
      }
      const alice = new P2PManager({ transport, batch, frameInterval: Number.POSITIVE_INFINITY })
      await pass()
      const bob = await manager('bob')
      sends = 0
      reliable.clear()
      for (let n = 0; n < 200; n++) alice.broadcast(n % 2, n % 2 === 0, bytes(n))
      alice.frame()
      await pass()
      assert.deepEqual(read(bob, 0).length + read(bob, 1).length, 200)
      pieces[batch] = sends
      assert.equal(reliable.size, 2)
      alice.close()
    }
    assert.deepEqual(pieces, { none: 200, frame: 2 })
  })

  it('begins another piece when one is full', async () => {
    const { manager, pass } = bound(game())
    const [alice, bob] = [await manager('alice', { batch: 'frame' }), await manager('bob')]
    for (let n = 0; n < 100; n++) {
      assert.equal(alice.broadcast(0, true, filled(900, n)), true)
      assert.equal(alice.broadcast(1, false, filled(500, n)), true)
    }
    assert.equal(alice.broadcast(0, true, filled(20_000)), true)
    alice.frame()
    await pass()
    const lengths = bob.readP2PMessagesOnChannel(0).map(({ data }) => data.length)
    assert.deepEqual(lengths, [...Array(100).fill(900), 20_000])
    assert.deepEqual(read(bob, 1), [...Array(100).keys()])
    nothingDropped(alice, bob)
  })

  it('sends what is in a queue each frame, when it is told to, up to its budget', async () => {
    const { manager, pass } = bound(game())
    const [alice, bob] = [await manager('alice', { frameBudget: 20 }), await manager('bob')]
    const { outgoing } = engine(alice, 5)
    for (let n = 0; n < 50; n++) outgoing.write('', 0, bytes(n))
    assert.equal(alice.frame(), 0)
    alice.sendEachFrame(5, true, null)
    assert.deepEqual([alice.frame(), alice.frame(), alice.frame(), alice.frame()], [20, 20, 10, 0])
    await pass()
    assert.deepEqual(read(bob, 5), [...Array(50).keys()])
    alice.sendEachFrame(5, true)
    outgoing.write('', 0, bytes(1))
    assert.equal(alice.frame(), 0)
  })

  it('drops what it has for a peer that leaves, and says so', async () => {
    const { hub, events, manager, pass } = bound(game({ maxInFlight: 100 }))
    const [alice, bob] = [await manager('alice'), await manager('bob')]
    for (let n = 0; n < 20; n++) assert.equal(alice.sendP2PMessage('bob', 0, true, filled(50)), true)
    const { pendingBytes } = alice.stats().peers[0]!
    assert.ok(pendingBytes > 0)
    hub.cut('alice', 'bob')
    await pass()
    assert.ok(alice.stats().dropped['no-peer'] > 10)
    assert.equal(alice.sendP2PMessage('bob', 0, true, bytes(1)), false)
    assert.equal(alice.sendP2PMessage(null, 0, true, bytes(1)), true) // there is no peer
    for (const line of ['alice: bob failed: ERR_SABWAY_TRANSPORT', 'alice: bob left']) assert.ok(events.includes(line))
    hub.heal('alice', 'bob')
    await pass()
    assert.deepEqual([alice.peers, bob.peers], [['bob'], ['alice']])
    read(bob, 0)
    alice.sendP2PMessage('bob', 0, true, bytes(9))
    await pass()
    assert.deepEqual(read(bob, 0), [9])
  })

  it('holds back what a peer does not take, and drops what may be lost', async () => {
    const { manager, pass } = bound(game({ maxInFlight: 500, delay: 10 }))
    const [alice, bob] = [await manager('alice', { maxPendingBytes: 5000 }), await manager('bob')]
    let taken = 0
    while (alice.sendP2PMessage('bob', 0, true, filled(100, 1))) taken++
    assert.ok(taken > 40 && taken < 60, `${taken}`)
    assert.equal(alice.sendP2PMessage('bob', 1, false, filled(100)), false)
    assert.equal(alice.stats().dropped['back-pressure'], 2)
    await pass()
    assert.equal(read(bob, 0).length, taken)
    assert.deepEqual(read(bob, 1), [])
    assert.equal(alice.stats().peers[0]!.pendingBytes, 0)
  })

  it('drops what an engine does not read: at once what may be lost, and the rest behind a bound', async () => {
    const { manager, pass } = bound(game())
    const [alice, bob] = [await manager('alice'), await manager('bob', { maxBacklog: 10 })]
    for (let n = 0; n < 300; n++) alice.sendP2PMessage('bob', 0, true, bytes(n))
    for (let n = 0; n < 7; n++) alice.sendP2PMessage('bob', 0, false, bytes(n))
    await pass()
    const { dropped } = bob.stats()
    assert.deepEqual([dropped['backlog-full'], dropped['queue-full']], [300 - 255 - 10, 7])
    assert.equal(bob.readP2PMessagesOnChannel(0).length, 265)
  })

  it('takes a peer for a new one that has begun anew, when only that side has noticed', async () => {
    const { hub, manager, pass } = bound(game())
    const bob = await manager('bob')
    const first = hub.connect('alice')
    const told: string[] = []
    let hellos = 0
    let answers = 0
    const begin = () =>
      first.start({
        joined: (peer) => void told.push(peer),
        left: () => {},
        failed: () => {},
        drained: () => {},
        message: (_, frame) => {
          if (frame[0] !== 1) return
          hellos++
          answers += frame[2]!
        },
      })
    begin()
    await pass()
    const hello = bytes(1, 1, 0, 0, 0, 0, 1, 0, 0xd4, 3, 0, 0)
    first.send('bob', 0, true, hello)
    await pass()
    assert.equal(hellos, 1)
    first.send('bob', 0, true, hello)
    await pass()
    assert.deepEqual([hellos, answers], [2, 1])
    hello[2] = 1 // an answer wants none
    first.send('bob', 0, true, hello)
    await pass()
    assert.deepEqual([hellos, answers], [2, 1])
    assert.deepEqual(bob.peers, ['alice'])
    first.close()
  })

  it('uses queues in the memory of an engine, also when that has moved', async () => {
    const { manager, pass } = bound(game())
    const memory = new WebAssembly.Memory({ initial: 20 })
    const at = (channel: number) => P2PQueue.attach(memory.buffer, { byteOffset: 65536 + channel * 525_000 })
    const [alice, bob] = [await manager('alice', { channels: 2, makeQueue: at }), await manager('bob')]
    assert.equal(alice.getP2PChannelQueue(1), memory.buffer)
    bob.broadcast(1, true, bytes(1))
    await pass()
    memory.grow(1)
    at(1).writer('outgoing').write('', 0, bytes(2))
    assert.equal(alice.sendP2PMessage(null, 1, true), true)
    bob.broadcast(1, true, bytes(3))
    await pass()
    assert.deepEqual(
      at(1)
        .reader('incoming')
        .take()
        .map(({ data }) => data[0]),
      [1, 3],
    )
    assert.deepEqual(read(bob, 1), [2])
    memory.grow(1)
    alice.frame()
    assert.equal(alice.getP2PChannelQueue(1), memory.buffer)
    nothingDropped(alice, bob)
    new Int32Array(memory.buffer, 65536 + 525_000)[0] = -1 // the engine's own mistake
    memory.grow(1)
    bob.broadcast(1, true, bytes(4))
    await pass()
    assert.deepEqual([alice.frame(), alice.stats().dropped['no-channel']], [0, 1])
    throwsError(() => alice.getP2PChannelQueue(1), 'ERR_SABWAY_CORRUPT', /the indices are 4294967295/)
    const made = { single: new P2PQueue({ single: true }), small: new P2PQueue({ slotBytes: 512 }), none: 1 }
    const other = await manager('carol', { makeQueue: (channel) => Object.values(made)[channel] as P2PQueue })
    throwsError(() => other.getP2PChannelQueue(0), 'ERR_SABWAY_INVALID_ARGUMENT', /both directions, .* got one direc/)
    throwsError(() => other.getP2PChannelQueue(1), 'ERR_SABWAY_INVALID_ARGUMENT', /slotBytes 1024 .* got two, 512/)
    throwsError(() => other.getP2PChannelQueue(2), 'ERR_SABWAY_INVALID_TYPE', /must return a P2PQueue, got 1/)
  })

  it('sends each message once, whatever a failing transport and a listener do meanwhile', async () => {
    const sent: [string, number[]][] = []
    let fails = true
    const transport: P2PTransport = {
      id: 'alice',
      start: ({ joined, message }) => {
        for (const peer of ['bob', 'carol']) {
          joined(peer)
          message(peer, bytes(1, 1, 0, 0, 0, 0, 1, 0, 0xd4, 3, 0, 0))
        }
      },
      send(peer, _channel, _reliable, frame) {
        if (frame[0] !== 2) return true
        if (peer === 'bob' && fails) {
          fails = false
          throw new Error('no')
        }
        sent.push([peer, [...frame.slice(8)]])
        return true
      },
      disconnect() {},
      close() {},
    }
    const alice = new P2PManager({ transport, frameInterval: Number.POSITIVE_INFINITY })
    alice.addEventListener('peer-failed', ({ error }) => {
      assert.equal(error.code, 'ERR_SABWAY_TRANSPORT')
      alice.broadcast(0, true, bytes(2))
    })
    for (let i = 0; i < 5; i++) await Promise.resolve()
    assert.equal(alice.broadcast(0, true, bytes(1)), false)
    for (let i = 0; i < 5; i++) await Promise.resolve()
    assert.deepEqual(sent, [
      ['carol', [1]],
      ['bob', [2]],
      ['carol', [2]],
    ])
    assert.equal(alice.stats().dropped.transport, 1)
    alice.close()
  })

  it('tells of a transport that does not start, or not end', async () => {
    const cause = new Error('no network')
    const fail = () => Promise.reject(cause)
    const told: unknown[] = []
    const quiet = { id: 'a', send: () => true, disconnect() {} }
    for (const transport of [
      { ...quiet, start: fail, close() {} },
      { ...quiet, start() {}, close: fail },
    ]) {
      const manager = new P2PManager({ transport, frameInterval: Number.POSITIVE_INFINITY })
      manager.addEventListener('peer-failed', ({ peer, error }) => told.push(peer, error.cause, error.message))
      for (let i = 0; i < 5; i++) await Promise.resolve()
      manager.close()
      for (let i = 0; i < 5; i++) await Promise.resolve()
    }
    const text = 'the network between peers failed: the transport failed: no network; the cause says what'
    assert.deepEqual(told, [null, cause, text, null, cause, text])
  })

  it('does not start a transport when it was closed at once', async () => {
    let started = 0
    const start = () => void started++
    const transport = { id: 'a', start, send: () => true, disconnect() {}, close() {} }
    new P2PManager({ transport }).close()
    for (let i = 0; i < 5; i++) await Promise.resolve()
    assert.equal(started, 0)
  })

  it('moves what waits into a queue each frame, up to its budget', async () => {
    const { manager, pass } = bound(game())
    const [alice, bob] = [await manager('alice'), await manager('bob', { frameBudget: 30 })]
    for (let n = 0; n < 400; n++) alice.broadcast(n < 300 ? 0 : 1, true, bytes(n))
    await pass()
    const { incoming } = engine(bob, 0)
    assert.equal(incoming.take().length, 255)
    assert.deepEqual([bob.frame(), bob.frame(), bob.frame()], [30, 15, 0])
    assert.equal(incoming.take().length, 45)
  })

  it('is closed by `using`, and then refuses', async () => {
    const { manager } = bound(game())
    const alice = await manager('alice')
    alice[Symbol.dispose]()
    alice.close()
    assert.equal(alice.frame(), 0)
    throwsError(() => alice.broadcast(0, true), 'ERR_SABWAY_CLOSED', /this manager was closed/)
    throwsError(() => alice.expose({}), 'ERR_SABWAY_CLOSED', /this manager was closed/)
    throwsError(() => alice.sendEachFrame(0, true), 'ERR_SABWAY_CLOSED', /this manager was closed/)
    assert.equal(alice.getP2PChannelQueue(0).byteLength, 524320)
  })

  it('calls frame() by itself, and sends without one', async () => {
    const hub = new P2PLoopback()
    const [alice, bob] = ['alice', 'bob'].map((id) => new P2PManager({ transport: hub.connect(id), frameInterval: 1 }))
    await new Promise((resolve) => bob!.addEventListener('peer-joined', resolve))
    await new Promise((resolve) => setTimeout(resolve))
    engine(alice!, 0).outgoing.write('', 0, bytes(5))
    alice!.sendEachFrame(0, true, 'bob')
    const { incoming } = engine(bob!, 0)
    while (incoming.pending === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    assert.deepEqual(
      incoming.take().map(({ data }) => data[0]),
      [5],
    )
    alice!.close()
    bob!.close()
  })
})
