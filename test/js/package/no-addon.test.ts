// Threads started with --no-addons: no native code, and channels between JavaScript threads work
// all the same.
import assert from 'node:assert/strict'
import { type ChannelHandle, type ChannelStats, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { collect, keep, open } from '../support/channels.js'
import { itNative } from '../support/host.js'
import { Thread } from '../support/threads.js'
import { aWhile, until } from '../support/wait.js'
import type { EndData } from '../workers/end.js'

const withoutAddon = (name: string, data: unknown) => new Thread(name, data, { execArgv: ['--no-addons'] })

async function end(data: EndData): Promise<Thread> {
  const thread = withoutAddon('end', data)
  assert.equal(await thread.next('ready'), 'ready')
  return thread
}

describe('a thread without the addon', () => {
  itNative('says ERR_SABWAY_NO_ADDON and why where it needs one', async () => {
    const thread = withoutAddon('refused', null)
    const [worker, crc, ...rest] = await thread.next<{ code: string; errno: number; message: string }[]>()
    assert.deepEqual(rest, [])
    const beginning = 'this needs the native addon, which could not be loaded here: the native addon was not loaded: '
    for (const error of [worker!, crc!]) {
      assert.deepEqual([error.code, error.errno], ['ERR_SABWAY_NO_ADDON', -22])
      assert.ok(error.message.startsWith(beginning), error.message)
      assert.match(error.message, /addons are disabled here: start this process or thread without --no-addons$/)
    }
  })

  for (const side of ['native', 'renderer'] as const) {
    it(`takes the ${side} side, and echoes to one that has the addon`, async () => {
      const made = open(8192, 8192)
      const channel = side === 'native' ? made : keep(SharedMemoryChannel.attach(made.handle, { side: 'native' }))
      const thread = await end({ handle: made.handle, side, job: 'echo' })
      const received = collect(channel)
      for (let i = 0; i < 300; i++) channel.send(pattern(i, (i * 17) % 8193))
      await until(() => received.length === 300, 'all echoes')
      received.forEach((message, i) => {
        assert.deepEqual(message, pattern(i, (i * 17) % 8193))
      })
      thread.tell('stats')
      const stats = await thread.next<ChannelStats>()
      assert.deepEqual([stats.wakes, stats.received.messages], ['atomics', 300])
    })
  }

  it('is woken from its sleep by one that has the addon, and wakes it', async () => {
    const channel = open()
    await end({ handle: channel.handle, side: 'native', job: 'echo' })
    const received = collect(channel)
    for (let i = 0; i < 50; i++) {
      if (i % 10 === 0) await aWhile()
      channel.send(pattern(i, 10))
      await until(() => received.length === i + 1, `echo ${i}`)
    }
    assert.deepEqual(received[49], pattern(49, 10))
  })

  it('wakes one with the addon that waits for room', async () => {
    const channel = open(4096)
    for (let i = 0; i < 200; i++) channel.send(pattern(i, 3000))
    await aWhile()
    const thread = await end({ handle: channel.handle, side: 'native', job: 'count' })
    for (let i = 0; i < 200; i++) {
      assert.deepEqual(await thread.next(), { received: i + 1, message: pattern(i, 3000) })
    }
  })

  it('talks to another that has none, both asleep in between', async () => {
    const maker = withoutAddon('maker', { silent: true })
    const handle = await maker.next<ChannelHandle>()
    const one = await end({ handle, side: 'native', job: 'count' })
    const other = await end({ handle, side: 'renderer', job: 'echo' })
    for (let i = 0; i < 50; i++) {
      if (i % 10 === 0) await aWhile()
      one.tell(pattern(i, i * 10))
      assert.deepEqual(await one.next(), { received: i + 1, message: pattern(i, i * 10) })
    }
    other.tell('cleanup')
    assert.equal(await one.next(), 'close')
    assert.equal(await other.ended(), 0)
  })

  it('gets messages from another that queues: each waits for the other', async () => {
    const maker = withoutAddon('maker', { silent: true, bytes: 4096 })
    const handle = await maker.next<ChannelHandle>()
    const sender = await end({ handle, side: 'renderer', job: 'idle' })
    const receiver = await end({ handle, side: 'native', job: 'count' })
    for (let i = 0; i < 100; i++) sender.tell(pattern(i, 3000))
    for (let i = 0; i < 100; i++) {
      assert.deepEqual(await receiver.next(), { received: i + 1, message: pattern(i, 3000) })
    }
  })

  // Node before 24.5 has no Web Locks, by which it is seen.
  if ('locks' in ((globalThis as { navigator?: object }).navigator ?? {})) {
    it('is seen to end when it is terminated, and its side can be taken', async () => {
      const channel = open()
      let died = 0
      channel.addEventListener('peer-died', () => died++)
      const received = collect(channel)
      for (let round = 1; round <= 3; round++) {
        const thread = await end({ handle: channel.handle, side: 'native', job: 'echo' })
        channel.send(pattern(round, 10))
        await until(() => received.length === round, 'the echo')
        // Else the next thread gets it again: this one has sent its echo, and released nothing.
        await until(() => channel.stats().sent.used === 0, 'the release of the message')
        await thread.terminate()
        await until(() => died === round, `'peer-died' ${round}`)
        assert.equal(channel.stats().peer, false)
      }
    })
  }

  it('ends its side by cleanup, and then by itself', async () => {
    const channel = open()
    let closed = 0
    channel.addEventListener('close', () => closed++)
    collect(channel)
    const thread = await end({ handle: channel.handle, side: 'native', job: 'echo' })
    await aWhile()
    thread.tell('cleanup')
    await until(() => closed === 1, "'close'")
    assert.equal(await thread.ended(), 0)
    assert.equal(channel.stats().peer, false)
  })

  it('may be terminated while it sleeps, and while it floods', async () => {
    for (const job of ['count', 'flood', 'count', 'flood'] as const) {
      const channel = open()
      let received = 0
      channel.startReceiving(() => received++)
      const thread = await end({ handle: channel.handle, side: 'native', job })
      if (job === 'flood') await until(() => received > 1000, 'the flood')
      else await aWhile()
      await thread.terminate()
      channel.cleanup()
    }
  })
})
