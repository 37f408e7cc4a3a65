import assert from 'node:assert/strict'
import { SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { collect, keep, pair, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { until } from '../support/wait.js'

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

  it('sends nothing when one of the list cannot be sent, wherever it stands', () => {
    const { renderer, native } = pair(1 << 16)
    for (const length of [1, 3, 600, 1100]) {
      for (const at of [0, length >> 1, length - 1]) {
        const batch = list(length, (i) => i % 20)
        const teaches = (what: string) => new RegExp(`: message ${at} of the list: ${what}`)
        batch[at] = new Uint8Array(70_000)
        const size = '70000 bytes into a ring of 65536; make the channel larger, or send parts'
        throwsError(() => renderer.sendBatch(batch), 'ERR_SABWAY_MESSAGE_TOO_LARGE', teaches(size))
        batch[at] = 'text' as never
        throwsError(() => renderer.sendBatch(batch), 'ERR_SABWAY_INVALID_TYPE', teaches(".*got 'text'"))
        delete batch[at]
        throwsError(() => renderer.sendBatch(batch), 'ERR_SABWAY_INVALID_TYPE', teaches('.*got undefined'))
        assert.deepEqual(takeAll(native), [])
        assert.equal(renderer.stats().sent.messages, 0)
      }
    }
    throwsError(
      () => renderer.sendBatch('list' as never),
      'ERR_SABWAY_INVALID_TYPE',
      /the list of messages must be an array/,
    )
  })

  it('refuses lists that are none, however long they say they are', () => {
    const { renderer, native } = pair()
    const lying = (length: unknown) =>
      new Proxy([] as Uint8Array[], { get: (from, name) => (name === 'length' ? length : Reflect.get(from, name)) })
    throwsError(() => renderer.sendBatch(new Array(2 ** 32 - 1)), 'ERR_SABWAY_INVALID_TYPE', /message 0 of the list/)
    throwsError(() => renderer.sendBatch(lying(1e9)), 'ERR_SABWAY_INVALID_TYPE', /message 0 of the list/)
    for (const length of [-1, 1.5, Number.NaN, 2 ** 40])
      throwsError(() => renderer.sendBatch(lying(length)), 'ERR_SABWAY_OUT_OF_RANGE', /the length of the list/)
    throwsError(() => renderer.sendBatch(lying('3')), 'ERR_SABWAY_INVALID_TYPE', /the length of the list/)
    assert.deepEqual(takeAll(native), [])
  })

  it('refuses what cannot be sent even while other messages wait', () => {
    const { renderer } = pair(4096)
    renderer.send(pattern(0, 4096))
    renderer.send(pattern(1, 4096))
    throwsError(() => renderer.sendBatch([pattern(2, 5000)]), 'ERR_SABWAY_MESSAGE_TOO_LARGE', /message 0 of the list/)
    assert.equal(renderer.sendBatch([pattern(2, 5)]), 0)
  })

  it('sends nothing when an accessor of the list throws', () => {
    const { renderer, native } = pair()
    const batch = list(600, () => 4)
    Object.defineProperty(batch, 590, {
      get() {
        throw new TypeError('from the accessor')
      },
    })
    assert.throws(() => renderer.sendBatch(batch), /from the accessor/)
    assert.deepEqual(takeAll(native), [])
  })

  it('says with a codec, too, which value cannot be encoded, and sends none', () => {
    const renderer = keep(new SharedMemoryChannel(4096, 4096, { codec: 'msgpack' as never }))
    const value = [1, 2, () => 3] as never[]
    throwsError(() => renderer.sendBatch(value), 'ERR_SABWAY_NOT_ENCODABLE', /message 2 of the list: /)
    throwsError(
      () => renderer.sendBatch(['a', 'b'.repeat(5000)] as never[]),
      'ERR_SABWAY_MESSAGE_TOO_LARGE',
      /message 1 of the list: \d+ bytes into a ring of 4096/,
    )
    assert.equal(renderer.stats().sent.messages, 0)
  })

  it('tells of a closed channel at once, or with the next call', () => {
    const { renderer, native } = pair(4096)
    assert.equal(renderer.sendBatch(list(2, () => 10)), 2)
    native.cleanup()
    throwsError(() => renderer.sendBatch(list(2, () => 10)), 'ERR_SABWAY_CLOSED', /the other side was cleaned up/)
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
