// A pool in a heap: what each participant holds, between threads and processes, and what the dead
// held.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { MemoryHeap, ObjectPool, type PoolBlockMemory, Region, SharedMemoryPool } from 'sabway'
import { assertError, rejectsWith, throwsError } from '../support/errors.js'
import { Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'
import { until } from '../support/wait.js'

const MIB = 2 ** 20

function heapOf(size = 16 * MIB): MemoryHeap {
  const heap = new MemoryHeap({ size })
  closeLater(heap.region)
  return heap
}

describe('a pool in a heap', () => {
  it('hands each block to one holder', () => {
    const heap = heapOf()
    const pool = new SharedMemoryPool(heap, { blockSize: 100, maxBlocks: 70, initialBlocks: 3 })
    assert.deepEqual([pool.blockSize, pool.maxBlocks], [100, 70])
    assert.deepEqual(pool.stats(), { blockSize: 100, maxBlocks: 70, blocks: 3, held: 0 })
    const blocks = Array.from({ length: 70 }, () => pool.acquire())
    assert.equal(new Set(blocks.map(({ pointer }) => pointer)).size, 70)
    assert.equal(new Set(blocks.map(({ index }) => index)).size, 70)
    for (const [i, { bytes }] of blocks.entries()) {
      assert.equal(bytes.length, 100)
      bytes.fill(i)
    }
    assert.equal(pool.tryAcquire(), null)
    throwsError(() => pool.acquire(), 'ERR_SABWAY_POOL_EMPTY', /70 are held by participants that live/)
    assert.deepEqual(pool.stats(), { blockSize: 100, maxBlocks: 70, blocks: 70, held: 70 })
    for (const [i, block] of blocks.entries()) {
      assert.ok(block.bytes.every((byte) => byte === i))
      block.release()
      throwsError(() => block.release(), 'ERR_SABWAY_RELEASED', new RegExp(`block ${block.index} of the pool`))
      block[Symbol.dispose]()
    }
    assert.equal(pool.shrink(50), 20)
    assert.equal(pool.shrink(), 47)
    assert.equal(pool.stats().blocks, 3)
    assert.deepEqual(
      heap.check({ sweep: true }).map(({ bytes }) => bytes),
      [],
    )
    pool.free()
    throwsError(() => pool.acquire(), 'ERR_SABWAY_FREED', /pool/)
    throwsError(() => pool.stats(), 'ERR_SABWAY_FREED', /pool/)
    assert.equal(heap.check({ sweep: true }).length, 0)
  })

  it('gives a block back at the end of a block of code', () => {
    const pool = new SharedMemoryPool(heapOf(), { maxBlocks: 1 })
    for (let i = 0; i < 3; i++) {
      using block = pool.acquire()
      assert.equal(pool.stats().held, 1)
      assert.equal(block.bytes.length, 1024)
    }
    assert.equal(pool.stats().held, 0)
  })

  it('has cells without bytes, which bound the objects of all participants', async () => {
    const slots = new SharedMemoryPool(heapOf(), { blockSize: 0, maxBlocks: 2 })
    const pools = [0, 1].map(() => new ObjectPool({ factory: () => ({}), slots }))
    const [first, second] = pools.map((pool) => pool.acquire())
    throwsError(() => pools[0]!.acquire(), 'ERR_SABWAY_POOL_EMPTY', /acquireAsync/)
    pools[1]!.release(second!)
    const third = pools[0]!.acquire()
    pools[0]!.release(third)
    pools[0]!.release(first!)
    assert.equal(slots.stats().held, 0)
    assert.deepEqual([slots.acquire().bytes.length, slots.acquire().pointer], [0, 0])
  })

  it('is opened by name and by what it shares, and freed once', () => {
    const heap = heapOf()
    const pool = new SharedMemoryPool(heap, { blockSize: 8 })
    heap.region.set('blocks', pool)
    assert.deepEqual(heap.region.list(), [{ name: 'blocks', kind: 'pool' }])
    const found = heap.region.get('blocks') as SharedMemoryPool
    assert.ok(found instanceof SharedMemoryPool)
    const block = new SharedMemoryPool(heap, pool.getSharedMemory()).acquire()
    assert.equal(found.stats().held, 1)
    // of this thread's other object
    assert.equal(found.take(block.getSharedMemory()).index, block.index)
    block.release()
    found.free()
    throwsError(() => pool.free(), 'ERR_SABWAY_FREED', /pool/)
    assert.equal(heap.region.get('blocks'), undefined)
  })

  it('refuses what it cannot be made of, and names that are none', () => {
    const heap = heapOf()
    throwsError(() => new SharedMemoryPool(heap, { maxBlocks: 0 }), 'ERR_SABWAY_OUT_OF_RANGE', /maxBlocks/)
    throwsError(() => new SharedMemoryPool(heap, { growthFactor: 0 }), 'ERR_SABWAY_OUT_OF_RANGE', /growthFactor/)
    throwsError(
      () => new SharedMemoryPool(heap, { initialBlocks: 9, maxBlocks: 8 }),
      'ERR_SABWAY_OUT_OF_RANGE',
      /initialBlocks/,
    )
    throwsError(
      () => new SharedMemoryPool(heap, { blockSize: MIB, initialBlocks: 20 }),
      'ERR_SABWAY_HEAP_FULL',
      /2097\d+ bytes/,
    )
    const pool = new SharedMemoryPool(heap, { maxBlocks: 1 })
    throwsError(() => pool.take(7 as never), 'ERR_SABWAY_INVALID_TYPE', /getSharedMemory/)
    throwsError(() => pool.take({ index: 0, life: 0 } as never), 'ERR_SABWAY_INVALID_TYPE', /holder/)
    throwsError(() => pool.take({ index: 5, life: 0, holder: 257 }), 'ERR_SABWAY_NOT_HELD', /pool/)
    const block = pool.acquire()
    const shared = block.getSharedMemory()
    block.release()
    throwsError(() => pool.take(shared), 'ERR_SABWAY_RELEASED', /pool/)
    throwsError(() => pool.shrink(-1), 'ERR_SABWAY_OUT_OF_RANGE', /keep/)
  })

  it('waits for a block, in the order of the calls', async () => {
    const pool = new SharedMemoryPool(heapOf(), { maxBlocks: 1, blockSize: 0 })
    const held = pool.acquire()
    const order: number[] = []
    const waits = [0, 1, 2].map((i) =>
      pool.acquireAsync(i === 1 ? { timeout: 5 } : {}).then((block) => {
        order.push(i)
        block.release()
      }),
    )
    await rejectsWith(waits[1]!, 'ERR_SABWAY_TIMEOUT', /5 ms/)
    held.release()
    await Promise.all([waits[0], waits[2]])
    assert.deepEqual(order, [0, 2])
    using block = await pool.acquireAsync()
    throwsError(() => pool.acquireSync({ timeout: 1 }), 'ERR_SABWAY_TIMEOUT', /1 ms/)
    await rejectsWith(pool.acquireAsync({ timeout: 0 }), 'ERR_SABWAY_TIMEOUT', /0 ms/)
    await rejectsWith(pool.acquireAsync(3 as never), 'ERR_SABWAY_INVALID_TYPE', /options/)
    assert.equal(block.index, 0)
  })

  it('shrinks by itself, where it was made', async () => {
    const pool = new SharedMemoryPool(heapOf(), { cleanupInterval: 1, initialBlocks: 1 })
    const blocks = [1, 2, 3, 4].map(() => pool.acquire())
    for (const block of blocks) block.release()
    await until(() => pool.stats().blocks === 1, 'a cleanup')
    pool.free()
  })
})

describe('a pool that several use', () => {
  it('has no block with two holders, for four threads', async () => {
    const heap = heapOf(64 * MIB)
    const pool = new SharedMemoryPool(heap, { blockSize: 48, maxBlocks: 12 })
    heap.region.set('pool', pool)
    const threads = [1, 2, 3, 4].map(
      (number) =>
        new Thread('pools', { does: 'churn', shared: heap.getSharedMemory(), pool: 'pool', number, turns: 30_000 }),
    )
    for (const thread of threads) {
      assert.equal(await thread.next(), 'begun')
      assert.equal(await thread.next(), 'done')
      assert.equal(await thread.ended(), 0)
    }
    assert.equal(pool.stats().held, 0)
    pool.free()
    assert.equal(heap.check({ sweep: true }).length, 0)
  })

  it('hands a block on to a thread, with what is in it', async () => {
    const heap = heapOf()
    const pool = new SharedMemoryPool(heap, { blockSize: 16, maxBlocks: 1 })
    heap.region.set('pool', pool)
    const block = pool.acquire()
    block.bytes[0] = 40
    const task = {
      does: 'take',
      shared: heap.getSharedMemory(),
      pool: 'pool',
      number: 2,
      block: block.getSharedMemory(),
    }
    assert.equal(await new Thread('pools', task).next(), 'done')
    throwsError(() => block.release(), 'ERR_SABWAY_RELEASED', /block 0/)
    assert.equal(pool.acquire().bytes[0], 42)
  })

  it('wakes a thread that waits', async () => {
    const heap = heapOf()
    const pool = new SharedMemoryPool(heap, { blockSize: 16, maxBlocks: 1 })
    heap.region.set('pool', pool)
    const block = pool.acquire()
    const thread = new Thread('pools', { does: 'later', shared: heap.getSharedMemory(), pool: 'pool', number: 9 })
    assert.equal(await thread.next(), 'begun')
    await sleep(20)
    block.release()
    assert.equal(await thread.next(), 'done')
    assert.equal(pool.acquireSync().bytes[0], 9)
  })

  it('takes back what a terminated thread held', async () => {
    const heap = heapOf()
    const pool = new SharedMemoryPool(heap, { blockSize: 16, maxBlocks: 70 })
    heap.region.set('pool', pool)
    const thread = new Thread('pools', {
      does: 'hold',
      shared: heap.getSharedMemory(),
      pool: 'pool',
      number: 5,
      turns: 70,
    })
    await thread.next()
    assert.equal(pool.tryAcquire(), null)
    const later = pool.acquireAsync()
    await thread.terminate()
    assert.equal((await later).bytes[0], 5)
    await until(() => pool.stats().held === 1, 'what it held comes back')
  })

  it('takes back what a killed process held, again and again', async () => {
    const region = closeLater(Region.create({ size: 64 * MIB, share: 'processes' }))
    const heap = new MemoryHeap(region.token)
    closeLater(heap.region)
    const pool = new SharedMemoryPool(heap, { blockSize: 32, maxBlocks: 40 })
    heap.region.set('pool', pool)
    const begin = (number: number, does: 'hold' | 'churn', turns: number) =>
      new Peer({ does, shared: region.token, pool: 'pool', number, turns })
    const steady = begin(1, 'churn', 1e9)
    assert.equal(await steady.next(), 'begun')
    for (let deaths = 0; deaths < 6; deaths++) {
      const victim = begin(2, deaths % 2 === 0 ? 'hold' : 'churn', deaths % 2 === 0 ? 20 : 1e9)
      const said = await victim.next<PoolBlockMemory | string>()
      await sleep(10)
      await victim.kill()
      if (typeof said === 'string') continue
      // what it offered comes back to the pool, unless it is taken before its end is noticed
      try {
        pool.take(said).release()
      } catch (error) {
        assertError(error, 'ERR_SABWAY_RELEASED', /pool/)
      }
      throwsError(() => pool.take(said), 'ERR_SABWAY_RELEASED', /pool/)
    }
    await steady.kill()
    // the next that finds nothing else asks the system which holders live
    const all = Array.from({ length: 40 }, () => pool.acquire())
    assert.equal(new Set(all.map(({ index }) => index)).size, 40)
    pool.free()
    // of each death a block that was being made
    assert.ok(heap.check({ sweep: true }).length <= 7)
  })
})
