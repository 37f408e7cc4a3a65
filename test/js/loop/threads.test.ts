import assert from 'node:assert/strict'
import type { ChannelStats } from 'sabway'
import { pattern } from '../support/bytes.js'
import { attach, collect, open, takeAll } from '../support/channels.js'
import { itNative } from '../support/host.js'
import { plugin } from '../support/paths.js'
import { Thread } from '../support/threads.js'
import { aWhile, until } from '../support/wait.js'
import type { EndData } from '../workers/end.js'

async function end(data: EndData): Promise<Thread> {
  const thread = new Thread('end', data)
  assert.equal(await thread.next('ready'), 'ready')
  return thread
}

describe('another JavaScript thread', () => {
  for (const side of ['native', 'renderer'] as const) {
    it(`takes the ${side} side`, async () => {
      const made = open(16384, 16384)
      const channel = side === 'native' ? made : attach(made, 'native')
      await end({ handle: made.handle, side, job: 'echo' })
      const received = collect(channel)
      for (let i = 0; i < 500; i++) channel.send(pattern(i, (i * 17) % 5000))
      await until(() => received.length === 500, '500 echoes')
      received.forEach((message, i) => {
        assert.deepEqual(message, pattern(i, (i * 17) % 5000))
      })
    })
  }

  it('is woken from its sleep, and wakes, each time', async () => {
    const channel = open()
    await end({ handle: channel.handle, side: 'native', job: 'echo' })
    const received = collect(channel)
    for (let i = 0; i < 200; i++) {
      channel.send(pattern(i, 32))
      await until(() => received.length === i + 1, `echo ${i}`)
      if (i % 20 === 0) await aWhile()
    }
    assert.deepEqual(received[199], pattern(199, 32))
  })

  it('talks to a third one, in a channel that this thread made', async () => {
    const channel = open(8192, 8192)
    const echo = await end({ handle: channel.handle, side: 'native', job: 'echo' })
    const other = await end({ handle: channel.handle, side: 'renderer', job: 'count' })
    for (let i = 0; i < 20; i++) {
      other.tell(pattern(i, i * 100))
      assert.deepEqual(await other.next(), { received: i + 1, message: pattern(i, i * 100) })
    }
    other.tell('stats')
    const stats = await other.next<ChannelStats>()
    assert.deepEqual([stats.side, stats.sent.messages, stats.received.messages], ['renderer', 20, 20])
    echo.tell('cleanup')
    assert.equal(await other.next("'close'"), 'close')
    other.tell('cleanup')
    await Promise.all([echo.ended(), other.ended()])
  })

  it('gets what is left when this side is cleaned up', async () => {
    const channel = open()
    for (let i = 0; i < 10; i++) channel.send(pattern(i, 10))
    const thread = new Thread('end', { handle: channel.handle, side: 'native', job: 'count' } satisfies EndData)
    channel.cleanup()
    const posted = []
    for (let i = 0; i < 12; i++) posted.push(await thread.next())
    assert.deepEqual(
      posted.filter((message) => message !== 'ready'),
      [...Array.from({ length: 10 }, (_, i) => ({ received: i + 1, message: pattern(i, 10) })), 'close'],
    )
  })

  it('ends by itself after cleanup: nothing of the channel holds it', async () => {
    const channel = open()
    const thread = await end({ handle: channel.handle, side: 'native', job: 'echo' })
    const received = collect(channel)
    channel.send(pattern(1, 10))
    await until(() => received.length === 1, 'the echo')
    const ended = thread.ended()
    thread.tell('cleanup')
    assert.equal(await ended, 0)
  })

  itNative('has many channels with this one at once, and this one has native workers beside them', async () => {
    const channels = Array.from({ length: 6 }, () => open(8192, 8192))
    const kinds = await Promise.all(
      channels.map(async (channel, i) => {
        if (i % 3 === 0) channel.startWorker({ builtin: 'echo' })
        else if (i % 3 === 1) channel.startWorker({ plugin: plugin('reverse') })
        else await end({ handle: channel.handle, side: 'native', job: 'echo' })
        return i % 3
      }),
    )
    const received = channels.map(collect)
    for (let n = 0; n < 300; n++)
      channels.forEach((channel, i) => {
        channel.send(pattern(n * 10 + i, n * 3))
      })
    await until(() => received.every((list) => list.length === 300), 'all of all channels')
    received.forEach((list, i) => {
      list.forEach((message, n) => {
        const sent = pattern(n * 10 + i, n * 3)
        assert.deepEqual(message, kinds[i] === 1 ? sent.reverse() : sent)
      })
    })
  })

  itNative('leaves the side to the next one when it ends without cleanup', async () => {
    const channel = open()
    for (let round = 0; round < 5; round++) {
      const thread = await end({ handle: channel.handle, side: 'native', job: 'echo' })
      channel.send(pattern(round, 10))
      const echoes: Uint8Array[] = []
      const answer = pattern(round, 10)
      await until(() => echoes.push(...takeAll(channel)) !== 0 && echoes.at(-1)![0] === answer[0], `echo ${round}`)
      // What the last thread had received, and not yet released when it was terminated, comes once
      // more.
      const again = round > 0 && echoes.length === 2 ? [pattern(round - 1, 10)] : []
      assert.deepEqual(echoes, [...again, answer])
      await thread.terminate()
      await until(() => !channel.stats().peer, 'the side to be free')
    }
  })
})
