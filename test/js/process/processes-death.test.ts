// Processes that die: the survivor is told, keeps every committed message, and another process can
// take the place.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { SharedMemoryChannel } from 'sabway'
import { random } from '../support/bytes.js'
import { keep } from '../support/channels.js'
import { seed, times } from '../support/effort.js'
import { rejectsWith } from '../support/errors.js'
import { numbered, numberOf } from '../support/numbered.js'
import { heard, openShared, Peer } from '../support/processes.js'
import { aWhile, until } from '../support/wait.js'

/** SABWAY_SEED=n repeats a run, as far as processes can be repeated. */
const SEED = seed()
const ROUNDS = times(12)

const chance = random(SEED)

/** Receives numbered messages, and fails when one is missing, twice there or damaged. */
function inOrder(channel: SharedMemoryChannel): { next: number } {
  const state = { next: 0 }
  channel.startReceiving((message) => {
    assert.equal(numberOf(message), state.next)
    state.next++
  })
  return state
}

const died = (channel: SharedMemoryChannel) => heard(channel, 'peer-died')

/** Names of shared memory, but for those of other runs of these tests. */
const inSharedMemory = (): string[] =>
  readdirSync('/dev/shm').filter((name) => {
    const test = /^sabway\.test-(\d+)-/.exec(name)
    return name.startsWith('sabway.') && (test === null || test[1] === String(process.pid))
  })

describe(`death of a process (SABWAY_SEED=${SEED})`, () => {
  it('of the sender, at random moments: all it committed arrives, and its successor goes on', async function () {
    const channel = openShared(65536, 1 << 18)
    const received = inOrder(channel)
    const took: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const begin = received.next
      const peer = new Peer({
        does: 'source',
        token: channel.token,
        from: begin,
        content: 1 + Math.floor(chance() * 3000),
      })
      await peer.next()
      await until(() => received.next > begin, 'its first message')
      await sleep(chance() * 20)
      const told = died(channel)
      const killed = performance.now()
      await peer.kill()
      await told
      took.push(performance.now() - killed)
      assert.equal(channel.stats().peer, false)
      await until(() => channel.stats().received.used === 0, 'the rest of what it had committed')
    }
    this.test!.title += ` (told after ${Math.max(...took).toFixed(0)} ms at most)`
  })

  it('of the receiver: what waits for room goes to its successor, promises are rejected', async () => {
    const channel = openShared(4096, 4096)
    for (let round = 0; round < 4; round++) {
      const peer = new Peer({ does: 'hold', token: channel.token })
      await peer.next()
      await sleep(chance() * 10)
      let sent = round === 0 ? 0 : 1
      if (round === 0) while (channel.send(numbered(sent, 300))) sent++
      const promise = channel.sendDirect(numbered(2 ** 30, 10))
      const rejected = rejectsWith(promise, 'ERR_SABWAY_PEER_DIED', /not sent/)
      const told = died(channel)
      await peer.kill()
      await Promise.all([told, rejected])
      assert.equal(channel.stats().sent.queued, 1)
    }
    const successor = new Peer({ does: 'sink', token: channel.token, count: 13 })
    for (let n = channel.stats().sent.messages + 1; n < 13; n++) channel.send(numbered(n, 300))
    assert.equal(await successor.next(), 'ready')
    assert.deepEqual(await successor.next(), { received: 13 })
  })

  it('of a process with nothing going on, on either thread', async () => {
    for (const thread of ['main', 'worker'] as const) {
      const channel = openShared()
      const peer = new Peer({ does: 'hold', token: channel.token, thread })
      await peer.next()
      const told = died(channel)
      await peer.kill()
      await told
      assert.equal(channel.stats().peer, false)
    }
  })

  it('is told once', async () => {
    const channel = openShared()
    let deaths = 0
    channel.addEventListener('peer-died', () => deaths++)
    for (let round = 1; round < 4; round++) {
      const peer = new Peer({ does: 'hold', token: channel.token })
      await peer.next()
      await peer.kill()
      await until(() => deaths === round, 'the event')
    }
    await sleep(300)
    assert.equal(deaths, 3)
  })

  it('is not leaving, nor the end of a thread', async () => {
    const channel = openShared()
    let deaths = 0
    channel.addEventListener('peer-died', () => deaths++)
    const peer = new Peer({ does: 'hold', token: channel.token })
    await peer.next()
    peer.process.send('cleanup')
    await peer.ended()
    await sleep(300)
    assert.equal(deaths, 0)
  })

  it('is not SIGSTOP, nor SIGCONT', async () => {
    const channel = openShared()
    const back: number[] = []
    let deaths = 0
    channel.addEventListener('peer-died', () => deaths++)
    channel.startReceiving((message) => back.push(numberOf(message)))
    const peer = new Peer({ does: 'echo', token: channel.token })
    await peer.next()
    peer.process.kill('SIGSTOP')
    await aWhile()
    channel.send(numbered(1, 10))
    await sleep(400)
    assert.deepEqual([deaths, back.length, channel.stats().peer], [0, 0, true])
    peer.process.kill('SIGCONT')
    await until(() => back.length === 1, 'the echo')
    await sleep(150)
    assert.equal(deaths, 0)
  })

  it('of the creator: the survivor has a token of its own, by which another takes the place', async () => {
    const maker = new Peer({ does: 'make', count: 50 })
    const token = await maker.next<string>()
    const survivor = keep(SharedMemoryChannel.attach(token, { side: 'native' }))
    assert.notEqual(survivor.token, token)
    const told = died(survivor)
    await maker.kill()
    await told
    const received = inOrder(survivor)
    await until(() => received.next === 50, 'what it had committed')
    const successor = new Peer({ does: 'source', token: survivor.token, side: 'renderer', from: 50 })
    await until(() => received.next > 1000, 'messages of its successor')
    await successor.kill()
  })

  it('of both: nothing is left of a region without a name', async () => {
    const before = inSharedMemory()
    const maker = new Peer({ does: 'make' })
    const other = new Peer({ does: 'hold', token: await maker.next<string>() })
    await other.next()
    await Promise.all([maker.kill(), other.kill()])
    assert.deepEqual(inSharedMemory(), before)
  })

  it('of the creator of a named region: its name goes with the last process that has it', async () => {
    const name = `test-${process.pid}-survivor`
    // A process that has not used its side has no part in the channel yet.
    const maker = new Peer({ does: 'make', name, count: 1 })
    const token = await maker.next<string>()
    const survivor = keep(SharedMemoryChannel.attach(token, { side: 'native' }))
    const told = died(survivor)
    await maker.kill()
    await told
    // By the same token: it contains the name.
    const third = new Peer({ does: 'hold', token, side: 'renderer' })
    assert.equal(await third.next(), 'ready')
    await third.kill()
    assert.deepEqual(inSharedMemory(), [`sabway.${name}`])
    survivor.cleanup()
    assert.deepEqual(inSharedMemory(), [])
  })

  it('of all processes that had a named region: the next one to make a region removes what they left', async () => {
    const name = `test-${process.pid}-orphan`
    const maker = new Peer({ does: 'make', name })
    const other = new Peer({ does: 'hold', token: await maker.next<string>() })
    await other.next()
    await Promise.all([maker.kill(), other.kill()])
    assert.deepEqual(inSharedMemory(), [`sabway.${name}`])
    const again = openShared(4096, 4096, name) // the name is free, too
    assert.deepEqual(inSharedMemory(), [`sabway.${name}`])
    again.cleanup()
    assert.deepEqual(inSharedMemory(), [])
  })
})
