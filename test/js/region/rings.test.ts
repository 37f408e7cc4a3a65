// Which participants are rung for what: a call that wakes another thread is what a sender that must
// not be held up cannot afford.
import assert from 'node:assert/strict'
import type { SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { fillUp, pair, takeAll } from '../support/channels.js'
import { aWhile, turns, until } from '../support/wait.js'

const BLOCKS = 100

/**
 * How often the sender wakes while it sends some messages, each to a thread whose event loop has
 * come to rest.
 */
async function rings(sender: SharedMemoryChannel, receiver: SharedMemoryChannel, takes: boolean): Promise<number> {
  await aWhile()
  const before = sender.stats().wait.wakes
  for (let i = 0; i < BLOCKS; i++) {
    assert.equal(sender.trySend(pattern(i, 16)), true)
    await turns(4)
    if (!takes) assert.equal(takeAll(receiver).length, 1)
  }
  return sender.stats().wait.wakes - before
}

/** What a participant may ask for, apart from messages. */
const WATCHING: Record<string, (channel: SharedMemoryChannel) => void | Promise<void>> = {
  nothing: () => {},
  "a 'close' listener": (channel) => channel.addEventListener('close', () => {}),
  "a 'peer-died' listener": (channel) => channel.addEventListener('peer-died', () => {}),
  "listeners of 'close', 'peer-died', 'error' and 'drain'": (channel) => {
    for (const type of ['close', 'peer-died', 'error', 'drain'] as const) channel.addEventListener(type, () => {})
  },
  'messages that wait for room': (channel) => {
    fillUp(channel, pattern(0, 4000))
    assert.equal(channel.send(pattern(0, 4000)), false)
  },
  'poll: 60,000': (channel) => channel.startReceiving(() => {}, { poll: 60_000 }),
  'a schedule whose tick has not come, and a listener': (channel) => {
    channel.addEventListener('close', () => {})
    channel.startReceiving(() => {}, { schedule: () => {} })
  },
  'a callback that was given up, and a listener': async (channel) => {
    channel.addEventListener('close', () => {})
    channel.startReceiving(() => {})
    await aWhile()
    channel.stopReceiving()
  },
}

const RECEIVING: Record<string, (channel: SharedMemoryChannel) => void> = {
  startReceiving: (channel) => channel.startReceiving(() => {}),
  "a 'message' listener": (channel) => channel.addEventListener('message', () => {}),
  "startReceiving and a 'close' listener": (channel) => {
    channel.addEventListener('close', () => {})
    channel.startReceiving(() => {})
  },
  'a pending receive, again and again': (channel) => {
    const next = (): void => void channel.receive().then(next, () => {})
    next()
  },
}

describe('a message', () => {
  for (const [wish, ask] of Object.entries(WATCHING)) {
    const own = wish.startsWith('a schedule') || wish.startsWith('poll')
    it(`rings no participant that asks for ${wish}`, async () => {
      const { renderer, native } = pair(1 << 16, 4096)
      takeAll(native) // it has the consumer's role
      await ask(native)
      const first = wish.startsWith('a schedule') ? 1 : 0 // has the tick made
      if (first === 1) {
        await aWhile()
        renderer.trySend(pattern(0, 1))
      }
      assert.equal(await rings(renderer, native, own), 0)
    })
  }

  for (const [wish, ask] of Object.entries(RECEIVING)) {
    it(`rings a participant that sleeps with ${wish}`, async () => {
      const { renderer, native } = pair(1 << 16, 4096)
      ask(native)
      await aWhile()
      let before = renderer.stats().wait.wakes
      for (let i = 1; i <= 5; i++) {
        renderer.trySend(pattern(i, 16))
        await until(() => native.stats().received.messages === i, `message ${i}`)
        await aWhile()
        const { wakes } = renderer.stats().wait
        assert.equal(wakes - before, 1)
        before = wakes
      }
    })
  }
})

describe('a participant that is not rung for messages', () => {
  it("is told of the other side's end", async () => {
    const { renderer, native } = pair()
    let closed = 0
    native.addEventListener('close', () => closed++)
    renderer.trySend(pattern(0, 16))
    assert.equal(takeAll(native).length, 1)
    await aWhile()
    renderer.cleanup()
    await until(() => closed === 1, "'close'")
  })

  it('is told of room', async () => {
    const { renderer, native } = pair(1 << 16, 4096)
    const sent = fillUp(native, pattern(0, 1000))
    let drained = 0
    native.addEventListener('drain', () => drained++)
    native.send(pattern(1, 1000))
    await aWhile()
    renderer.trySend(pattern(0, 16))
    assert.equal(takeAll(renderer).length, sent)
    await until(() => drained === 1, "'drain'")
    assert.deepEqual(takeAll(renderer), [pattern(1, 1000)])
  })

  it('is rung once it receives', async () => {
    const { renderer, native } = pair()
    native.addEventListener('close', () => {})
    renderer.trySend(pattern(0, 16))
    takeAll(native)
    await aWhile()
    renderer.trySend(pattern(1, 16))
    const received: Uint8Array[] = []
    native.startReceiving((message) => received.push(message))
    await until(() => received.length === 1, 'the message that was there')
    await aWhile()
    renderer.trySend(pattern(2, 16))
    await until(() => received.length === 2, 'one that comes while it sleeps')
    assert.deepEqual(received, [pattern(1, 16), pattern(2, 16)])
  })
})
