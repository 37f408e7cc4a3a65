// Pools of one thread: the plan's own examples, limits, and what is given back twice.
import assert from 'node:assert/strict'
import { BufferPool, MemoryPool, ObjectPool } from 'sabway'
import { rejectsWith, throwsError } from '../support/errors.js'
import { collectUntil } from '../support/gc.js'
import { until } from '../support/wait.js'

describe('a MemoryPool', () => {
  it("is used as the plan's example says", () => {
    const memoryPool = new MemoryPool({
      initialSize: 1024 * 1024, // 1MB
      maxSize: 100 * 1024 * 1024, // 100MB
      growthFactor: 2,
    })
    const buffer = memoryPool.allocate(1024)
    assert.ok(buffer instanceof SharedArrayBuffer && buffer.byteLength === 1024)
    memoryPool.release(buffer)
    assert.equal(memoryPool.allocate(1024), buffer)
    assert.equal(memoryPool.getTotalAllocated(), 1024)
    assert.equal(memoryPool.getPoolCount(), 1)
    memoryPool.close()
  })

  it('hands a buffer out to one caller at a time', () => {
    using pool = new MemoryPool()
    const [a, b, c] = [pool.allocate(10), pool.allocate(10), pool.allocate(20)]
    assert.notEqual(a, b)
    pool.release(b)
    pool.release(c)
    assert.deepEqual(pool.getPool(10), [b])
    assert.deepEqual(pool.getPool(11), [])
    assert.equal(pool.getPoolCount(), 2)
    assert.deepEqual(pool.stats(), { allocated: 40, free: 30, buffers: 3, freeBuffers: 2, hits: 0, misses: 3 })
    assert.equal(pool.allocate(10), b)
    throwsError(() => pool.release(c), 'ERR_SABWAY_RELEASED', /20 bytes/)
    throwsError(() => pool.release(new SharedArrayBuffer(10)), 'ERR_SABWAY_NOT_HELD', /allocate\(\) of this pool/)
    throwsError(() => pool.release(null as never), 'ERR_SABWAY_NOT_HELD', /null/)
    pool.cleanup()
    assert.equal(pool.getTotalAllocated(), 20)
    throwsError(() => pool.release(c), 'ERR_SABWAY_NOT_HELD', /this pool/)
    pool.release(a)
  })

  it('grows by its factor, up to its size, and makes room from other sizes', () => {
    using pool = new MemoryPool({ maxSize: 100, growthFactor: 3 })
    const first = pool.allocate(10)
    const second = pool.allocate(10) // makes two
    assert.equal(pool.stats().buffers, 3)
    const third = pool.allocate(10)
    const fourth = pool.allocate(10) // makes six
    assert.equal(pool.getTotalAllocated(), 90)
    throwsError(() => pool.allocate(61), 'ERR_SABWAY_POOL_EMPTY', /61 bytes.* 100 of maxSize 40/)
    const large = pool.allocate(60) // five of the free buffers go
    assert.equal(pool.getTotalAllocated(), 100)
    throwsError(() => pool.allocate(1), 'ERR_SABWAY_POOL_EMPTY', /raise it/)
    for (const buffer of [first, second, third, fourth, large]) pool.release(buffer)
  })

  it('leaves the smallest to its initial size', () => {
    using pool = new MemoryPool({ initialSize: 35 })
    for (const buffer of [10, 20, 30, 5].map((size) => pool.allocate(size))) pool.release(buffer)
    pool.cleanup()
    assert.equal(pool.getTotalAllocated(), 35)
    assert.deepEqual(
      [5, 10, 20, 30].map((size) => pool.getPool(size).length),
      [1, 1, 1, 0],
    )
  })

  it('cleans up by itself, and is collected all the same', async () => {
    const pool = new MemoryPool({ cleanupInterval: 1 })
    pool.release(pool.allocate(10))
    await until(() => pool.getTotalAllocated() === 0, 'a cleanup')
    pool.close()
    let collected = false
    const registry = new FinalizationRegistry(() => {
      collected = true
    })
    const make = () => registry.register(new MemoryPool({ cleanupInterval: 5 }), 0)
    make()
    await collectUntil(() => collected, 'the pool is collected')
  })

  it('refuses what it cannot be made of', () => {
    throwsError(() => new MemoryPool({ growthFactor: 0.5 }), 'ERR_SABWAY_OUT_OF_RANGE', /at least 1/)
    throwsError(() => new MemoryPool({ initialSize: 2, maxSize: 1 }), 'ERR_SABWAY_OUT_OF_RANGE', /initialSize/)
    throwsError(() => new MemoryPool({ cleanupInterval: 0 }), 'ERR_SABWAY_OUT_OF_RANGE', /cleanupInterval/)
    throwsError(() => new MemoryPool({ size: 0 } as never), 'ERR_SABWAY_INVALID_ARGUMENT', /size/)
  })
})

