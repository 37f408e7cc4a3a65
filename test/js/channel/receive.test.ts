import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers'
import { SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { collect, fillUp, open, pair, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'
import { aWhile, turns, until } from '../support/wait.js'

describe('startReceiving', () => {
  it('gives what was sent before and after, in order', async () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 10; i++) renderer.send(pattern(i, i))
    const received = collect(native)
    for (let i = 10; i < 20; i++) renderer.send(pattern(i, i))
    await until(() => received.length === 20, 'twenty messages')
    received.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, i))
    })
  })

  it('gives copies that stay: of their own memory, whatever is received later', async () => {
    const { renderer, native } = pair(4096)
    const received = collect(native)
    for (let i = 0; i < 400; i++) renderer.send(pattern(i, (i * 13) % 2000))
    await until(() => received.length === 400, 'all messages')
    received.forEach((message, i) => {
      assert.ok(message.buffer instanceof ArrayBuffer)
      assert.deepEqual(message, pattern(i, (i * 13) % 2000))
    })
  })

  it('gives copies that do not overlap: writing to one changes no other', async () => {
    const { renderer, native } = pair()
    const received = collect(native)
    for (let i = 0; i < 200; i++) renderer.send(pattern(i, i))
    await until(() => received.length === 200, 'all messages')
    for (let i = 0; i < 200; i += 2) received[i]!.fill(0xff)
    for (let i = 1; i < 200; i += 2) assert.deepEqual(received[i], pattern(i, i))
  })

  it('gives the messages in place with { copy: false }', async () => {
    const { renderer, native } = pair()
    let received = 0
    native.startReceiving(
      (bytes, start, end) => {
        assert.equal(bytes.buffer, native.handle.memory.buffer)
        assert.deepEqual(bytes.slice(start, end), pattern(received, received * 10))
        received++
      },
      { copy: false },
    )
    for (let i = 0; i < 100; i++) renderer.send(pattern(i, i * 10))
    await until(() => received === 100, 'all messages')
  })

  it("dispatches a 'message' event for each message, too", async () => {
    const { renderer, native } = pair()
    const events: Uint8Array[] = []
    native.addEventListener('message', (event) => events.push((event as unknown as { data: Uint8Array }).data))
    const received = collect(native)
    renderer.send(pattern(1, 5))
    renderer.send(pattern(2, 5))
    await until(() => events.length === 2, 'two events')
    assert.deepEqual(events, received)
    assert.deepEqual(events, [pattern(1, 5), pattern(2, 5)])
  })

  it('never blocks the event loop: others have their turns in a flood', async () => {
    const { renderer, native } = pair(1 << 20)
    const message = pattern(0, 16)
    const total = 200_000
    let received = 0
    let looks = 0
    const seen: number[] = []
    const look = setInterval(() => {
      looks++
      seen.push(received)
    }, 1)
    native.startReceiving(
      () => {
        received++
        if (received + renderer.stats().sent.queued < total) fillUp(renderer, message)
      },
      { budget: 2 },
    )
    const feed = () => {
      if (received >= total) return
      fillUp(renderer, message)
      setImmediate(feed)
    }
    feed()
    await until(() => received >= total, 'the flood')
    clearInterval(look)
    assert.ok(looks > 5, `the timer had ${looks} turns`)
    assert.ok(new Set(seen).size > 5, 'and saw the flood at different stages')
  })

  it('hands out a budget of 0 one batch a turn, so that each turn of the loop gets through', async () => {
    const { renderer, native } = pair(1 << 16)
    const sent = fillUp(renderer, pattern(0, 8))
    assert.ok(sent > 2000)
    let received = 0
    native.startReceiving(() => received++, { budget: 0 })
    const stages = new Set<number>()
    while (received < sent) {
      await turns(1)
      stages.add(received)
    }
    assert.ok(stages.size > 10, `received in ${stages.size} turns of the loop`)
  })

  it('stops in the middle: the rest waits for the next receiver', async () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 100; i++) renderer.send(pattern(i, 10))
    const first: Uint8Array[] = []
    native.startReceiving((message) => {
      first.push(message)
      if (first.length === 37) native.stopReceiving()
    })
    await until(() => first.length === 37, '37 messages')
    await aWhile()
    assert.equal(first.length, 37)
    const second = collect(native)
    await until(() => second.length === 63, 'the rest')
    assert.deepEqual(second[0], pattern(37, 10))
  })

  it('changes the callback inside the callback', async () => {
    const { renderer, native } = pair()
    const order: string[] = []
    native.startReceiving((message) => {
      order.push(`first ${message[0]}`)
      native.stopReceiving()
      native.startReceiving((next) => order.push(`second ${next[0]}`))
    })
    for (let i = 0; i < 4; i++) renderer.send(Uint8Array.of(i))
    await until(() => order.length === 4, 'four messages')
    assert.deepEqual(order, ['first 0', 'second 1', 'second 2', 'second 3'])
  })

  for (const schedule of ['immediate', 'microtask'] as const) {
    it(`goes on where each callback stops and starts it, first with schedule '${schedule}'`, async () => {
      const { renderer, native } = pair()
      const received: Uint8Array[] = []
      const again = (message: Uint8Array) => {
        received.push(message)
        native.stopReceiving()
        native.startReceiving(again)
      }
      native.startReceiving(again, { schedule })
      for (let i = 0; i < 10; i++) renderer.send(pattern(i, i))
      await until(() => received.length === 10, 'the rest of each batch')
      assert.deepEqual(
        received,
        Array.from({ length: 10 }, (_, i) => pattern(i, i)),
      )
    })
  }

  it('gets what is left by a call of drain whose callback has started it, and threw', async () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 10; i++) renderer.send(pattern(i, i))
    const received: Uint8Array[] = []
    const startAndThrow = () => {
      native.startReceiving((message) => received.push(message))
      throw new Error('from the callback')
    }
    assert.throws(() => native.drain(startAndThrow), /from the callback/)
    await until(() => received.length === 9, 'what was not handed out')
    assert.deepEqual(received[0], pattern(1, 1))
  })

  it('lets a callback answer, send and drain the other way', async () => {
    const { renderer, native } = pair()
    native.startReceiving((message) => native.send(message.map((byte) => byte + 1)))
    const answers = collect(renderer)
    for (let i = 0; i < 50; i++) renderer.send(Uint8Array.of(i))
    await until(() => answers.length === 50, 'fifty answers')
    assert.deepEqual(
      answers.map((answer) => answer[0]),
      Array.from({ length: 50 }, (_, i) => i + 1),
    )
  })

  it('refuses a second receiver, and what is no callback', () => {
    const channel = open()
    collect(channel)
    throwsError(() => collect(channel), 'ERR_SABWAY_INVALID_STATE', /already receiving: .*; call stopReceiving first/)
    channel.stopReceiving()
    throwsError(
      () => channel.startReceiving('cb' as never),
      'ERR_SABWAY_INVALID_TYPE',
      /callback must be a function, got 'cb'/,
    )
    throwsError(() => channel.startReceiving(() => {}, { budget: -1 }), 'ERR_SABWAY_OUT_OF_RANGE', /budget .* got -1/)
    collect(channel)
  })

  it('counts what it received', async () => {
    const { renderer, native } = pair(4096)
    const received = collect(native)
    for (let i = 0; i < 10; i++) renderer.send(pattern(i, 123))
    await until(() => received.length === 10, 'ten messages')
    await until(() => native.stats().received.messages === 10, 'the count')
    assert.deepEqual(native.stats().received, { messages: 10, bytes: 1230, capacity: 4096, used: 0 })
  })
})

