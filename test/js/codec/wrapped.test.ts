// Codecs that compress and encrypt: what comes out is what went in, or an error.
import assert from 'node:assert/strict'
import {
  type Codec,
  type CodecName,
  codecOf,
  type ErrorCode,
  MemoryHeap,
  Region,
  SabwayError,
  SharedMap,
  SharedMemoryChannel,
} from 'sabway'
import { compressed, encrypted } from 'sabway/codecs'
import { throwsError } from '../support/errors.js'
import { codecFor, json, KEY, noise } from '../support/wrapped.js'

const NAMES = ['compressed', 'encrypted', 'encrypted compressed'].flatMap((wrappers) =>
  ['structured', 'msgpack', 'json'].map((inner) => `${wrappers} ${inner}`),
)

const channels: SharedMemoryChannel<never>[] = []
afterEach(() => {
  for (const channel of channels.splice(0)) channel.cleanup()
})

function pair<T = unknown>(codec: Codec<T>, other = codec, bytes = 1 << 21) {
  const renderer = new SharedMemoryChannel<T>(bytes, bytes, { codec })
  const native = SharedMemoryChannel.attach<T>(renderer.handle, { side: 'native', codec: other })
  channels.push(renderer as never, native as never)
  return { renderer, native }
}

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  1.5,
  'text',
  '',
  [],
  {},
  { nested: [{ a: 1 }, { a: 2 }], text: 'a '.repeat(2000) },
  Array.from({ length: 500 }, (_, i) => ({ id: i, name: `unit ${i}` })),
]

const CONTENTS: Record<string, (length: number) => Uint8Array> = {
  zeros: (length) => new Uint8Array(length),
  text: (length) => Uint8Array.from({ length }, (_, i) => 'shared memory '.charCodeAt(i % 14) ^ (i % 97 === 0 ? 1 : 0)),
  noise: (length) => noise(length),
}

/** Each of these messages is an error with one of the codes. */
function refused(codec: Codec<unknown>, messages: Iterable<Uint8Array>, codes: readonly ErrorCode[], place?: string) {
  let count = 0
  for (const message of messages) {
    let value: unknown
    try {
      value = codec.decode(message, place)
    } catch (error) {
      assert.ok(error instanceof SabwayError && codes.includes(error.code), `${error}`)
      count++
      continue
    }
    assert.fail(`message ${count} gave ${value}`)
  }
  assert.ok(count > 0)
}

function* flipped(message: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < 8 * message.length; bit++) {
    const changed = message.slice()
    changed[bit >> 3]! ^= 1 << (bit & 7)
    yield changed
  }
}

function* cut(message: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < message.length; length++) yield message.slice(0, length)
}