class Expensive {
  uses = 0
  broken = false
  reset(): void {
    this.uses++
  }
  isValid(): boolean {
    return !this.broken
  }
}

const expensive = (more: object = {}) =>
  new ObjectPool<Expensive>({
    initialSize: 10,
    maxSize: 100,
    factory: () => new Expensive(),
    reset: (obj) => obj.reset(),
    validate: (obj) => obj.isValid(),
    ...more,
  })

describe('an ObjectPool', () => {
  it("is used as the plan's example says", () => {
    const objectPool = expensive()
    const obj = objectPool.acquire()
    objectPool.release(obj)
    assert.equal(obj.uses, 1)
    assert.equal(objectPool.acquire(), obj)
    assert.deepEqual([objectPool.getSize(), objectPool.getAllocated(), objectPool.getAvailable()], [10, 1, 9])
  })

  it('hands out maxSize objects, and drops those that are not good', () => {
    const pool = expensive({ initialSize: 1, maxSize: 2 })
    const [a, b] = [pool.acquire(), pool.acquire()]
    throwsError(() => pool.acquire(), 'ERR_SABWAY_POOL_EMPTY', /2 objects/)
    pool.release(a)
    a.broken = true
    const c = pool.acquire()
    assert.ok(c !== a && c !== b)
    throwsError(() => pool.release(a), 'ERR_SABWAY_NOT_HELD', /dropped|none that/)
    pool.release(b)
    throwsError(() => pool.release(b), 'ERR_SABWAY_RELEASED', /in the pool/)
    pool.clear()
    throwsError(() => pool.release(b), 'ERR_SABWAY_NOT_HELD', /none that/)
    assert.equal(pool.getSize(), 1)
  })

  it('drops an object whose reset throws, and goes on', () => {
    const pool = expensive({
      maxSize: 10,
      reset: () => {
        throw new Error('no')
      },
    })
    const object = pool.acquire()
    assert.throws(() => pool.release(object), /no/)
    assert.equal(pool.getAllocated(), 0)
    assert.equal(pool.getSize(), 9)
    const failing = new ObjectPool({
      factory: () => {
        throw new Error('not made')
      },
    })
    assert.throws(() => failing.acquire(), /not made/)
    assert.equal(failing.getAllocated(), 0)
    const same = {}
    const twice = new ObjectPool({ factory: () => same })
    twice.acquire()
    throwsError(() => twice.acquire(), 'ERR_SABWAY_INVALID_ARGUMENT', /handed out/)
  })

  it('gives an object back at the end of a block, and once', () => {
    const pool = expensive({ maxSize: 10 })
    let seen: Expensive
    {
      using lease = pool.lease()
      seen = lease.value
      assert.equal(pool.getAllocated(), 1)
    }
    assert.equal(pool.getAllocated(), 0)
    assert.equal(seen.uses, 1)
    const lease = pool.lease()
    lease.release()
    throwsError(() => lease.release(), 'ERR_SABWAY_RELEASED', /over/)
    throwsError(() => lease.value, 'ERR_SABWAY_RELEASED', /over/)
    lease[Symbol.dispose]()
    assert.equal(pool.getAllocated(), 0)
  })

  it('serves those that wait in their order, and forgets those that gave up', async () => {
    const pool = expensive({ initialSize: 0, maxSize: 1 })
    const held = pool.acquire()
    const order: number[] = []
    const abort = new AbortController()
    const waits = [0, 1, 2, 3].map((i) =>
      pool.acquireAsync(i === 1 ? { signal: abort.signal } : i === 2 ? { timeout: 5 } : {}).then((object) => {
        order.push(i)
        pool.release(object)
      }),
    )
    abort.abort(new Error('mine'))
    await rejectsWith(waits[1]!, 'ERR_SABWAY_ABORTED', /given up/)
    await rejectsWith(waits[2]!, 'ERR_SABWAY_TIMEOUT', /5 ms/)
    pool.release(held)
    await Promise.all([waits[0], waits[3]])
    assert.deepEqual(order, [0, 3])
    assert.equal(await pool.acquireAsync(), held)
    await rejectsWith(pool.acquireAsync({ timeout: 0 }), 'ERR_SABWAY_TIMEOUT', /0 ms/)
    await rejectsWith(pool.acquireAsync({ signal: abort.signal }), 'ERR_SABWAY_ABORTED', /given up/)
    await rejectsWith(pool.acquireAsync({ wait: 1 } as never), 'ERR_SABWAY_INVALID_ARGUMENT', /wait/)
  })

  it('refuses what it cannot be made of', () => {
    throwsError(() => new ObjectPool(undefined as never), 'ERR_SABWAY_INVALID_TYPE', /factory/)
    throwsError(() => expensive({ reset: 1 }), 'ERR_SABWAY_INVALID_TYPE', /reset must be a function/)
    throwsError(() => expensive({ initialSize: 101 }), 'ERR_SABWAY_OUT_OF_RANGE', /initialSize/)
    throwsError(() => expensive({ slots: {} }), 'ERR_SABWAY_INVALID_TYPE', /SharedMemoryPool/)
  })
})