describe('drain', () => {
  it('gives what is there, in place, and says how many', () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 5; i++) renderer.send(pattern(i, i * 100))
    let i = 0
    const count = native.drain((bytes, start, end) => {
      assert.equal(bytes.buffer, native.handle.memory.buffer)
      assert.deepEqual(bytes.slice(start, end), pattern(i, i * 100))
      i++
    })
    assert.deepEqual([count, i], [5, 5])
    assert.equal(
      native.drain(() => assert.fail('nothing is there')),
      0,
    )
  })

  it('stops after max, across more than one table of slices', () => {
    const { renderer, native } = pair(1 << 20)
    for (let i = 0; i < 3000; i++) renderer.send(pattern(i, 8))
    assert.equal(
      native.drain(() => {}, 0),
      0,
    )
    const counts = [1, 2, 511, 512, 513, 1024, 10_000].map((max) => takeAll(native, max).length)
    assert.deepEqual(counts, [1, 2, 511, 512, 513, 1024, 3000 - 2563])
  })

  it('gives the message back as given when the callback throws', () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 5; i++) renderer.send(Uint8Array.of(i))
    const seen: number[] = []
    assert.throws(
      () =>
        native.drain((bytes, start) => {
          seen.push(bytes[start]!)
          if (seen.length === 2) throw new Error('mine')
        }),
      /^Error: mine$/,
    )
    assert.equal(
      native.drain((bytes, start) => seen.push(bytes[start]!)),
      3,
    )
    assert.deepEqual(seen, [0, 1, 2, 3, 4])
  })

  it('makes room as it goes, and gives what comes meanwhile, up to a ring full', () => {
    const { renderer, native } = pair(4096)
    renderer.send(pattern(0, 1000))
    let rounds = 0
    const again = () => {
      rounds++
      renderer.send(pattern(rounds, 1000))
    }
    assert.equal(native.drain(again), 5) // the fifth goes beyond 4096 bytes
    assert.equal(rounds, 5)
    assert.deepEqual(takeAll(native), [pattern(5, 1000)])
  })

  itNative('ends, though a native worker floods faster than the callback works', () => {
    const channel = open(4096, 65536)
    channel.startWorker({ builtin: 'source', size: 56 })
    let count = 0
    const slow = () => {
      if (++count > 100_000) throw new Error('it goes on and on')
      for (const end = performance.now() + 0.01; performance.now() < end; );
    }
    channel.drain(slow)
    channel.drain(slow)
    assert.ok(count <= 2 * (1024 + 512), `${count} messages in two calls, where a ring has 1024`)
  })

  it('refuses to be called inside a message callback', async () => {
    const { renderer, native } = pair()
    renderer.send(pattern(0, 8))
    const check = () =>
      throwsError(() => native.drain(() => {}), 'ERR_SABWAY_INVALID_STATE', /inside a message callback/)
    assert.equal(native.drain(check), 1)
    let done = false
    native.startReceiving(() => {
      check()
      done = true
    })
    renderer.send(pattern(0, 8))
    await until(() => done, 'the message')
  })

  it('may be called for another channel inside a callback', () => {
    const first = pair()
    const second = pair()
    first.renderer.send(Uint8Array.of(1))
    second.renderer.send(Uint8Array.of(2))
    const seen: number[] = []
    first.native.drain((bytes, start) => {
      seen.push(bytes[start]!)
      second.native.drain((others, at) => seen.push(others[at]!))
    })
    assert.deepEqual(seen, [1, 2])
  })

  it('refuses what is no callback, and a closed channel', () => {
    const channel = new SharedMemoryChannel(4096, 4096)
    throwsError(
      () => channel.drain(undefined as never),
      'ERR_SABWAY_INVALID_TYPE',
      /callback must be a function, got undefined/,
    )
    channel.cleanup()
    throwsError(() => channel.drain(() => {}), 'ERR_SABWAY_CLOSED', /cleanup was called/)
  })
})
