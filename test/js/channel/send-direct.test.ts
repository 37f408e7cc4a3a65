import assert from 'node:assert/strict'
import { pattern } from '../support/bytes.js'
import { collect, pair, takeAll } from '../support/channels.js'
import { rejectsWith } from '../support/errors.js'
import { aWhile, until, within } from '../support/wait.js'

/** A ring of 4 KiB that one message fills. */
function full() {
  const { renderer, native } = pair(4096)
  renderer.send(pattern(0, 4096))
  return { renderer, native }
}

describe('sendDirect', () => {
  it('resolves at once when there is room', async () => {
    const { renderer, native } = pair()
    await renderer.sendDirect(pattern(1, 100))
    assert.deepEqual(takeAll(native), [pattern(1, 100)])
  })

  it('resolves when the message is in the ring, not before', async () => {
    const { renderer, native } = full()
    let done = false
    const sent = renderer.sendDirect(pattern(1, 100)).then(() => {
      done = true
    })
    await aWhile()
    assert.equal(done, false)
    assert.deepEqual(takeAll(native), [pattern(0, 4096)])
    await within(sent, 'the promise')
    assert.deepEqual(takeAll(native), [pattern(1, 100)])
  })

  it('copies: the message may change while it waits', async () => {
    const { renderer, native } = full()
    const message = pattern(1, 100)
    const sent = renderer.sendDirect(message)
    message.fill(0)
    takeAll(native)
    await within(sent, 'the promise')
    assert.deepEqual(takeAll(native), [pattern(1, 100)])
  })

  it('keeps the order among send and sendDirect', async () => {
    const { renderer, native } = full()
    const settled: number[] = []
    renderer.send(pattern(1, 3000))
    const second = renderer.sendDirect(pattern(2, 3000)).then(() => settled.push(2))
    renderer.send(pattern(3, 3000))
    const fourth = renderer.sendDirect(pattern(4, 10)).then(() => settled.push(4))
    const received = collect(native)
    await within(Promise.all([second, fourth]), 'both promises')
    await until(() => received.length === 5, 'all messages')
    assert.deepEqual(settled, [2, 4])
    assert.deepEqual(received, [pattern(0, 4096), ...[1, 2, 3].map((i) => pattern(i, 3000)), pattern(4, 10)])
  })

  it('rejects after its timeout, and the message is not sent', async () => {
    const { renderer, native } = full()
    const late = renderer.sendDirect(pattern(1, 100), { timeout: 10 })
    renderer.send(pattern(2, 50))
    await rejectsWith(late, 'ERR_SABWAY_TIMEOUT', /no room for 100 bytes within 10 ms/)
    const { queued, queuedBytes } = renderer.stats().sent
    assert.deepEqual({ queued, queuedBytes }, { queued: 1, queuedBytes: 50 })
    const received = collect(native)
    await until(() => received.length === 2, 'the message behind it')
    assert.deepEqual(received, [pattern(0, 4096), pattern(2, 50)])
  })

  it('rejects with a timeout of 0 when there is no room now', async () => {
    const { renderer, native } = full()
    await rejectsWith(renderer.sendDirect(pattern(1, 8), { timeout: 0 }), 'ERR_SABWAY_TIMEOUT', /within 0 ms/)
    takeAll(native)
    await renderer.sendDirect(pattern(2, 8), { timeout: 0 })
    assert.deepEqual(takeAll(native), [pattern(2, 8)])
  })

  it('does not send when the signal is aborted already', async () => {
    const { renderer, native } = pair()
    const reason = new Error('changed my mind')
    const promise = renderer.sendDirect(pattern(1, 100), { signal: AbortSignal.abort(reason) })
    await rejectsWith(promise, 'ERR_SABWAY_ABORTED', /given up/)
    await promise.catch((error) => assert.equal(error.cause, reason))
    assert.deepEqual(takeAll(native), [])
  })

  it('gives up when the signal is aborted while it waits; others keep their order', async () => {
    const { renderer, native } = full()
    const controller = new AbortController()
    const first = renderer.sendDirect(pattern(1, 100))
    const second = renderer.sendDirect(pattern(2, 100), { signal: controller.signal, timeout: 60_000 })
    const third = renderer.sendDirect(pattern(3, 100), { signal: new AbortController().signal })
    controller.abort()
    await rejectsWith(second, 'ERR_SABWAY_ABORTED', /given up/)
    takeAll(native)
    await within(Promise.all([first, third]), 'the others')
    assert.deepEqual(takeAll(native), [pattern(1, 100), pattern(3, 100)])
  })

  it('tells that the queue is empty when the last in it was aborted', async () => {
    const { renderer } = full()
    let drained = 0
    renderer.addEventListener('drain', () => drained++)
    const controller = new AbortController()
    const waiting = renderer.sendDirect(pattern(1, 100), { signal: controller.signal })
    controller.abort()
    await rejectsWith(waiting, 'ERR_SABWAY_ABORTED', /given up/)
    await until(() => drained === 1, "the 'drain' event")
    assert.equal(renderer.stats().sent.queued, 0)
  })

  it('lets what stood behind the aborted message go, when that fits', async () => {
    const { renderer, native } = pair(4096)
    renderer.send(pattern(0, 2000))
    takeAll(native)
    renderer.send(pattern(0, 2000)) // now the first 2008 bytes of the ring are free
    const controller = new AbortController()
    const large = renderer.sendDirect(pattern(1, 3000), { signal: controller.signal })
    const small = renderer.sendDirect(pattern(2, 100))
    await aWhile()
    controller.abort()
    await rejectsWith(large, 'ERR_SABWAY_ABORTED', /given up/)
    await within(small, 'the small message')
    assert.deepEqual(takeAll(native), [pattern(0, 2000), pattern(2, 100)])
  })

  it('does not mind an abort after it was sent', async () => {
    const { renderer, native } = full()
    const controller = new AbortController()
    const sent = renderer.sendDirect(pattern(1, 100), { signal: controller.signal })
    takeAll(native)
    await within(sent, 'the promise')
    controller.abort()
    assert.deepEqual(takeAll(native), [pattern(1, 100)])
  })

  it('rejects when the channel is cleaned up while it waits', async () => {
    const { renderer } = full()
    const waiting = renderer.sendDirect(pattern(1, 100))
    renderer.cleanup()
    await rejectsWith(waiting, 'ERR_SABWAY_CLOSED', /cleanup was called/)
  })

  it('rejects when the peer is cleaned up while it waits', async () => {
    const { renderer, native } = full()
    const waiting = renderer.sendDirect(pattern(1, 100), { timeout: 60_000 })
    native.cleanup()
    await rejectsWith(within(waiting, 'the rejection'), 'ERR_SABWAY_CLOSED', /the other side was cleaned up/)
  })

  it('rejects what is larger than the ring, and what is no message', async () => {
    const { renderer } = pair(4096)
    await rejectsWith(
      renderer.sendDirect(new Uint8Array(4097)),
      'ERR_SABWAY_MESSAGE_TOO_LARGE',
      /4097 bytes into a ring of 4096/,
    )
    await rejectsWith(renderer.sendDirect('text' as never), 'ERR_SABWAY_INVALID_TYPE', /Uint8Array, got 'text'/)
  })

  it('waits for a thousand at once', async () => {
    const { renderer, native } = full()
    const order: number[] = []
    const all = Array.from({ length: 1000 }, (_, i) => renderer.sendDirect(pattern(i, 99)).then(() => order.push(i)))
    const received = collect(native)
    await within(Promise.all(all), 'a thousand promises')
    await until(() => received.length === 1001, 'a thousand messages')
    assert.deepEqual(
      order,
      Array.from({ length: 1000 }, (_, i) => i),
    )
    for (let i = 0; i < 1000; i++) assert.deepEqual(received[i + 1], pattern(i, 99))
  })
})
