import assert from 'node:assert/strict'
import { crc32c, type SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { attach, collect, open, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { rawAddon } from '../support/paths.js'
import { nativeThreadsAre } from '../support/threads.js'
import { aWhile, until } from '../support/wait.js'

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** The worker's count of what it received has reached `count`. */
const received = (channel: SharedMemoryChannel, count: number) =>
  until(() => channel.stats().worker?.received === count, `${count} messages at the worker`)

describe('crc32c', () => {
  it('gives the known values', () => {
    assert.equal(crc32c(bytesOf('123456789')), 0xe3069283)
    assert.equal(crc32c(new Uint8Array(0)), 0)
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa) // these three: RFC 3720, B.4
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e)
  })

  it('continues, however the bytes are cut', () => {
    const bytes = pattern(3, 1000)
    for (const at of [0, 1, 7, 8, 9, 500, 993, 1000]) {
      assert.equal(crc32c(bytes.subarray(at), crc32c(bytes.subarray(0, at))), crc32c(bytes))
    }
  })
})

describe('crc32c of what is no bytes', () => {
  const wrong: Record<string, unknown> = {
    'a string': '123456789',
    'an ArrayBuffer': new ArrayBuffer(9),
    'a DataView': new DataView(new ArrayBuffer(9)),
    'a wider array': new Uint16Array(9),
    'an array of clamped bytes': new Uint8ClampedArray(9),
    'an array': [1, 2, 3],
  }
  for (const [name, value] of Object.entries(wrong)) {
    it(`refuses ${name}, in the library and in the addon`, () => {
      throwsError(() => crc32c(value as never), 'ERR_SABWAY_INVALID_TYPE', /must be a Uint8Array, got /)
      assert.throws(() => rawAddon().crc32c(value, 0), { code: 'ERR_SABWAY_INVALID_TYPE' })
    })
  }

  it('refuses a sum to continue from that is none', () => {
    const bytes = bytesOf('123456789')
    for (const crc of [-1, 0.5, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY]) {
      throwsError(
        () => crc32c(bytes, crc),
        'ERR_SABWAY_OUT_OF_RANGE',
        /crc must be an integer from 0 to 4294967295, got /,
      )
    }
    throwsError(() => crc32c(bytes, '0' as never), 'ERR_SABWAY_INVALID_TYPE', /crc must be a number, got '0'/)
    assert.equal(crc32c(bytes, undefined), 0xe3069283)
    assert.equal(typeof crc32c(bytes, 2 ** 32 - 1), 'number')
  })

  it('takes bytes of any source', () => {
    const bytes = bytesOf('123456789')
    const shared = new Uint8Array(new SharedArrayBuffer(9))
    shared.set(bytes)
    for (const source of [Buffer.from('123456789'), shared, new (class extends Uint8Array {})(bytes)]) {
      assert.equal(crc32c(source), 0xe3069283)
    }
  })
})

describe("the native worker 'echo'", () => {
  it('sends every message back, in order', async () => {
    const channel = open(16384, 8192)
    channel.startWorker({ builtin: 'echo' })
    const echoes = collect(channel)
    for (let i = 0; i < 2000; i++) channel.send(pattern(i, (i * 7) % 3000))
    await until(() => echoes.length === 2000, 'all echoes')
    echoes.forEach((echo, i) => {
      assert.deepEqual(echo, pattern(i, (i * 7) % 3000))
    })
  })

  it('waits for room when the echoes are not read, and loses none', async () => {
    const channel = open(16384, 4096)
    channel.startWorker({ builtin: 'echo' })
    for (let i = 0; i < 30; i++) channel.send(pattern(i, 1000))
    await received(channel, 4) // the fifth echo finds no room
    await aWhile()
    assert.equal(channel.stats().worker?.received, 4)
    const echoes = collect(channel)
    await until(() => echoes.length === 30, 'the rest')
    echoes.forEach((echo, i) => {
      assert.deepEqual(echo, pattern(i, 1000))
    })
  })

  it('ends with an error when an echo does not fit at all', async () => {
    const channel = open(8192, 4096)
    const errors: { code: string; message: string }[] = []
    channel.addEventListener('error', (event) => errors.push((event as unknown as { error: never }).error))
    channel.startWorker({ builtin: 'echo' })
    channel.send(pattern(0, 5000))
    await until(() => errors.length === 1, "the 'error' event")
    assert.equal(errors[0]!.code, 'ERR_SABWAY_PLUGIN_FAILED')
  })
})

