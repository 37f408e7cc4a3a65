// A received message is the receiver's own, with all of its memory; unless it was asked for from a
// pool.
import assert from 'node:assert/strict'
import type { SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { pair } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { haveAddon } from '../support/host.js'
import { LENGTHS, sources } from '../support/sources.js'
import { until } from '../support/wait.js'

const lengths = [...LENGTHS, 2, 3, 4, 8, 24, 25, 8191, 8192, 20_000]

const receiving: Record<string, (channel: SharedMemoryChannel, count: number) => Promise<Uint8Array[]>> = {
  async startReceiving(channel, count) {
    const got: Uint8Array[] = []
    channel.startReceiving((message) => got.push(message))
    await until(() => got.length === count, 'all')
    return got
  },
  async 'startReceiving and a listener'(channel, count) {
    const got: Uint8Array[] = []
    channel.addEventListener('message', ({ data }) => got.push(data))
    channel.startReceiving(() => {})
    await until(() => got.length === count, 'all')
    return got
  },
  receive: (channel, count) => Promise.all(Array.from({ length: count }, () => channel.receive())),
  async receiveSync(channel, count) {
    return Array.from({ length: count }, () => channel.receiveSync(1000)!)
  },
  async readable(channel, count) {
    const reader = channel.readable.getReader()
    const got: Uint8Array[] = []
    while (got.length < count) got.push((await reader.read()).value!)
    return got
  },
}

describe('a received message has memory of its own', () => {
  for (const [how, receive] of Object.entries(receiving)) {
    it(how, async () => {
      const { renderer, native } = pair(1 << 17)
      const sent = lengths.map((length, i) => pattern(i, length))
      for (const message of sent) renderer.send(message)
      const got = await receive(native, sent.length)
      for (const [i, message] of got.entries()) {
        const { buffer, byteOffset, length } = message
        assert.deepEqual([byteOffset, buffer.byteLength, length], [0, lengths[i], lengths[i]])
        assert.equal(Object.prototype.toString.call(buffer), '[object ArrayBuffer]')
        assert.deepEqual(message, sent[i])
        assert.equal(structuredClone(message).buffer.byteLength, length)
        if (length % 4 === 0) assert.equal(new Float32Array(buffer).length, length / 4)
      }
      // Each can be given away, and takes nothing of another with it.
      const away = got.map((message, i) =>
        i % 2 === 0 ? structuredClone(message, { transfer: [message.buffer as ArrayBuffer] }) : message,
      )
      assert.deepEqual(away, sent)
    })
  }

  it('also when it is misaligned in the ring', async () => {
    const { renderer, native } = pair(1 << 17)
    const sent = [300, 4097, 40_001].map((length, i) => pattern(i, length))
    for (const message of sent) renderer.send(sources['a view with an offset']!(message))
    assert.deepEqual(await receiving.startReceiving!(native, 3), sent)
  })
})

describe("startReceiving with copy: 'pooled'", () => {
  it('gives copies that stay, and are not transferred where they share memory', async () => {
    const { renderer, native } = pair(1 << 17)
    const sent = lengths.map((length, i) => pattern(i, length))
    const got: Uint8Array[] = []
    native.startReceiving((message) => got.push(message), { copy: 'pooled' })
    for (const message of sent) renderer.send(message)
    await until(() => got.length === sent.length, 'all')
    renderer.send(pattern(99, 100))
    await until(() => got.length > sent.length, 'one more')
    got.pop()
    assert.deepEqual(got, sent)
    const shared = got.filter(({ buffer, length }) => buffer.byteLength !== length)
    assert.ok(shared.length > 10, 'small messages share memory')
    if (!haveAddon) return
    for (const { buffer } of shared) {
      try {
        // Node 20 copies it, later ones throw
        structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
      } catch (error) {
        assert.equal((error as Error).name, 'DataCloneError')
      }
    }
    assert.deepEqual(got, sent)
  })

  it('is checked', () => {
    const { native } = pair()
    const start = (copy: unknown) => () => native.startReceiving(() => {}, { copy } as never)
    throwsError(start('pool'), 'ERR_SABWAY_INVALID_ARGUMENT', /copy must be true, false or 'pooled', got 'pool'/)
    throwsError(start(1), 'ERR_SABWAY_INVALID_ARGUMENT', /copy must be .* got 1/)
  })
})
