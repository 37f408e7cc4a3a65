// Batching: the same messages in the same order, in fewer publishes, and nothing held back for
// long.
import assert from 'node:assert/strict'
import { type BatchOptions, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { collect, keep, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'
import { plugin } from '../support/paths.js'
import { turns, until } from '../support/wait.js'

function pair(batch: BatchOptions, bytes = 1 << 16) {
  const renderer = keep(new SharedMemoryChannel(bytes, bytes, { batch }))
  return { renderer, native: keep(SharedMemoryChannel.attach(renderer.handle, { side: 'native' })) }
}

const HELD = { maxDelayMs: 1000 }

describe('batching', () => {
  it('holds messages back until the time is up, and then gives all, in order', async () => {
    for (const maxDelayMs of [0, 1, 20]) {
      const { renderer, native } = pair({ maxDelayMs })
      for (let i = 0; i < 100; i++) assert.equal(renderer.send(pattern(i, i)), true)
      assert.deepEqual(takeAll(native), [], 'nothing is published while the code runs')
      await until(() => native.stats().received.used > 0, 'the batch')
      const messages = takeAll(native)
      assert.equal(messages.length, 100)
      messages.forEach((message, i) => {
        assert.deepEqual(message, pattern(i, i))
      })
    }
  })

  it('does so for every batch: each has its own time', async () => {
    for (const maxDelayMs of [0, 1, 20]) {
      const { renderer, native } = pair({ maxDelayMs })
      for (let batch = 0; batch < 5; batch++) {
        renderer.send(pattern(batch, 10))
        renderer.send(pattern(batch, 11))
        assert.deepEqual(takeAll(native), [], `batch ${batch} is held`)
        await until(() => native.stats().received.used > 0, `batch ${batch} of ${maxDelayMs} ms`)
        assert.deepEqual(takeAll(native), [pattern(batch, 10), pattern(batch, 11)])
      }
    }
  })

  it('does so after a batch that was full, flushed, or left to a large message', async () => {
    const enders: ((channel: SharedMemoryChannel) => void)[] = [
      (channel) => channel.flush(),
      (channel) => channel.send(pattern(1, 1000)),
      (channel) => void Array.from({ length: 8 }, () => channel.send(pattern(1, 24))),
    ]
    for (const end of enders) {
      const { renderer, native } = pair({ maxBytes: 256, maxDelayMs: 1 })
      renderer.send(pattern(0, 24))
      end(renderer)
      await until(() => native.stats().received.used > 0, 'what was there')
      takeAll(native)
      renderer.send(pattern(2, 24))
      await until(() => takeAll(native).length > 0, 'the next batch')
    }
  })

  it('with a delay of 0 sends when the running code is done', async () => {
    const { renderer, native } = pair({ maxDelayMs: 0 })
    renderer.send(pattern(0, 1))
    assert.equal(takeAll(native).length, 0)
    await Promise.resolve()
    assert.equal(takeAll(native).length, 1)
  })

  it('sends a batch that is full at once', () => {
    const { renderer, native } = pair({ maxBytes: 256, ...HELD })
    for (let i = 0; i < 10; i++) renderer.send(pattern(i, 24)) // 32 bytes each: 8 to a batch
    assert.equal(takeAll(native).length, 8)
    renderer.flush()
    assert.equal(takeAll(native).length, 2)
    renderer.flush()
  })

  it('lets large messages go on their own, behind those before them', () => {
    const { renderer, native } = pair({ maxBytes: 256, ...HELD })
    renderer.send(pattern(0, 10))
    renderer.send(pattern(1, 1000))
    renderer.send(pattern(2, 10))
    assert.deepEqual(takeAll(native), [pattern(0, 10), pattern(1, 1000)])
    renderer.flush()
    assert.deepEqual(takeAll(native), [pattern(2, 10)])
  })

  const flushing: Record<string, (channel: SharedMemoryChannel) => unknown> = {
    sendDirect: (channel) => channel.sendDirect(pattern(9, 9)),
    sendBatch: (channel) => channel.sendBatch([pattern(9, 9)]),
    'reserve and commit': (channel) => {
      channel.reserve(9)!.set(pattern(9, 9))
      channel.commit()
    },
  }
  for (const [name, act] of Object.entries(flushing)) {
    it(`${name} sends what came before it first`, () => {
      const { renderer, native } = pair(HELD)
      for (let i = 0; i < 3; i++) renderer.send(pattern(i, 5))
      act(renderer)
      assert.deepEqual(takeAll(native), [pattern(0, 5), pattern(1, 5), pattern(2, 5), pattern(9, 9)])
    })
  }

  it('cleanup sends what is left', () => {
    const { renderer, native } = pair(HELD)
    renderer.send(pattern(0, 5))
    renderer.cleanup()
    assert.deepEqual(takeAll(native), [pattern(0, 5)])
  })

  it('keeps the order when the ring is full and the queue takes over, whatever the sizes', async () => {
    const { renderer, native } = pair({ maxDelayMs: 0 }, 4096)
    let sent = 0
    const received = collect(native)
    while (sent < 3000) {
      for (let i = 0; i < 50; i++, sent++) renderer.send(pattern(sent, (sent * 37) % 700))
      if (sent % 500 === 0) await turns(3)
    }
    await until(() => received.length === 3000, 'all')
    received.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, (i * 37) % 700))
    })
    native.stopReceiving()
    assert.deepEqual([renderer.stats().sent.messages, native.stats().received.messages], [3000, 3000])
    assert.equal(renderer.stats().sent.bytes, native.stats().received.bytes)
  })

  it('trySend says false when there is no room, and loses nothing', () => {
    const { renderer, native } = pair({ maxDelayMs: 1000 }, 4096)
    let sent = 0
    while (renderer.trySend(pattern(sent, 20))) sent++
    assert.ok(sent >= 4096 / 32 - 1, `${sent} found room`)
    const messages = takeAll(native)
    assert.equal(messages.length, sent)
    messages.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, 20))
    })
  })

  itNative('gives a native worker single messages', async () => {
    const channel = keep(new SharedMemoryChannel(1 << 16, 1 << 16, { batch: {} }))
    channel.startWorker({ plugin: plugin('logger') })
    channel.stopWorker()
    channel.startWorker({ builtin: 'echo' })
    const echoes = collect(channel)
    for (let i = 0; i < 2000; i++) channel.send(pattern(i, i % 100))
    await until(() => echoes.length === 2000, 'all echoes')
    echoes.forEach((echo, i) => {
      assert.deepEqual(echo, pattern(i, i % 100))
    })
    assert.equal(channel.stats().worker!.received, 2000)
  })

  it('works with a codec, and on the side that attaches', async () => {
    const made = new SharedMemoryChannel<{ i: number }>(4096, 4096, { codec: 'msgpack' })
    keep(made as never)
    const other = SharedMemoryChannel.attach<{ i: number }>(made.handle, { side: 'native', batch: { maxDelayMs: 0 } })
    keep(other as never)
    for (let i = 0; i < 50; i++) other.send({ i })
    for (let i = 0; i < 50; i++) assert.deepEqual(await made.receive(), { i })
  })

  it('refuses what it cannot do', () => {
    const make = (batch: unknown) => () => new SharedMemoryChannel(4096, 4096, { batch: batch as BatchOptions })
    throwsError(
      make({ maxBytes: 2000 }),
      'ERR_SABWAY_OUT_OF_RANGE',
      /batch.maxBytes must be an integer from 64 to 1024/,
    )
    throwsError(make({ maxDelayMs: -1 }), 'ERR_SABWAY_OUT_OF_RANGE', /batch.maxDelayMs .* got -1/)
    throwsError(
      make(true),
      'ERR_SABWAY_INVALID_TYPE',
      /batch must be an object such as \{ maxBytes, maxDelayMs \}, got true/,
    )
    const { renderer } = pair({})
    throwsError(() => renderer.send('text' as never), 'ERR_SABWAY_INVALID_TYPE', /must be a Uint8Array/)
  })
})
