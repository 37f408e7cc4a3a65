import assert from 'node:assert/strict'
import { type ChannelHandle, Region, SharedMemoryChannel } from 'sabway'
import { abi } from '../support/abi.js'
import { pattern } from '../support/bytes.js'
import { attach, keep, open, pair, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { haveAddon } from '../support/host.js'
import { endpointWord } from '../support/sleepers.js'

const handle = (memory: unknown) => ({ sabway: 'channel', memory }) as ChannelHandle
const openMemory = (memory: unknown) => SharedMemoryChannel.attach(handle(memory), { side: 'native' })
const join = (channel: SharedMemoryChannel) => Region.open(channel.handle as never)

const shared = (pages: number) => new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })

/** A memory of `pages` pages that begins like the channel's region. */
function copyOf(channel: SharedMemoryChannel, pages: (own: number) => number): WebAssembly.Memory {
  const bytes = new Uint8Array(channel.handle.memory.buffer)
  const copy = shared(pages(bytes.length / abi.SW_PAGE))
  const target = new Uint8Array(copy.buffer)
  target.set(bytes.subarray(0, Math.min(bytes.length, target.length)))
  return copy
}

describe('a region', () => {
  it('is refused when it is no memory, or not shared', () => {
    for (const wrong of [undefined, null, 5, {}, new SharedArrayBuffer(65536)]) {
      throwsError(() => openMemory(wrong), 'ERR_SABWAY_INVALID_TYPE', /expected the `handle` of a region or channel/)
    }
    throwsError(
      () => SharedMemoryChannel.attach(undefined as never, { side: 'native' }),
      'ERR_SABWAY_INVALID_TYPE',
      /`handle`/,
    )
    const memory = new WebAssembly.Memory({ initial: 40 })
    throwsError(() => openMemory(memory), 'ERR_SABWAY_NOT_A_REGION', /not shared; make regions with Sabway/)
  })

  it('is refused when it was not made by Sabway', () => {
    for (const pages of [1, 17, 18, 100]) {
      throwsError(() => openMemory(shared(pages)), 'ERR_SABWAY_NOT_A_REGION', /magic 0x0, layout 0x0; open handles of/)
    }
  })

  it('is refused when its size is not what its header says', () => {
    const channel = open()
    for (const pages of [() => 17, (own: number) => own - 1, (own: number) => own + 1]) {
      throwsError(() => openMemory(copyOf(channel, pages)), 'ERR_SABWAY_NOT_A_REGION', /magic 0x59574253/)
    }
    openMemory(copyOf(channel, (own) => own)).cleanup()
  })

  it('is refused when another build laid it out', () => {
    const copy = copyOf(open(), (own) => own)
    new Uint32Array(copy.buffer)[abi.sw_region_header.layout_hash >>> 2] = 0xbadc0de
    throwsError(() => openMemory(copy), 'ERR_SABWAY_LAYOUT_MISMATCH', /layout 0xbadc0de; open handles .* same version/)
  })

  it('has room for 64 threads, and says so to the 65th', () => {
    const channel = open()
    const words = new Int32Array(channel.handle.memory.buffer)
    // As if other threads of this process had claimed them: their words are those of this thread's.
    for (let index = 1; index < abi.SW_ENDPOINTS; index++) {
      for (const field of ['start_low', 'start_high', 'pid'] as const)
        Atomics.store(words, endpointWord(index, field), Atomics.load(words, endpointWord(0, field)))
    }
    throwsError(() => join(channel), 'ERR_SABWAY_TOO_MANY_PARTICIPANTS', /room for 64 threads; clean up channels/)
    if (haveAddon)
      throwsError(
        () => channel.startWorker({ builtin: 'echo' }),
        'ERR_SABWAY_TOO_MANY_PARTICIPANTS',
        /one thread too many/,
      )
    Atomics.store(words, endpointWord(7, 'pid'), 0)
    const again = join(channel)
    assert.equal(again.stats().participants, 64)
    again.close()
    if (haveAddon) channel.startWorker({ builtin: 'echo' })
  })

  it('tells its size and its participants', () => {
    const { renderer } = pair(65536, 65536)
    const region = join(renderer)
    assert.deepEqual(region.stats(), {
      size: renderer.handle.memory.buffer.byteLength,
      participants: 3,
      wakes: haveAddon ? 'addon' : 'atomics',
      core: 'wasm',
    })
    assert.equal(region.buffer, renderer.handle.memory.buffer)
    region.close()
    region.close()
    assert.equal(region.closed, true)
    throwsError(() => region.check(), 'ERR_SABWAY_CLOSED', /this region was closed/)
  })

  it('has its channel where the header says, and nowhere else', () => {
    const elsewhere = 1024
    const made = open(8192, 4096)
    const size = made.handle.memory.buffer.byteLength
    const root = abi.sw_region_header.root >>> 2
    const moved = copyOf(made, (own) => own)
    const bytes = new Uint8Array(moved.buffer)
    const words = new Int32Array(moved.buffer)
    bytes.copyWithin(abi.SW_HEAP_AT + elsewhere, abi.SW_HEAP_AT, abi.SW_HEAP_AT + abi.sw_channel.sizeof)
    bytes.fill(0, abi.SW_HEAP_AT, abi.SW_HEAP_AT + elsewhere)
    bytes.fill(0, 4096, abi.SW_HEAP_AT) // the copy has no participants
    for (let side = 0; side < 2; side++) {
      const ring = abi.SW_HEAP_AT + elsewhere + abi.sw_channel.rings + side * abi.sw_ring.sizeof
      for (const field of ['producer', 'consumer'] as const) words[(ring + abi.sw_ring[field]) >>> 2] = 0
      words[(ring + abi.sw_ring.data) >>> 2]! += elsewhere
    }
    words[root] = abi.SW_HEAP_AT + elsewhere
    const [renderer, native] = (['renderer', 'native'] as const).map((side) =>
      keep(SharedMemoryChannel.attach(handle(moved), { side })),
    )
    words[root] = 0 // read once: what is there later is not asked for
    assert.equal(renderer!.stats().sent.capacity, 8192)
    renderer!.send(pattern(1, 100))
    native!.send(pattern(2, 100))
    assert.deepEqual(takeAll(native!), [pattern(1, 100)])
    assert.deepEqual(takeAll(renderer!), [pattern(2, 100)])
    for (const at of [0, 4, abi.SW_HEAP_AT - 128, abi.SW_HEAP_AT + 4, size - 128, size, -128, -1]) {
      words[root] = at
      throwsError(() => openMemory(moved), 'ERR_SABWAY_CORRUPT', /names a place where no channel can be/)
    }
  })

  it('finds its own corruption', () => {
    const { renderer } = pair(4096)
    const region = join(renderer)
    for (let i = 0; i < 3; i++) renderer.send(pattern(i, 100))
    region.check()
    const words = new Int32Array(region.buffer)
    const data = words[(abi.SW_HEAP_AT + abi.sw_channel.rings + abi.sw_ring.data) >>> 2]!
    words[data >>> 2] = 3
    throwsError(() => region.check(), 'ERR_SABWAY_CORRUPT', /the channel/)
    region.close()
  })
})

