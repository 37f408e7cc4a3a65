// channel.port() behaves like a MessagePort, and Comlink runs over it as it is.
import assert from 'node:assert/strict'
import * as Comlink from 'comlink'
import { ChannelPort } from 'sabway'
import { open, pair } from '../support/channels.js'
import { runChild } from '../support/children.js'
import { assertError, throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'
import { Thread } from '../support/threads.js'
import { aWhile, turns, until, within } from '../support/wait.js'
import type { api } from '../workers/api.js'

function ports(bytes?: number) {
  const { renderer, native } = pair(bytes)
  return { renderer, native, near: renderer.port(), far: native.port() }
}

/** What Comlink's types do not follow. */
type Nested = { nested: { deep: { answer: Promise<number>; double(n: number): Promise<number> } } }

const next = (port: ChannelPort | MessagePort): Promise<MessageEvent> =>
  within(
    new Promise((resolve) => {
      ;(port as MessagePort).addEventListener('message', resolve, { once: true })
      port.start()
    }),
    'a message event',
  )

describe('channel.port()', () => {
  it('is one and the same, and an EventTarget', () => {
    const channel = open()
    assert.equal(channel.port(), channel.port())
    assert.ok(channel.port() instanceof ChannelPort)
    assert.ok(channel.port() instanceof EventTarget)
  })

  it('clones values', async () => {
    const { near, far } = ports()
    const value: Record<string, unknown> = {
      map: new Map([['a', new Set([1, 2])]]),
      date: new Date(12345),
      big: 12345678901234567890n,
      error: new RangeError('wide'),
      nothing: undefined,
      pattern: /x/gi,
      bytes: Uint8Array.of(1, 2, 3),
    }
    value.self = value
    near.postMessage(value)
    const { data } = await next(far)
    assert.notEqual(data, value)
    assert.deepEqual(data, value)
    assert.equal(data.self, data)
    assert.ok(data.error instanceof RangeError)
  })

  it('begins to receive with onmessage, or start; not with a listener', async () => {
    const { near, far, native } = ports()
    const heard: unknown[] = []
    far.addEventListener('message', ({ data }) => heard.push(data))
    near.postMessage(1)
    await aWhile()
    assert.deepEqual(heard, [])
    far.start()
    await until(() => heard.length === 1, 'the first')
    const other: unknown[] = []
    far.onmessage = ({ data }) => other.push(data)
    near.postMessage(2)
    await until(() => other.length === 1, 'the second')
    far.onmessage = null
    near.postMessage(3)
    await until(() => heard.length === 3, 'the third')
    assert.deepEqual([heard, other], [[1, 2, 3], [2]])
    throwsError(() => native.startReceiving(() => {}), 'ERR_SABWAY_INVALID_STATE', /already receiving/)
  })

  it("a handler's `this` is the port", async () => {
    const { near, far } = ports()
    let self: unknown
    far.onmessage = function () {
      self = this
    }
    near.postMessage(0)
    await until(() => self !== undefined, 'a message')
    assert.equal(self, far)
  })

  it('refuses what cannot be cloned: with a code, and nothing is sent', async () => {
    const { near, far } = ports()
    const { port1, port2 } = new MessageChannel()
    for (const [value, teaches] of [
      [{ call: () => {} }, /could not be cloned/],
      [Symbol('s'), /could not be cloned/],
      [new SharedArrayBuffer(8), /share it once, with postMessage/],
      [{ port: port2 }, /must be in the transfer list/],
      [new WeakMap(), /could not be cloned/],
    ] as const) {
      throwsError(() => near.postMessage(value), 'ERR_SABWAY_NOT_ENCODABLE', teaches)
    }
    throwsError(() => near.postMessage({ port: port1, call: () => {} }, [port1]), 'ERR_SABWAY_NOT_ENCODABLE', /cloned/)
    port1.postMessage('still connected')
    assert.equal((await next(port2)).data, 'still connected')
    port1.close()
    near.postMessage('the only one')
    assert.equal((await next(far)).data, 'the only one')
  })

  it("gives what it cannot decode as 'messageerror', and goes on", async () => {
    const { near, far, renderer } = ports()
    const errors: unknown[] = []
    const data: unknown[] = []
    far.onmessage = (event) => data.push(event.data)
    far.onmessageerror = (event) => errors.push(event.data)
    renderer.send(Uint8Array.of(1, 2, 3))
    renderer.send(Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 255, 15, 255, 255))
    renderer.send(Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255))
    renderer.send(Uint8Array.of(1, 77, 0, 0, 0, 0, 0, 0))
    near.postMessage('after')
    await until(() => data.length === 1, 'the message after them')
    assert.deepEqual(data, ['after'])
    assert.equal(errors.length, 4)
    assertError(errors[0], 'ERR_SABWAY_NOT_DECODABLE', /does not come from a port/)
    assertError(
      errors[2],
      'ERR_SABWAY_NOT_DECODABLE',
      /shorter than it says|encoded with 'v8', which is not available here/,
    )
    assertError(errors[3], 'ERR_SABWAY_NOT_DECODABLE', /no codec has the number 77/)
  })

  it('close tells both; the channel stays', async () => {
    const { near, far, renderer, native } = ports()
    const closed: string[] = []
    near.addEventListener('close', () => closed.push('near'))
    far.addEventListener('close', () => closed.push('far'))
    far.start()
    near.close()
    await until(() => closed.length === 2, "both 'close' events")
    near.postMessage('lost')
    far.postMessage('lost')
    assert.deepEqual([renderer.closed, native.closed], [false, false])
    renderer.send(Uint8Array.of(1))
    assert.deepEqual(await native.receive(), Uint8Array.of(1))
    assert.deepEqual(closed.sort(), ['far', 'near'])
  })

  it('closes when the channel does', async () => {
    const { far, near, renderer } = ports()
    let closed = 0
    far.addEventListener('close', () => closed++)
    near.addEventListener('close', () => closed++)
    far.start()
    renderer.cleanup()
    await until(() => closed === 2, "'close'")
  })

  it('queues what finds no room, and gives it in order', async () => {
    const { near, far } = ports(4096)
    for (let i = 0; i < 100; i++) near.postMessage({ i, bytes: new Uint8Array(1000).fill(i) })
    const seen: number[] = []
    far.onmessage = ({ data }) => {
      assert.deepEqual(data.bytes, new Uint8Array(1000).fill(data.i))
      seen.push(data.i)
    }
    await until(() => seen.length === 100, 'all')
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, i) => i),
    )
    throwsError(() => near.postMessage(new Uint8Array(5000)), 'ERR_SABWAY_MESSAGE_TOO_LARGE', /make the channel larger/)
  })

  it('copies transferred ArrayBuffers', async () => {
    const { near, far } = ports()
    const buffer = Uint8Array.of(1, 2, 3).buffer
    near.postMessage(buffer, [buffer])
    assert.deepEqual((await next(far)).data, Uint8Array.of(1, 2, 3).buffer)
    assert.equal(buffer.byteLength, 3)
  })

  it('carries MessagePorts: both ways, through each other', async () => {
    const { near, far } = ports()
    const { port1, port2 } = new MessageChannel()
    port1.postMessage('posted before the transfer')
    near.postMessage({ port: port2 }, { transfer: [port2] })
    const { data, ports: arrived } = await next(far)
    const there = data.port as MessagePort
    assert.ok(there instanceof MessagePort)
    assert.deepEqual([...arrived], [there])
    assert.equal((await next(there)).data, 'posted before the transfer')
    there.postMessage({ answer: [1, 2] })
    assert.deepEqual((await next(port1)).data, { answer: [1, 2] })
    // A port that goes through a port that went through a port.
    const inner = new MessageChannel()
    port1.postMessage(inner.port2, [inner.port2])
    const innerThere = (await next(there)).data as MessagePort
    innerThere.postMessage('from within')
    assert.equal((await next(inner.port1)).data, 'from within')
    inner.port1.close()
    port1.close()
  })

  const CLOSING = 'browsers do not tell a MessagePort that its other end was closed'
  itNative(
    'tells a MessagePort that its other end, which has travelled, was closed',
    async () => {
      const { near, far } = ports()
      const { port1, port2 } = new MessageChannel()
      near.postMessage(port2, [port2])
      const there = (await next(far)).data as MessagePort
      let closed = 0
      port1.addEventListener('close', () => closed++)
      there.close()
      await until(() => closed === 1, "'close' of the end that was kept")
    },
    CLOSING,
  )

  it('carries MessagePorts of both sides at once: each goes on to its own other end', async () => {
    const { near, far } = ports()
    const kept: { end: MessagePort; label: string }[] = []
    const arrived = new Map<string, MessagePort>()
    for (const port of [near, far]) {
      port.onmessage = ({ data }) => arrived.set(data.label, data.port)
      port.onmessageerror = ({ data }) => assert.fail(String(data))
    }
    // Six ports leave, three from each side, before the first has arrived.
    for (let i = 0; i < 3; i++) {
      for (const [name, port] of Object.entries({ near, far })) {
        const { port1, port2 } = new MessageChannel()
        const label = `${name} ${i}`
        port.postMessage({ label, port: port2 }, [port2])
        kept.push({ end: port1, label })
      }
    }
    await until(() => arrived.size === 6, 'six ports')
    for (const { end, label } of kept) {
      const there = arrived.get(label)!
      end.postMessage(`to ${label}`)
      assert.equal((await next(there)).data, `to ${label}`)
      there.postMessage(`from ${label}`)
      assert.equal((await next(end)).data, `from ${label}`)
    }
    for (const { end } of kept) end.close()
  })
})

