// Bytes from every kind of memory and class that people have, by every way of sending; and memory
// that changes meanwhile.
import assert from 'node:assert/strict'
import { type BatchOptions, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { keep, pair, takeAll } from '../support/channels.js'
import { rejectsWith, throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'
import { LENGTHS, sources } from '../support/sources.js'
import { Thread } from '../support/threads.js'
import { until } from '../support/wait.js'

const RING = 1 << 15

function channels(batch?: BatchOptions) {
  const renderer = keep(new SharedMemoryChannel(RING, RING, batch === undefined ? {} : { batch }))
  return { renderer, native: keep(SharedMemoryChannel.attach(renderer.handle, { side: 'native' })) }
}

/** The ways to send messages: each sends all of them. */
const ways: Record<string, (channel: SharedMemoryChannel, messages: Uint8Array[]) => unknown> = {
  send: (channel, messages) => messages.map((message) => channel.send(message)),
  trySend: (channel, messages) => messages.map((message) => channel.trySend(message)),
  sendDirect: (channel, messages) => Promise.all(messages.map((message) => channel.sendDirect(message))),
  sendBatch: (channel, messages) => channel.sendBatch(messages),
  async writable(channel, messages) {
    const writer = channel.writable.getWriter()
    for (const message of messages) await writer.write(message)
  },
}

describe('sources', () => {
  for (const [name, make] of Object.entries(sources)) {
    for (const [way, send] of Object.entries(ways)) {
      it(`${way} of ${name}`, async () => {
        const { renderer, native } = channels()
        const all = LENGTHS.map((length, i) => pattern(i, length))
        const sent = all.map(make)
        await send(renderer, sent)
        assert.deepEqual(takeAll(native), all)
        assert.equal(
          renderer.stats().sent.bytes,
          LENGTHS.reduce((sum, length) => sum + length),
        )
      })
    }

    it(`batched ${name}`, () => {
      const { renderer, native } = channels({ maxDelayMs: 1000 })
      const all = LENGTHS.map((length, i) => pattern(i, length))
      for (const message of all) renderer.send(make(message))
      renderer.flush()
      assert.deepEqual(takeAll(native), all)
    })

    it(`a queued message is a copy, of ${name}`, async () => {
      const { renderer, native } = pair(4096)
      renderer.send(pattern(99, 4096))
      const message = make(pattern(0, 700))
      const memory = writable(message)
      const promises: Promise<void>[] = []
      for (let i = 0; i < 8; i++) {
        memory.set(pattern(i, 700))
        if (i % 2 === 0) renderer.send(message)
        else promises.push(renderer.sendDirect(message))
      }
      memory.fill(0)
      const received: Uint8Array[] = []
      native.startReceiving((each) => received.push(each))
      await until(() => received.length === 9, 'the queue')
      await Promise.all(promises)
      assert.deepEqual(
        received.slice(1),
        Array.from({ length: 8 }, (_, i) => pattern(i, 700)),
      )
    })

    it(`a codec that encodes into ${name} again and again`, async () => {
      const memory = make(new Uint8Array(100))
      const bytes = writable(memory)
      const codec = {
        name: 'reused',
        encode(seed: number) {
          bytes.set(pattern(seed, 100))
          return memory
        },
        decode: (message: Uint8Array) => message.slice(),
      }
      const renderer = new SharedMemoryChannel<unknown>(4096, 4096, { codec: codec as never })
      keep(renderer as never)
      const native = SharedMemoryChannel.attach<unknown>(renderer.handle, { side: 'native', codec: codec as never })
      keep(native as never)
      assert.equal(renderer.sendBatch([0, 1, 2, 3]), 4)
      for (let i = 4; i < 100; i++) renderer.send(i)
      for (let i = 0; i < 100; i++) assert.deepEqual(await native.receive(), pattern(i, 100))
    })
  }
})

/** The message's bytes, to write them, whatever the message's own class says. */
function writable(message: Uint8Array): Uint8Array {
  const of = (name: string) =>
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), name)!.get!.call(message)
  return new Uint8Array(of('buffer'), of('byteOffset'), of('length'))
}

type Transferable = ArrayBuffer & { resize(length: number): void }
const resizable = (length: number) =>
  new (ArrayBuffer as never as new (length: number, options: object) => Transferable)(length, {
    maxByteLength: 1 << 16,
  })
const growable = (length: number) =>
  new (SharedArrayBuffer as never as new (length: number, options: object) => SharedArrayBuffer)(length, {
    maxByteLength: 1 << 16,
  })

function transferred(length: number): Uint8Array {
  const message = new Uint8Array(length)
  structuredClone(message.buffer, { transfer: [message.buffer] })
  return message
}

function shrunk(): Uint8Array {
  const buffer = resizable(100)
  const message = new Uint8Array(buffer, 50, 20)
  buffer.resize(60)
  return message
}

