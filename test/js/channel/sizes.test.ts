import assert from 'node:assert/strict'
import { crc32c } from 'sabway'
import { pattern, placed } from '../support/bytes.js'
import { collect, open, pair, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'
import { until } from '../support/wait.js'

const MiB = 1 << 20

describe('sizes', () => {
  it('carries messages of no bytes, in order with others', () => {
    const { renderer, native } = pair(4096)
    const list = [0, 1, 0, 0, 5, 0].map((length) => pattern(length, length))
    for (const message of list) assert.equal(renderer.trySend(message), true)
    assert.deepEqual(takeAll(native), list)
    assert.deepEqual(native.stats().received, { messages: 6, bytes: 6, capacity: 4096, used: 0 })
  })

  it('ends: messages of no bytes fill a ring too', () => {
    const { renderer, native } = pair(4096)
    let sent = 0
    while (renderer.trySend(new Uint8Array(0))) sent++
    assert.equal(sent, 512)
    assert.equal(takeAll(native).length, 512)
  })

  it('carries every length from 0 to 1100, and each around the places where copying changes its way', () => {
    const { renderer, native } = pair(65536)
    const around = [4096, 8192].flatMap((size) => Array.from({ length: 17 }, (_, i) => size - 8 + i))
    for (const length of [...Array(1101).keys(), ...around]) {
      assert.equal(renderer.trySend(pattern(length, length)), true)
      assert.deepEqual(takeAll(native), [pattern(length, length)])
    }
  })

  it('carries messages from sources at every alignment, as a copy and in place', async () => {
    const { renderer, native } = pair(MiB)
    const sent: Uint8Array[] = []
    for (const length of [1, 7, 8, 11, 12, 13, 16, 255, 256, 257, 1000, 4095, 4096, 4097, 10_000]) {
      for (let misalignment = 0; misalignment < 8; misalignment++) {
        sent.push(placed(pattern(sent.length, length), misalignment))
      }
    }
    for (const message of sent) assert.equal(renderer.trySend(message), true)
    assert.deepEqual(takeAll(native), sent)
    for (const message of sent) renderer.send(message)
    const received = collect(native)
    await until(() => received.length === sent.length, 'all messages')
    assert.deepEqual(received, sent)
  })

  it('carries a message as large as the whole ring both ways, wherever the ring stands', async () => {
    const { renderer, native } = pair(4096, 8192)
    const down = collect(native)
    const up = collect(renderer)
    for (let i = 0; i < 40; i++) {
      renderer.send(pattern(i, i * 100))
      renderer.send(pattern(i, 4096))
      native.send(pattern(i, i * 200))
      native.send(pattern(i, 8192))
      await until(() => down.length === 2 * i + 2 && up.length === 2 * i + 2, `round ${i}`)
      assert.deepEqual(down.slice(-2), [pattern(i, i * 100), pattern(i, 4096)])
      assert.deepEqual(up.slice(-2), [pattern(i, i * 200), pattern(i, 8192)])
    }
  })

  itNative('carries a message as large as the whole ring through a native worker and back', async () => {
    const channel = open(4096, 4096)
    channel.startWorker({ builtin: 'echo' })
    const received = collect(channel)
    for (let i = 0; i < 40; i++) {
      channel.send(pattern(i, i * 100))
      channel.send(pattern(i, 4096 - (i % 9)))
      await until(() => received.length === 2 * i + 2, `round ${i}`)
      assert.deepEqual(received.slice(-2), [pattern(i, i * 100), pattern(i, 4096 - (i % 9))])
    }
  })

  it('rounds capacities up to powers of two', () => {
    for (const [wanted, capacity] of [
      [4096, 4096],
      [4097, 8192],
      [100_000, 131_072],
      [1_000_000, MiB],
    ] as const) {
      const { renderer, native } = pair(wanted, 4096)
      assert.equal(renderer.stats().sent.capacity, capacity)
      assert.equal(renderer.trySend(pattern(1, capacity)), true)
      throwsError(
        () => native.trySend(pattern(1, 4097)),
        'ERR_SABWAY_MESSAGE_TOO_LARGE',
        /4097 bytes into a ring of 4096/,
      )
      assert.equal(takeAll(native)[0]!.length, capacity)
    }
  })

  itNative('has rings of 64 MiB, each filled by one message', async () => {
    const channel = open(64 * MiB, 64 * MiB)
    const message = pattern(64, 64 * MiB)
    const crc = crc32c(message)
    channel.startWorker({ builtin: 'echo' })
    let sum = -1
    channel.startReceiving(
      (bytes, start, end) => {
        assert.equal(end - start, message.length)
        sum = crc32c(bytes.subarray(start, end))
      },
      { copy: false },
    )
    channel.send(message)
    await until(() => sum !== -1, 'the echo')
    assert.equal(sum, crc)
  })

  it('has one ring of 512 MiB, which costs nothing until it is used', () => {
    const { renderer, native } = pair(512 * MiB, 4096)
    assert.equal(renderer.stats().sent.capacity, 512 * MiB)
    for (let i = 0; i < 8; i++) renderer.send(pattern(i, MiB))
    takeAll(native).forEach((message, i) => {
      assert.deepEqual(message, pattern(i, MiB))
    })
    assert.equal(renderer.stats().sent.messages, 8)
  })
})