describe('a BufferPool', () => {
  it("is used as the plan's example says", () => {
    const bufferPool = new BufferPool(1000)
    const tempBuffer = bufferPool.getBuffer(512)
    assert.equal(tempBuffer.length, 512)
    bufferPool.returnBuffer(tempBuffer)
    assert.equal(bufferPool.getBuffer(512), tempBuffer)
  })

  it('keeps as many of a length as it may, and each once', () => {
    const pool = new BufferPool(2)
    const made = [3, 3, 3, 4, 0].map((size) => pool.getBuffer(size))
    for (const buffer of made) pool.returnBuffer(buffer)
    assert.deepEqual(
      pool.getPoolSizes(),
      new Map([
        [3, 2],
        [4, 1],
        [0, 1],
      ]),
    )
    assert.equal(pool.getTotalBuffers(), 4)
    for (const buffer of made) throwsError(() => pool.returnBuffer(buffer), 'ERR_SABWAY_RELEASED', /bytes/)
    throwsError(() => pool.returnBuffer(made[0]!.subarray(0)), 'ERR_SABWAY_NOT_HELD', /very array/)
    throwsError(() => pool.returnBuffer('x' as never), 'ERR_SABWAY_INVALID_TYPE', /Uint8Array/)
    pool.clear()
    assert.equal(pool.getTotalBuffers(), 0)
    assert.equal(pool.getPoolSizes().size, 0)
  })

  it('takes no array whose memory was transferred away', () => {
    const pool = new BufferPool()
    const buffer = pool.getBuffer(8)
    structuredClone(buffer.buffer, { transfer: [buffer.buffer as ArrayBuffer] })
    pool.returnBuffer(buffer)
    assert.equal(pool.getTotalBuffers(), 0)
    assert.equal(pool.getBuffer(8).length, 8)
  })
})
