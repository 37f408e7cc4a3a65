// Events: each comes once, to the side that it is for; and the channel knows whether it has
// listeners.
import assert from 'node:assert/strict'
import { type ChannelHandle, SharedMemoryChannel, type StartOptions } from 'sabway'
import { pattern } from '../support/bytes.js'
import { attach, collect, keep, open, pair, takeAll } from '../support/channels.js'
import { runChild } from '../support/children.js'
import { rejectsWith } from '../support/errors.js'
import { itNative, itTellsEnds } from '../support/host.js'
import { plugin } from '../support/paths.js'
import { Thread } from '../support/threads.js'
import { aWhile, until, within } from '../support/wait.js'
import type { EndData } from '../workers/end.js'

async function end(data: EndData, execArgv: string[] = []): Promise<Thread> {
  const thread = new Thread('end', data, { execArgv })
  assert.equal(await thread.next(), 'ready')
  return thread
}

function count(channel: SharedMemoryChannel, type: 'close' | 'peer-died' | 'drain'): { n: number } {
  const told = { n: 0 }
  channel.addEventListener(type, () => told.n++)
  return told
}

function collectPaced(channel: SharedMemoryChannel, options: StartOptions & { copy?: true }): Uint8Array[] {
  const messages: Uint8Array[] = []
  channel.startReceiving((message) => messages.push(message), options)
  return messages
}

describe("the 'message' event", () => {
  it('comes after the callback, to listeners that are there, and to no other', async () => {
    const { renderer, native } = pair()
    const order: string[] = []
    const first = (event: { data: Uint8Array }) => order.push(`first ${event.data[0]}`)
    const object = { handleEvent: (event: { data: Uint8Array }) => order.push(`object ${event.data[0]}`) }
    native.addEventListener('message', first)
    native.addEventListener('message', first) // the same one: once
    native.addEventListener('message', object)
    native.addEventListener('message', (event) => order.push(`once ${event.data[0]}`), { once: true })
    native.startReceiving((message) => order.push(`callback ${message[0]}`))
    renderer.send(Uint8Array.of(1))
    await until(() => order.length === 4, 'the first message')
    native.removeEventListener('message', first)
    // another registration, which there is not
    native.removeEventListener('message', object, { capture: true })
    renderer.send(Uint8Array.of(2))
    await until(() => order.includes('object 2'), 'the second message')
    native.removeEventListener('message', object)
    renderer.send(Uint8Array.of(3))
    await until(() => order.includes('callback 3'), 'the third message')
    await aWhile()
    assert.deepEqual(order, ['callback 1', 'first 1', 'object 1', 'once 1', 'callback 2', 'object 2', 'callback 3'])
  })

  it('calls no listener whose signal was aborted, and one with once and a signal once', async () => {
    const { renderer, native } = pair()
    const abort = new AbortController()
    const heard: string[] = []
    native.addEventListener('message', () => heard.push('aborted'), { signal: abort.signal })
    native.addEventListener('message', () => heard.push('once'), { once: true, signal: new AbortController().signal })
    native.addEventListener('message', () => heard.push('always'))
    abort.abort()
    const received = collect(native)
    renderer.send(Uint8Array.of(1))
    renderer.send(Uint8Array.of(2))
    await until(() => received.length === 2, 'both messages')
    assert.deepEqual(heard, ['once', 'always', 'always'])
  })

  it('makes no event object when the last listener has gone', async () => {
    const { renderer, native } = pair()
    let dispatched = 0
    const { dispatchEvent } = native
    native.dispatchEvent = (event) => {
      dispatched++
      return dispatchEvent.call(native, event)
    }
    const abort = new AbortController()
    const listener = () => {}
    native.addEventListener('message', listener)
    native.addEventListener('message', () => {}, { signal: abort.signal })
    native.addEventListener('message', () => {}, { once: true })
    const received = collect(native)
    const send = async (byte: number) => {
      renderer.send(Uint8Array.of(byte))
      await until(() => received.length === byte, `message ${byte}`)
    }
    await send(1)
    native.removeEventListener('message', listener)
    await send(2)
    assert.equal(dispatched, 2)
    abort.abort()
    await send(3)
    assert.equal(dispatched, 2)
  })
})

