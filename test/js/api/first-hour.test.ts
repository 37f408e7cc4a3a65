// What people do with a channel in their first hour: print it, compare it, post it, and pass it
// where something else is meant.
import assert from 'node:assert/strict'
import { format, inspect, isDeepStrictEqual } from 'node:util'
import { Worker } from 'node:worker_threads'
import { MemoryHeap, Mutex, Region, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { keep, open, pair } from '../support/channels.js'
import { runChild } from '../support/children.js'
import { rejectsWith, throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'
import { countedSignal } from '../support/signals.js'
import { within } from '../support/wait.js'

const SHOWN = "SharedMemoryChannel { side: 'renderer', share: 'threads', codec: 'bytes', closed: false }"

describe('printing', () => {
  it('a channel is short, whatever prints it, and after cleanup, too', () => {
    const channel = open()
    assert.equal(inspect(channel), SHOWN)
    assert.equal(inspect(channel, { depth: Number.POSITIVE_INFINITY }), SHOWN)
    assert.equal(format('%s', channel), SHOWN)
    assert.equal(format('%o', channel), SHOWN)
    assert.equal(`${channel}`, '[object SharedMemoryChannel]')
    assert.deepEqual(JSON.parse(JSON.stringify({ channel })), {
      channel: { side: 'renderer', share: 'threads', codec: 'bytes', closed: false },
    })
    channel.cleanup()
    assert.match(inspect(channel), /closed: true/)
    assert.match(JSON.stringify(channel), /"closed":true/)
    assert.ok(JSON.stringify(channel.stats()).length < 1000)
  })

  it('a region and a port, too', () => {
    const region = Region.create({ size: 2 ** 22 })
    assert.equal(inspect(region), "Region { size: 4194304, share: 'threads', closed: false }")
    assert.equal(JSON.stringify(region), '{"size":4194304,"share":"threads","closed":false}')
    assert.equal(`${region}`, '[object Region]')
    region.close()
    assert.match(inspect(region), /closed: true/)
    const port = open().port()
    assert.equal(inspect(port), 'ChannelPort { started: false, closed: false }')
    assert.equal(JSON.stringify(port), '{"started":false,"closed":false}')
    port.start()
    assert.match(inspect(port), /started: true/)
    port.close()
    assert.match(inspect(port), /closed: true/)
  })

  it('a heap, and what lives in it, too', () => {
    const heap = new MemoryHeap({ size: 2 ** 22 })
    assert.equal(inspect(heap), 'MemoryHeap { size: 4194304, closed: false }')
    assert.equal(inspect(heap.region.heap), 'Heap { size: 4194304, closed: false }')
    assert.equal(JSON.stringify(heap), '{"size":4194304,"closed":false}')
    const memory = heap.allocUI8(3)
    const mutex = new Mutex(heap)
    const shown = [
      [heap, 'MemoryHeap'],
      [memory, 'AllocatedMemory'],
      [mutex, 'Mutex'],
      [mutex.lock(), 'Lock'],
    ] as const
    for (const [object, name] of shown) {
      assert.equal(`${object}`, `[object ${name}]`)
      assert.ok(inspect(object).startsWith(name))
      assert.ok(inspect(object).length < 400, inspect(object))
      assert.ok(JSON.stringify(object).length < 100, JSON.stringify(object))
    }
    heap.region.close()
    assert.match(inspect(heap), /closed: true/)
  })

  it('passes over the shared memory where a program walks through all properties', () => {
    const region = Region.create({ size: 2 ** 22 })
    for (const each of [open(), region, open().port()]) {
      const text = inspect(each, { customInspect: false, depth: 20 })
      assert.ok(text.length < 20_000, `${text.length} characters`)
      for (const value of Object.values({ ...each })) assert.ok(typeof value !== 'object' || value === null)
    }
    region.close()
  })
})

describe('comparing', () => {
  it('a channel, a region, a heap or what lives in it is equal to itself only', () => {
    const [one, other] = [open(), open()]
    assert.ok(isDeepStrictEqual(one, one))
    assert.ok(!isDeepStrictEqual(one, other))
    assert.throws(() => assert.deepStrictEqual(one, other), assert.AssertionError)
    assert.throws(() => assert.deepEqual(one, other), assert.AssertionError)
    const [first, second] = [Region.create({ size: 2 ** 22 }), Region.create({ size: 2 ** 22 })]
    assert.ok(isDeepStrictEqual(first, first))
    assert.ok(!isDeepStrictEqual(first, second))
    first.close()
    second.close()
    const heaps = [1, 2].map(() => new MemoryHeap({ size: 2 ** 22 }))
    const mutexes = heaps.map((heap) => new Mutex(heap))
    const blocks = heaps.map((heap) => heap.allocUI8(1))
    for (const [here, there] of [heaps, mutexes, blocks]) {
      assert.ok(isDeepStrictEqual(here, here))
      assert.ok(!isDeepStrictEqual(here, there))
    }
    for (const { region } of heaps) region.close()
  })
})

describe('posting', () => {
  const clones: Record<string, (object: object) => unknown> = {
    structuredClone: (object) => structuredClone(object),
    'structuredClone of what holds it': (object) => structuredClone({ list: [object] }),
    postMessage: (object) => {
      const { port1 } = new MessageChannel()
      try {
        port1.postMessage(object)
      } finally {
        port1.close()
      }
    },
    workerData: (object) => new Worker('', { eval: true, workerData: object }),
  }
  for (const [name, clone] of Object.entries(clones)) {
    it(`a channel, a port, a region, a heap or what lives in it by ${name} is refused, and the way named`, () => {
      const refuses = (object: object, way: RegExp) =>
        assert.throws(
          () => clone(object),
          (error: Error) => error.name === 'DataCloneError' && way.test(error.message),
        )
      const channel = open()
      refuses(channel, /A channel stays in its thread: post channel\.handle/)
      refuses(channel.port(), /A port of a channel stays in its thread: post channel\.handle/)
      const region = Region.create({ size: 2 ** 22 })
      refuses(region, /A region stays in its thread: post region\.handle/)
      region.close()
      const heap = new MemoryHeap({ size: 2 ** 22 })
      refuses(heap, /A heap stays in its thread: post heap\.getSharedMemory\(\), and make a MemoryHeap/)
      refuses(heap.region.heap, /A heap stays in its thread: post heap\.getSharedMemory/)
      refuses(heap.allocUI8(1), /A block of a heap stays in its thread: post memory\.getSharedMemory/)
      const mutex = new Mutex(heap)
      refuses(mutex, /A mutex stays in its thread: post mutex\.getSharedMemory\(\), and make a Mutex/)
      refuses(mutex.lock(), /A lock stays in the thread that has locked the mutex/)
      heap.region.close()
    })
  }
})

describe('a channel', () => {
  it('can be awaited, subclassed, and cleaned up twice', async () => {
    class Named extends SharedMemoryChannel {
      readonly named = 'mine'
    }
    const channel = keep(new Named(4096, 4096)) as Named
    assert.equal(await channel, channel)
    assert.equal(channel.named, 'mine')
    assert.match(inspect(channel), /side: 'renderer'/)
    channel.cleanup()
    channel.cleanup()
  })

  it('used after cleanup says CLOSED, from every method that would do something', async () => {
    const channel = open(4096)
    channel.cleanup()
    const bytes = new Uint8Array(1)
    const calls: Record<string, () => unknown> = {
      send: () => channel.send(bytes),
      trySend: () => channel.trySend(bytes),
      sendBatch: () => channel.sendBatch([bytes]),
      reserve: () => channel.reserve(1),
      commit: () => channel.commit(),
      abandon: () => channel.abandon(),
      drain: () => channel.drain(() => {}),
      receiveSync: () => channel.receiveSync(),
      tryReceive: () => channel.tryReceive(),
      startReceiving: () => channel.startReceiving(() => {}),
      startWorker: () => channel.startWorker({ builtin: 'echo' }),
    }
    for (const call of Object.values(calls)) throwsError(call, 'ERR_SABWAY_CLOSED', /cleanup was called/)
    await rejectsWith(channel.sendDirect(bytes), 'ERR_SABWAY_CLOSED', /cleanup was called/)
    await rejectsWith(channel.receive(), 'ERR_SABWAY_CLOSED', /cleanup was called/)
    for await (const message of channel) assert.fail(`it cannot receive ${message}`)
  })

  it('as options, as a handle or as its own side is refused', () => {
    const channel = open(4096)
    throwsError(
      () => open(4096, 4096, channel as never),
      'ERR_SABWAY_INVALID_TYPE',
      /got an object \(SharedMemoryChannel\)/,
    )
    throwsError(
      () => SharedMemoryChannel.attach(channel as never, { side: 'native' }),
      'ERR_SABWAY_INVALID_TYPE',
      /pass its `handle`/,
    )
    throwsError(
      () => SharedMemoryChannel.attach(channel.handle, 'native' as never),
      'ERR_SABWAY_INVALID_TYPE',
      /attach options must be an object such as \{ side, .*got 'native'/,
    )
  })
})

describe('one AbortSignal', () => {
  itNative('for a hundred waits: no warning, and all of them end', async () => {
    const { code, stdout, stderr } = await runChild('first-hour.js')
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.deepEqual(JSON.parse(stdout), { waits: 200, codes: ['ERR_SABWAY_ABORTED'], restarted: true })
  })

  it('that is never aborted holds nothing of calls that are over', async () => {
    const { renderer, native } = pair(4096)
    const { signal, listeners } = countedSignal()
    const waits = Array.from({ length: 20 }, () => native.receive({ signal }))
    assert.equal(listeners(), 1)
    for (let i = 0; i < 20; i++) renderer.send(pattern(i, 10))
    await within(Promise.all(waits), 'the messages')
    assert.equal(listeners(), 0)
  })
})

describe('times without end', () => {
  const LONG = [2 ** 31 - 1, 2 ** 31, 2 ** 32, 1e308, Number.POSITIVE_INFINITY]

  for (const time of LONG) {
    it(`${time} ms: nothing gives up early`, async () => {
      const { renderer, native } = pair(4096)
      renderer.send(new Uint8Array(4096))
      const waits = {
        sent: renderer.sendDirect(new Uint8Array(1), { timeout: time }),
        received: renderer.receive({ timeout: time }),
      }
      const ended: string[] = []
      for (const [name, wait] of Object.entries(waits)) wait.finally(() => ended.push(name)).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 30))
      assert.deepEqual(ended, [])
      assert.equal(native.receiveSync(time)!.length, 4096)
      await within(waits.sent, 'the message')
      native.send(new Uint8Array(5))
      assert.equal((await within(waits.received, 'the answer')).length, 5)
      assert.deepEqual(native.tryReceive(time), { message: new Uint8Array(1) })
      const heard = new Promise((resolve) => native.startReceiving(resolve, { budget: time }))
      renderer.send(new Uint8Array(3))
      assert.deepEqual(await within(heard, 'a message within the budget'), new Uint8Array(3))
    })
  }

  it('as intervals are refused where a timer would take them for 1 ms', () => {
    const { native } = pair(4096)
    for (const poll of [2 ** 31, 1e308, Number.POSITIVE_INFINITY]) {
      throwsError(() => native.startReceiving(() => {}, { poll }), 'ERR_SABWAY_OUT_OF_RANGE', /from 0 to 2147483647/)
      throwsError(() => open(4096, 4096, { batch: { maxDelayMs: poll } }), 'ERR_SABWAY_OUT_OF_RANGE', /from 0 to 1000/)
    }
  })
})
