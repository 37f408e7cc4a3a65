// The heap of a region among threads, with the addon and without, and among processes.
import assert from 'node:assert/strict'
import { AllocatedMemory, MemoryHeap, type MemoryHeapConfig } from 'sabway'
import { itNative } from '../support/host.js'
import { Peer } from '../support/processes.js'
import { anotherPlace, closeLater } from '../support/regions.js'
import { Thread, tellsEnd } from '../support/threads.js'
import { until } from '../support/wait.js'
import type { HeapTask } from '../workers/heap.js'

const MIB = 2 ** 20

function heap(config: MemoryHeapConfig = { size: 64 * MIB }): MemoryHeap {
  const made = new MemoryHeap(config)
  closeLater(made.region)
  return made
}

/** How another participant runs, and what it needs to have the heap. */
const OTHERS: Record<string, (heap: MemoryHeap, task: Omit<HeapTask, 'shared'>) => Thread | Peer> = {
  'a thread': (heap, task) => new Thread('heap', { shared: heap.getSharedMemory(), ...task }),
  'a thread without the addon': (heap, task) =>
    new Thread('heap', { shared: heap.getSharedMemory(), ...task }, { execArgv: ['--no-addons'] }),
  'another process': (heap, task) => new Peer({ shared: heap.region.token, ...task }),
}

const stop = (other: Thread | Peer) => (other instanceof Thread ? other.terminate() : other.kill())

describe('a heap that is shared', () => {
  it('begins with 8 KiB, and four threads at once make 256 MiB of it', async () => {
    const h = heap({ bufferSize: 8192 })
    const [bytes, count] = [64 * 1024, 1024]
    const threads = [1, 2, 3, 4].map((mark) => OTHERS['a thread']!(h, { does: 'grow', bytes, count, mark }))
    const all = await Promise.all(threads.map((thread) => thread.next<{ pointers: number[] }>()))
    assert.ok(h.currentUsed >= 256 * MIB)
    all.forEach(({ pointers }, i) => {
      assert.equal(pointers.length, count)
      for (const pointer of pointers) {
        const block = new Uint8Array(h.buffer, pointer, bytes)
        assert.ok(block[0] === i + 1 && block[bytes - 1] === i + 1 && block.indexOf(0) === -1)
      }
    })
    h.check()
    for (const { pointers } of all) for (const pointer of pointers) h.free(pointer)
    assert.equal(h.stats().blocks, 0)
    h.check()
  })

  for (const [name, start] of Object.entries(OTHERS)) {
    const test = name === 'another process' ? itNative : it
    const config: MemoryHeapConfig = { size: 64 * MIB, ...(name === 'another process' && { share: 'processes' }) }

    test(`has what ${name} has written in it`, async () => {
      const h = heap(config)
      const memory = h.allocUI32(4)
      await start(h, { does: 'write', memory: memory.getSharedMemory() }).next()
      assert.deepEqual([...memory.data], [0, 0, 5, 0])
    })

    test(`takes blocks back that ${name} frees`, async () => {
      const h = heap(config)
      const pointers = [10, 100, 1000, 10_000, 100_000].flatMap((bytes) =>
        Array.from({ length: 50 }, () => h.alloc(bytes)),
      )
      assert.equal(await start(h, { does: 'free', pointers }).next(), 'freed')
      h.check()
      assert.equal(h.stats().blocks, 0)
      // And gives them out again, in no more memory.
      const { highWater } = h.stats()
      for (let round = 0; round < 20; round++) {
        const again = Array.from({ length: 50 }, () => h.alloc(1000))
        for (const pointer of again) h.free(pointer)
      }
      assert.equal(h.stats().highWater, highWater)
    })

    // Where no participant is told of its end, the heap stays locked if it ends with the lock.
    if (!tellsEnd(name)) continue
    test(`is sound, and goes on, when ${name} ends in the middle of its work`, async () => {
      const h = heap(config)
      for (let round = 0; round < 4; round++) {
        const others = [0, 1].map((mark) => start(h, { does: 'churn', mark: 2 * round + mark }))
        for (const other of others) assert.equal(await other.next(), 'churning')
        for (let i = 0; i < 2000; i++) h.free(h.alloc(1 + (i % 3000)))
        await Promise.all(others.map(stop))
        // Until then a page's worker may go on: it is not awaited where it is terminated.
        if (name !== 'another process') {
          await until(() => h.region.stats().participants === 1, 'the end of the threads')
        }
        // What they had in hand is lost, and nothing else: each block is whole.
        const blocks = [...h.walk()]
        for (const { pointer } of blocks) h.free(pointer)
        assert.equal(h.stats().blocks, 0)
      }
      h.check()
      h.free(h.alloc(40 * MIB))
    })
  }

  it('is emptied by threads that free what they have', async () => {
    const h = heap()
    const threads = [0, 1].map((mark) => OTHERS['a thread']!(h, { does: 'churn', mark }) as Thread)
    for (const thread of threads) assert.equal(await thread.next(), 'churning')
    for (const thread of threads) thread.tell('stop')
    for (const thread of threads) assert.equal(await thread.next(), 'freed')
    for (const thread of threads) await thread.ended()
    h.check()
    assert.equal(h.stats().blocks, 0)
    assert.equal(h.region.stats().participants, 1)
  })

  it('gives a block to the other by its pointer alone', () => {
    const h = heap()
    const other = new MemoryHeap(anotherPlace(h.region))
    const memory = h.allocF64(3)
    const theirs = new AllocatedMemory(other, memory.pointer, Float64Array, 3)
    theirs.data[2] = 0.5
    assert.equal(memory.data[2], 0.5)
    theirs.free()
    assert.equal(h.stats().blocks, 0)
  })
})

