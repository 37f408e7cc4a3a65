// A channel in two processes where one or both cannot map shared memory over a WebAssembly.Memory,
// forced by SABWAY_OVERLAY.
import assert from 'node:assert/strict'
import { Region, SharedMemoryChannel } from 'sabway'
import { abi, ringWord } from '../support/abi.js'
import { pattern } from '../support/bytes.js'
import { collect, fillUp, keep, takeAll } from '../support/channels.js'
import { assertError, rejectsWith, throwsError } from '../support/errors.js'
import { collectUntil } from '../support/gc.js'
import { numbered, numberOf } from '../support/numbered.js'
import { echoed, exchange, heard, openShared, Peer, sharedMappings } from '../support/processes.js'
import { openFiles, Thread, threadsCalled } from '../support/threads.js'
import { until } from '../support/wait.js'

const CYCLES = 100

/** What is opened by `act`, in this process or a new one, is copied. */
function copying<T>(act: () => T, copy = true): T {
  if (copy) process.env.SABWAY_OVERLAY = 'never'
  try {
    return act()
  } finally {
    delete process.env.SABWAY_OVERLAY
  }
}

/** Send until there is no room all the way. Returns how many fitted. */
async function fillAll(channel: SharedMemoryChannel, content: Uint8Array): Promise<number> {
  let sent = 0
  for (let before = -1; sent !== before; ) {
    before = sent
    for (let i = 0; i < 20; i++) {
      sent += fillUp(channel, content)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  return sent
}

function refuses(channel: SharedMemoryChannel): boolean {
  try {
    channel.send(pattern(1, 1))
    return false
  } catch (error) {
    assertError(error, 'ERR_SABWAY_CLOSED', /./)
    return true
  }
}

/** Which process copies: this one, the other one. */
const both = [
  [true, false],
  [false, true],
  [true, true],
] as const

const copied = (rendererToNative?: number, nativeToRenderer?: number, name?: string) =>
  copying(() => openShared(rendererToNative, nativeToRenderer, name))

describe('copied: a channel in two processes', () => {
  for (const [here, there] of both) {
    const copier = here && there ? 'both' : here ? 'this one' : 'the other one'

    for (const thread of ['main', 'worker', 'handle'] as const) {
      it(`carries messages both ways; the copying process: ${copier}; the other side is on: ${thread}`, async () => {
        const channel = copying(() => openShared(1 << 16, 1 << 17), here)
        const { transport, copied: why } = channel.stats()
        assert.equal(transport, here ? 'copied' : 'shared')
        if (here) assert.match(why!, /SABWAY_OVERLAY=never/)
        const peer = copying(() => new Peer({ does: 'echo', token: channel.token, thread }), there)
        await echoed(channel, peer)
      })
    }

    it(`the sender is held back; the copying process: ${copier}`, async () => {
      const channel = copying(() => openShared(4096, 4096), here)
      const held = copying(() => new Peer({ does: 'hold', token: channel.token }), there)
      await held.next()
      // As many rings as there are between the two ends, and no more.
      assert.equal(await fillAll(channel, numbered(0, 1000)), 4 * (1 + Number(here) + Number(there)))
      await held.kill()

      const other = copying(() => openShared(4096, 4096), here)
      const peer = copying(() => new Peer({ does: 'sink', token: other.token, count: 5000, content: 1500 }), there)
      for (let i = 0; i < 5000; i++) other.send(numbered(i, i % 1500))
      assert.equal(await peer.next(), 'ready')
      assert.deepEqual(await peer.next(), { received: 5000 })
    })

    it(`ends with cleanup of either side; the copying process: ${copier}`, async () => {
      const channel = copying(openShared, here)
      const peer = copying(() => new Peer({ does: 'sink', token: channel.token, count: 50 }), there)
      await peer.next()
      for (let i = 0; i < 50; i++) channel.send(numbered(i, i))
      channel.cleanup() // what was sent before still arrives
      assert.deepEqual(await peer.next(), { received: 50 })
      assert.equal(await peer.ended(), 0)
      const other = copying(openShared, here)
      const closed = heard(other, 'close')
      const ends = copying(() => new Peer({ does: 'hold', token: other.token }), there)
      await ends.next()
      collect(other)
      ends.process.send('cleanup')
      await closed
      await until(() => refuses(other), 'the end of its receiving')
      assert.equal(await ends.ended(), 0)
    })

    it(`death is told, all that was in the shared memory arrives; the copying process: ${copier}`, async () => {
      const channel = copying(() => openShared(4096, 1 << 18), here)
      let next = 0
      let deaths = 0
      channel.addEventListener('peer-died', () => deaths++)
      channel.startReceiving((message) => {
        assert.equal(numberOf(message), next)
        next++
      })
      for (let round = 1; round < 4; round++) {
        const begin = next
        const peer = copying(() => new Peer({ does: 'source', token: channel.token, from: begin }), there)
        await peer.next()
        await until(() => next > begin, 'its first message')
        await fillAll(channel, numbered(0, 1000))
        const rejected = rejectsWith(channel.sendDirect(numbered(0, 1000)), 'ERR_SABWAY_PEER_DIED', /not sent/)
        const told = heard(channel, 'peer-died')
        await peer.kill()
        await Promise.all([told, rejected])
        assert.equal(channel.stats().peer, false)
        await until(() => channel.stats().received.used === 0, 'the rest')
        // What the carrier holds is not in this ring yet.
        for (let seen = -1; seen !== next; await new Promise((resolve) => setTimeout(resolve, 300))) seen = next
      }
      await new Promise((resolve) => setTimeout(resolve, 300))
      assert.equal(deaths, 3)
    })
  }

  it('wakes each of two sleeping event loops for every message', async () => {
    const channel = copied()
    const peer = copying(() => new Peer({ does: 'echo', token: channel.token }))
    await peer.next()
    const back = collect(channel)
    for (let i = 0; i < 50; i++) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      channel.send(pattern(i, 10))
      await until(() => back.length === i + 1, `echo ${i}`)
    }
  })

  it('this side on a worker thread, by the handle', async () => {
    const channel = copied()
    const peer = new Peer({ does: 'echo', token: channel.token })
    await peer.next()
    const thread = copying(() => new Thread('exchange', { handle: channel.handle, count: 3000 }))
    assert.deepEqual(await copyingWhile(thread.next()), { returned: 3000 })
    assert.equal(await thread.ended(), 0)
  })

  it('sides are taken in the shared memory, by native workers, too', async () => {
    const channel = copied()
    channel.startWorker({ builtin: 'echo' })
    const other = new Peer({ does: 'hold', token: channel.token, side: 'native' })
    assertError(await other.next(), 'ERR_SABWAY_SIDE_TAKEN', /./)
    await exchange(channel, 500, 3000)
    const twice = () => copying(() => SharedMemoryChannel.attach(channel.token, { side: 'renderer' }))
    throwsError(twice, 'ERR_SABWAY_SIDE_TAKEN', /./)
  })

  it('a channel in a region of its own, and a name', async () => {
    const name = `test-${process.pid}-copied`
    const region = copying(() => Region.create({ size: 2 ** 21, share: 'processes', name }))
    try {
      const channel = keep(new SharedMemoryChannel(65536, 4096, { region }))
      const other = keep(SharedMemoryChannel.attach(region.token, { side: 'native' }))
      assert.deepEqual([channel.stats().transport, other.stats().transport], ['copied', 'shared'])
      assert.deepEqual([other.stats().received.capacity, other.stats().sent.capacity], [65536, 4096])
      channel.send(pattern(1, 500))
      channel.cleanup()
      // the region is open: the carrier goes on
      await until(() => other.stats().received.used !== 0, 'the message')
      assert.deepEqual(takeAll(other), [pattern(1, 500)])
      other.cleanup()
    } finally {
      region.close()
    }
  })

  it('not one in the heap of a region, which the other process is told', async () => {
    const region = Region.create({ size: 2 ** 24, share: 'processes' })
    try {
      const channel = keep(new SharedMemoryChannel(4096, 4096, { region }))
      channel.send(pattern(1, 10))
      for (const thread of ['main', 'worker'] as const) {
        const peer = copying(() => new Peer({ does: 'hold', token: channel.token, thread }))
        const { code, message } = await peer.next<{ code: string; message: string }>()
        assert.equal(code, 'ERR_SABWAY_UNSUPPORTED')
        assert.match(message, /private copy .*make the channel without the option `region`/)
        await peer.ended()
      }
      const native = keep(SharedMemoryChannel.attach(channel.token, { side: 'native' }))
      assert.deepEqual(takeAll(native), [pattern(1, 10)])
    } finally {
      region.close()
    }
  })

  it('tells when the shared memory holds nonsense', async () => {
    const channel = copied()
    const errors: string[] = []
    channel.addEventListener('error', ({ error }) => errors.push(error.code))
    const channelCloses = heard(channel, 'close')
    collect(channel)
    const other = keep(SharedMemoryChannel.attach(channel.token, { side: 'native' }))
    other.send(pattern(1, 10))
    const words = new Int32Array(other.handle.memory.buffer)
    await until(() => {
      words[ringWord('native', abi.sw_ring.head)] = 5 // no index of a frame
      channel.trySend(pattern(1, 1)) // the carrier wakes up, and looks
      return errors.length !== 0
    }, 'an error')
    await channelCloses
    assert.deepEqual(errors.slice(0, 1), ['ERR_SABWAY_CORRUPT'])
  })

  it(`${CYCLES} times leaks neither mappings nor descriptors nor threads`, async function () {
    this.timeout(180_000)
    await collectUntil(() => sharedMappings() === 0, 'nothing left of the test before')
    const cycle = () => {
      const made = copying(() => new SharedMemoryChannel(4096, 4096, { share: 'processes' }))
      const other = copying(() => SharedMemoryChannel.attach(made.token, { side: 'native' }))
      made.send(pattern(1, 100))
      assert.equal(sharedMappings(), 2)
      made.cleanup()
      other.cleanup()
      assert.equal(sharedMappings(), 0)
    }
    cycle()
    const files = openFiles()
    for (let i = 0; i < CYCLES; i++) {
      cycle()
      if (i % 10 === 9) await collectUntil(() => true, '')
    }
    assert.equal(openFiles(), files)
    await until(() => threadsCalled('sabway-carrier') === 0, 'no carrier')
    // Dropped without cleanup, the collector takes them.
    const maker = openShared()
    const drop = () => copying(() => SharedMemoryChannel.attach(maker.token, { side: 'native' }).send(pattern(1, 1)))
    drop()
    assert.equal(threadsCalled('sabway-carrier'), 1)
    await collectUntil(() => threadsCalled('sabway-carrier') === 0, 'its carrier to end')
  })
})

/** The environment variable is set until the promise is. */
async function copyingWhile<T>(promise: Promise<T>): Promise<T> {
  process.env.SABWAY_OVERLAY = 'never'
  try {
    return await promise
  } finally {
    delete process.env.SABWAY_OVERLAY
  }
}
