import assert from 'node:assert/strict'
import { fill, pattern } from '../support/bytes.js'
import { collect, fillUp, pair, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { until } from '../support/wait.js'

describe('reserve, commit and abandon', () => {
  it('gives room in the ring itself, 8-byte aligned, and sends what was written there', () => {
    const { renderer, native } = pair()
    for (const length of [1, 8, 13, 1000, 77]) {
      const room = renderer.reserve(length)
      assert.ok(room !== null)
      assert.equal(room.buffer, renderer.handle.memory.buffer)
      assert.equal(room.byteOffset % 8, 0)
      assert.equal(room.length, length)
      fill(room, length)
      assert.deepEqual(takeAll(native), [], 'it is not seen before it is committed')
      renderer.commit()
      assert.deepEqual(takeAll(native), [pattern(length, length)])
    }
  })

  it('sends only the first bytes when commit is told so', () => {
    const { renderer, native } = pair()
    const room = renderer.reserve(1000)!
    fill(room, 5)
    renderer.commit(10)
    fill(renderer.reserve(1000)!, 6)
    renderer.commit(0)
    assert.deepEqual(takeAll(native), [pattern(5, 1000).slice(0, 10), new Uint8Array(0)])
    assert.equal(renderer.stats().sent.bytes, 10)
  })

  it('forgets what was abandoned, and gives its room back', () => {
    const { renderer, native } = pair(4096)
    for (let i = 0; i < 100; i++) {
      fill(renderer.reserve(4096)!, i)
      renderer.abandon()
    }
    assert.equal(renderer.trySend(pattern(1, 4096)), true)
    assert.deepEqual(takeAll(native), [pattern(1, 4096)])
    assert.equal(renderer.stats().sent.messages, 1)
  })

  it('gives null when there is no room now', () => {
    const { renderer, native } = pair(4096)
    fillUp(renderer, pattern(0, 1000))
    assert.equal(renderer.reserve(1000), null)
    takeAll(native)
    assert.ok(renderer.reserve(1000) !== null)
    renderer.abandon()
  })

  it('gives null while messages are queued: nothing passes them', async () => {
    const { renderer, native } = pair(4096)
    renderer.send(pattern(0, 4096))
    renderer.send(pattern(1, 4096))
    takeAll(native)
    assert.equal(renderer.reserve(8), null)
    const received = collect(native)
    await until(() => received.length === 1, 'the queued message')
    assert.ok(renderer.reserve(8) !== null)
    renderer.abandon()
  })

  it('takes the whole ring, after the offset has moved', () => {
    const { renderer, native } = pair(4096)
    for (let i = 0; i < 50; i++) {
      renderer.trySend(pattern(i, i * 5))
      takeAll(native)
      let room = renderer.reserve(4096)
      if (room === null) {
        assert.deepEqual(takeAll(native), []) // gives back the padding up to the ring's first byte
        room = renderer.reserve(4096)
      }
      assert.ok(room !== null)
      fill(room, i)
      renderer.commit()
      assert.deepEqual(takeAll(native), [pattern(i, 4096)])
    }
  })

  it('wakes a sleeping receiver', async () => {
    const { renderer, native } = pair()
    const received = collect(native)
    for (let i = 1; i <= 20; i++) {
      fill(renderer.reserve(100)!, i)
      renderer.commit()
      await until(() => received.length === i, `message ${i}`)
    }
    assert.deepEqual(received[19], pattern(20, 100))
  })

  it('refuses calls in the wrong order', () => {
    const { renderer, native } = pair()
    throwsError(() => renderer.commit(), 'ERR_SABWAY_INVALID_STATE', /commit without reserve/)
    throwsError(() => renderer.abandon(), 'ERR_SABWAY_INVALID_STATE', /abandon without reserve/)
    renderer.reserve(8)
    throwsError(() => renderer.reserve(8), 'ERR_SABWAY_INVALID_STATE', /commit or abandon it first/)
    throwsError(() => renderer.trySend(pattern(0, 8)), 'ERR_SABWAY_INVALID_STATE', /commit or abandon it first/)
    throwsError(() => renderer.sendBatch([pattern(0, 8)]), 'ERR_SABWAY_INVALID_STATE', /commit or abandon it first/)
    throwsError(() => renderer.commit(9), 'ERR_SABWAY_OUT_OF_RANGE', /8 bytes were reserved, not 9/)
    renderer.commit(8)
    assert.equal(takeAll(native).length, 1)
  })

  it('refuses lengths that are none', () => {
    const { renderer } = pair(4096)
    throwsError(
      () => renderer.reserve(-1),
      'ERR_SABWAY_OUT_OF_RANGE',
      /length must be an integer from 0 to \d+, got -1/,
    )
    throwsError(() => renderer.reserve(1.5), 'ERR_SABWAY_OUT_OF_RANGE', /got 1\.5/)
    throwsError(() => renderer.reserve('8' as never), 'ERR_SABWAY_INVALID_TYPE', /length must be a number, got '8'/)
    throwsError(() => renderer.reserve(4097), 'ERR_SABWAY_MESSAGE_TOO_LARGE', /4097 bytes into a ring of 4096/)
    assert.ok(renderer.reserve(4096) !== null)
    throwsError(() => renderer.commit(-1), 'ERR_SABWAY_OUT_OF_RANGE', /got -1/)
    throwsError(() => renderer.commit(0.5), 'ERR_SABWAY_OUT_OF_RANGE', /got 0\.5/)
    renderer.abandon()
  })

  it('sends nothing that was reserved when the channel is cleaned up', () => {
    const { renderer, native } = pair()
    renderer.trySend(pattern(0, 8))
    renderer.reserve(8)
    renderer.cleanup()
    assert.deepEqual(takeAll(native), [pattern(0, 8)])
  })
})