describe('a codec that wraps another', () => {
  for (const name of NAMES) {
    it(`carries values by every way of sending: ${name}`, async () => {
      const { renderer, native } = pair(codecFor(name), codecFor(name))
      for (const value of VALUES) {
        assert.equal(renderer.trySend(value), true)
        assert.deepEqual(native.tryReceive()!.message, value)
        native.send(value)
        assert.deepEqual(await renderer.receive(), value)
      }
      assert.equal(renderer.sendBatch(VALUES), VALUES.length)
      for (const value of VALUES) assert.deepEqual(await native.receive(), value)
      await renderer.sendDirect({ direct: 1 })
      assert.deepEqual(await native.receive(), { direct: 1 })
    })
  }

  it("keeps what only 'structured' can carry", () => {
    const value = {
      map: new Map([[1, 'one']]),
      set: new Set([2]),
      date: new Date(3),
      floats: Float32Array.of(1, 2),
      self: {},
    }
    value.self = value
    for (const name of ['compressed structured', 'encrypted compressed structured']) {
      const { renderer, native } = pair(codecFor(name))
      renderer.trySend(value)
      assert.deepEqual(native.tryReceive()!.message, value)
    }
  })

  for (const [what, contents] of Object.entries(CONTENTS)) {
    it(`carries bytes of every length around the threshold, ${what}`, () => {
      const plain = compressed('bytes', { threshold: 1024 })
      const both = encrypted(plain, { key: KEY })
      const ways = [pair<Uint8Array>(plain), pair<Uint8Array>(encrypted('bytes', { key: KEY })), pair<Uint8Array>(both)]
      for (const length of [0, 1, 2, 255, 1020, 1023, 1024, 1025, 1040, 4096, 65535, 65536, 300_000, 1 << 20]) {
        const bytes = contents(length)
        for (const { renderer, native } of ways) {
          assert.equal(renderer.trySend(bytes), true)
          const { message } = native.tryReceive()!
          assert.ok(message.length === length && message.every((byte, i) => byte === bytes[i]), `${length}`)
        }
        const { length: packed } = plain.encode(bytes)
        if (length < 1024 || what === 'noise') assert.equal(packed, length + 8)
        else assert.ok(packed < length / 4, `${length} bytes became ${packed}`)
        assert.equal(both.encode(bytes).length, packed + 40)
      }
    })
  }

  it('has a name that says what it wraps, which must be the same on both sides', () => {
    const names = [compressed(), compressed('bytes'), compressed(json), encrypted(compressed('msgpack'), { key: KEY })]
    assert.deepEqual(
      names.slice(1).map(({ name }) => name),
      ['compressed(bytes)', 'compressed(json)', 'encrypted(compressed(msgpack))'],
    )
    assert.match(names[0]!.name, /^compressed\((v8|msgpack)\)$/)
    const channel = new SharedMemoryChannel<unknown>(4096, 4096, { codec: compressed('msgpack') })
    channels.push(channel as never)
    assert.equal(channel.handle.codec, 'own:compressed(msgpack)')
    const attach = (codec?: Codec<unknown>) => () =>
      SharedMemoryChannel.attach(channel.handle, { side: 'native', codec })
    throwsError(attach(), 'ERR_SABWAY_INVALID_ARGUMENT', /a codec named 'compressed\(msgpack\)'/)
    throwsError(attach(compressed(json)), 'ERR_SABWAY_INVALID_ARGUMENT', /not 'own:compressed\(json\)'/)
  })

  it('tells what the wrapped codec refuses', () => {
    for (const name of ['compressed msgpack', 'encrypted compressed msgpack']) {
      const { renderer } = pair(codecFor(name))
      throwsError(() => renderer.send(() => {}), 'ERR_SABWAY_NOT_ENCODABLE', /./)
    }
    const bytes = encrypted('bytes', { key: KEY })
    throwsError(
      () => bytes.encode('text' as never),
      'ERR_SABWAY_NOT_ENCODABLE',
      /'bytes' is for a Uint8Array, got 'text'/,
    )
  })

  it('reads the same value again, of memory of its own', () => {
    const codec = encrypted(compressed('bytes'), { key: KEY })
    const bytes = noise(100)
    const message = codec.encode(bytes)
    bytes.fill(0)
    const first = codec.decode(message)
    message.fill(0)
    assert.deepEqual(first, noise(100))
  })
})

