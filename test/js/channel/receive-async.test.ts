// receive() and for await: promises, in order, nothing lost, and nothing taken without a call.
import assert from 'node:assert/strict'
import { pattern } from '../support/bytes.js'
import { collect, fillUp, open, pair, takeAll } from '../support/channels.js'
import { assertError, rejectsWith, throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'
import { countedSignal } from '../support/signals.js'
import { Thread } from '../support/threads.js'
import { aWhile, turns, within } from '../support/wait.js'

describe('receive', () => {
  it('resolves with a message that is there, and with one that comes later', async () => {
    const { renderer, native } = pair()
    renderer.send(pattern(1, 10))
    assert.deepEqual(await native.receive(), pattern(1, 10))
    const later = native.receive()
    await aWhile()
    renderer.send(pattern(2, 20))
    assert.deepEqual(await within(later, 'the second message'), pattern(2, 20))
  })

  it('serves several calls in order, each with one message', async () => {
    const { renderer, native } = pair()
    const order: number[] = []
    const all = Array.from({ length: 50 }, (_, i) =>
      native.receive().then((message) => {
        order.push(i)
        return message
      }),
    )
    for (let i = 0; i < 50; i++) renderer.send(pattern(i, i))
    const messages = await within(Promise.all(all), 'fifty messages')
    messages.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, i))
    })
    assert.deepEqual(
      order,
      Array.from({ length: 50 }, (_, i) => i),
    )
  })

  it('serves a call that was made while others wait behind them, though a message is there', async () => {
    const { renderer, native } = pair()
    const first = native.receive()
    renderer.send(Uint8Array.of(1))
    renderer.send(Uint8Array.of(2))
    const second = native.receive()
    assert.deepEqual([...(await first), ...(await second)], [1, 2])
  })

  it('gives copies: of their own memory', async () => {
    const { renderer, native } = pair(4096)
    const waiting = native.receive()
    for (let i = 0; i < 2; i++) renderer.send(pattern(i, 1000))
    const messages = [await waiting, await native.receive()]
    for (let i = 2; i < 20; i++) {
      renderer.send(pattern(i, 1000))
      await native.receive()
    }
    messages.forEach((message, i) => {
      assert.ok(message.buffer instanceof ArrayBuffer)
      assert.deepEqual(message, pattern(i, 1000))
    })
  })

  it('takes no more than was asked for', async () => {
    const { renderer, native } = pair()
    const waiting = [native.receive(), native.receive()]
    for (let i = 0; i < 5; i++) renderer.send(Uint8Array.of(i))
    assert.deepEqual(
      (await Promise.all(waiting)).map((message) => message[0]),
      [0, 1],
    )
    await aWhile()
    assert.deepEqual(
      takeAll(native).map((message) => message[0]),
      [2, 3, 4],
    )
  })

  it('lets the event loop run in a flood of messages that are all there', async () => {
    const { renderer, native } = pair(1 << 20)
    fillUp(renderer, pattern(0, 8))
    let over = false
    const look = (async () => {
      let count = 0
      for (; !over; count++) await turns(1)
      return count
    })()
    const end = performance.now() + 200
    while (performance.now() < end) {
      await native.receive()
      renderer.send(pattern(0, 8))
    }
    over = true
    assert.ok((await look) > 3, 'others had turns')
  })

  it('times out with ERR_SABWAY_TIMEOUT, and takes no message then', async () => {
    const { renderer, native } = pair()
    await rejectsWith(native.receive({ timeout: 5 }), 'ERR_SABWAY_TIMEOUT', /no message came within 5 ms/)
    renderer.send(Uint8Array.of(7))
    assert.deepEqual(await native.receive({ timeout: 10_000 }), Uint8Array.of(7))
  })

  it('is given up by a signal, with its reason as cause; the next in line gets the message', async () => {
    const { renderer, native } = pair()
    const abort = new AbortController()
    const reason = new Error('enough')
    const first = native.receive({ signal: abort.signal })
    const second = native.receive()
    const rejected = first.then(
      () => undefined,
      (error) => error,
    )
    abort.abort(reason)
    renderer.send(Uint8Array.of(1))
    const error = await rejected
    assertError(error, 'ERR_SABWAY_ABORTED', /given up/)
    assert.equal((error as Error).cause, reason)
    assert.deepEqual(await within(second, 'the message'), Uint8Array.of(1))
    await rejectsWith(native.receive({ signal: abort.signal }), 'ERR_SABWAY_ABORTED', /given up/)
  })

  it('takes nothing when it is given up in the turn in which the message comes', async () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 100; i++) {
      const abort = new AbortController()
      const given = native.receive({ signal: abort.signal }).then(
        (message) => message[0],
        () => undefined,
      )
      renderer.send(Uint8Array.of(i))
      if (i % 3 === 0) abort.abort()
      else if (i % 3 === 1) void turns(1).then(() => abort.abort())
      const taken = await given
      const left = takeAll(native).map((message) => message[0])
      assert.deepEqual(taken === undefined ? left : [taken, ...left], [i])
    }
  })

  it('leaves no listener on its signal and no timer', async () => {
    const { renderer, native } = pair()
    const { signal, listeners } = countedSignal()
    const waiting = native.receive({ signal, timeout: 100_000 })
    assert.equal(listeners(), 1)
    renderer.send(Uint8Array.of(1))
    await waiting
    assert.equal(listeners(), 0)
  })

  it('rejects with ERR_SABWAY_CLOSED when the other side is done, after what it sent', async () => {
    const { renderer, native } = pair()
    const waiting = [native.receive(), native.receive()]
    renderer.send(Uint8Array.of(1))
    renderer.cleanup()
    assert.deepEqual(await waiting[0], Uint8Array.of(1))
    await rejectsWith(waiting[1]!, 'ERR_SABWAY_CLOSED', /other side was cleaned up/)
    await rejectsWith(native.receive(), 'ERR_SABWAY_CLOSED', /other side was cleaned up/)
  })

  it('rejects with ERR_SABWAY_CLOSED when this side is cleaned up', async () => {
    const channel = open()
    const waiting = channel.receive()
    channel.cleanup()
    await rejectsWith(waiting, 'ERR_SABWAY_CLOSED', /cleanup was called/)
    await rejectsWith(channel.receive(), 'ERR_SABWAY_CLOSED', /cleanup was called/)
  })

  it('and startReceiving exclude each other, and say so', async () => {
    const { renderer, native } = pair()
    const received = collect(native)
    await rejectsWith(native.receive(), 'ERR_SABWAY_INVALID_STATE', /call stopReceiving first/)
    native.stopReceiving()
    const waiting = native.receive()
    throwsError(() => collect(native), 'ERR_SABWAY_INVALID_STATE', /already receiving/)
    native.stopReceiving() // not what it started
    renderer.send(Uint8Array.of(1))
    assert.deepEqual(await within(waiting, 'the message'), Uint8Array.of(1))
    assert.deepEqual(received, [])
    collect(native)
  })

  it('may be called inside drain and inside a message callback', async () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 3; i++) renderer.send(Uint8Array.of(i))
    let inside: Promise<Uint8Array> | undefined
    native.drain(() => {
      inside = native.receive()
    }, 1)
    assert.deepEqual(await within(inside!, 'the next message'), Uint8Array.of(1))
    assert.deepEqual(await native.receive(), Uint8Array.of(2))
  })

  it('refuses what it cannot use', async () => {
    const channel = open()
    await rejectsWith(channel.receive({ timeout: -1 }), 'ERR_SABWAY_OUT_OF_RANGE', /timeout .* got -1/)
    await rejectsWith(channel.receive({ signal: {} as never }), 'ERR_SABWAY_INVALID_TYPE', /AbortSignal/)
  })

  itNative('works between threads, with and without the addon', async () => {
    for (const execArgv of [[], ['--no-addons']]) {
      const channel = open()
      const thread = new Thread('end', { handle: channel.handle, side: 'native', job: 'echo' }, { execArgv })
      await thread.next('ready')
      for (let i = 0; i < 100; i++) {
        if (i % 25 === 0) await aWhile()
        channel.send(pattern(i, i))
        assert.deepEqual(await within(channel.receive(), `echo ${i}`), pattern(i, i))
      }
    }
  })
})

