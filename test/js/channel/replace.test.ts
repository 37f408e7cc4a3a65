// attach with { replace: true }: the side is taken from whatever holds it, and a holder that lives
// is told by its next call.
import assert from 'node:assert/strict'
import { type ChannelHandle, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { collect, keep, open, pair, takeAll } from '../support/channels.js'
import { rejectsWith, throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'
import { Thread } from '../support/threads.js'
import { until, within } from '../support/wait.js'
import type { EndData } from '../workers/end.js'

const REPLACED = 'ERR_SABWAY_REPLACED'
const WHY = /another participant has taken this side over: it attached with \{ replace: true \}/

const replace = (from: ChannelHandle | string, side: 'renderer' | 'native' = 'native') =>
  keep(SharedMemoryChannel.attach(from, { side, replace: true }))

describe('attach with replace', () => {
  it('takes a side that is held: what is unread comes to the new holder, what it sends arrives', () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 3; i++) renderer.send(pattern(i, 10))
    assert.equal(takeAll(native, 1).length, 1)
    native.send(pattern(7, 7))
    const next = replace(renderer.handle)
    assert.deepEqual(takeAll(next), [pattern(1, 10), pattern(2, 10)])
    next.send(pattern(8, 8))
    assert.deepEqual(takeAll(renderer), [pattern(7, 7), pattern(8, 8)])
    assert.equal(renderer.stats().peer, true)
  })

  it('tells a holder that lives at its next call, whatever that is, and lets it write nothing', async () => {
    const { renderer, native } = pair(4096)
    const reserved = native.reserve(100)!
    const next = replace(renderer.handle)
    next.send(pattern(1, 500))
    for (const call of [
      () => native.send(pattern(2, 10)),
      () => native.trySend(pattern(2, 10)),
      () => native.sendBatch([pattern(2, 10), pattern(3, 10)]),
      () => native.reserve(10),
      () => native.write(10, () => 10),
      () => native.commit(reserved.length),
      () => native.abandon(),
    ]) {
      throwsError(call, REPLACED, WHY)
    }
    await rejectsWith(native.sendDirect(pattern(2, 10)), REPLACED, WHY)
    assert.deepEqual(takeAll(renderer), [pattern(1, 500)])
    renderer.send(pattern(4, 10))
    throwsError(() => native.receiveSync(0), REPLACED, WHY)
    await rejectsWith(native.receive(), REPLACED, WHY)
    assert.deepEqual(takeAll(next), [pattern(4, 10)])
  })

  it('ends what a holder that lives is waiting in', async () => {
    const waits: Record<string, (channel: SharedMemoryChannel) => Promise<unknown>> = {
      receive: (channel) => channel.receive(),
      'for await': async (channel) => {
        for await (const _ of channel) assert.fail('there is no message')
      },
      readable: (channel) => channel.readable.getReader().read(),
      sendDirect: (channel) => {
        while (channel.trySend(new Uint8Array(4096)));
        return channel.sendDirect(new Uint8Array(4096))
      },
      startReceiving: (channel) =>
        new Promise((_, reject) => {
          channel.addEventListener('error', ({ error }) => reject(error))
          channel.startReceiving(() => {})
        }),
      'a queue': (channel) =>
        new Promise((_, reject) => {
          channel.addEventListener('error', ({ error }) => reject(error))
          for (let i = 0; i < 3; i++) channel.send(new Uint8Array(4096))
        }),
      'a batch': (channel) =>
        new Promise((_, reject) => {
          channel.addEventListener('error', ({ error }) => reject(error))
          channel.send(new Uint8Array(10))
        }),
    }
    for (const [what, wait] of Object.entries(waits)) {
      const renderer = open(4096, 4096)
      const batch = what === 'a batch' ? { batch: { maxDelayMs: 50 } } : {}
      const native = keep(SharedMemoryChannel.attach(renderer.handle, { side: 'native', ...batch }))
      const ended = rejectsWith(wait(native) as Promise<never>, REPLACED, WHY)
      replace(renderer.handle)
      await within(ended, what)
    }
  })

  it('is no end for the other side, whose calls go on with the new holder', async () => {
    const { renderer } = pair()
    let closed = 0
    renderer.addEventListener('close', () => closed++)
    const received = collect(renderer)
    const next = replace(renderer.handle)
    next.send(pattern(1, 10))
    await until(() => received.length === 1, 'a message of the new holder')
    assert.equal(closed, 0)
  })

  it('leaves the stream open when the old holder is cleaned up or detached', () => {
    for (const end of ['cleanup', 'detach'] as const) {
      const { renderer, native } = pair()
      const next = replace(renderer.handle)
      native[end]()
      next.send(pattern(1, 10))
      renderer.send(pattern(2, 10))
      assert.deepEqual(takeAll(renderer), [pattern(1, 10)])
      assert.deepEqual(takeAll(next), [pattern(2, 10)])
    }
  })

  it('may go round: each attach takes the side from the last one, more often than there are endpoints', () => {
    const renderer = open()
    for (let i = 0; i < 100; i++) {
      const next = SharedMemoryChannel.attach(renderer.handle, { side: 'native', replace: true })
      next.send(pattern(i, 10))
      if (i % 2 === 0) SharedMemoryChannel.attach(renderer.handle, { side: 'native', replace: true }).detach()
      next.detach()
    }
    assert.equal(takeAll(renderer).length, 100)
  })

  it('is a plain attach where nothing holds the side, and none where it was cleaned up', () => {
    const renderer = open()
    const native = replace(renderer.handle)
    native.send(pattern(1, 10))
    assert.deepEqual(takeAll(renderer), [pattern(1, 10)])
    native.cleanup()
    throwsError(() => replace(renderer.handle), 'ERR_SABWAY_CLOSED', /was cleaned up/)
    const other = pair()
    throwsError(
      () => SharedMemoryChannel.attach(other.renderer.handle, { side: 'native', replace: false }),
      'ERR_SABWAY_SIDE_TAKEN',
      /one producer on each side/,
    )
    throwsError(
      () => SharedMemoryChannel.attach(other.renderer.handle, { side: 'native', replace: 1 as never }),
      'ERR_SABWAY_INVALID_TYPE',
      /replace must be true or false, got 1/,
    )
  })

  it('takes the side from another thread that floods, and the stream goes on', async () => {
    const channel = open(65536, 65536)
    const thread = new Thread('end', { handle: channel.handle, side: 'native', job: 'echo' } satisfies EndData)
    await thread.next('ready')
    channel.send(pattern(1, 10))
    assert.deepEqual(await within(channel.receive(), 'the echo'), pattern(1, 10))
    const next = replace(channel.handle)
    next.send(pattern(2, 20))
    assert.deepEqual(await within(channel.receive(), 'a message of the new holder'), pattern(2, 20))
    channel.send(pattern(3, 30))
    const first = await within(next.receive(), 'a message to the new holder')
    // What the old holder had received, and not yet released when it lost the side, comes once
    // more.
    const last = first.length === 10 ? await within(next.receive(), 'the message behind it') : first
    assert.deepEqual(last, pattern(3, 30))
    thread.tell('cleanup')
    assert.equal(await thread.ended().catch(({ message }: Error) => message.includes('taken this side over') && 0), 0)
    assert.equal(channel.stats().peer, true)
  })

  itNative('ends a native worker, which says why', async () => {
    const channel = open()
    const failed = new Promise<{ code: string }>((resolve) => {
      channel.addEventListener('error', ({ error }) => resolve(error))
    })
    channel.startWorker({ builtin: 'echo' })
    const next = replace(channel.handle)
    channel.send(pattern(1, 10))
    assert.equal((await within(failed, 'the error')).code, REPLACED)
    assert.deepEqual(takeAll(next), [pattern(1, 10)])
  })

  itNative('works with a token, too', () => {
    const channel = open(4096, 4096, { share: 'processes' })
    const first = keep(SharedMemoryChannel.attach(channel.token, { side: 'native' }))
    const next = replace(channel.token)
    throwsError(() => first.send(pattern(1, 10)), REPLACED, WHY)
    next.send(pattern(2, 10))
    assert.deepEqual(takeAll(channel), [pattern(2, 10)])
  })
})
