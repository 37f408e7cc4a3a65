import assert from 'node:assert/strict'
import { pattern } from './support/bytes.js'
import { collect, pair, takeAll } from './support/channels.js'
import { throwsError } from './support/errors.js'
import { until } from './support/wait.js'

const list = (count: number, length: (i: number) => number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => pattern(i, length(i)))

describe('sendBatch', () => {
  it('sends all that fit, in order', () => {
    const { renderer, native } = pair(65536)
    const batch = list(100, (i) => i * 3)
    assert.equal(renderer.sendBatch(batch), 100)
    assert.deepEqual(takeAll(native), batch)
  })

  it('stops at the first that finds no room, and says how many it sent', () => {
    const { renderer, native } = pair(4096)
    const batch = list(10, () => 1000)
    assert.equal(renderer.sendBatch(batch), 4)
    assert.equal(renderer.sendBatch(batch.slice(4)), 0)
    assert.deepEqual(takeAll(native), batch.slice(0, 4))
    assert.equal(renderer.sendBatch(batch.slice(4)), 4)
    assert.deepEqual(takeAll(native), batch.slice(4, 8))
  })

  it('sends more than one table of slices holds', () => {
    const { renderer, native } = pair(1 << 20)
    const batch = list(2000, (i) => i % 64)
    assert.equal(renderer.sendBatch(batch), 2000)
    assert.deepEqual(takeAll(native), batch)
  })

  it('sends an empty list', () => {
    const { renderer, native } = pair()
    assert.equal(renderer.sendBatch([]), 0)
    assert.deepEqual(takeAll(native), [])
  })

  it('wakes a sleeping receiver', async () => {
    const { renderer, native } = pair()
    const received = collect(native)
    for (let round = 1; round <= 20; round++) {
      renderer.sendBatch(list(10, (i) => i))
      await until(() => received.length === round * 10, `batch ${round}`)
    }
    assert.deepEqual(
      received.slice(190),
      list(10, (i) => i),
    )
  })

  it('moves a long list around the ring many times', () => {
    const { renderer, native } = pair(4096)
    const batch = list(5000, (i) => (i * 31) % 700)
    const received: Uint8Array[] = []
    for (let at = 0; at < batch.length; received.push(...takeAll(native)))
      at += renderer.sendBatch(batch.slice(at, at + 40))
    received.push(...takeAll(native))
    assert.deepEqual(received, batch)
  })

  it('sends those before a message that is too large, then throws', () => {
    const { renderer, native } = pair(4096)
    const batch = [pattern(0, 10), pattern(1, 5000), pattern(2, 10)]
    throwsError(() => renderer.sendBatch(batch), 'ERR_SABWAY_MESSAGE_TOO_LARGE', /5000 bytes into a ring of 4096/)
    assert.deepEqual(takeAll(native), [pattern(0, 10)])
  })

  it('sends nothing when one of the list is no message', () => {
    const { renderer, native } = pair(4096)
    const batch = [pattern(0, 10), 'text', pattern(2, 10)] as Uint8Array[]
    throwsError(() => renderer.sendBatch(batch), 'ERR_SABWAY_INVALID_TYPE', /got 'text'/)
    throwsError(
      () => renderer.sendBatch('list' as never),
      'ERR_SABWAY_INVALID_TYPE',
      /the list of messages must be an array, got 'list'/,
    )
    assert.deepEqual(takeAll(native), [])
  })

  it('copies from sources however they are aligned', () => {
    const { renderer, native } = pair(1 << 20)
    const whole = pattern(9, 20_000)
    const batch = Array.from({ length: 8 }, (_, i) => whole.subarray(i, i + 700 * (i + 1)))
    assert.equal(renderer.sendBatch(batch), 8)
    assert.deepEqual(
      takeAll(native),
      batch.map((message) => message.slice()),
    )
  })
})
