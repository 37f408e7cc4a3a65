// A map that threads and processes change at once.
import assert from 'node:assert/strict'
import { MemoryHeap, type MemoryHeapConfig, SharedMap, type SharedMapOptions } from 'sabway'
import { itNative } from '../support/host.js'
import { violation } from '../support/linear.js'
import { Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { Thread, tellsEnd } from '../support/threads.js'
import { until } from '../support/wait.js'
import type { Happened, MapTask } from '../workers/map.js'

const MIB = 2 ** 20
type AnyMap = SharedMap<string | number, unknown>

function shared(options?: SharedMapOptions, config: MemoryHeapConfig = { size: 256 * MIB }) {
  const heap = new MemoryHeap(config)
  closeLater(heap.region)
  return { heap, map: new SharedMap<string | number, unknown>(heap, options) as AnyMap }
}

type Use = Omit<MapTask, 'shared' | 'map'>

const OTHERS: Record<string, (heap: MemoryHeap, map: AnyMap, use: Use) => Thread | Peer> = {
  'a thread': (heap, map, use) =>
    new Thread('map', { shared: heap.getSharedMemory(), map: map.getSharedMemory(), ...use }),
  'a thread without the addon': (heap, map, use) =>
    new Thread(
      'map',
      { shared: heap.getSharedMemory(), map: map.getSharedMemory(), ...use },
      { execArgv: ['--no-addons'] },
    ),
  'another process': (heap, map, use) =>
    new Peer({ shared: heap.region.token, map: map.getSharedMemory(), ...use } satisfies MapTask),
}

async function four(heap: MemoryHeap, map: AnyMap, use: Omit<Use, 'mark'>): Promise<unknown[]> {
  const threads = [0, 1, 2, 3].map((mark) => OTHERS['a thread']!(heap, map, { ...use, mark }))
  return Promise.all(threads.map((thread) => thread.next<unknown>()))
}

describe('a map among threads', () => {
  it('adds up what four threads add', async () => {
    const { heap, map } = shared({ numeric: 'f64' })
    await four(heap, map, { uses: 'add', count: 50_000 })
    for (let i = 0; i < 10; i++) assert.equal(map.get(i), 20_000)
    assert.equal(map.size, 10)
    map.check()
  })

  it('updates values in four threads', async () => {
    const { heap, map } = shared()
    await four(heap, map, { uses: 'update', count: 20_000 })
    for (let i = 0; i < 10; i++) assert.equal(map.get(i), 8000)
  })

  it('has every key that four threads put while it grows', async () => {
    const { heap, map } = shared()
    await four(heap, map, { uses: 'insert', count: 50_000 })
    assert.equal(map.size, 200_000)
    for (let mark = 0; mark < 4; mark++)
      for (let i = 0; i < 50_000; i++) if (map.get(mark * 1e6 + i) !== i) assert.fail(`${mark}, ${i}`)
    map.check()
    assert.equal([...map.keys()].length, 200_000)
  })

  it('does a million random operations of four threads as a Map does', async () => {
    const { heap, map } = shared()
    await four(heap, map, { uses: 'random', count: 250_000 })
    assert.equal(map.size, 0)
    map.check()
    heap.region.set('map', map)
    assert.deepEqual(heap.check({ sweep: true }), [])
  })

  it('shows a reader all keys that stay while others put and delete', async () => {
    const { heap, map } = shared()
    for (let i = 0; i < 1000; i++) map.set(-1 - i, i)
    const watcher = OTHERS['a thread']!(heap, map, { uses: 'watch', count: 0, mark: 9 }) as Thread
    await watcher.next()
    const threads = [0, 1].map((mark) => OTHERS['a thread']!(heap, map, { uses: 'insert', count: 60_000, mark }))
    await Promise.all(threads.map((thread) => thread.next()))
    watcher.tell('stop')
    assert.ok((await watcher.next<number>()) > 0)
  })

  it('keeps its limit among four threads', async () => {
    const { heap, map } = shared({ maxEntries: 500, evict: 'lru' })
    await four(heap, map, { uses: 'evict', count: 20_000 })
    // of two that are one too many at once, both may let one go
    const { size } = map
    assert.ok(size <= 500 && size >= 490, `${size} entries`)
    assert.equal([...map].length, size)
    map.check()
    assert.equal(map.size, size)
  })

  it('is linearisable', async () => {
    const { heap, map } = shared()
    const clock = heap.allocUI32(4)
    const histories = (await four(heap, map, { uses: 'history', count: 20_000, clock: clock.pointer })) as Happened[][]
    for (let key = 0; key < 8; key++) {
      const happened = histories.flat().filter(([each]) => each === key)
      assert.ok(happened.length > 5000)
      assert.equal(violation(happened), null)
    }
  })

  for (const [name, start] of Object.entries(OTHERS)) {
    const test = name === 'another process' ? itNative : it
    test(`is whole, and goes on, when ${name} ends in the middle of a change`, async () => {
      const config = { size: 256 * MIB, ...(name === 'another process' && { share: 'processes' as const }) }
      const { heap, map } = shared(undefined, config)
      for (let i = 0; i < 1000; i++) map.set(-1 - i, i)
      for (let round = 0; round < 4; round++) {
        const others = [0, 1].map((mark) => start(heap, map, { uses: 'churn', count: 0, mark: 2 * round + mark + 1 }))
        for (const other of others) assert.equal(await other.next(), 'churning')
        for (let i = 0; i < 3000; i++) map.set(`own ${i}`, i)
        await Promise.all(others.map((other) => (other instanceof Thread ? other.terminate() : other.kill())))
        if (name !== 'another process' && tellsEnd(name))
          await until(() => heap.region.stats().participants === 1, 'the end of the threads')
        for (let i = 0; i < 1000; i++) assert.equal(map.get(-1 - i), i)
        for (let i = 0; i < 3000; i++) assert.equal(map.get(`own ${i}`), i)
        if (tellsEnd(name)) {
          map.check()
          assert.equal(map.size, [...map].length)
        }
      }
    })
  }
})

describe('a checker of histories', () => {
  // [key, value, began, ended, read]
  const write = (value: number, began: number, ended: number): Happened => [0, value, began, ended, false]
  const read = (value: number, began: number, ended: number): Happened => [0, value, began, ended, true]

  it('finds calls in an order that nothing explains', () => {
    assert.equal(violation([write(1, 0, 10), read(0, 5, 6), read(1, 7, 8), read(1, 11, 12)]), null)
    assert.match(violation([read(5, 0, 1)])!, /never written/)
    assert.match(violation([read(5, 0, 1), write(5, 2, 3)])!, /before it was written/)
    assert.match(violation([write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)])!, /there while|both there/)
    assert.match(violation([write(1, 0, 10), read(1, 2, 3), read(0, 4, 5)])!, /there while|both there/)
    assert.match(violation([write(1, 0, 1), write(2, 2, 3), read(2, 4, 5), read(1, 6, 7), read(2, 8, 9)])!, /there/)
  })
})
