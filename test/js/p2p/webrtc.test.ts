// Peers over WebRTC in Node: real connections on this machine.
import assert from 'node:assert/strict'
import { until } from './servers.js'
import { Signals } from './signaller.js'
import { closePeers, numbered, peer, received } from './webrtc-peers.js'

describe('WebRTC in Node', () => {
  afterEach(closePeers)

  it('carries reliable messages in their order, both ways, and the rest as it can', async () => {
    const signals = new Signals()
    const [a, b] = [peer(signals.connect('a'), 'a'), peer(signals.connect('b'), 'b')]
    await until('both joined', () => a.manager.peers.length === 1 && b.manager.peers.length === 1)
    const all = [...Array(2000).keys()]
    for (const n of all) {
      assert.equal(a.manager.sendP2PMessage('b', 3, true, numbered(n)), true)
      assert.equal(b.manager.sendP2PMessage(null, 4, true, numbered(n)), true)
    }
    assert.deepEqual(await received(b.manager, 3, 2000), all)
    assert.deepEqual(await received(a.manager, 4, 2000), all)
    for (const n of all.slice(0, 100)) a.manager.sendP2PMessage('b', 5, false, numbered(n))
    const some = await received(b.manager, 5, 1)
    assert.ok(some.length > 0 && some.every((n) => n < 100))
    assert.equal(a.transport.stats().malformed + b.transport.stats().malformed, 0)
  })

  it('connects three, each with each other, and puts large messages together', async () => {
    const signals = new Signals()
    const peers = ['a', 'b', 'c'].map((id) => peer(signals.connect(id), id))
    await until('all joined', () => peers.every(({ manager }) => manager.peers.length === 2))
    for (const { manager } of peers) manager.broadcast(1, true, numbered(7, 50_000))
    for (const { manager } of peers) {
      const from: string[] = []
      await until('two messages', () => {
        for (const message of manager.readP2PMessagesOnChannel(1)) {
          assert.equal(message.data.length, 50_000)
          from.push(message.from)
        }
        return from.length === 2
      })
      assert.deepEqual(
        from.sort(),
        ['a', 'b', 'c'].filter((id) => id !== manager.id),
      )
    }
  })

  it('refuses while too much is under way, loses nothing of what is reliable, and goes on', async () => {
    const signals = new Signals()
    const [a, b] = [peer(signals.connect('a'), 'a', { maxBuffered: 4096 }, 'none'), peer(signals.connect('b'), 'b')]
    await until('joined', () => a.manager.peers.length === 1 && b.manager.peers.length === 1)
    const all = [...Array(500).keys()]
    let waited = 0
    for (const n of all) {
      assert.equal(a.manager.sendP2PMessage('b', 0, true, numbered(n, 900)), true)
      waited = Math.max(waited, a.manager.stats().peers[0]!.pendingBytes)
    }
    assert.ok(waited > 0)
    assert.deepEqual(await received(b.manager, 0, 500), all)
  })

  it('connects again with a peer that has left and come back under its id', async () => {
    const signals = new Signals()
    for (const [staying, leaving] of [
      ['a', 'b'],
      ['z', 'b'],
    ] as const) {
      const stays = peer(signals.connect(staying), staying)
      const first = peer(signals.connect(leaving), leaving)
      await until('joined', () => stays.manager.peers.length === 1 && first.manager.peers.length === 1)
      first.manager.close()
      const second = peer(signals.connect(leaving), leaving)
      await until('joined again', () => second.manager.peers.length === 1 && stays.events.length >= 3)
      assert.deepEqual(stays.events.slice(0, 3), [`${leaving} joined`, `${leaving} left`, `${leaving} joined`])
      second.manager.sendP2PMessage(staying, 0, true, numbered(5))
      assert.deepEqual(await received(stays.manager, 0, 1), [5])
      await closePeers()
    }
  })

  it('keeps connections when the signaller alone loses sight of a peer', async () => {
    const signals = new Signals()
    const [a, b] = [peer(signals.connect('a'), 'a'), peer(signals.connect('b'), 'b')]
    await until('joined', () => a.manager.peers.length === 1 && b.manager.peers.length === 1)
    signals.flicker('b')
    a.manager.sendP2PMessage('b', 0, true, numbered(9))
    assert.deepEqual(await received(b.manager, 0, 1), [9])
    assert.deepEqual([a.events, b.events], [['b joined'], ['a joined']])
    assert.equal(a.transport.stats().opened, 1)
  })

  it('does not connect again with a peer that was disconnected, until it joins anew', async () => {
    const signals = new Signals()
    const [a, b] = [peer(signals.connect('a'), 'a'), peer(signals.connect('b'), 'b')]
    await until('joined', () => a.manager.peers.length === 1 && b.manager.peers.length === 1)
    a.transport.disconnect('b')
    await until('both have left', () => a.events.includes('b left') && b.events.includes('a left'))
    await until('b has asked', () => signals.said.filter((line) => line === 'b a hello').length > 2)
    assert.equal(a.manager.peers.length, 0)
    signals.flicker('b')
    await until('joined anew', () => a.manager.peers.length === 1 && b.manager.peers.length === 1)
  })
})