describe('a message whose memory is gone', () => {
  const gone: Record<string, () => Uint8Array> = {
    transferred: () => transferred(100),
    'transferred when it was empty': () => transferred(0),
    'out of the bounds of its resized buffer': shrunk,
  }
  for (const [how, make] of Object.entries(gone)) {
    it(`${how}: is refused by every way to send, and nothing is sent`, async () => {
      const { renderer, native } = channels()
      const { renderer: batched } = channels({})
      const why = /has no memory any more: it was transferred, or its buffer was resized/
      for (const send of [
        () => renderer.send(make()),
        () => renderer.trySend(make()),
        () => renderer.sendBatch([pattern(0, 1), make()]),
        () => batched.send(make()),
        () => batched.trySend(make()),
      ])
        throwsError(send, 'ERR_SABWAY_INVALID_ARGUMENT', why)
      throwsError(
        () => renderer.sendBatch([pattern(0, 1), make()]),
        'ERR_SABWAY_INVALID_ARGUMENT',
        /message 1 of the list/,
      )
      await rejectsWith(renderer.sendDirect(make()), 'ERR_SABWAY_INVALID_ARGUMENT', why)
      assert.deepEqual(takeAll(native), [])
      await rejectsWith(renderer.writable.getWriter().write(make()), 'ERR_SABWAY_INVALID_ARGUMENT', why)
    })
  }

  it('an empty message is none of these', () => {
    const { renderer, native } = channels()
    const empty = [new Uint8Array(0), new Uint8Array(resizable(0)), new Uint8Array(new SharedArrayBuffer(0))]
    for (const message of empty) renderer.send(message)
    assert.equal(renderer.sendBatch(empty), 3)
    assert.deepEqual(takeAll(native), Array(6).fill(new Uint8Array(0)))
  })
})

describe('a list that changes while it is read', () => {
  it('is read once, element by element, before anything is sent', () => {
    const { renderer, native } = channels()
    const reads: string[] = []
    const target = [pattern(0, 40), pattern(1, 400), pattern(2, 4)]
    const list = new Proxy(target, {
      get(from, name, receiver) {
        reads.push(String(name))
        return Reflect.get(from, name, receiver)
      },
    })
    assert.equal(renderer.sendBatch(list), 3)
    assert.deepEqual(reads, ['length', '0', '1', '2'])
    assert.deepEqual(takeAll(native), target)
  })

  it('may change its own elements: what was read counts', () => {
    const { renderer, native } = channels()
    for (const other of [10, 5000]) {
      const list = [pattern(0, 100), pattern(1, 100)]
      let reads = 0
      Object.defineProperty(list, 1, { get: () => pattern(1, reads++ === 0 ? 100 : other) })
      assert.equal(renderer.sendBatch(list), 2)
      assert.deepEqual(takeAll(native), [pattern(0, 100), pattern(1, 100)])
    }
  })

  it('may grow, shrink or transfer the memory of its other elements', () => {
    const { renderer, native } = channels()
    const shared = growable(100)
    const buffer = resizable(100)
    const own = new Uint8Array(100)
    const list = [new Uint8Array(shared), new Uint8Array(buffer), pattern(3, 3)]
    Object.defineProperty(list, 2, {
      get() {
        ;(shared as unknown as { grow(length: number): void }).grow(300)
        buffer.resize(20)
        return pattern(3, 3)
      },
    })
    assert.equal(renderer.sendBatch(list), 3)
    assert.deepEqual(
      takeAll(native).map(({ length }) => length),
      [300, 20, 3],
    )
    const losing = [own, pattern(3, 3)]
    Object.defineProperty(losing, 1, {
      get() {
        structuredClone(own.buffer, { transfer: [own.buffer] })
        return pattern(3, 3)
      },
    })
    throwsError(() => renderer.sendBatch(losing), 'ERR_SABWAY_INVALID_ARGUMENT', /message 0 of the list/)
    assert.deepEqual(takeAll(native), [])
  })
})

describe('memory that another thread makes larger', () => {
  const ways: Record<string, (channel: SharedMemoryChannel, message: Uint8Array, marker: Uint8Array) => boolean> = {
    send: (channel, message, marker) => channel.trySend(message) && channel.trySend(marker),
    sendBatch: (channel, message, marker) => channel.sendBatch([message, marker, message, marker]) === 4,
    batch: (channel, message, marker) => channel.trySend(message) && channel.trySend(marker),
  }
  for (const [way, send] of Object.entries(ways)) {
    it(`${way}: never reaches beyond the message it is sent as`, async () => {
      for (const start of [8, 20, 40, 100, 300, 1500, 5000]) {
        const rounds = 16
        const grows = Array.from({ length: rounds }, () => growable(start))
        const turn = new Int32Array(new SharedArrayBuffer(8))
        const thread = new Thread('growing', { grows, turn })
        await thread.next('the thread that grows')
        const { renderer, native } = channels(way === 'batch' ? { maxBytes: 4096, maxDelayMs: 1000 } : undefined)
        const marker = pattern(start, 24)
        const look = (max?: number) => {
          for (const message of takeAll(native, max)) {
            if (message.length === 24 && message[0] === marker[0]) assert.deepEqual(message, marker)
            else assert.ok(message.length >= start && message.every((byte) => byte === 0), 'zeros alone were sent')
          }
        }
        for (let round = 0; round < rounds; round++) {
          const message = new Uint8Array(grows[round]!)
          Atomics.store(turn, 0, round + 1)
          // so that it stays full
          while (Atomics.load(turn, 1) <= round) if (!send(renderer, message, marker)) look(2)
        }
        renderer.flush()
        look()
        renderer.send(marker)
        renderer.flush()
        assert.deepEqual(takeAll(native), [marker], 'the ring is whole')
        await thread.ended()
      }
    })
  }

  itNative('that has grown since its length was read: what is behind it in the ring stays as it is', async () => {
    const thread = new Thread('outgrown', null)
    assert.deepEqual(await thread.next('the messages'), [])
    await thread.ended()
  })
})
