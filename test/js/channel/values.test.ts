// No value that a program can send means something to the library itself.
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers'
import { type Codec, SharedMemoryChannel } from 'sabway'
import { itBlocking } from '../support/host.js'
import { within } from '../support/wait.js'

/** What is most likely to be taken for "nothing", "the end" or "no error". */
const VALUES: readonly unknown[] = [null, undefined, false, 0, -0, '', Number.NaN, 0n, [], { done: true }, { value: 1 }]

const channels: SharedMemoryChannel<unknown>[] = []

function pair(codec: 'structured' | Codec<unknown>) {
  const renderer = new SharedMemoryChannel<unknown>(65536, 65536, { codec })
  const native = SharedMemoryChannel.attach<unknown>(renderer.handle, { side: 'native', codec })
  channels.push(renderer, native)
  return { renderer, native }
}

/** A codec whose messages say which of VALUES is meant. */
const own: Codec<unknown> = {
  name: 'own',
  encode: (value) => Uint8Array.of(VALUES.findIndex((each) => Object.is(each, value))),
  decode: (message) => VALUES[message[0]!],
}

const WAYS: Record<string, (native: SharedMemoryChannel<unknown>) => unknown> = {
  'receiveSync()': (native) => native.receiveSync(),
  'receiveSync(timeout)': (native) => native.receiveSync(10),
  'tryReceive()': (native) => native.tryReceive()!.message,
  'tryReceive(timeout)': (native) => native.tryReceive(10)!.message,
  'receive()': (native) => native.receive(),
  'receive(), which came first': (native) => native.receive({ timeout: 5000 }),
  'for await': async (native) => {
    const next = await native[Symbol.asyncIterator]().next()
    assert.equal(next.done, false)
    return next.value
  },
  readable: async (native) => {
    const reader = native.readable.getReader()
    const { done, value } = await reader.read()
    reader.releaseLock()
    assert.equal(done, false)
    return value
  },
  startReceiving: (native) =>
    new Promise((resolve) => {
      native.startReceiving((message) => {
        native.stopReceiving()
        resolve({ message })
      })
    }).then((box) => (box as { message: unknown }).message),
}

const SENDERS: Record<string, (renderer: SharedMemoryChannel<unknown>, value: unknown) => unknown> = {
  send: (renderer, value) => renderer.send(value),
  trySend: (renderer, value) => assert.equal(renderer.trySend(value), true),
  sendDirect: (renderer, value) => renderer.sendDirect(value),
  sendBatch: (renderer, value) => assert.equal(renderer.sendBatch([value]), 1),
  writable: (renderer, value) => {
    const writer = renderer.writable.getWriter()
    return writer.write(value).finally(() => writer.releaseLock())
  },
}

afterEach(() => {
  for (const channel of channels.splice(0)) channel.cleanup()
})

describe('values that look like nothing', () => {
  for (const [codec, name] of [['structured', 'structured'] as const, [own, 'a codec of your own'] as const]) {
    for (const [way, receive] of Object.entries(WAYS)) {
      it(`arrive by ${way}, each in its turn (${name})`, async () => {
        const { renderer, native } = pair(codec)
        for (const value of VALUES) {
          renderer.send(value)
          renderer.send(VALUES[8])
          assert.deepEqual(await within(Promise.resolve(receive(native)), way), value)
          assert.deepEqual(await within(Promise.resolve(receive(native)), way), VALUES[8])
        }
        assert.equal(native.tryReceive(), null)
      })
    }
    for (const [way, send] of Object.entries(SENDERS)) {
      it(`are sent by ${way} (${name})`, async () => {
        const { renderer, native } = pair(codec)
        for (const value of VALUES) {
          await send(renderer, value)
          assert.deepEqual(native.tryReceive(), { message: value })
        }
        assert.equal(native.tryReceive(), null)
      })
    }
  }

  it('arrive by message events, and through a port', async () => {
    const { renderer, native } = pair('structured')
    const heard: unknown[] = []
    native.addEventListener('message', ({ data }) => heard.push(data))
    await within(
      new Promise<void>((resolve) => {
        native.startReceiving(() => heard.length === VALUES.length - 1 && setImmediate(resolve))
        for (const value of VALUES) renderer.send(value)
      }),
      'all values',
    )
    assert.deepEqual(heard, VALUES)
    const { renderer: one, native: other } = pair('structured')
    const posted: unknown[] = []
    await within(
      new Promise<void>((resolve) => {
        other.port().onmessage = ({ data }) => {
          posted.push(data)
          if (posted.length === VALUES.length) resolve()
        }
        for (const value of VALUES) one.port().postMessage(value)
      }),
      'all values through the port',
    )
    assert.deepEqual(posted, VALUES)
  })

  itBlocking('are told from a timeout by tryReceive', () => {
    const { renderer, native } = pair('structured')
    assert.equal(native.tryReceive(), null)
    assert.equal(native.tryReceive(5), null)
    renderer.send(null)
    assert.deepEqual(native.tryReceive(5), { message: null })
  })

  it('may be what a codec or a callback throws', () => {
    for (const thrown of [null, undefined, 0, '']) {
      const throwing: Codec<unknown> = {
        name: 'throwing',
        encode: () => {
          throw thrown
        },
        decode: () => {
          throw thrown
        },
      }
      const { renderer } = pair(throwing)
      assert.throws(() => renderer.send(1), { code: 'ERR_SABWAY_NOT_ENCODABLE' })
    }
  })
})