describe("the native worker 'sink'", () => {
  it('counts, and sums up all payloads one behind the other', async () => {
    const channel = open(8192)
    channel.startWorker({ builtin: 'sink' })
    let crc = 0
    let bytes = 0
    for (let i = 0; i < 1000; i++) {
      const message = pattern(i, (i * 11) % 4000)
      crc = crc32c(message, crc)
      bytes += message.length
      channel.send(message)
    }
    await received(channel, 1000)
    const { worker } = channel.stats()
    assert.deepEqual([worker!.receivedBytes, worker!.crc, worker!.sent, worker!.sentBytes], [bytes, crc, 0, 0])
  })

  it('has no sum of nothing', async () => {
    const channel = open()
    channel.startWorker({ builtin: 'sink' })
    assert.equal(channel.stats().worker?.crc, 0)
    channel.send(new Uint8Array(0))
    await received(channel, 1)
    assert.equal(channel.stats().worker?.crc, 0)
  })
})

describe("the native worker 'source'", () => {
  /** As native/worker/handlers.c documents it. */
  const expected = (n: number, size: number) => {
    const message = Uint8Array.from({ length: size }, (_, i) => (n + i) & 0xff)
    if (size >= 4) new DataView(message.buffer).setUint32(0, n, true)
    return message
  }

  for (const size of [0, 1, 3, 4, 64, 5000]) {
    it(`sends messages of ${size} bytes, as many as count says`, async () => {
      const channel = open(4096, 65536)
      const messages = collect(channel)
      channel.startWorker({ builtin: 'source', size, count: 700 })
      await until(() => messages.length === 700, '700 messages')
      await aWhile()
      assert.equal(messages.length, 700)
      messages.forEach((message, n) => {
        assert.deepEqual(message, expected(n, size))
      })
    })
  }

  it('sends 64 bytes without end when told nothing', async () => {
    const channel = open()
    let count = 0
    channel.startReceiving((message) => {
      assert.deepEqual(message, expected(count++, 64))
    })
    channel.startWorker({ builtin: 'source' })
    await until(() => count > 20_000, 'many messages')
  })

  it('keeps to its rate: not more than the time that passed allows', async () => {
    const channel = open()
    let count = 0
    channel.startReceiving(() => count++)
    const begin = performance.now()
    channel.startWorker({ builtin: 'source', size: 8, rate: 500 })
    await until(() => count >= 50, '50 messages')
    const allowed = 1 + ((performance.now() - begin) * 500) / 1000
    assert.ok(count <= allowed, `${count} messages where ${allowed} were due`)
  })

  it('refuses options that make no sense, and says which do', () => {
    const channel = open()
    for (const wrong of [{ size: -1 }, { size: 1e12 }, { rate: -5 }, { count: 1e12 }]) {
      throwsError(
        () => channel.startWorker({ builtin: 'source', ...wrong }),
        'ERR_SABWAY_PLUGIN_OPEN',
        /source: source: size is 0 to 512 MiB, rate at least 0/,
      )
    }
    channel.startWorker({ builtin: 'source', count: 1 })
  })

  it("says why it stops when its messages fit no ring, then 'close'", async () => {
    const channel = open(4096, 4096)
    const told: string[] = []
    channel.addEventListener('close', () => told.push('close'))
    collect(channel)
    channel.startWorker({ builtin: 'source', size: 5000, onLog: ({ level, text }) => told.push(`${level}: ${text}`) })
    await until(() => told.length === 2, 'log line and close')
    assert.deepEqual(told.sort(), ['close', 'error: source: size is larger than the ring towards JavaScript'])
  })
})