describe("the 'error' event", () => {
  itNative('is an uncaught exception again once its listener was removed', async () => {
    const { code, stderr } = await runChild('unheard.js', [plugin('on-fails'), 'listener removed'])
    assert.equal(code, 1)
    assert.match(stderr, /ERR_SABWAY_PLUGIN_FAILED/)
  })
})

describe("the 'close' event of a channel that only sends", () => {
  for (const execArgv of [[], ['--no-addons']]) {
    itNative(
      `comes without a send, from a thread ${execArgv.length === 0 ? 'with' : 'without'} the addon`,
      async () => {
        const channel = open()
        const closed = count(channel, 'close')
        channel.send(pattern(0, 10))
        const thread = await end({ handle: channel.handle, side: 'native', job: 'count' }, execArgv)
        await thread.next('the message')
        await aWhile()
        assert.equal(closed.n, 0)
        thread.tell('cleanup')
        await until(() => closed.n === 1, "'close'")
        await aWhile()
        assert.equal(closed.n, 1)
      },
    )
  }

  it('comes to a listener that was added when it was over already', async () => {
    const { renderer, native } = pair()
    native.send(pattern(0, 1)) // never read
    renderer.send(pattern(0, 1))
    native.cleanup()
    const closed = count(renderer, 'close')
    await until(() => closed.n === 1, "'close'")
  })

  it('waits for the last message where messages are received', async () => {
    const { renderer, native } = pair()
    const closed = count(renderer, 'close')
    renderer.send(pattern(0, 1))
    native.send(pattern(1, 1))
    native.send(pattern(2, 1))
    assert.deepEqual(await renderer.receive(), pattern(1, 1))
    native.cleanup()
    await aWhile()
    assert.equal(closed.n, 0)
    assert.deepEqual(takeAll(renderer), [pattern(2, 1)])
    await until(() => closed.n === 1, "'close'")
  })

  it('does not come to one that was removed, and the channel sleeps', async () => {
    const { renderer, native } = pair()
    let told = 0
    const listener = () => told++
    renderer.addEventListener('close', listener)
    renderer.send(pattern(0, 1))
    renderer.removeEventListener('close', listener)
    native.cleanup()
    await aWhile()
    assert.equal(told, 0)
  })
})

describe("the 'peer-died' event", () => {
  for (const who of ['sends', 'receives'] as const) {
    itTellsEnds(`comes to one that ${who} when the other's thread is terminated, once`, async () => {
      const channel = open()
      const died = count(channel, 'peer-died')
      const closed = count(channel, 'close')
      if (who === 'sends') channel.send(pattern(0, 1))
      else collect(channel)
      for (let round = 1; round <= 2; round++) {
        const thread = await end({ handle: channel.handle, side: 'native', job: 'idle' })
        await aWhile()
        assert.equal(died.n, round - 1)
        await thread.terminate()
        await until(() => died.n === round, `'peer-died' ${round}`)
      }
      await aWhile()
      assert.deepEqual([died.n, closed.n], [2, 0])
    })
  }

  itNative('does not come when the other side is cleaned up, or its native worker stopped', async () => {
    const channel = open()
    const died = count(channel, 'peer-died')
    const echoes = collect(channel)
    channel.startWorker({ builtin: 'echo' })
    channel.send(pattern(0, 1))
    await until(() => echoes.length === 1, 'the echo')
    channel.stopWorker()
    await aWhile()
    const native = attach(channel, 'native')
    native.send(pattern(1, 1))
    await until(() => echoes.length === 2, 'a message')
    native.cleanup()
    await aWhile()
    assert.equal(died.n, 0)
  })

  itTellsEnds('rejects the receive() calls that wait, once; the next one waits for a successor', async () => {
    const channel = open()
    const died = count(channel, 'peer-died')
    const waiting = [1, 2].map(() => rejectsWith(channel.receive(), 'ERR_SABWAY_PEER_DIED', /ended without closing/))
    const thread = await end({ handle: channel.handle, side: 'native', job: 'idle' })
    await thread.terminate()
    await within(Promise.all(waiting), 'the rejections')
    assert.equal(died.n, 1)
    const message = channel.receive()
    await aWhile()
    attach(channel, 'native').send(pattern(5, 5))
    assert.deepEqual(await within(message, 'a message of the next one'), pattern(5, 5))
  })
})

