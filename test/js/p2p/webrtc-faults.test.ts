// Peers over WebRTC through a network that loses, doubles and reorders packets, or is cut.
import assert from 'node:assert/strict'
import type { P2PSignaller } from 'sabway/p2p'
import { random } from '../support/bytes.js'
import { seed } from '../support/effort.js'
import { UdpProxy } from '../support/udp-proxy.js'
import { PATIENCE, until } from './servers.js'
import { Signals } from './signaller.js'
import { closePeers, numbered, numberOf, peer, received } from './webrtc-peers.js'

/** SABWAY_SEED=n repeats what is lost, as far as the packets are the same. */
const SEED = seed()

describe(`WebRTC through a network that is none (SABWAY_SEED=${SEED})`, function () {
  this.timeout(PATIENCE)
  let proxy: UdpProxy
  let signals: Signals

  beforeEach(() => {
    proxy = new UdpProxy(random(SEED))
    signals = new Signals()
  })
  afterEach(async () => {
    proxy.isCut = false
    await proxy.end()
    await closePeers()
  })

  /** Its signals keep their order, though each waits for the proxy. */
  function signaller(id: string): P2PSignaller {
    const inner = signals.connect(id)
    let before: Promise<void> = Promise.resolve()
    return {
      ...inner,
      send(to, text) {
        before = before.then(async () => {
          const passed = await proxy.through(text)
          if (passed !== undefined) inner.send(to, passed)
        })
      },
    }
  }

  /** Connected while the network is well: a handshake of werift does not survive every loss. */
  async function two(options = {}) {
    const [a, b] = [peer(signaller('a'), 'a', options), peer(signaller('b'), 'b', options)]
    await until('both joined', () => a.manager.peers.length === 1 && b.manager.peers.length === 1)
    return { a, b }
  }
  const first = (count: number) => [...Array(count).keys()]

  // One kind at a time: beside pieces that it has given up, werift 0.24 may not send the last
  // reliable ones again.
  it('brings all reliable messages in their order, each once', async () => {
    const { a, b } = await two({ disconnectTimeout: 60_000 })
    Object.assign(proxy, { loss: 0.05, doubles: 0.05, delay: 5 })
    const count = 400
    for (const n of first(count)) {
      a.manager.sendP2PMessage('b', 1, true, numbered(n))
      b.manager.sendP2PMessage('a', 1, true, numbered(n))
      if (n % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.deepEqual(await received(b.manager, 1, count), first(count))
    assert.deepEqual(await received(a.manager, 1, count), first(count))
    assert.ok(proxy.lost > 0 && proxy.passed > proxy.lost)
    assert.deepEqual([a.events, b.events], [['b joined'], ['a joined']])
  })

  it('brings most of what may be lost, and nothing twice', async () => {
    const { a, b } = await two({ disconnectTimeout: 60_000 })
    Object.assign(proxy, { loss: 0.05, doubles: 0.05, delay: 5 })
    const found: number[] = []
    const read = () => found.push(...b.manager.readP2PMessagesOnChannel(2).map(numberOf))
    for (const n of first(400)) {
      a.manager.sendP2PMessage('b', 2, false, numbered(n))
      if (n % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 5))
      read()
    }
    await until('most', () => read() >= 200)
    assert.equal(new Set(found).size, found.length)
    assert.ok(proxy.lost > 0)
  })

  it('tells both that the other has gone when it is cut, and connects them again when it is not', async () => {
    const { a, b } = await two({ disconnectTimeout: 500, connectTimeout: 2000 })
    a.manager.sendP2PMessage('b', 1, true, numbered(1))
    assert.deepEqual(await received(b.manager, 1, 1), [1])
    proxy.isCut = true
    await until('both know', () => a.manager.peers.length === 0 && b.manager.peers.length === 0)
    assert.ok(a.events.length >= 2 && b.events.length >= 2)
    proxy.isCut = false
    await until('both are there', () => a.manager.peers.length === 1 && b.manager.peers.length === 1)
    a.manager.sendP2PMessage('b', 1, true, numbered(2))
    b.manager.sendP2PMessage('a', 1, true, numbered(3))
    assert.deepEqual(await received(b.manager, 1, 1), [2])
    assert.deepEqual(await received(a.manager, 1, 1), [3])
  })

  it('keeps a connection through an interruption that is shorter than it may be, and loses nothing', async () => {
    const { a, b } = await two({ disconnectTimeout: 60_000 })
    const count = 200
    for (const n of first(count)) {
      if (n === 100) proxy.isCut = true
      a.manager.sendP2PMessage('b', 1, true, numbered(n))
      if (n % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await new Promise((resolve) => setTimeout(resolve, 1000))
    proxy.isCut = false
    assert.deepEqual(await received(b.manager, 1, count), first(count))
    assert.deepEqual([a.events, b.events], [['b joined'], ['a joined']])
  })
})
