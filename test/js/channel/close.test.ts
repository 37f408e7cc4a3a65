import assert from 'node:assert/strict'
import { pattern } from '../support/bytes.js'
import { attach, collect, open, pair, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'
import { aWhile, until } from '../support/wait.js'

for (const closing of ['renderer', 'native'] as const) {
  describe(`cleanup of the ${closing} side`, () => {
    const both = (bytes?: number) => {
      const { renderer, native } = pair(bytes)
      return closing === 'renderer' ? { first: renderer, other: native } : { first: native, other: renderer }
    }

    it("gives the other side the messages that are left, then one 'close'", async () => {
      const { first, other } = both()
      const order: string[] = []
      other.addEventListener('close', (event) => order.push(event.type))
      for (let i = 0; i < 5; i++) first.send(pattern(i, 10))
      other.startReceiving((message) =>
        order.push(`message ${pattern(order.length, 10).every((b, i) => b === message[i])}`),
      )
      first.cleanup()
      await until(() => order.includes('close'), "'close'")
      await aWhile()
      assert.deepEqual(order, [...Array(5).fill('message true'), 'close'])
    })

    it("wakes a receiver that sleeps: 'close'", async () => {
      const { first, other } = both()
      let closed = 0
      other.addEventListener('close', () => closed++)
      collect(other)
      await aWhile()
      assert.equal(closed, 0)
      first.cleanup()
      await until(() => closed === 1, "'close'")
    })

    it('leaves what was sent to drain', () => {
      const { first, other } = both()
      first.send(pattern(1, 10))
      first.cleanup()
      assert.deepEqual(takeAll(other), [pattern(1, 10)])
      assert.deepEqual(takeAll(other), [])
    })

    it('lets the other side send no more, and shows in stats', () => {
      const { first, other } = both()
      collect(first)
      assert.equal(other.stats().peer, true)
      first.cleanup()
      assert.equal(other.stats().peer, false)
      throwsError(() => other.send(pattern(0, 1)), 'ERR_SABWAY_CLOSED', /the other side was cleaned up/)
      throwsError(() => other.sendBatch([pattern(0, 1)]), 'ERR_SABWAY_CLOSED', /the other side was cleaned up/)
      throwsError(() => other.reserve(1), 'ERR_SABWAY_CLOSED', /the other side was cleaned up/)
    })

    it('ends a queue that waits for room', async () => {
      const { first, other } = both(4096)
      other.send(pattern(0, 4096))
      other.send(pattern(1, 4096))
      first.cleanup()
      await until(() => other.stats().sent.queued === 0, 'the queue to be given up')
      throwsError(() => other.send(pattern(2, 1)), 'ERR_SABWAY_CLOSED', /the other side was cleaned up/)
    })

    it('is for good: the side cannot be taken again, and the error does not blame the other one', () => {
      const { first, other } = both()
      first.cleanup()
      throwsError(
        () => attach(other, closing),
        'ERR_SABWAY_CLOSED',
        new RegExp(`the side '${closing}' was cleaned up, .* use detach\\(\\)`),
      )
    })

    it('may happen inside a message callback', async () => {
      const { first, other } = both()
      for (let i = 0; i < 10; i++) other.send(Uint8Array.of(i))
      const seen: number[] = []
      first.startReceiving((message) => {
        seen.push(message[0]!)
        if (seen.length === 3) first.cleanup()
      })
      await until(() => first.closed, 'cleanup')
      await aWhile()
      assert.deepEqual(seen, [0, 1, 2])
      assert.equal(other.stats().peer, false)
    })

    it('may happen inside drain', () => {
      const { first, other } = both()
      for (let i = 0; i < 10; i++) other.send(Uint8Array.of(i))
      let seen = 0
      assert.equal(
        first.drain(() => {
          if (++seen === 3) first.cleanup()
        }),
        3,
      )
      throwsError(() => first.drain(() => {}), 'ERR_SABWAY_CLOSED', /cleanup was called/)
    })

    it("may happen inside onQueueEmpty, 'drain' and 'close'", async () => {
      const { first, other } = both(4096)
      first.onQueueEmpty = () => first.cleanup()
      first.send(pattern(0, 4096))
      first.send(pattern(1, 4096))
      const received = collect(other)
      other.addEventListener('close', () => other.cleanup())
      await until(() => other.closed, 'both to be cleaned up')
      assert.equal(first.closed, true)
      assert.deepEqual(received, [pattern(0, 4096), pattern(1, 4096)])
    })
  })
}

describe('cleanup', () => {
  it('may be called again and again', () => {
    const channel = open()
    assert.equal(channel.closed, false)
    channel.cleanup()
    channel.cleanup()
    channel[Symbol.dispose]()
    assert.equal(channel.closed, true)
  })

  it('is what Symbol.dispose does', () => {
    const channel = open()
    channel[Symbol.dispose]()
    assert.equal(channel.closed, true)
  })

  it('makes every call throw ERR_SABWAY_CLOSED', () => {
    const channel = open()
    channel.cleanup()
    const calls = [
      () => channel.send(pattern(0, 1)),
      () => channel.trySend(pattern(0, 1)),
      () => channel.sendBatch([]),
      () => channel.reserve(1),
      () => channel.commit(1),
      () => channel.abandon(),
      () => channel.startReceiving(() => {}),
      () => channel.drain(() => {}),
      () => channel.startWorker({ builtin: 'echo' }),
    ]
    for (const call of calls) throwsError(call, 'ERR_SABWAY_CLOSED', /cleanup was called/)
    channel.stopReceiving()
    channel.stopWorker()
    channel.ref().unref()
    assert.equal(channel.stats().peer, false)
  })

  itNative('joins the native worker before it returns', async () => {
    const channel = open()
    channel.startWorker({ builtin: 'source', size: 100 })
    const received = collect(channel)
    await until(() => received.length > 1000, 'a flood')
    channel.cleanup()
    assert.equal(channel.stats().worker, undefined)
    const count = received.length
    await aWhile()
    assert.equal(received.length, count)
  })
})
