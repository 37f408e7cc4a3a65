// Codecs: values instead of bytes, by every way of sending and receiving.
import assert from 'node:assert/strict'
import { type ChannelHandle, type Codec, type CodecName, SharedMemoryChannel } from 'sabway'
import { keep } from '../support/channels.js'
import { runChild } from '../support/children.js'
import { assertError, rejectsWith, throwsError } from '../support/errors.js'
import { root } from '../support/paths.js'
import { Thread } from '../support/threads.js'
import { until, within } from '../support/wait.js'

type Option = CodecName | Codec<never> | undefined

function pair<T>(codec: Option, bytes = 1 << 16) {
  const renderer = new SharedMemoryChannel<T>(bytes, bytes, { codec: codec as CodecName })
  keep(renderer as never)
  const own = typeof codec === 'object' ? { codec: codec as never } : {}
  const native = SharedMemoryChannel.attach<T>(renderer.handle, { side: 'native', ...own })
  keep(native as never)
  return { renderer, native }
}

const json: Codec<unknown> = {
  name: 'json',
  encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes.slice())),
}

describe("the codec msgpack's messages", () => {
  const bytesOf = (value: unknown) => {
    const { renderer } = pair<unknown>('msgpack')
    renderer.trySend(value)
    return renderer.stats().sent.bytes
  }

  it('hold the keys of objects that are alike once', () => {
    const rows = (count: number) => Array.from({ length: count }, (_, i) => ({ temperature: i & 15, humidity: 1 }))
    const each = (bytesOf(rows(80)) - bytesOf(rows(40))) / 40
    assert.ok(each < 'temperature'.length, `${each} bytes for each object`)
    assert.ok(
      bytesOf([
        { a: 1, b: 2, c: 3 },
        { a: 1, b: 2, d: 3 },
      ]) >
        bytesOf([
          { a: 1, b: 2, c: 3 },
          { a: 1, b: 2, c: 3 },
        ]),
    )
  })

  it('hold no keys of an array whose elements are all there', () => {
    for (const length of [1, 10, 100]) {
      const array = Array(length).fill(1)
      const more = bytesOf(Object.assign([...array], { more: 1 })) - bytesOf(array)
      assert.ok(more > length, `${more} bytes more with a property`)
    }
  })
})

for (const codec of ['v8', 'msgpack', 'structured', json] as const) {
  describe(`codec ${typeof codec === 'string' ? codec : 'of your own'}`, () => {
    it('carries values by every way of sending and of receiving', async () => {
      const { renderer, native } = pair<{ i: number; text: string }>(codec as Option)
      const value = (i: number) => ({ i, text: `number ${i}` })
      renderer.send(value(0))
      assert.equal(renderer.trySend(value(1)), true)
      await renderer.sendDirect(value(2))
      assert.equal(renderer.sendBatch([value(3), value(4)]), 2)
      await renderer.writable.getWriter().write(value(5))
      const seen = [await native.receive()]
      for await (const each of native) {
        seen.push(each)
        if (seen.length === 3) break
      }
      const reader = native.readable.getReader()
      seen.push((await reader.read()).value!)
      native.startReceiving((each) => seen.push(each))
      await until(() => seen.length === 6, 'all')
      assert.deepEqual(seen, [0, 1, 2, 3, 4, 5].map(value))
    })

    it('drains what was queued, in order', async () => {
      const { renderer, native } = pair<{ i: number; list: number[] }>(codec as Option, 4096)
      for (let i = 0; i < 100; i++) renderer.send({ i, list: Array(100).fill(i) })
      assert.ok(renderer.stats().sent.queued > 50)
      for (let i = 0; i < 100; i++) assert.deepEqual(await native.receive(), { i, list: Array(100).fill(i) })
    })

    it('names itself in the handle, and both sides must agree', () => {
      const { renderer } = pair(codec as Option)
      const { codec: name } = structuredClone({ codec: renderer.handle.codec })
      assert.equal(name, codec === 'structured' ? 'v8' : codec === json ? 'own:json' : codec)
      const attach = (option?: Option) => () =>
        SharedMemoryChannel.attach(renderer.handle, { side: 'native', codec: option as CodecName })
      throwsError(attach('bytes'), 'ERR_SABWAY_INVALID_ARGUMENT', /made with codec '.*', not 'bytes'; both sides/)
      if (codec === json)
        throwsError(attach(), 'ERR_SABWAY_INVALID_ARGUMENT', /codec named 'json': give attach the same/)
    })

    it('what cannot be encoded throws, and nothing is sent; what cannot be decoded is reported, and passed over', async () => {
      const { renderer, native } = pair<unknown>(codec as Option)
      const cyclic: { self?: unknown } = {}
      cyclic.self = cyclic
      const bad = codec === json ? cyclic : { call: () => {} }
      throwsError(() => renderer.send(bad), 'ERR_SABWAY_NOT_ENCODABLE', /./)
      throwsError(() => renderer.trySend(bad), 'ERR_SABWAY_NOT_ENCODABLE', /./)
      await rejectsWith(renderer.sendDirect(bad), 'ERR_SABWAY_NOT_ENCODABLE', /./)
      const raw = (bytes: number[]) => {
        renderer.reserve(bytes.length)!.set(bytes)
        renderer.commit()
      }
      const garbage = [0xc7, 0xff, 0xff, 0xff, 0xff, 1]
      raw(garbage)
      renderer.send('good')
      await rejectsWith(native.receive(), 'ERR_SABWAY_NOT_DECODABLE', /./)
      assert.equal(await native.receive(), 'good')
      raw(garbage)
      renderer.send('better')
      const errors: unknown[] = []
      native.addEventListener('error', ({ error }) => errors.push(error))
      const seen: unknown[] = []
      native.startReceiving((each) => seen.push(each))
      await until(() => seen.length === 1, 'the good one')
      assert.deepEqual(seen, ['better'])
      assert.equal(errors.length, 1)
      assertError(errors[0], 'ERR_SABWAY_NOT_DECODABLE', /./)
    })
  })
}

