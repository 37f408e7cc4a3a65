// `maxQueued`: a queue that nothing takes from is bounded, and what goes beyond the bound is
// refused as a whole.
import assert from 'node:assert/strict'
import { type ChannelOptions, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { attach, collect, keep, open, takeAll } from '../support/channels.js'
import { rejectsWith, throwsError } from '../support/errors.js'
import { aWhile, until, within } from '../support/wait.js'

/** A ring of 4 KiB that one message fills, and what goes behind it waits. */
function full(options: ChannelOptions) {
  const renderer = open(4096, 4096, options)
  renderer.send(pattern(0, 4096))
  return { renderer, native: attach(renderer, 'native') }
}

const queuedBy = (channel: SharedMemoryChannel): [number, number] => {
  const { queued, queuedBytes } = channel.stats().sent
  return [queued, queuedBytes]
}

/** Send until it is refused; returns how often it was not. */
function flood(send: () => unknown, most = 1e6): number {
  for (let sent = 0; sent < most; sent++) {
    try {
      send()
    } catch (error) {
      assert.equal((error as { code: string }).code, 'ERR_SABWAY_QUEUE_FULL', `${error}`)
      return sent
    }
  }
  return assert.fail(`${most} were taken`)
}

describe('maxQueued', () => {
  it('refuses what goes beyond it, says what is queued and what to do, and queues nothing of that', async () => {
    const { renderer, native } = full({ maxQueued: 10_000 })
    for (const i of [1, 2]) assert.equal(renderer.send(pattern(i, 4000)), false)
    throwsError(
      () => renderer.send(pattern(3, 4000)),
      'ERR_SABWAY_QUEUE_FULL',
      /2 messages of 8000 bytes wait for room in the ring, and 4000 bytes more would exceed maxQueued, 10000; this message was not queued: await sendDirect, which waits, send again at 'drain', or drop what trySend refuses$/,
    )
    assert.deepEqual(queuedBy(renderer), [2, 8000])
    assert.equal(renderer.send(pattern(4, 2000)), false, 'what fits is still taken, up to the last byte')
    throwsError(() => renderer.send(pattern(5, 1)), 'ERR_SABWAY_QUEUE_FULL', /3 messages of 10000 bytes/)
    const received = collect(native)
    await until(() => received.length === 4, 'all that was taken')
    await aWhile()
    assert.deepEqual(received, [pattern(0, 4096), pattern(1, 4000), pattern(2, 4000), pattern(4, 2000)])
  })

  it('takes messages again when the queue has drained, any number of times', async () => {
    const { renderer, native } = full({ maxQueued: 8000 })
    let drained = 0
    renderer.addEventListener('drain', () => drained++)
    const received = collect(native)
    let sent = 1
    for (let round = 1; round <= 20; round++) {
      sent += flood(() => renderer.send(pattern(sent, 1000)))
      await until(() => drained === round, "'drain'")
      assert.deepEqual(queuedBy(renderer), [0, 0])
    }
    await until(() => received.length >= sent, 'all of them')
    assert.equal(received.length, sent)
  })

  it('of 0: nothing is queued, and no drain is promised where nothing waits', async () => {
    const { renderer, native } = full({ maxQueued: 0 })
    throwsError(
      () => renderer.send(pattern(1, 1)),
      'ERR_SABWAY_QUEUE_FULL',
      /0 messages of 0 bytes .* await sendDirect, which waits, or drop what trySend refuses$/,
    )
    throwsError(() => renderer.send(new Uint8Array()), 'ERR_SABWAY_QUEUE_FULL', /0 bytes more/)
    assert.equal(renderer.trySend(pattern(1, 1)), false)
    // a promise is how a program waits, so one is always taken
    const waiting = renderer.sendDirect(pattern(2, 100))
    takeAll(native)
    await within(waiting, 'the promise')
    assert.equal(renderer.send(pattern(3, 100)), true)
    assert.deepEqual(takeAll(native), [pattern(2, 100), pattern(3, 100)])
  })

  it('of Infinity: no bound', () => {
    const { renderer } = full({ maxQueued: Number.POSITIVE_INFINITY })
    const message = new Uint8Array(4096)
    for (let i = 0; i < 40_000; i++) renderer.send(message) // beyond the default
    assert.deepEqual(queuedBy(renderer), [40_000, 40_000 * 4096])
  })

  it('is 128 MiB unless it is given', () => {
    const channel = open(1 << 16)
    const message = new Uint8Array(1 << 16)
    channel.send(message)
    assert.equal(
      flood(() => channel.send(message)),
      2 ** 27 / 2 ** 16,
    )
  })

  it('is four rings where that is more', () => {
    const channel = open(1 << 26)
    const message = new Uint8Array(1 << 26)
    channel.send(message)
    assert.equal(
      flood(() => channel.send(message)),
      4,
    )
    channel.cleanup()
  })

  it('bounds the memory of small and empty messages, too: each counts at least 64', () => {
    const { renderer } = full({ maxQueued: 6400 })
    assert.equal(
      flood(() => renderer.send(new Uint8Array())),
      100,
    )
    const other = full({ maxQueued: 6400 }).renderer
    assert.equal(
      flood(() => other.send(pattern(1, 65))),
      98,
    )
  })

  it('is each side its own: attach takes it, by handle and by token', () => {
    const renderer = open(4096, 4096, { maxQueued: 0 })
    const native = keep(SharedMemoryChannel.attach(renderer.handle, { side: 'native', maxQueued: 128 }))
    native.send(pattern(0, 4096))
    assert.equal(
      flood(() => native.send(pattern(1, 64))),
      2,
    )
    renderer.send(pattern(0, 4096))
    assert.equal(
      flood(() => renderer.send(pattern(1, 64))),
      0,
    )
  })

  it('counts again what sendDirect gave up, and what a death gave up', async () => {
    const { renderer } = full({ maxQueued: 256 })
    const controller = new AbortController()
    const late = renderer.sendDirect(pattern(1, 200), { signal: controller.signal })
    assert.equal(
      flood(() => renderer.send(pattern(1, 50))),
      0,
    )
    controller.abort()
    await rejectsWith(late, 'ERR_SABWAY_ABORTED', /given up/)
    assert.equal(
      flood(() => renderer.send(pattern(1, 50))),
      4,
    )
  })

  it('refuses odd values, and names the option that was meant', () => {
    for (const odd of [-1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY]) {
      throwsError(() => open(4096, 4096, { maxQueued: odd }), 'ERR_SABWAY_OUT_OF_RANGE', /maxQueued must be/)
    }
    for (const odd of ['1', 1n, null, {}]) {
      throwsError(() => open(4096, 4096, { maxQueued: odd as never }), 'ERR_SABWAY_INVALID_TYPE', /maxQueued must be/)
    }
    throwsError(
      () => open(4096, 4096, { maxQueue: 1 } as never),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /did you mean 'maxQueued'/,
    )
    const { handle } = open(4096)
    throwsError(
      () => SharedMemoryChannel.attach(handle, { side: 'native', maxQueued: -1 }),
      'ERR_SABWAY_OUT_OF_RANGE',
      /maxQueued must be/,
    )
  })
})

describe('maxQueued and sendDirect', () => {
  it('a call that is awaited is never refused, whatever send has queued', async () => {
    const { renderer, native } = full({ maxQueued: 1000 })
    flood(() => renderer.send(pattern(1, 500)))
    const received = collect(native)
    for (let i = 0; i < 50; i++) await within(renderer.sendDirect(pattern(i, 4000)), 'sendDirect')
    await until(() => received.length === 53, 'all messages')
  })

  it('calls that nothing awaits are refused at the bound; those before them arrive', async () => {
    const { renderer, native } = full({ maxQueued: 1000 })
    const waiting = [400, 400, 200].map((length, i) => renderer.sendDirect(pattern(i, length)))
    await rejectsWith(renderer.sendDirect(pattern(3, 64)), 'ERR_SABWAY_QUEUE_FULL', /3 messages of 1000 bytes/)
    assert.deepEqual(queuedBy(renderer), [3, 1000])
    const received = collect(native)
    await within(Promise.all(waiting), 'the others')
    await until(() => received.length === 4, 'all messages')
    await within(renderer.sendDirect(pattern(3, 64)), 'sendDirect once more')
  })
})

describe('maxQueued and what else sends', () => {
  it('the writable is held back, and never meets it', async () => {
    const { renderer, native } = full({ maxQueued: 0 })
    const waits = renderer.sendDirect(pattern(9, 3000))
    const writer = renderer.writable.getWriter()
    const written = Array.from({ length: 20 }, (_, i) => writer.write(pattern(i, 3000)))
    const closed = writer.close()
    const received = collect(native)
    await within(Promise.all([waits, ...written, closed]), 'the writable')
    await until(() => received.length === 22, 'all chunks')
    assert.deepEqual(received[21], pattern(19, 3000))
  })

  it('a batch holds what the ring takes, and queues no more than the bound', async () => {
    const renderer = open(4096, 4096, { maxQueued: 640, batch: { maxBytes: 512, maxDelayMs: 0 } })
    const native = attach(renderer, 'native')
    const sent = flood(() => renderer.send(pattern(1, 64)))
    assert.ok(sent > 10 + 4096 / 80, `${sent} were taken`)
    assert.deepEqual(queuedBy(renderer), [10, 640])
    const received = collect(native)
    await until(() => received.length === sent, 'all of them')
  })

  it('a value is refused as a whole, in one part or in several, and the next is read', async () => {
    const renderer = keep(
      new SharedMemoryChannel<unknown>(4096, 4096, { codec: 'structured', maxQueued: 3000 }) as never,
    )
    const channel = renderer as unknown as SharedMemoryChannel<unknown>
    const native = SharedMemoryChannel.attach<unknown>(channel.handle, { side: 'native' })
    const value = (n: number) => (n % 2 === 0 ? { n, text: 'x'.repeat(900) } : { n, bytes: new Uint8Array(900) })
    let n = 0
    flood(() => channel.send(value(n++)))
    const taken = n - 1
    const received: { n: number }[] = []
    native.startReceiving((message) => received.push(message as { n: number }))
    await until(() => received.length === taken, 'what was taken')
    channel.send(value(taken))
    await until(() => received.length === taken + 1, 'the next')
    assert.deepEqual(
      received.map((message) => message.n),
      Array.from({ length: taken + 1 }, (_, i) => i),
    )
    native.cleanup()
  })

  it('a port throws it, no port leaves, and its close arrives all the same', async () => {
    const renderer = open(4096, 4096, { maxQueued: 2000 })
    const native = attach(renderer, 'native')
    const { port1, port2 } = new MessageChannel()
    flood(() => renderer.port().postMessage('x'.repeat(1000)))
    throwsError(
      () => renderer.port().postMessage({ port: port1, text: 'x'.repeat(1000) }, [port1]),
      'ERR_SABWAY_QUEUE_FULL',
      /maxQueued, 2000/,
    )
    const own = new Promise((resolve) => {
      port2.onmessage = ({ data }) => resolve(data)
    })
    port1.postMessage('still here')
    assert.equal(await within(own, 'the port that stayed'), 'still here')
    port1.close()
    let closed = false
    native.port().addEventListener('close', () => {
      closed = true
    })
    renderer.port().close()
    native.port().start()
    await until(() => closed, "the other port's close")
  })
})