describe('a message that was encrypted', () => {
  const codec = codecFor('encrypted compressed msgpack')
  const message = codec.encode({ secret: 'attack at dawn' }, 'renderer')

  it('is refused with any of its bits flipped', () =>
    refused(codec, flipped(message), ['ERR_SABWAY_FORGED'], 'renderer'))

  it('is refused when it was cut off, or is longer', () => {
    refused(codec, cut(message), ['ERR_SABWAY_FORGED'], 'renderer')
    const longer = new Uint8Array(message.length + 1)
    longer.set(message)
    refused(codec, [longer], ['ERR_SABWAY_FORGED'], 'renderer')
    assert.deepEqual(codec.decode(message, 'renderer'), { secret: 'attack at dawn' })
  })

  it('is refused under another key, in another context, of another codec and in another place', () => {
    const options = { key: KEY, context: 'orders' }
    const sent = encrypted('msgpack', options).encode({ a: 1 }, 'renderer')
    const others: Codec<unknown>[] = [
      encrypted('msgpack', { ...options, key: noise(32) }),
      encrypted('msgpack', { ...options, context: 'order' }),
      encrypted('msgpack', { ...options, context: 'orders2' }),
      encrypted('msgpack', { key: KEY }),
      encrypted<unknown>(json, options),
      encrypted(compressed('msgpack'), options),
    ]
    for (const other of others) refused(other, [sent], ['ERR_SABWAY_FORGED'], 'renderer')
    for (const place of ['native', '', 'renderer ', undefined])
      refused(encrypted('msgpack', options), [sent], ['ERR_SABWAY_FORGED'], place)
    assert.deepEqual(encrypted('msgpack', options).decode(sent, 'renderer'), { a: 1 })
  })

  it('has no text of the value in it, nor the same bytes twice', () => {
    const again = codec.encode({ secret: 'attack at dawn' }, 'renderer')
    assert.notDeepEqual(again, message)
    assert.doesNotMatch(String.fromCharCode(...again), /attack|secret/)
  })

  it('is refused when a side gets its own message back', () => {
    const { renderer, native } = pair(codec)
    renderer.trySend({ order: 1 })
    let copy: Uint8Array | undefined
    native.drain((bytes, start, end) => {
      copy = bytes.slice(start, end)
    })
    native.reserve(copy!.length)!.set(copy!)
    native.commit()
    throwsError(() => renderer.tryReceive(), 'ERR_SABWAY_FORGED', /./)
    renderer.reserve(copy!.length)!.set(copy!)
    renderer.commit()
    assert.deepEqual(native.tryReceive()!.message, { order: 1 })
  })

  it('costs the channel nothing but itself when it is forged', () => {
    const { renderer, native } = pair(codec)
    for (const forged of [noise(5), noise(200), new Uint8Array(0)]) {
      renderer.reserve(forged.length)!.set(forged)
      renderer.commit()
      throwsError(() => native.tryReceive(), 'ERR_SABWAY_FORGED', /./)
    }
    renderer.send('still here')
    assert.equal(native.tryReceive()!.message, 'still here')
  })

  it('goes through no port, which has a codec of its own', () => {
    throwsError(() => pair(codec).renderer.port(), 'ERR_SABWAY_INVALID_STATE', /without the channel's codec/)
  })

  it('has a nonce that no other has: a number of its codec, and a count', () => {
    const codecs = Array.from({ length: 50 }, () => encrypted('bytes', { key: KEY }))
    const senders = new Set<string>()
    for (const each of codecs) {
      const nonces = Array.from({ length: 20 }, () => each.encode(new Uint8Array(1)).slice(0, 24))
      const sender = nonces[0]!.slice(0, 16).join()
      nonces.forEach((nonce, i) => {
        assert.equal(nonce.slice(0, 16).join(), sender)
        assert.deepEqual([...nonce.slice(16)], [i, 0, 0, 0, 0, 0, 0, 0])
      })
      senders.add(sender)
    }
    assert.equal(senders.size, codecs.length)
  })

  it('is read, whichever of many senders it comes from', () => {
    const codecs = Array.from({ length: 100 }, () => encrypted('bytes', { key: KEY }))
    const reader = encrypted('bytes', { key: KEY })
    for (let round = 0; round < 2; round++)
      for (const [i, each] of codecs.entries())
        assert.deepEqual(reader.decode(each.encode(Uint8Array.of(i))), Uint8Array.of(i))
  })
})

/** Length, as a compressed message says it. */
const saying = (message: Uint8Array, length: number): Uint8Array => {
  const changed = message.slice()
  new DataView(changed.buffer).setUint32(4, length, true)
  return changed
}

describe('a message that was compressed', () => {
  const codec = compressed('bytes', { maxBytes: 1 << 20 })
  const text = CONTENTS.text!(3000)
  const message = codec.encode(text)

  it('is an error, or the same value, with any of its bits flipped', () => {
    let errors = 0
    for (const changed of flipped(message)) {
      try {
        assert.deepEqual(codec.decode(changed), text)
      } catch (error) {
        assert.ok(error instanceof SabwayError, `${error}`)
        assert.ok(['ERR_SABWAY_NOT_COMPRESSED', 'ERR_SABWAY_EXPANDS_TOO_MUCH'].includes(error.code), error.code)
        errors++
      }
    }
    assert.ok(errors > 7 * message.length, `${errors} of ${8 * message.length}`)
  })

  it('is refused when it was cut off', () => refused(codec, cut(message), ['ERR_SABWAY_NOT_COMPRESSED']))

  it('is refused where it would be larger than is allowed, before it is', () => {
    const bomb = compressed('bytes').encode(new Uint8Array(8 << 20))
    assert.ok(bomb.length < 40_000, `${bomb.length}`)
    throwsError(() => codec.decode(bomb), 'ERR_SABWAY_EXPANDS_TOO_MUCH', /8388608 bytes, and maxBytes .* is 1048576/)
    const lies = [0, 1, 1000, 1 << 20, 2 ** 20 - 1].map((length) => saying(bomb, length))
    refused(codec, lies, ['ERR_SABWAY_NOT_COMPRESSED'])
    // a few bytes that say they are many
    const open = compressed('bytes', { maxBytes: 2 ** 30 })
    refused(open, [saying(message.slice(0, 40), 2 ** 29)], ['ERR_SABWAY_NOT_COMPRESSED'])
    refused(open, [saying(message, 3001), saying(message, 2999)], ['ERR_SABWAY_NOT_COMPRESSED'])
    const small = compressed('bytes', { maxBytes: 100 })
    throwsError(() => small.decode(codec.encode(new Uint8Array(101))), 'ERR_SABWAY_EXPANDS_TOO_MUCH', /101 bytes/)
    throwsError(
      () => small.encode(new Uint8Array(101)),
      'ERR_SABWAY_NOT_ENCODABLE',
      /101 bytes, and maxBytes .* is 100/,
    )
    assert.deepEqual(small.decode(small.encode(new Uint8Array(100))), new Uint8Array(100))
  })
})

describe('bytes that no codec has made', () => {
  it('are never a value', () => {
    const codes = ['ERR_SABWAY_NOT_COMPRESSED', 'ERR_SABWAY_EXPANDS_TOO_MUCH', 'ERR_SABWAY_FORGED'] as const
    const packed = compressed('bytes', { threshold: 0 }).encode(CONTENTS.text!(2000))
    function* random(): Generator<Uint8Array> {
      for (let seed = 1; seed <= 3000; seed++) {
        const bytes = noise((seed * 7) % 200, seed)
        yield bytes
        // with a head that looks right
        const headed = noise(20 + ((seed * 7) % 200), seed)
        headed.set([0x5a, 1, 0, 0, seed & 255, (seed >> 8) & 1, 0, 0])
        yield headed
        const changed = packed.slice()
        for (let i = 0; i <= seed % 5; i++)
          changed[12 + ((seed * 31 + i * 17) % (packed.length - 12))]! ^= 1 + (seed & 127)
        // the checksum no longer fits, even where the rest does
        changed[8]! ^= 0xff
        yield changed
      }
    }
    for (const name of ['compressed msgpack', 'encrypted msgpack', 'encrypted compressed structured'])
      refused(codecFor(name), random(), codes)
  })
})

describe('a key', () => {
  it('is 32 bytes, of which the codec has its own copy', () => {
    const key = KEY.slice()
    const codec = encrypted('bytes', { key })
    key.fill(0)
    assert.deepEqual(encrypted('bytes', { key: KEY }).decode(codec.encode(Uint8Array.of(1))), Uint8Array.of(1))
    for (const length of [0, 16, 31, 33, 64])
      throwsError(
        () => encrypted('bytes', { key: new Uint8Array(length) }),
        'ERR_SABWAY_OUT_OF_RANGE',
        /32 bytes, this one has/,
      )
    for (const odd of [undefined, null, 'x'.repeat(32), KEY.buffer, [...KEY], { type: 'secret' }, 5])
      throwsError(
        () => encrypted('bytes', { key: odd as never }),
        'ERR_SABWAY_INVALID_TYPE',
        /a Uint8Array of 32 bytes/,
      )
  })
})

describe('the options of a wrapping codec', () => {
  it('are checked', () => {
    const bad = (options: object) => () => compressed('bytes', options as never)
    throwsError(bad({ threshold: -1 }), 'ERR_SABWAY_OUT_OF_RANGE', /threshold/)
    throwsError(bad({ level: 0 }), 'ERR_SABWAY_OUT_OF_RANGE', /level must be an integer from 1 to 9/)
    throwsError(bad({ level: '1' }), 'ERR_SABWAY_INVALID_TYPE', /level/)
    throwsError(bad({ maxBytes: 2 ** 31 }), 'ERR_SABWAY_OUT_OF_RANGE', /maxBytes/)
    throwsError(bad({ treshold: 1 }), 'ERR_SABWAY_INVALID_ARGUMENT', /did you mean 'threshold'/)
    throwsError(() => compressed('yaml' as CodecName), 'ERR_SABWAY_INVALID_ARGUMENT', /'yaml' is not available/)
    throwsError(() => compressed({ name: 'x' } as never), 'ERR_SABWAY_INVALID_TYPE', /\{ name, encode, decode \}/)
    throwsError(() => compressed({ ...json, takes: 'some' } as never), 'ERR_SABWAY_INVALID_ARGUMENT', /codec.takes/)
    throwsError(() => compressed({ ...json, same: 1 } as never), 'ERR_SABWAY_INVALID_TYPE', /codec.same/)
    const context = (context: unknown) => () => encrypted('bytes', { key: KEY, context: context as string })
    throwsError(context(5), 'ERR_SABWAY_INVALID_TYPE', /context/)
    throwsError(context('x'.repeat(1001)), 'ERR_SABWAY_INVALID_ARGUMENT', /context/)
    assert.ok(context('x'.repeat(1000))())
    throwsError(
      () => encrypted({ ...json, name: 'x'.repeat(95) }, { key: KEY }),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /codec.name/,
    )
  })

  it("stand for the codec that they ask for, by the plan's names", () => {
    const encryptionKey = KEY
    const nameOf = (options: Parameters<typeof codecOf>[0]) => {
      const codec = codecOf(options)
      return typeof codec === 'object' ? codec.name.replace('v8', 'msgpack') : codec
    }
    assert.equal(nameOf({}), undefined)
    assert.equal(nameOf({ codec: 'msgpack' }), 'msgpack')
    assert.equal(nameOf({ enableCompression: true }), 'compressed(msgpack)')
    assert.equal(nameOf({ compressionThreshold: 100, codec: 'bytes' }), 'compressed(bytes)')
    assert.equal(nameOf({ compressionLevel: 9 }), 'compressed(msgpack)')
    assert.equal(nameOf({ enableCompression: false, compressionThreshold: 100 }), undefined)
    assert.equal(nameOf({ encryptionKey, codec: json }), 'encrypted(json)')
    assert.equal(
      nameOf({ encryptionKey, enableEncryption: true, enableCompression: true }),
      'encrypted(compressed(msgpack))',
    )
    assert.equal(nameOf({ encryptionKey, enableEncryption: false, encryptionContext: 'x' }), undefined)
    throwsError(() => codecOf({ enableEncryption: true }), 'ERR_SABWAY_INVALID_ARGUMENT', /needs encryptionKey/)
    throwsError(() => codecOf({ encryptionContext: 'x' }), 'ERR_SABWAY_INVALID_ARGUMENT', /needs encryptionKey/)
    throwsError(() => codecOf({ enableCompression: 1 as never }), 'ERR_SABWAY_INVALID_TYPE', /true or false/)
    throwsError(() => codecOf(null as never), 'ERR_SABWAY_INVALID_TYPE', /options must be an object/)
    const codec = codecOf({ compressionThreshold: 10, encryptionKey, encryptionContext: 'a' }) as Codec<unknown>
    const sent = codec.encode({ text: 'x'.repeat(500) })
    assert.ok(sent.length < 200)
    assert.deepEqual(codec.decode(sent), { text: 'x'.repeat(500) })
    refused(codecOf({ compressionThreshold: 10, encryptionKey }) as Codec<unknown>, [sent], ['ERR_SABWAY_FORGED'])
  })
})

describe('a map whose codec encrypts', () => {
  const KEYS = ['text', 5, -0, 7n, Uint8Array.of(1, 2), '\ud800', 'x'.repeat(100)]
  const VALUES_OF_A_MAP = [1, -0, 'a text', true, null, 12n, 2n ** 90n, { a: 1 }, [1, 2]]
  const codec = encrypted<unknown>('msgpack', { key: KEY })

  function made(options = { codec }) {
    const heap = new MemoryHeap({ size: 1 << 23 })
    return { heap, map: new SharedMap<never, unknown>(heap, options as never) as unknown as SharedMap }
  }

  it('keeps values of every type under keys of every type', () => {
    const { map } = made()
    for (const key of KEYS)
      for (const value of VALUES_OF_A_MAP) {
        map.set(key, value)
        assert.deepEqual(map.get(key), value)
        assert.deepEqual(map.getOrInsert(key, 'other'), value)
        assert.deepEqual([...map.values()], [value])
        assert.equal(map.compareAndSet(key, 'something else', 0), false)
        assert.equal(map.compareAndSet(key, value, ['next']), true)
        assert.deepEqual(map.get(key), ['next'])
        assert.deepEqual(
          map.update(key, (old) => [old]),
          [['next']],
        )
        assert.deepEqual([...map.entries()].length, 1)
        assert.equal(map.compareAndSet(key, [['next']], undefined), true)
        assert.equal(map.has(key), false)
      }
    map.check()
  })

  it('has no value of any type in the memory as it is', () => {
    const { heap, map } = made()
    map.set('key', 'a text that is secret')
    map.set('bytes', new TextEncoder().encode('some bytes, secret'))
    map.set(1, 123456.789)
    const { bytes } = heap.region as unknown as { bytes: Uint8Array }
    const at = (needle: Uint8Array) => {
      outer: for (let i = 0; i < bytes.length - needle.length; i++) {
        for (let j = 0; j < needle.length; j++) if (bytes[i + j] !== needle[j]) continue outer
        return i
      }
      return -1
    }
    for (const text of ['a text that', 'some bytes,']) assert.equal(at(new TextEncoder().encode(text)), -1)
    const number = new Uint8Array(Float64Array.of(123456.789).buffer)
    assert.equal(at(number), -1)
    const plain = new SharedMap(heap)
    plain.set('key', 'a text that is none')
    plain.set(1, 123456.789)
    assert.notEqual(at(new TextEncoder().encode('a text that')), -1)
    assert.notEqual(at(number), -1)
  })

  it('refuses a value that was put under another key, or past the codec', () => {
    // a participant without the key moves what it finds, as bytes of a codec of the same name
    const raw: Codec<Uint8Array> = {
      name: codec.name,
      encode: (bytes) => bytes,
      decode: (bytes) => bytes.slice(),
      takes: 'text',
    }
    const { heap, map } = made()
    const thief = new SharedMap<string, unknown>(heap, map.getSharedMemory(), { codec: raw as never })
    map.set('alice', 100)
    map.set('bob', 1)
    const moved = thief.get('alice')
    thief.set('bob', moved)
    throwsError(() => map.get('bob'), 'ERR_SABWAY_FORGED', /./)
    throwsError(() => [...map.values()], 'ERR_SABWAY_FORGED', /./)
    throwsError(() => map.compareAndSet('bob', 100, 5), 'ERR_SABWAY_FORGED', /./)
    assert.equal(map.get('alice'), 100)
    thief.set('bob', 100)
    throwsError(() => map.get('bob'), 'ERR_SABWAY_NOT_DECODABLE', /without the codec of the map/)
    throwsError(() => map.compareAndSet('bob', 100, 5), 'ERR_SABWAY_NOT_DECODABLE', /without the codec/)
    ;(thief as SharedMap).set(9, 100)
    throwsError(() => map.get(9), 'ERR_SABWAY_NOT_DECODABLE', /without the codec of the map/)
    map.set('bob', 2)
    assert.equal(map.get('bob'), 2)
  })

  it('that only compresses leaves numbers as they are, and makes texts smaller', () => {
    const { heap, map } = made({ codec: compressed<unknown>('msgpack') })
    map.set('count', 5)
    const text = 'shared memory '.repeat(5000)
    const before = heap.region.heap.stats().used
    map.set('text', text)
    assert.ok(heap.region.heap.stats().used - before < 20_000)
    assert.equal(map.get('text'), text)
    assert.equal(map.get('count'), 5)
    assert.equal(map.compareAndSet('count', 4, 6), false)
    assert.equal(map.compareAndSet('count', 5, 6), true)
    assert.equal(map.compareAndSet('text', text, 'short'), true)
    assert.equal(map.compareAndSet('text', text, 'other'), false)
    assert.equal(map.compareAndSet('count', 'text', 'other'), false)
    assert.deepEqual(
      new Map(map.entries()),
      new Map<unknown, unknown>([
        ['count', 6],
        ['text', 'short'],
      ]),
    )
    assert.ok(heap.region instanceof Region)
  })
})