for (const codec of ['v8', 'msgpack'] as const) {
  describe(`what the codec ${codec} keeps`, () => {
    const through = async <T>(value: T, bytes?: number): Promise<T> => {
      const { renderer, native } = pair<T>(codec, bytes)
      renderer.send(value)
      return within(native.receive(), 'the value')
    }

    it('Map, Set, Date, BigInt, RegExp, undefined, NaN, null, strings of all kinds', async () => {
      const value = {
        map: new Map<unknown, unknown>([
          [1, new Set(['x', { deep: [] }])],
          ['two', new Map()],
        ]),
        date: new Date(1234567890123),
        big: [1n, -5n, 2n ** 63n, -(2n ** 70n), 123456789012345678901234567890n],
        pattern: /a.c/gi,
        nothing: [undefined, null],
        numbers: [Number.NaN, Number.POSITIVE_INFINITY, 1.5, -1, 2 ** 40, 2 ** 53],
        strings: ['', 'ascii', 'grüße', '日本語', '🐢', 'x'.repeat(70_000 / 10)],
        flags: [true, false],
      }
      assert.deepEqual(await through(value), value)
    })

    it('errors: their class, message and name', async () => {
      for (const error of [new Error('plain'), new TypeError('typed'), new RangeError('ranged')]) {
        const copy = await through(error)
        assert.ok(copy instanceof Error)
        assert.equal(copy.constructor, error.constructor)
        assert.deepEqual([copy.name, copy.message], [error.name, error.message])
      }
    })

    it('cycles, and that two references are one object', async () => {
      const shared = { n: 1 }
      const value: Record<string, unknown> = { a: shared, b: shared, list: [] }
      value.self = value
      ;(value.list as unknown[]).push(value)
      const copy = await through(value)
      assert.equal(copy.self, copy)
      assert.equal((copy.list as unknown[])[0], copy)
      assert.equal(copy.a, copy.b)
      assert.deepEqual(copy.a, shared)
    })

    it('typed arrays of every type, with buffers of their own', async () => {
      const bytes = Uint8Array.from({ length: 80 }, (_, i) => (i * 7) & 127)
      const types = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array]
      const wide = [Float32Array, Float64Array, BigInt64Array, BigUint64Array]
      const value = [
        ...[...types, ...wide].map((Type) => new (Type as Uint8ArrayConstructor)(bytes.buffer, 16, 3)),
        new Uint8Array(bytes.buffer, 3, 5), // at an odd place
        new Uint8Array(0),
        new DataView(bytes.buffer, 1, 9),
        new Float64Array(5000).fill(1.25),
      ]
      const copy = await through(value)
      assert.deepEqual(copy, value)
      copy.forEach((view, i) => {
        assert.ok(view.buffer instanceof ArrayBuffer)
        if (codec === 'v8') assert.equal(view.buffer.byteLength, value[i]!.byteLength)
      })
      assert.deepEqual(await through(bytes.buffer), bytes.buffer)
    })

    it('arrays in messages that had to be queued, and in one as large as the ring allows', async () => {
      const { renderer, native } = pair<{ i: number; data: Float32Array }>(codec, 8192)
      for (let i = 0; i < 30; i++) renderer.send({ i, data: new Float32Array(1000 + i).fill(i) })
      for (let i = 0; i < 30; i++) {
        const { i: number, data } = await native.receive()
        assert.equal(number, i)
        assert.deepEqual(data, new Float32Array(1000 + i).fill(i))
      }
      throwsError(() => renderer.send({ i: 0, data: new Float32Array(2048) }), 'ERR_SABWAY_MESSAGE_TOO_LARGE', /8192/)
    })

    it('refuses SharedArrayBuffers, and MessagePorts outside a port', () => {
      const { renderer } = pair<unknown>(codec)
      throwsError(() => renderer.send(new SharedArrayBuffer(8)), 'ERR_SABWAY_NOT_ENCODABLE', /postMessage/)
      const { port1 } = new MessageChannel()
      throwsError(() => renderer.send({ port1 }), 'ERR_SABWAY_NOT_ENCODABLE', /channel.port\(\)/)
      port1.close()
    })

    it('survives garbage of every length', async () => {
      const { renderer, native } = pair<unknown>(codec)
      let state = 1
      for (let length = 0; length < 300; length++) {
        const room = renderer.reserve(length)!
        for (let i = 0; i < length; i++) {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0
          room[i] = i < 4 && length % 2 === 0 ? [length - 4, 0, 0, 0][i]! : state >>> 24
        }
        renderer.commit()
        await native.receive().catch((error) => assertError(error, 'ERR_SABWAY_NOT_DECODABLE', /./))
      }
      renderer.send('still here')
      assert.equal(await native.receive(), 'still here')
    })
  })
}