describe('a side of a channel', () => {
  it('is taken by one at a time', () => {
    const channel = open()
    const native = attach(channel, 'native')
    throwsError(
      () => attach(channel, 'native'),
      'ERR_SABWAY_SIDE_TAKEN',
      /one producer on each side; attach to the other/,
    )
    channel.send(pattern(0, 1))
    throwsError(() => attach(channel, 'renderer'), 'ERR_SABWAY_SIDE_TAKEN', /one producer on each side/)
    channel.drain(() => {})
    throwsError(() => attach(channel, 'renderer'), 'ERR_SABWAY_SIDE_TAKEN', /one producer on each side/)
    assert.equal(native.side, 'native')
  })

  it('is not touched by attempts that fail', () => {
    const channel = open()
    attach(channel, 'native')
    for (let i = 0; i < 100; i++) assert.throws(() => attach(channel, 'native'))
    const region = join(channel)
    assert.equal(region.stats().participants, 3)
    region.close()
  })

  it('goes to another thread that attaches before its maker uses it', () => {
    const channel = open()
    const renderer = attach(channel, 'renderer')
    throwsError(() => channel.send(pattern(0, 1)), 'ERR_SABWAY_SIDE_TAKEN', /one producer on each side/)
    throwsError(() => channel.drain(() => {}), 'ERR_SABWAY_SIDE_TAKEN', /one consumer on each side/)
    channel.cleanup() // closes nothing that is not its own
    const native = attach(renderer, 'native')
    renderer.send(pattern(1, 1))
    assert.equal(
      native.drain(() => {}),
      1,
    )
  })

  it('has a name', () => {
    const channel = open()
    for (const side of ['Renderer', undefined, 1]) {
      throwsError(
        () => SharedMemoryChannel.attach(channel.handle, { side: side as never }),
        'ERR_SABWAY_INVALID_ARGUMENT',
        /side must be one of 'renderer', 'native', got/,
      )
    }
    throwsError(
      () => SharedMemoryChannel.attach(channel.handle, undefined as never),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /side/,
    )
  })
})

describe('capacities', () => {
  const wrong: [unknown, 'ERR_SABWAY_OUT_OF_RANGE' | 'ERR_SABWAY_INVALID_TYPE', RegExp][] = [
    [4095, 'ERR_SABWAY_OUT_OF_RANGE', /must be an integer from 4096 to 536870912, got 4095/],
    [0, 'ERR_SABWAY_OUT_OF_RANGE', /got 0/],
    [-1, 'ERR_SABWAY_OUT_OF_RANGE', /got -1/],
    [536870913, 'ERR_SABWAY_OUT_OF_RANGE', /got 536870913/],
    [2 ** 33, 'ERR_SABWAY_OUT_OF_RANGE', /got 8589934592/],
    [4096.5, 'ERR_SABWAY_OUT_OF_RANGE', /got 4096\.5/],
    [Number.NaN, 'ERR_SABWAY_OUT_OF_RANGE', /got NaN/],
    [Number.POSITIVE_INFINITY, 'ERR_SABWAY_OUT_OF_RANGE', /got Infinity/],
    ['4096', 'ERR_SABWAY_INVALID_TYPE', /must be a number, got '4096'/],
    [null, 'ERR_SABWAY_INVALID_TYPE', /must be a number, got null/],
    [{}, 'ERR_SABWAY_INVALID_TYPE', /must be a number, got an object/],
  ]
  for (const [value, code, teaches] of wrong) {
    it(`cannot be ${typeof value === 'string' ? `'${value}'` : String(value)}`, () => {
      throwsError(() => new SharedMemoryChannel(value as number, 4096), code, teaches)
      throwsError(() => new SharedMemoryChannel(value as number, 4096), code, /^.*: rendererToNativeBytes/)
      throwsError(() => new SharedMemoryChannel(4096, value as number), code, /^.*: nativeToRendererBytes/)
    })
  }
})
