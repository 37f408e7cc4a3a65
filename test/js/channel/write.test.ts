import assert from 'node:assert/strict'
import { type SharedBytes, SharedMemoryChannel } from 'sabway'
import { fill, pattern } from '../support/bytes.js'
import { collect, fillUp, keep, open, pair, takeAll } from '../support/channels.js'
import { rejectsWith, throwsError } from '../support/errors.js'
import { until } from '../support/wait.js'

/** Writes the pattern of this number. */
const writes = (seed: number) => (bytes: SharedBytes, start: number, end: number) =>
  fill(bytes.subarray(start, end), seed)

describe('write', () => {
  it("gives the region's bytes, always the same view, and a place in them whose start is a multiple of 8", () => {
    const { renderer, native } = pair()
    const views = new Set<SharedBytes>()
    for (const length of [0, 1, 8, 13, 1000, 77]) {
      const sent = renderer.write(length, (bytes, start, end) => {
        views.add(bytes)
        assert.deepEqual([start % 8, end - start], [0, length])
        fill(bytes.subarray(start, end), length)
        assert.deepEqual(takeAll(native), [], 'it is not seen before the callback has returned')
      })
      assert.equal(sent, true)
      assert.deepEqual(takeAll(native), [pattern(length, length)])
    }
    renderer.send(pattern(0, 8))
    let received: SharedBytes | undefined
    native.drain((bytes) => {
      received = bytes
    })
    const [view] = views
    assert.equal(views.size, 1)
    assert.equal(view!.buffer, renderer.handle.memory.buffer)
    assert.equal(view!.byteOffset, 0)
    assert.equal(received!.buffer, view!.buffer)
  })

  it('sends as many bytes as the callback says; none is a message, too', () => {
    const { renderer, native } = pair()
    const first = (count: number) => (bytes: SharedBytes, start: number, end: number) => {
      writes(5)(bytes, start, end)
      return count
    }
    for (const count of [10, 0, -0, 1000]) assert.equal(renderer.write(1000, first(count)), true)
    const whole = pattern(5, 1000)
    assert.deepEqual(takeAll(native), [whole.slice(0, 10), new Uint8Array(0), new Uint8Array(0), whole])
    const { messages, bytes } = renderer.stats().sent
    assert.deepEqual({ messages, bytes }, { messages: 4, bytes: 1010 })
  })

  it('is false, without a call, when there is no room now', () => {
    const { renderer, native } = pair(4096)
    fillUp(renderer, pattern(0, 1000))
    assert.equal(
      renderer.write(1000, () => assert.fail('called')),
      false,
    )
    takeAll(native)
    assert.equal(renderer.write(1000, writes(1)), true)
    assert.deepEqual(takeAll(native), [pattern(1, 1000)])
  })

  it('is false while messages are queued: nothing passes them', async () => {
    const { renderer, native } = pair(4096)
    renderer.send(pattern(0, 4096))
    renderer.send(pattern(1, 4096))
    takeAll(native)
    assert.equal(
      renderer.write(8, () => assert.fail('called')),
      false,
    )
    const received = collect(native)
    await until(() => received.length === 1, 'the queued message')
    assert.equal(renderer.write(8, writes(2)), true)
    await until(() => received.length === 2, 'the written message')
    assert.deepEqual(received, [pattern(1, 4096), pattern(2, 8)])
  })

  it('goes behind what batching holds back', () => {
    const renderer = open(1 << 16, 1 << 16, { batch: { maxDelayMs: 1000 } })
    const native = keep(SharedMemoryChannel.attach(renderer.handle, { side: 'native' }))
    renderer.send(pattern(0, 20))
    renderer.write(30, writes(1))
    assert.deepEqual(takeAll(native), [pattern(0, 20), pattern(1, 30)])
  })

  it('takes the whole ring, after the offset has moved', () => {
    const { renderer, native } = pair(4096)
    for (let i = 0; i < 50; i++) {
      renderer.trySend(pattern(i, i * 5))
      takeAll(native)
      if (!renderer.write(4096, writes(i))) {
        assert.deepEqual(takeAll(native), []) // gives back the padding up to the ring's first byte
        assert.equal(renderer.write(4096, writes(i)), true)
      }
      assert.deepEqual(takeAll(native), [pattern(i, 4096)])
    }
  })

  it('wakes a sleeping receiver', async () => {
    const { renderer, native } = pair()
    const received = collect(native)
    for (let i = 1; i <= 20; i++) {
      renderer.write(100, writes(i))
      await until(() => received.length === i, `message ${i}`)
    }
    assert.deepEqual(received[19], pattern(20, 100))
  })

  it('may be called where messages are drained, as an echo does', () => {
    const { renderer, native } = pair()
    renderer.send(pattern(3, 500))
    native.drain((bytes, start, end) => {
      native.write(end - start, (room, at) => {
        room.copyWithin(at, start, end)
      })
      assert.equal(bytes[start], pattern(3, 1)[0])
    })
    assert.deepEqual(takeAll(renderer), [pattern(3, 500)])
  })

  it('throws on what the callback throws, and sends nothing', () => {
    const { renderer, native } = pair(4096)
    for (let i = 0; i < 100; i++) {
      assert.throws(
        () =>
          renderer.write(4096, () => {
            throw new RangeError(`no. ${i}`)
          }),
        { name: 'RangeError', message: `no. ${i}` },
      )
    }
    assert.deepEqual(takeAll(native), [])
    assert.equal(renderer.trySend(pattern(1, 4096)), true, 'the room was given back')
    assert.deepEqual(takeAll(native), [pattern(1, 4096)])
    assert.equal(renderer.stats().sent.messages, 1)
  })

  it('refuses what is no count of the bytes that were asked for, and sends nothing', () => {
    const { renderer, native } = pair()
    const name = 'what the callback of write returns must be'
    for (const odd of [-1, 9, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      throwsError(
        () => renderer.write(8, () => odd),
        'ERR_SABWAY_OUT_OF_RANGE',
        new RegExp(`${name} an integer from 0 to 8, got ${odd}`),
      )
    for (const odd of [null, '8', true, 8n, {}, Promise.resolve(8)])
      throwsError(
        () => renderer.write(8, () => odd as never),
        'ERR_SABWAY_INVALID_TYPE',
        new RegExp(`${name} a number, got `),
      )
    assert.deepEqual(takeAll(native), [])
    assert.equal(renderer.write(8, writes(0)), true)
  })

  it('refuses arguments that are none', () => {
    const { renderer } = pair(4096)
    const none = () => assert.fail('called')
    throwsError(
      () => renderer.write(-1, none),
      'ERR_SABWAY_OUT_OF_RANGE',
      /length must be an integer from 0 to \d+, got -1/,
    )
    throwsError(() => renderer.write('8' as never, none), 'ERR_SABWAY_INVALID_TYPE', /length must be a number, got '8'/)
    throwsError(
      () => renderer.write(8, null as never),
      'ERR_SABWAY_INVALID_TYPE',
      /callback must be a function, got null/,
    )
    throwsError(() => renderer.write(4097, none), 'ERR_SABWAY_MESSAGE_TOO_LARGE', /4097 bytes into a ring of 4096/)
    fillUp(renderer, pattern(0, 1000))
    throwsError(() => renderer.write(2 ** 40, none), 'ERR_SABWAY_MESSAGE_TOO_LARGE', /into a ring of 4096/)
  })

  it('sends nothing else from inside the callback', async () => {
    const { renderer, native } = pair()
    const message = pattern(0, 8)
    const calls: Record<string, () => unknown> = {
      send: () => renderer.send(message),
      trySend: () => renderer.trySend(message),
      sendBatch: () => renderer.sendBatch([message]),
      reserve: () => renderer.reserve(8),
      write: () => renderer.write(8, () => {}),
      commit: () => renderer.commit(),
      abandon: () => renderer.abandon(),
    }
    let rejected: Promise<void> | undefined
    renderer.write(8, (bytes, start, end) => {
      for (const call of Object.values(calls)) throwsError(call, 'ERR_SABWAY_INVALID_STATE', /callback of write/)
      rejected = rejectsWith(renderer.sendDirect(message), 'ERR_SABWAY_INVALID_STATE', /callback of write/)
      fill(bytes.subarray(start, end), 7)
    })
    await rejected
    assert.deepEqual(takeAll(native), [pattern(7, 8)])
    assert.equal(renderer.trySend(message), true)
  })

  it('leaves nothing behind: reservations can be made, committed and abandoned', () => {
    const { renderer, native } = pair()
    const fail = () => {
      throw new Error('mine')
    }
    assert.equal(renderer.write(4, writes(1)), true)
    assert.throws(() => renderer.write(4, fail), /mine/)
    renderer.reserve(4)
    renderer.abandon()
    fill(renderer.reserve(4)!, 2)
    renderer.commit()
    assert.deepEqual(takeAll(native), [pattern(1, 4), pattern(2, 4)])
  })

  it('is refused while a reservation is open', () => {
    const { renderer, native } = pair()
    renderer.reserve(8)
    throwsError(() => renderer.write(8, () => {}), 'ERR_SABWAY_INVALID_STATE', /commit or abandon it first/)
    renderer.abandon()
    assert.equal(renderer.write(8, writes(1)), true)
    assert.equal(takeAll(native).length, 1)
  })

  for (const [name, end] of Object.entries({
    cleanup: (channel: SharedMemoryChannel) => channel.cleanup(),
    detach: (channel: SharedMemoryChannel) => channel.detach(),
  })) {
    it(`sends nothing when the callback calls ${name}, and says so`, () => {
      const { renderer, native } = pair()
      renderer.trySend(pattern(0, 8))
      const write = (last: () => number) => () =>
        renderer.write(8, () => {
          end(renderer)
          return last()
        })
      throwsError(
        write(() => 8),
        'ERR_SABWAY_CLOSED',
        new RegExp(`${name} was called`),
      )
      throwsError(
        write(() => 8),
        'ERR_SABWAY_CLOSED',
        new RegExp(`${name} was called`),
      )
      assert.deepEqual(takeAll(native), [pattern(0, 8)])
    })

    it(`leaves a successor alone when the callback calls ${name} and throws`, () => {
      const { renderer, native } = pair()
      let successor: SharedMemoryChannel | undefined
      assert.throws(
        () =>
          native.write(8, () => {
            end(native)
            if (name === 'detach') {
              successor = keep(SharedMemoryChannel.attach(renderer.handle, { side: 'native' }))
              successor.reserve(16)
            }
            throw new RangeError('mine')
          }),
        RangeError,
      )
      if (successor === undefined) return
      successor.commit(16)
      assert.equal(takeAll(renderer)[0]!.length, 16)
    })
  }

  it('says why when the other side is done', () => {
    const { renderer, native } = pair()
    native.cleanup()
    throwsError(() => renderer.write(8, () => assert.fail('called')), 'ERR_SABWAY_CLOSED', /cleaned up/)
  })

  it('means bytes where there is a codec', () => {
    const renderer = new SharedMemoryChannel<unknown>(4096, 4096, { codec: 'msgpack' })
    const native = SharedMemoryChannel.attach(renderer.handle, { side: 'native', codec: 'msgpack' })
    renderer.write(8, writes(4))
    const received: Uint8Array[] = []
    native.drain((bytes, start, end) => received.push(bytes.slice(start, end)))
    assert.deepEqual(received, [pattern(4, 8)])
    native.cleanup()
    renderer.cleanup()
  })
})
