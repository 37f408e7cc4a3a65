import assert from 'node:assert/strict'
import { pattern } from '../support/bytes.js'
import { collect, fillUp, open, pair, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { haveAddon } from '../support/host.js'
import { aWhile, until } from '../support/wait.js'

describe('trySend', () => {
  it('sends what fits and says no when the ring is full, without queueing', () => {
    const { renderer, native } = pair(4096)
    const sent = fillUp(renderer, pattern(7, 1000))
    assert.equal(sent, 4) // a frame takes its length, 8 bytes of header, and what aligns the next
    assert.equal(renderer.stats().sent.queued, 0)
    assert.deepEqual(takeAll(native), Array(4).fill(pattern(7, 1000)))
    assert.equal(renderer.trySend(pattern(8, 1000)), true)
    assert.deepEqual(takeAll(native), [pattern(8, 1000)])
  })

  it('copies: the message may change afterwards', () => {
    const { renderer, native } = pair()
    const message = pattern(1, 64)
    renderer.trySend(message)
    message.fill(0)
    assert.deepEqual(takeAll(native), [pattern(1, 64)])
  })

  it('takes a Buffer and a view of shared memory', () => {
    const { renderer, native } = pair()
    renderer.trySend(haveAddon ? Buffer.from('beef', 'hex') : Uint8Array.of(0xbe, 0xef))
    const shared = new Uint8Array(new SharedArrayBuffer(16), 4, 3)
    shared.set([1, 2, 3])
    renderer.trySend(shared)
    assert.deepEqual(takeAll(native), [Uint8Array.of(0xbe, 0xef), Uint8Array.of(1, 2, 3)])
  })

  it('does not pass by what is queued', () => {
    const { renderer, native } = pair(4096)
    renderer.send(pattern(0, 4000))
    renderer.send(pattern(1, 4000))
    takeAll(native)
    assert.equal(renderer.trySend(Uint8Array.of(1)), false)
    assert.equal(renderer.sendBatch([Uint8Array.of(1)]), 0)
  })
})

describe('send', () => {
  it('says whether the message had to be queued', () => {
    const { renderer } = pair(4096)
    assert.equal(renderer.send(pattern(0, 4000)), true)
    assert.equal(renderer.send(pattern(1, 4000)), false)
    const { queued, queuedBytes, messages } = renderer.stats().sent
    assert.deepEqual({ queued, queuedBytes, messages }, { queued: 1, queuedBytes: 4000, messages: 1 })
  })

  it('queues a copy when the ring is full', () => {
    const { renderer, native } = pair(4096)
    renderer.send(pattern(0, 4000))
    const message = pattern(1, 4000)
    renderer.send(message)
    message.fill(0)
    const received = collect(native)
    return until(() => received.length === 2, 'the queued message').then(() =>
      assert.deepEqual(received, [pattern(0, 4000), pattern(1, 4000)]),
    )
  })

  it('drains by itself, in order, and tells when the queue is empty', async () => {
    const { renderer, native } = pair(4096)
    const told: string[] = []
    renderer.onQueueEmpty = () => told.push(`onQueueEmpty, ${renderer.stats().sent.queued} queued`)
    renderer.addEventListener('drain', (event) => told.push(event.type))
    for (let i = 0; i < 300; i++) renderer.send(pattern(i, (i * 37) % 4097))
    assert.ok(renderer.stats().sent.queued > 250)
    const received = collect(native)
    await until(() => received.length === 300, '300 messages')
    received.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, (i * 37) % 4097))
    })
    await until(() => told.length !== 0, "the 'drain' event")
    assert.deepEqual(told, ['onQueueEmpty, 0 queued', 'drain'])
    assert.deepEqual([renderer.stats().sent.queued, renderer.stats().sent.queuedBytes], [0, 0])
  })

  it('tells nothing when nothing was queued', async () => {
    const { renderer } = pair()
    renderer.addEventListener('drain', () => assert.fail('drain'))
    renderer.onQueueEmpty = () => assert.fail('onQueueEmpty')
    assert.equal(renderer.send(pattern(0, 100)), true)
    await aWhile()
    assert.equal(renderer.stats().sent.messages, 1)
  })

  it('drains into a sleeping consumer that reads by drain only', async () => {
    const { renderer, native } = pair(4096)
    for (let i = 0; i < 20; i++) renderer.send(pattern(i, 2000))
    const received: Uint8Array[] = []
    while (received.length < 20) {
      // asleep between two looks
      await until(() => renderer.stats().sent.used !== 0, 'the queue to move on')
      received.push(...takeAll(native, 1))
    }
    received.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, 2000))
    })
  })

  it('takes a function or nothing as onQueueEmpty', () => {
    const { renderer } = pair()
    for (const none of [null, undefined]) {
      renderer.onQueueEmpty = () => {}
      renderer.onQueueEmpty = none as null
      assert.equal(renderer.onQueueEmpty, null)
    }
    for (const odd of [5, 'text', {}]) {
      throwsError(
        () => Object.assign(renderer, { onQueueEmpty: odd }),
        'ERR_SABWAY_INVALID_TYPE',
        /onQueueEmpty must be/,
      )
    }
  })

  it('may be called inside onQueueEmpty', async () => {
    const { renderer, native } = pair(4096)
    let rounds = 0
    renderer.onQueueEmpty = () => {
      if (++rounds < 5) for (let i = 0; i < 3; i++) renderer.send(pattern(rounds * 3 + i, 4000))
    }
    for (let i = 0; i < 3; i++) renderer.send(pattern(i, 4000))
    const received = collect(native)
    await until(() => received.length === 15, 'five rounds of three messages')
    received.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, 4000))
    })
  })

  it('refuses what is larger than the ring at once, whatever is queued', async () => {
    const { renderer, native } = pair(4096)
    renderer.send(pattern(0, 4000))
    renderer.send(pattern(1, 4000))
    throwsError(() => renderer.send(pattern(2, 5000)), 'ERR_SABWAY_MESSAGE_TOO_LARGE', /5000 bytes into a ring of 4096/)
    const received = collect(native)
    await until(() => received.length === 2, 'the others')
    assert.equal(renderer.send(pattern(3, 10)), true)
  })

  it('goes both ways at once', async () => {
    const { renderer, native } = pair(4096, 16384)
    const down = collect(native)
    const up = collect(renderer)
    for (let i = 0; i < 200; i++) {
      renderer.send(pattern(i, 500))
      native.send(pattern(1000 + i, 1500))
    }
    await until(() => down.length === 200 && up.length === 200, 'both directions')
    down.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, 500))
    })
    up.forEach((message, i) => {
      assert.deepEqual(message, pattern(1000 + i, 1500))
    })
  })

  it('uses the default size of 1 MiB in each direction', () => {
    const channel = open()
    channel.send(pattern(0, 1))
    channel.drain(() => {})
    assert.deepEqual([channel.stats().sent.capacity, channel.stats().received.capacity], [1 << 20, 1 << 20])
  })

  it('gives up what is queued on cleanup', () => {
    const { renderer } = pair(4096)
    renderer.send(pattern(0, 4000))
    renderer.send(pattern(1, 4000))
    renderer.cleanup()
    assert.equal(renderer.stats().sent.queued, 0)
    throwsError(() => renderer.send(pattern(2, 1)), 'ERR_SABWAY_CLOSED', /cleanup was called/)
  })
})