describe('the native worker', () => {
  it('sleeps when there is nothing to do, and is woken by each message', async () => {
    const channel = open()
    channel.startWorker({ builtin: 'echo' })
    const echoes = collect(channel)
    const parks = () => channel.stats().worker!.parks
    for (let i = 0; i < 20; i++) {
      await until(() => parks() === i + 1, 'the worker to go to sleep')
      channel.send(pattern(i, 10))
      await until(() => echoes.length === i + 1, `echo ${i}`)
    }
    echoes.forEach((echo, i) => {
      assert.deepEqual(echo, pattern(i, 10))
    })
  })

  it('does not wake up while nothing happens', async () => {
    const channel = open()
    channel.startWorker({ builtin: 'echo' })
    await until(() => channel.stats().worker!.parks === 1, 'the worker to go to sleep')
    await aWhile()
    assert.equal(channel.stats().worker!.parks, 1)
  })

  it('handles what was sent before it is stopped', async () => {
    const channel = open(1 << 20, 1 << 20)
    for (let i = 0; i < 1000; i++) channel.send(pattern(i, 100))
    channel.startWorker({ builtin: 'echo' })
    channel.stopWorker()
    assert.equal(takeAll(channel).length, 1000)
  })

  it('is followed by another on the same rings, which goes on where it stopped', async () => {
    const channel = open(65536, 65536)
    const echoes = collect(channel)
    let sent = 0
    for (let round = 0; round < 20; round++) {
      const kind = round % 2 === 0 ? 'echo' : 'sink'
      channel.startWorker({ builtin: kind })
      for (let i = 0; i < 10; i++) channel.send(pattern(sent++, 100))
      await received(channel, 10)
      channel.stopWorker()
      assert.equal(channel.stats().worker, undefined)
    }
    await until(() => echoes.length === 100, 'the echoes of every other round')
    assert.equal(channel.stats().peer, false)
    echoes.forEach((echo, i) => {
      assert.deepEqual(echo, pattern(Math.floor(i / 10) * 20 + (i % 10), 100))
    })
  })

  it('is one for each channel', () => {
    const channel = open()
    channel.startWorker({ builtin: 'sink' })
    throwsError(() => channel.startWorker({ builtin: 'sink' }), 'ERR_SABWAY_SIDE_TAKEN', /stopWorker ends it/)
    channel.stopWorker()
    channel.stopWorker()
    channel.startWorker({ builtin: 'sink' })
  })

  it('does not take a side that a JavaScript thread holds', () => {
    const channel = open()
    const native = attach(channel, 'native')
    throwsError(
      () => channel.startWorker({ builtin: 'sink' }),
      'ERR_SABWAY_SIDE_TAKEN',
      /needs the other side for itself; detach the channel that holds it/,
    )
    native.detach()
    channel.startWorker({ builtin: 'sink' })
    channel.stopWorker()
    attach(channel, 'native').cleanup()
    throwsError(
      () => channel.startWorker({ builtin: 'sink' }),
      'ERR_SABWAY_CLOSED',
      /ended its stream for good; make a new channel/,
    )
  })

  it('takes the renderer side when the native one starts it', async () => {
    const channel = open()
    const native = attach(channel, 'native')
    channel.send(pattern(1, 10))
    assert.deepEqual(takeAll(native), [pattern(1, 10)])
    throwsError(
      () => native.startWorker({ builtin: 'echo' }),
      'ERR_SABWAY_SIDE_TAKEN',
      /needs the other side for itself; detach the channel that holds it/,
    )
    const free = attach(open(), 'native')
    free.startWorker({ builtin: 'echo' })
    free.send(pattern(2, 10))
    const echoes = collect(free)
    await until(() => echoes.length === 1, 'the echo')
    assert.deepEqual(echoes, [pattern(2, 10)])
  })

  it('runs beside fifteen others', async () => {
    const channels = Array.from({ length: 16 }, () => open(8192, 8192))
    for (const channel of channels) channel.startWorker({ builtin: 'echo' })
    await nativeThreadsAre(16)
    const echoes = channels.map(collect)
    for (let n = 0; n < 200; n++)
      channels.forEach((channel, i) => {
        channel.send(pattern(n * 100 + i, n * 2))
      })
    await until(() => echoes.every((list) => list.length === 200), 'all echoes')
    echoes.forEach((list, i) => {
      list.forEach((echo, n) => {
        assert.deepEqual(echo, pattern(n * 100 + i, n * 2))
      })
    })
    for (const channel of channels) channel.cleanup()
    await nativeThreadsAre(0)
  })

  it('refuses what it does not know', async () => {
    const channel = open()
    throwsError(
      () => channel.startWorker({ builtin: 'Echo' } as never),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /'echo', 'sink', 'source', got 'Echo'/,
    )
    throwsError(() => channel.startWorker({} as never), 'ERR_SABWAY_INVALID_ARGUMENT', /either \{ builtin: /)
    throwsError(() => channel.startWorker(undefined as never), 'ERR_SABWAY_INVALID_ARGUMENT', /either \{ builtin: /)
    throwsError(
      () => channel.startWorker({ builtin: 'echo', plugin: 'x.so' } as never),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /either \{ builtin: /,
    )
    throwsError(
      () => channel.startWorker({ builtin: 'echo', onLog: 5 } as never),
      'ERR_SABWAY_INVALID_TYPE',
      /onLog must be a function, got 5/,
    )
    await nativeThreadsAre(0)
  })
})