for (const [name, execArgv] of [
  ['with the addon', []],
  ['without the addon', ['--no-addons']],
] as const) {
  describe(`Comlink to a thread ${name}`, () => {
    let remote: Comlink.Remote<typeof api>

    beforeEach(async () => {
      const channel = open()
      const thread = new Thread('api', channel.handle, { execArgv: [...execArgv] })
      remote = Comlink.wrap<typeof api>(channel.port())
      await thread.next('ready')
    })

    it('calls functions and reads properties, nested ones too', async () => {
      assert.equal(await within(remote.add(1, 2), 'add'), 3)
      assert.equal(await remote.name, 'the worker')
      assert.equal(await (remote as unknown as Nested).nested.deep.answer, 42)
      assert.equal(await (remote as unknown as Nested).nested.deep.double(21), 42)
      const value = { list: [1, { two: new Map([[2, 'two']]) }], at: new Date(5) }
      assert.deepEqual(await remote.echo(value), value)
    })

    it('sets properties, and makes objects that stay there', async () => {
      await (remote as unknown as { name: Promise<string> | string }).name
      ;(remote as unknown as { name: string }).name = 'renamed'
      assert.equal(await within(remote.name as Promise<string>, 'the name'), 'renamed')
      const counter = await new remote.Counter()
      assert.deepEqual([await counter.add(2), await counter.add(3), await counter.count], [2, 5, 5])
      const made = await remote.makeCounter()
      assert.equal(await made.add(7), 7)
      made[Comlink.releaseProxy]()
    })

    it('throws what the other side throws', async () => {
      await assert.rejects(remote.fail(), (error) => error instanceof Error && error.message === 'as asked')
      await assert.rejects(remote.failWithNoError() as unknown as Promise<void>, { reason: 'a plain object' })
      await assert.rejects((remote as unknown as { missing(): Promise<void> }).missing(), /is not a function|undefined/)
    })

    it('calls back, and hears of what the callback throws', async () => {
      const seen: number[] = []
      const callback = Comlink.proxy((n: number) => {
        seen.push(n)
        return n * n
      })
      assert.deepEqual(await within(remote.each([1, 2, 3], callback as never), 'the callbacks'), [1, 4, 9])
      assert.deepEqual(seen, [1, 2, 3])
      const failing = Comlink.proxy(() => {
        throw new TypeError('from the callback')
      })
      assert.equal(await within(remote.callFailing(failing as never), 'the failure'), 'TypeError: from the callback')
    })

    it('carries typed arrays, and many calls at once', async () => {
      const array = new Float64Array(10_000).fill(0.5)
      assert.equal(await within(remote.sum(Comlink.transfer(array, [array.buffer])), 'the sum'), 5000)
      const sums = await Promise.all(Array.from({ length: 200 }, (_, i) => remote.add(i, i)))
      assert.deepEqual(
        sums,
        Array.from({ length: 200 }, (_, i) => 2 * i),
      )
    })

    it('gives endpoints of its own', async () => {
      const endpoint = await within(remote[Comlink.createEndpoint](), 'an endpoint')
      const second = Comlink.wrap<typeof api>(endpoint)
      assert.equal(await within(second.add(20, 22), 'a call through it'), 42)
      second[Comlink.releaseProxy]()
      await turns(2)
    })
  })
}

describe('a port and the process', () => {
  for (const [what, output] of [
    ['a port that receives', 'still here, then closed'],
    ['a port that receives, unref', ''],
    ['a port that does not receive', ''],
  ] as const) {
    itNative(`${what}: ${output === '' ? 'does not hold it' : 'holds it'}`, async () => {
      const { code, stdout } = await runChild('port.js', [what])
      assert.deepEqual([code, stdout.trim()], [0, output])
    })
  }
})
