// Regions over SharedArrayBuffers that the program has, or that native code has made: which of them
// can be one, which threads can join, and what becomes of the memory. The channel itself is tried
// by the suites of the other rooms, which run over buffers here.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Region, type SabwayError, SharedMemoryChannel } from 'sabway'
import { abi } from '../support/abi.js'
import { pattern } from '../support/bytes.js'
import { attach, collect, keep, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { collectGarbage, collectUntil } from '../support/gc.js'
import { root } from '../support/paths.js'
import { anotherPlace } from '../support/regions.js'
import { itPasses } from '../support/suites.js'
import { Thread } from '../support/threads.js'
import { aWhile, until } from '../support/wait.js'

const SMALLEST = abi.SW_HEAP_AT + abi.SW_PAGE
const STATE = 'ERR_SABWAY_INVALID_STATE'
const ARGUMENT = 'ERR_SABWAY_INVALID_ARGUMENT'

const buffer = (bytes = 2 ** 21) => new SharedArrayBuffer(bytes)
const inBuffer = (over = buffer(), capacity = 4096) =>
  keep(new SharedMemoryChannel(capacity, capacity, { buffer: over }))
const growable = (bytes: number) =>
  Reflect.construct(SharedArrayBuffer, [bytes, { maxByteLength: 2 * bytes }]) as SharedArrayBuffer

/** What is not held is gone after this. */
async function collectOften(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    collectGarbage()
    await aWhile()
  }
}