describe('names in a region', () => {
  it('lead to the same object from another place', () => {
    const h = heap()
    const { region } = h
    const memory = h.allocUI32(4)
    region.set('the frames', memory)
    region.set('日本語 🎉', h.allocUI8(1))
    assert.deepEqual(
      region.list().sort((a, b) => (a.name < b.name ? -1 : 1)),
      [
        { name: 'the frames', kind: 'memory' },
        { name: '日本語 🎉', kind: 'memory' },
      ],
    )
    const other = new MemoryHeap(anotherPlace(region))
    assert.notEqual(other.region, region)
    const found = other.region.get('the frames') as AllocatedMemory
    assert.equal(found.pointer, memory.pointer)
    assert.equal(other.region.has('日本語 🎉'), true)
    assert.equal(other.region.get('nothing'), undefined)
    assert.equal(other.region.delete('the frames'), true)
    assert.equal(region.delete('the frames'), false)
    assert.equal(region.has('the frames'), false)
    assert.equal(memory.data.length, 4) // the object stays
    memory.free()
  })

  it('are not given twice', () => {
    const h = heap()
    const [first, second] = [h.allocUI8(1), h.allocUI8(1)]
    h.region.set('a', first)
    h.region.set('a', first)
    assert.throws(() => h.region.set('a', second), {
      code: 'ERR_SABWAY_NAME_TAKEN',
      message: /'a' stands for another object \(a memory\)/,
    })
    assert.equal(h.region.delete('a'), true)
    h.region.set('a', second)
    assert.equal((h.region.get('a') as AllocatedMemory).pointer, second.pointer)
  })

  it('stay what they were among thousands that come and go', () => {
    const h = heap()
    const { region } = h
    const kept = h.allocUI8(1)
    region.set('kept', kept)
    for (let round = 0; round < 5; round++) {
      const made = Array.from({ length: 1000 }, (_, i) => [`${round}:${i}`, h.allocUI8(1)] as const)
      for (const [name, memory] of made) region.set(name, memory)
      assert.equal(region.list().length, 1001)
      for (const [name, memory] of made) {
        assert.equal((region.get(name) as AllocatedMemory).pointer, memory.pointer)
        assert.equal(region.delete(name), true)
        memory.free()
      }
    }
    assert.deepEqual(region.list(), [{ name: 'kept', kind: 'memory' }])
    h.check()
    assert.deepEqual(h.check({ sweep: true }), [])
    assert.ok(h.stats().blocks < 8, `${h.stats().blocks} blocks`)
  })

  it('can have 1 to 255 bytes of text', () => {
    const h = heap()
    const memory = h.allocUI8(1)
    for (const name of ['x', 'x'.repeat(255), 'é'.repeat(127), '🎉'.repeat(63)]) {
      h.region.set(name, memory)
      assert.equal(h.region.has(name), true)
      assert.equal(h.region.has(`${name.slice(0, -2)}?`), false)
    }
    assert.equal(h.region.list().length, 4)
    for (const name of ['', 'x'.repeat(256), 'é'.repeat(128), 'a\0b', '\ud800']) {
      assert.throws(() => h.region.set(name, memory), { code: 'ERR_SABWAY_INVALID_ARGUMENT' })
    }
    assert.throws(() => h.region.get(1 as never), { code: 'ERR_SABWAY_INVALID_TYPE' })
    assert.throws(() => h.region.set('y', {}), { code: 'ERR_SABWAY_INVALID_TYPE', message: /must be in the heap/ })
    const foreign = heap().allocUI8(1)
    assert.throws(() => h.region.set('y', foreign), { code: 'ERR_SABWAY_INVALID_ARGUMENT', message: /another region/ })
  })

  it('say so when their object was freed', () => {
    const h = heap()
    const memory = h.allocUI8(1)
    h.region.set('gone', memory)
    memory.free()
    assert.throws(
      () => h.region.get('gone'),
      ({ code }: { code: string }) => /DOUBLE_FREE|WILD_POINTER/.test(code),
    )
  })

  for (const [name, start] of Object.entries(OTHERS)) {
    const test = name === 'another process' ? itNative : it
    test(`are given, found, listed and taken away by ${name}`, async () => {
      const h = heap({ size: 64 * MIB, ...(name === 'another process' && { share: 'processes' }) })
      const { region } = h
      region.set('ours', h.allocUI32(1))
      const other = start(h, { does: 'name' })
      const seen = await other.next<object>()
      assert.deepEqual(seen, {
        found: (region.get('theirs') as AllocatedMemory).pointer,
        has: [true, false],
        list: ['ours', 'theirs'],
        deleted: [true, false],
      })
      assert.deepEqual(region.list(), [{ name: 'theirs', kind: 'memory' }])
      assert.equal((region.get('theirs') as AllocatedMemory).data[0], 77)
    })

    test(`are one object each when two at once make them, of which one is ${name}`, async () => {
      const h = heap({ size: 64 * MIB, ...(name === 'another process' && { share: 'processes' }) })
      const count = 300
      const others = [0, 1].map(() => start(h, { does: 'names', count }))
      const lists = await Promise.all(others.map((other) => other.next<{ found: number[] }>()))
      assert.deepEqual(lists[0], lists[1])
      assert.equal(new Set(lists[0]!.found).size, count)
      assert.equal(h.region.list().length, count)
      h.check()
      assert.deepEqual(h.check({ sweep: true }), [])
    })
  }
})