describe('startReceiving with a signal', () => {
  it('stops when it is aborted; a later one is not touched', async () => {
    const { renderer, native } = pair()
    const abort = new AbortController()
    const first: Uint8Array[] = []
    native.startReceiving((message) => first.push(message), { signal: abort.signal })
    renderer.send(pattern(0, 1))
    await until(() => first.length === 1, 'the first')
    abort.abort()
    renderer.send(pattern(1, 1))
    await aWhile()
    assert.equal(first.length, 1)
    assert.deepEqual(takeAll(native), [pattern(1, 1)])
    native.startReceiving(() => assert.fail('aborted before it began'), { signal: abort.signal })

    const second = new AbortController()
    native.startReceiving(() => {}, { signal: second.signal })
    native.stopReceiving()
    const last = collect(native)
    second.abort()
    renderer.send(pattern(2, 1))
    await until(() => last.length === 1, 'the last')
  })
})

describe('Symbol.asyncDispose', () => {
  it('lets the queue drain, then cleans up', async () => {
    const { renderer, native } = pair(4096)
    for (let i = 0; i < 20; i++) renderer.send(pattern(i, 3000))
    assert.ok(renderer.stats().sent.queued > 15)
    const over = renderer[Symbol.asyncDispose]()
    const received = collect(native)
    await within(over, 'the disposal')
    assert.equal(renderer.closed, true)
    await until(() => received.length === 20, 'all that was queued')
  })

  it('does not wait where there is no receiver, nor when the receiver leaves', async () => {
    const alone = open(4096)
    alone.send(pattern(0, 4096))
    alone.send(pattern(1, 4096))
    await within(alone[Symbol.asyncDispose](), 'the disposal of one that is alone')
    assert.equal(alone.closed, true)
    const { renderer, native } = pair(4096)
    for (let i = 0; i < 3; i++) renderer.send(pattern(i, 4096))
    const over = renderer[Symbol.asyncDispose]()
    native.cleanup()
    await within(over, 'the disposal')
    assert.equal(renderer.closed, true)
  })

  it('may be asked for again, and after cleanup', async () => {
    const channel = open()
    await Promise.all([channel[Symbol.asyncDispose](), channel[Symbol.asyncDispose]()])
    await channel[Symbol.asyncDispose]()
    assert.equal(channel.closed, true)
  })
})