describe('a region over a SharedArrayBuffer', () => {
  it('is the whole pages of it', () => {
    for (const [bytes, size] of [
      [SMALLEST, SMALLEST],
      [SMALLEST + 1, SMALLEST],
      [SMALLEST + abi.SW_PAGE - 1, SMALLEST],
      [2 ** 21 + 5, 2 ** 21],
    ] as const) {
      const over = buffer(bytes)
      const region = Region.over(over)
      assert.deepEqual(region.stats(), { size, participants: 1, wakes: 'addon', core: 'native' })
      assert.equal(region.buffer, over)
      assert.equal(region.memory.buffer, over)
      assert.deepEqual(region.toJSON(), { size, share: 'threads', closed: false })
      region.close()
    }
  })

  it('takes one channel, as any region does', () => {
    const region = Region.over(buffer())
    const other = Region.open(region.handle)
    for (const each of [region, other]) each.check() // no channel is sound
    other.close()
    const channel = keep(new SharedMemoryChannel(4096, 8192, { region }))
    region.check()
    assert.equal(channel.stats().received.capacity, 8192)
    throwsError(() => new SharedMemoryChannel(4096, 4096, { region }), STATE, /room for one channel/)
    channel.cleanup()
    assert.equal(region.closed, false)
    region.close()
  })

  it('has its channel in place: messages lie in the buffer', () => {
    const over = buffer()
    const channel = inBuffer(over)
    const other = attach(channel, 'native')
    channel.send(pattern(1, 100))
    other.drain((bytes, start, end) => {
      assert.equal(bytes.buffer, over)
      assert.deepEqual(new Uint8Array(over, start, end - start).slice(), pattern(1, 100))
    })
    const room = channel.reserve(8)!
    assert.equal(room.buffer, over)
    room.fill(7)
    channel.commit()
    assert.deepEqual(takeAll(other), [new Uint8Array(8).fill(7)])
  })

  it('has no token, and is not shared with processes', () => {
    const channel = inBuffer()
    throwsError(() => channel.token, STATE, /only threads share this/)
    for (const options of [{ share: 'processes' }, { share: 'threads' }, { name: 'camera' }] as const) {
      const [name] = Object.keys(options)
      const make = () => new SharedMemoryChannel(4096, 4096, { buffer: buffer(), ...options })
      throwsError(make, ARGUMENT, new RegExp(`\`${name}\` does not go with \`buffer\``))
    }
    const region = Region.over(buffer())
    const both = () => new SharedMemoryChannel(4096, 4096, { region, buffer: buffer() })
    throwsError(both, ARGUMENT, /`buffer` is an option of Region.create or Region.over where a `region`/)
    region.close()
  })

  it('is refused where there is no such buffer, and the text says what to pass', () => {
    const wrong: [unknown, RegExp][] = [
      [undefined, /buffer must be a SharedArrayBuffer, got undefined/],
      [null, /got null/],
      [65536, /got 65536/],
      ['buffer', /got 'buffer'/],
      [{}, /got an object/],
      [{ byteLength: 2 ** 21 }, /got an object/],
      [new ArrayBuffer(2 ** 21), /which other threads can use, too, got/],
      [new Uint8Array(buffer()), /a region takes a whole buffer, not a view of one, got/],
      [new WebAssembly.Memory({ initial: 40, maximum: 40, shared: true }), /pass the `buffer` of a shared/],
      [new Proxy(buffer(), {}), /got/],
    ]
    for (const [value, why] of wrong) {
      throwsError(() => Region.over(value as SharedArrayBuffer), 'ERR_SABWAY_INVALID_TYPE', why)
      if (value === undefined) continue // an option that is left out
      const make = () => new SharedMemoryChannel(4096, 4096, { buffer: value as SharedArrayBuffer })
      throwsError(make, 'ERR_SABWAY_INVALID_TYPE', why)
    }
  })

  it('is refused where it can grow', () => {
    const over = growable(2 ** 21)
    if (!(over as unknown as { growable: boolean }).growable) return // an older runtime has none
    throwsError(() => Region.over(over), ARGUMENT, /can grow .* make it without maxByteLength/)
    const handle = { sabway: 'region', memory: { buffer: over } } as const
    throwsError(() => Region.open(handle), ARGUMENT, /can grow/)
  })

  it('is refused where it is too small, and the text says how large it must be', () => {
    for (const bytes of [0, 1, abi.SW_PAGE, SMALLEST - 1]) {
      throwsError(() => Region.over(buffer(bytes)), 'ERR_SABWAY_OUT_OF_RANGE', new RegExp(`this needs ${SMALLEST}`))
    }
    const over = buffer()
    const make = () => new SharedMemoryChannel(2 ** 20, 2 ** 20, { buffer: over })
    throwsError(make, 'ERR_SABWAY_OUT_OF_RANGE', /room for 2097152 bytes .* this needs 3276800/)
    inBuffer(over) // and nothing was written into it
  })

  it('is refused where something is there, which stays as it was', () => {
    for (const at of [0, 4, 5, 4096, abi.SW_HEAP_AT, abi.SW_HEAP_AT + 100]) {
      const over = buffer()
      const bytes = new Uint8Array(over)
      bytes[at] = 7
      throwsError(() => Region.over(over), STATE, new RegExp(`byte ${at} is 7; fill it with zeros`))
      assert.equal(bytes.indexOf(7), at)
      bytes[at] = 0
      assert.ok(bytes.every((byte) => byte === 0))
      Region.over(over).close()
    }
  })

  it('is refused where a region is, made there or by Region.create, until it is filled with zeros', () => {
    const over = buffer()
    inBuffer(over).cleanup()
    const made = Region.create({ size: 2 ** 21 })
    for (const each of [over, made.buffer]) {
      throwsError(() => Region.over(each), STATE, /is in this buffer already: to join it pass its `handle`/)
      throwsError(() => inBuffer(each), STATE, /already/)
    }
    made.close()
    new Uint8Array(over).fill(0)
    inBuffer(over)
  })

  it('is refused while another thread is making one', () => {
    const over = buffer()
    new Int32Array(over)[0] = 1 // as that thread leaves it meanwhile
    throwsError(() => Region.over(over), STATE, /already/)
  })

  it('can lie in the memory of a WebAssembly program', () => {
    const memory = new WebAssembly.Memory({ initial: 40, maximum: 80, shared: true })
    const channel = inBuffer(memory.buffer as unknown as SharedArrayBuffer)
    memory.grow(8)
    const other = attach(channel, 'native')
    channel.send(pattern(3, 3000))
    assert.deepEqual(takeAll(other), [pattern(3, 3000)])
  })

  it('is joined by its handle, in this thread and in others', async () => {
    const channel = inBuffer(buffer(), 65536)
    const { handle } = channel
    assert.deepEqual(Object.keys(handle).sort(), ['memory', 'sabway'])
    const copy = structuredClone(handle)
    assert.equal(Region.open(copy as never).stats().core, 'native')
    const thread = new Thread('end', { handle, side: 'native', job: 'echo' })
    assert.equal(await thread.next('ready'), 'ready')
    const received = collect(channel)
    for (let i = 0; i < 300; i++) channel.send(pattern(i, (i * 37) % 9000))
    await until(() => received.length === 300, 'all echoes')
    received.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, (i * 37) % 9000))
    })
    let died = 0
    channel.addEventListener('peer-died', () => died++)
    await thread.terminate()
    await until(() => died === 1, "'peer-died'")
    attach(channel, 'native')
  })

  it('is refused by a thread without the addon, which says why and what to do', async () => {
    const channel = inBuffer()
    const thread = new Thread('refused', { handle: channel.handle }, { execArgv: ['--no-addons'] })
    const errors = await thread.next<{ code: string; message: string }[]>()
    assert.equal(errors.length, 4)
    for (const { code, message } of errors.slice(2)) {
      assert.equal(code, 'ERR_SABWAY_NO_ADDON')
      assert.match(message, /without --no-addons; only native code runs on a SharedArrayBuffer/)
      assert.match(message, /in threads that have the addon, or make it by Region\.create/)
    }
  })

  it('is refused where a handle names what is no region', () => {
    const open = (over: unknown) => Region.open({ sabway: 'region', memory: { buffer: over } } as never)
    throwsError(() => open(buffer()), 'ERR_SABWAY_NOT_A_REGION', /magic 0x0/)
    for (const bytes of [0, 65536, abi.SW_HEAP_AT - 1]) {
      throwsError(() => open(buffer(bytes)), 'ERR_SABWAY_NOT_A_REGION', /its memory has \d+ bytes/)
    }
    for (const odd of [undefined, null, 5, new ArrayBuffer(2 ** 21), new Uint8Array(2 ** 21)]) {
      throwsError(() => open(odd), 'ERR_SABWAY_INVALID_TYPE', /expected the `handle` of a region or channel/)
    }
    const other = buffer()
    new Uint8Array(other).set(new Uint8Array(inBuffer(buffer(2 ** 21 + abi.SW_PAGE)).handle.memory.buffer, 0, 2 ** 21))
    throwsError(() => open(other), 'ERR_SABWAY_NOT_A_REGION', /magic 0x59574253/)
  })

  it('keeps the memory while a native worker uses it, and ends with the channel', async () => {
    let channel: SharedMemoryChannel | null = inBuffer()
    channel.startWorker({ builtin: 'echo' })
    await collectOften()
    channel.send(pattern(1, 50))
    assert.deepEqual(await channel.receive({ timeout: 5000 }), pattern(1, 50))
    channel.cleanup()
    throwsError(() => channel!.startWorker({ builtin: 'echo' }), 'ERR_SABWAY_CLOSED', /cleanup/)
    channel = null
  })

  it('is gone with the 64 participants that it has room for', () => {
    const region = Region.over(buffer())
    const others = Array.from({ length: 63 }, () => anotherPlace(region))
    throwsError(() => anotherPlace(region), 'ERR_SABWAY_TOO_MANY_PARTICIPANTS', /64/)
    for (const other of others) other.close()
    assert.equal(region.stats().participants, 1)
    region.close()
  })
})

