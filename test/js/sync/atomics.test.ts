// Locks in words of any Int32Array, and the samples of the documents in seeds/ that use them, with
// their imports changed.
import assert from 'node:assert/strict'
import { SharedMemoryAtomics, SpinLock } from 'sabway'
import { throwsError } from '../support/errors.js'
import { mayBlock } from '../support/host.js'

describe('a word as a lock', () => {
  // biome-ignore format: the lines between the rules are the document's own
  it('runs the sample of the spin lock as it stands', () => {
    const sharedArray = new Int32Array(new SharedArrayBuffer(4)) as unknown as number[];
    // ----
    // Usage
    const lockBuffer = new SharedArrayBuffer(4);
    const lock = new SpinLock(lockBuffer);

    lock.lock();
    try {
      // Critical section
      sharedArray[0]!++;
    } finally {
      lock.unlock();
    }
    // ----
    assert.equal(sharedArray[0], 1)
    assert.equal(lock.tryLock(), true)
    assert.equal(lock.tryLock(), false)
    throwsError(() => lock.lock({ timeout: 5 }), 'ERR_SABWAY_TIMEOUT', /for 5 ms/)
    lock.unlock()
    throwsError(() => lock.unlock(), 'ERR_SABWAY_INVALID_STATE', /no thread holds this lock/)
    throwsError(() => new SpinLock(lockBuffer, 1), 'ERR_SABWAY_OUT_OF_RANGE', /index/)
  })

  // biome-ignore format: the lines between the rules are the document's own
  it('runs the sample of a shared mutex and condition', () => {
    const mutex = new Int32Array(new SharedArrayBuffer(4))
    const condition = new Int32Array(new SharedArrayBuffer(4))
    // ----
    if (SharedMemoryAtomics.acquireMutex(mutex, 0)) {
      try {
        SharedMemoryAtomics.notifyCondition(condition, 0);
      } finally {
        SharedMemoryAtomics.releaseMutex(mutex, 0);
      }
    }
    // ----
    assert.equal(mutex[0], 0)
    assert.equal(SharedMemoryAtomics.tryAcquireMutex(mutex, 0), true)
    assert.equal(SharedMemoryAtomics.tryAcquireMutex(mutex, 0), false)
    const wait = () => SharedMemoryAtomics.waitCondition(condition, 0, 1) // which it is not
    if (mayBlock) wait()
    else throwsError(wait, 'ERR_SABWAY_INVALID_STATE', /block/)
    SharedMemoryAtomics.notifyAllConditions(condition, 0)
  })

  it('counts those that arrive at a barrier, again and again', () => {
    const words = new Int32Array(new SharedArrayBuffer(4))
    for (let round = 0; round < 3; round++) {
      assert.equal(SharedMemoryAtomics.barrier(words, 0, 2), false)
      assert.equal(SharedMemoryAtomics.barrier(words, 0, 2), true)
      SharedMemoryAtomics.waitBarrier(words, 0) // all have arrived
    }
  })

  it('loads and stores numbers of every type', () => {
    const buffer = new SharedArrayBuffer(16) as unknown as ArrayBuffer
    for (const Type of [Int8Array, Uint8ClampedArray, Uint16Array, Uint32Array, Float32Array, Float64Array]) {
      const array = new Type(buffer)
      SharedMemoryAtomics.store(array, 1, 7)
      SharedMemoryAtomics.fence()
      assert.equal(SharedMemoryAtomics.load(array, 1), 7)
    }
    const wide = new BigInt64Array(buffer)
    SharedMemoryAtomics.store(wide, 1, -7n)
    assert.equal(SharedMemoryAtomics.load(wide, 1), -7n)
    throwsError(() => SharedMemoryAtomics.store(wide, 0, 1 as never), 'ERR_SABWAY_INVALID_TYPE', /a bigint/)
  })
})
