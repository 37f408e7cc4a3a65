// What the life of threads and objects does to a heap: every endpoint taken, Regions that are
// dropped, ends in the middle of a call.
import assert from 'node:assert/strict'
import { AllocatedMemory, MemoryHeap, Mutex, type Region } from 'sabway'
import { abi } from '../support/abi.js'
import { throwsError } from '../support/errors.js'
import { collectUntil } from '../support/gc.js'
import { anotherPlace, closeLater } from '../support/regions.js'

const MIB = 2 ** 20

describe('a heap with as many participants as there can be', () => {
  it('serves all 64, each of which frees what another has allocated', () => {
    const first = new MemoryHeap({ size: 64 * MIB })
    closeLater(first.region)
    const heaps = [first, ...Array.from({ length: 63 }, () => new MemoryHeap(anotherPlace(first.region)))]
    for (const { region } of heaps) closeLater(region)
    throwsError(() => anotherPlace(first.region), 'ERR_SABWAY_TOO_MANY_PARTICIPANTS', /64/)
    for (let round = 0; round < 3; round++) {
      const blocks = heaps.map((heap, i) => Array.from({ length: 50 }, (_, k) => heap.alloc(16 + ((i * k) % 2000))))
      assert.equal(first.stats().blocks, 64 * 50)
      heaps.forEach((heap, i) => {
        for (const pointer of blocks[(i + 1) % 64]!) heap.free(pointer)
      })
      assert.equal(first.stats().blocks, 0)
      first.check()
    }
    const mutex = new Mutex(first)
    const theirs = heaps.map((heap) => new Mutex(heap, mutex.pointer))
    for (const each of theirs) {
      const lock = each.lock()
      assert.equal(theirs.filter((other) => other.tryLock() !== null).length, 0)
      lock.release()
    }
  })

  it('has places for others again once those leave, and their pages are used', () => {
    const first = new MemoryHeap({ size: 8 * MIB })
    closeLater(first.region)
    const { total } = first.stats()
    for (let round = 0; round < 200; round++) {
      const heap = new MemoryHeap(anotherPlace(first.region))
      for (let i = 0; i < 30; i++) heap.alloc(1 + ((round * i) % 4000)) // left to the others
      heap.region.close()
      if (round % 10 === 9) for (const { pointer } of first.walk()) first.free(pointer)
    }
    assert.equal(first.stats().blocks, 0)
    first.check()
    first.free(first.alloc(Math.floor(total / 2)))
  })
})

describe('an endpoint', () => {
  it('has no waits of an earlier owner for the locks of the heap and the directory', () => {
    const first = new MemoryHeap({ size: 8 * MIB })
    closeLater(first.region)
    const { SW_DIRECTORY_AT, SW_HEAP_AT, sw_directory, sw_heap_control, sw_mutex } = abi
    for (const lock of [SW_HEAP_AT + sw_heap_control.lock, SW_DIRECTORY_AT + sw_directory.lock]) {
      for (const endpoint of [1, 33]) {
        const waiters = new BigUint64Array(first.buffer, lock + sw_mutex.waiters, 1)
        waiters[0] = 1n << BigInt(endpoint)
        const opened = Array.from({ length: endpoint }, () => anotherPlace(first.region))
        assert.equal(waiters[0], 0n, `the bit of ${endpoint} in the lock at ${lock}`)
        for (const region of opened) region.close()
      }
    }
  })
})

/** That nothing holds. */
const place = (heap: MemoryHeap): Region => anotherPlace(heap.region, false)

describe('a Region that was dropped', () => {
  it('leaves its blocks, which others free, and its pages, which others use', async () => {
    const heap = new MemoryHeap({ size: 16 * MIB })
    closeLater(heap.region)
    const pointers: number[] = []
    ;(() => {
      const dropped = new MemoryHeap(place(heap))
      for (let i = 0; i < 500; i++) pointers.push(dropped.alloc(1 + 7 * i))
      dropped.region.set('kept', new AllocatedMemory(dropped, pointers[0]!))
    })()
    await collectUntil(() => heap.region.stats().participants === 1, 'the endpoint to be given back')
    heap.check()
    assert.equal((heap.region.get('kept') as AllocatedMemory).pointer, pointers[0])
    heap.region.delete('kept')
    for (const pointer of pointers) heap.free(pointer)
    heap.check()
    heap.free(heap.alloc(12 * MIB))
  })

  it('is there as long as a block of it is: the block holds it', async () => {
    const heap = new MemoryHeap({ size: 16 * MIB })
    closeLater(heap.region)
    const block = (() => new MemoryHeap(place(heap)).allocUI32(4))()
    for (let i = 0; i < 3; i++) {
      ;(globalThis as { gc?: () => void }).gc?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(heap.region.stats().participants, 2)
    block.data[0] = 1
    block.free()
    assert.equal(heap.stats().blocks, 0)
  })

  it('with a mutex leaves that to the next, which is told', async () => {
    const heap = new MemoryHeap({ size: 16 * MIB })
    closeLater(heap.region)
    const mutex = new Mutex(heap)
    ;(() => {
      const dropped = new MemoryHeap(place(heap))
      new Mutex(dropped, mutex.pointer).lock()
    })()
    assert.equal(mutex.tryLock(), null)
    await collectUntil(() => !mutex.locked, 'the end of the holder')
    const lock = mutex.lock()
    assert.equal(lock.ownerDied, true)
    lock.consistent()
    lock.release()
  })
})