// ---- memory of native code ----

interface External {
  make(bytes: number, skew: number): SharedArrayBuffer
  look(which: number, byte: number): number
  finalizers(): number
}

const file = fileURLToPath(new URL('build/Release/external_buffer.addon', root))
const loaded = { exports: {} as External }
if (existsSync(file)) process.dlopen(loaded as never, file)
const external = loaded.exports

/** undefined where this runtime makes none, which it must say. */
function made(bytes: number, skew = 0): SharedArrayBuffer | undefined {
  try {
    return external.make(bytes, skew)
  } catch (error) {
    const { code, message } = error as SabwayError
    assert.equal(code, 'ERR_SABWAY_UNSUPPORTED')
    assert.match(message, /no node_api_create_external_sharedarraybuffer.* make the SharedArrayBuffer in JavaScript/)
    assert.ok(!HAS_EXTERNAL, message)
    return undefined
  }
}

/** Which versions of Node have the function. */
const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
const HAS_EXTERNAL = (major === 24 && minor >= 16) || (major === 26 && minor >= 1) || major > 26

describe('memory that native code owns', () => {
  let count = 0

  it('is a region, in which native code sees what JavaScript writes', async () => {
    const over = made(2 ** 21)
    if (over === undefined) return
    const which = count++
    const channel = inBuffer(over, 65536)
    channel.startWorker({ builtin: 'echo' })
    channel.send(pattern(5, 5000))
    assert.deepEqual(await channel.receive({ timeout: 5000 }), pattern(5, 5000))
    assert.equal(external.look(which, 0), abi.SW_MAGIC & 0xff)
  })

  it('stays while a region lies on it, and is let go once after that', async () => {
    const before = external.finalizers()
    let over = made(2 ** 21)
    if (over === undefined) return
    const which = count++
    let channel: SharedMemoryChannel | null = new SharedMemoryChannel(4096, 4096, { buffer: over })
    channel.startWorker({ builtin: 'source', size: 64, rate: 1000 })
    over = undefined
    await collectOften()
    assert.notEqual(external.look(which, 0), -1)
    assert.ok((await channel.receive({ timeout: 5000 })).length === 64)
    channel.cleanup()
    channel = null
    await collectUntil(() => external.look(which, 0) === -1, 'the finalizer')
    assert.ok(external.finalizers() > before)
  })

  it('need not be aligned to more than 8 bytes', () => {
    for (const skew of [8, 16, 120]) {
      const over = made(2 ** 21, skew)
      if (over === undefined) return
      count++
      const channel = inBuffer(over)
      const other = attach(channel, 'native')
      for (let i = 0; i < 100; i++) {
        channel.send(pattern(i, i * 17))
        assert.deepEqual(takeAll(other), [pattern(i, i * 17)])
      }
    }
  })
})

// ---- all that a channel does ----

/** Test files that make their channels by `open`, and how many of their tests run, at least. */
const FILES: Record<string, number> = {
  'channel/batch': 14,
  'channel/close': 22,
  'channel/receive': 20,
  'channel/receive-sync': 12,
  'channel/replace': 5,
  'channel/send': 15,
  'channel/send-batch': 5,
  'channel/send-direct': 15,
  'channel/streams': 14,
  'channel/values': 31,
  'channel/write': 5,
  'loop/gc': 14,
  'loop/teardown': 4,
  'loop/terminate': 8,
  'loop/threads': 8,
  'region/hostile': 63,
  'worker/native-worker': 34,
  'worker/plugins': 21,
}

if (process.env.SABWAY_MEMORY === undefined) {
  describe('in SharedArrayBuffers', () => {
    for (const [name, least] of Object.entries(FILES)) itPasses(name, least, [], { SABWAY_MEMORY: 'buffer' })
  })
}