describe('schedules', () => {
  const ticks: (() => void)[] = []
  const byHand = (tick: () => void) => ticks.push(tick)
  beforeEach(() => ticks.splice(0))

  it('a function of your own decides when messages are handed out', async () => {
    const { renderer, native } = pair()
    const received: Uint8Array[] = []
    native.startReceiving((message) => received.push(message), { schedule: byHand })
    renderer.send(pattern(0, 1))
    await until(() => ticks.length === 1, 'a tick to be asked for')
    renderer.send(pattern(1, 1))
    await aWhile()
    assert.deepEqual([received.length, ticks.length], [0, 1])
    ticks[0]!()
    assert.equal(received.length, 2)
    ticks[0]!() // a second time: nothing
    await until(() => ticks.length === 2, 'another look')
    ticks[1]!()
    await aWhile()
    assert.equal(ticks.length, 2) // asleep again
    renderer.send(pattern(2, 1))
    await until(() => ticks.length === 3, 'the next tick')
    native.stopReceiving()
    ticks[2]!()
    assert.deepEqual(takeAll(native), [pattern(2, 1)])
  })

  it('keep to the budget: a tick hands out a part, the next one the rest', async () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 100; i++) renderer.send(pattern(i, 1))
    let received = 0
    native.startReceiving(() => received++, { schedule: byHand, budget: 0 })
    await until(() => ticks.length === 1, 'a tick')
    let turns = 0
    for (; received < 100; turns++) ticks.shift()!()
    assert.ok(turns > 3, `${turns} ticks`)
  })

  it("'microtask' hands out the rest before the event loop turns", async () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 1000; i++) renderer.send(pattern(i, 1))
    const seen: number[] = []
    let received = 0
    native.startReceiving(() => received++, { schedule: 'microtask', budget: 0 })
    const look = () => {
      seen.push(received)
      if (received < 1000) setTimeout(look)
    }
    look()
    await until(() => received === 1000, 'all')
    assert.deepEqual(
      seen.filter((count) => count !== 0 && count !== 1000),
      [],
    )
  })

  it("'raf' uses requestAnimationFrame, and says so where there is none", async () => {
    const { renderer, native } = pair()
    const global = globalThis as { requestAnimationFrame?: unknown }
    const { requestAnimationFrame } = global // a page has one
    global.requestAnimationFrame = undefined
    assert.throws(() => native.startReceiving(() => {}, { schedule: 'raf' }), /needs requestAnimationFrame/)
    global.requestAnimationFrame = byHand
    try {
      const received = collectPaced(native, { schedule: 'raf' })
      renderer.send(pattern(0, 1))
      await until(() => ticks.length === 1, 'a frame to be asked for')
      ticks[0]!()
      assert.equal(received.length, 1)
    } finally {
      global.requestAnimationFrame = requestAnimationFrame
    }
  })

  it('go on after a callback has thrown', async () => {
    const { renderer, native } = pair()
    const seen: number[] = []
    native.startReceiving(
      (message) => {
        seen.push(message[0]!)
        if (seen.length === 1) throw new Error('of the user')
      },
      { schedule: byHand },
    )
    for (let i = 0; i < 3; i++) renderer.send(Uint8Array.of(i))
    await until(() => ticks.length === 1, 'a tick')
    assert.throws(() => ticks[0]!(), /of the user/)
    ticks[1]!()
    assert.deepEqual(seen, [0, 1, 2])
  })

  it('poll: looks at intervals, and is never rung', async () => {
    for (const poll of [2, { min: 1, max: 20 }]) {
      const { renderer, native } = pair()
      const received = collectPaced(native, { poll })
      for (let i = 0; i < 20; i++) {
        renderer.send(pattern(i, 10))
        if (i % 5 === 0) await aWhile()
      }
      await until(() => received.length === 20, 'all')
      assert.deepEqual(received[19], pattern(19, 10))
      native.stopReceiving()
    }
  })

  it('refuse what they cannot do', () => {
    const channel = open()
    const start = (options: object) => () => channel.startReceiving(() => {}, options)
    assert.throws(start({ schedule: 'daily' }), /schedule must be one of 'immediate', 'microtask', 'raf', got 'daily'/)
    assert.throws(start({ poll: 0.5 }), /poll must be an integer/)
    assert.throws(start({ poll: { min: 5, max: 2 } }), /poll.max must be an integer from 5/)
    assert.throws(start({ poll: '5' }), /poll must be a number of milliseconds, or \{ min, max \}/)
    assert.throws(start({ poll: 5, schedule: 'raf' }), /either `schedule` or `poll`/)
    collect(channel)
  })

  itNative('poll is what a thread does that nothing can ring', async () => {
    const maker = new Thread('polling', null, { execArgv: ['--no-addons'] })
    const handle = await maker.next<ChannelHandle>()
    const channel = keep(SharedMemoryChannel.attach(handle, { side: 'native' }))
    for (let i = 0; i < 10; i++) {
      channel.send(pattern(i, 10))
      assert.deepEqual(await maker.next(), pattern(i, 10))
      if (i % 4 === 0) await aWhile()
    }
  })
})