describe('a codec', () => {
  it('must be one that there is, or a whole one', () => {
    const make = (codec: unknown) => () => new SharedMemoryChannel(4096, 4096, { codec: codec as never })
    throwsError(
      make('yaml'),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /codec 'yaml' is not available here; available: 'bytes', 'structured', 'v8'/,
    )
    throwsError(make({ name: 'half', encode() {} }), 'ERR_SABWAY_INVALID_TYPE', /\{ name, encode, decode \}/)
    const { renderer } = pair<unknown>({ name: 'n', encode: () => 'text', decode() {} } as never)
    throwsError(() => renderer.send(1), 'ERR_SABWAY_NOT_ENCODABLE', /encode of codec 'n' gave no Uint8Array/)
  })

  for (const host of [
    'no module',
    'a module that cannot be loaded',
    'no Serializer',
    'no Deserializer',
    'a Serializer that cannot be made',
    'a Deserializer that cannot be made',
    'a Serializer that cannot write',
    'a Serializer without host objects',
    'a Deserializer that cannot read',
  ]) {
    it(`'structured' is MessagePack in a host that has ${host}, and the handle says so`, async () => {
      const { code, stdout, stderr } = await runChild('no-serializer.js', [host])
      assert.equal(code, 0, stderr)
      const { codec, received, refusal } = JSON.parse(stdout)
      assert.deepEqual([codec, received], ['msgpack', 2])
      assert.match(refusal, /codec 'v8' is not available here; .* every host has 'msgpack': let both sides use it/)
    })
  }

  it("'structured' is MessagePack where there is no V8 serializer, and the handle says so", async () => {
    const thread = new Thread('browser-values', new URL('dist/browser.mjs', root).href)
    const handle = await thread.next<ChannelHandle>()
    assert.equal(handle.codec, 'msgpack')
    const channel = SharedMemoryChannel.attach<unknown>(handle, { side: 'native' })
    keep(channel as never)
    const value = { map: new Map([[1, 'one']]), array: Float32Array.of(1, 2), self: null as unknown }
    value.self = value
    channel.send(value)
    assert.deepEqual(await within(channel.receive(), 'the echo'), value)
    const refused = await thread.next()
    assertError(
      refused,
      'ERR_SABWAY_INVALID_ARGUMENT',
      /codec 'v8' is not available here; available: 'bytes', 'structured', 'msgpack'/,
    )
  })
})