describe('for await', () => {
  it('gives every message, and ends when the other side is done', async () => {
    const { renderer, native } = pair(4096)
    const received: Uint8Array[] = []
    const over = (async () => {
      for await (const message of native) received.push(message)
    })()
    for (let i = 0; i < 300; i++) await renderer.sendDirect(pattern(i, (i * 13) % 2000))
    renderer.cleanup()
    await within(over, 'the end of the loop')
    assert.equal(received.length, 300)
    received.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, (i * 13) % 2000))
    })
  })

  it('loses nothing on break, on throw, and goes on after', async () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 9; i++) renderer.send(Uint8Array.of(i))
    const seen: number[] = []
    for await (const message of native) {
      seen.push(message[0]!)
      if (seen.length === 3) break
    }
    await assert.rejects(async () => {
      for await (const message of native) {
        seen.push(message[0]!)
        if (seen.length === 6) throw new Error('enough')
      }
    }, /enough/)
    await aWhile()
    seen.push(...takeAll(native).map((message) => message[0]!))
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('may be left while it waits: return() settles the pending next()', async () => {
    const { renderer, native } = pair()
    const iterator = native[Symbol.asyncIterator]()
    const pending = iterator.next()
    assert.deepEqual(await iterator.return!(), { done: true, value: undefined })
    assert.deepEqual(await within(pending, 'the pending next'), { done: true, value: undefined })
    renderer.send(Uint8Array.of(1))
    await aWhile()
    assert.deepEqual(await iterator.next(), { done: true, value: undefined })
    assert.deepEqual(takeAll(native), [Uint8Array.of(1)])
  })

  it('shares the messages among several loops: each goes to one', async () => {
    const { renderer, native } = pair()
    const seen: number[][] = [[], [], []]
    const loops = seen.map(async (mine) => {
      for await (const message of native) mine.push(message[0]!)
    })
    for (let i = 0; i < 99; i++) {
      renderer.send(Uint8Array.of(i))
      if (i % 10 === 0) await turns(2)
    }
    renderer.cleanup()
    await within(Promise.all(loops), 'the loops')
    assert.deepEqual(
      seen.flat().sort((a, b) => a - b),
      Array.from({ length: 99 }, (_, i) => i),
    )
    for (const mine of seen)
      assert.deepEqual(
        mine,
        [...mine].sort((a, b) => a - b),
      )
  })

  it('ends when this side is cleaned up inside it', async () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 3; i++) renderer.send(Uint8Array.of(i))
    let count = 0
    for await (const _ of native) if (++count === 2) native.cleanup()
    assert.equal(count, 2)
  })
})
