// Locks, conditions and barriers in words of any Int32Array over shared memory. A word has no room
// for an owner, so none of this is robust: the classes of a heap are.
//
//   mutex      0 free, 1 locked, 2 locked and some thread may sleep
//   barrier    bits 0-15: how many have arrived; bits 16-31: how often all have
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { now as clock } from '../base/host.js'

/** Looks before a thread sleeps. */
const LOOKS = 200
/**
 * Milliseconds of one sleep, so that a thread that may not sleep looks on, and time-outs are kept.
 */
const SLICE_MS = 50
const ARRIVED = 0xffff
const ROUND = 0x10000

/** The index, if a word of the array is there. Errors: ERR_SABWAY_INVALID_TYPE, _OUT_OF_RANGE. */
export function wordOf(array: unknown, index: unknown): number {
  if (!ArrayBuffer.isView(array) || !(array instanceof Int32Array))
    check.refuse('ERR_SABWAY_INVALID_TYPE', 'the words must be an Int32Array', array)
  return check.integer(index, 'index', 0, array.length - 1)
}

export const tryAcquire = (words: Int32Array, index: number): boolean =>
  Atomics.compareExchange(words, index, 0, 1) === 0

/** False: not within so many milliseconds. */
export function acquire(words: Int32Array, index: number, timeout: number): boolean {
  for (let looks = 0; looks < LOOKS; looks++) {
    if (Atomics.load(words, index) === 0 && tryAcquire(words, index)) return true
  }
  if (timeout === 0) return false
  const due = clock() + timeout
  // it says that a thread may sleep, also when it gets the lock so: there may be another
  while (Atomics.exchange(words, index, 2) !== 0) {
    const left = due - clock()
    if (left <= 0) return false
    sleep(words, index, 2, Math.min(left, SLICE_MS))
  }
  return true
}

export function release(words: Int32Array, index: number): void {
  const was = Atomics.exchange(words, index, 0)
  if (was === 0) throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'no thread holds this lock')
  if (was !== 1) Atomics.notify(words, index, 1)
}

/** Where this thread may not sleep it looks on. */
function sleep(words: Int32Array, index: number, value: number, milliseconds: number): void {
  try {
    Atomics.wait(words, index, value, milliseconds)
  } catch {
    // a page's main thread, or memory that is not shared
  }
}

/** The rounds of barriers in which this thread has arrived, by their words. */
const arrivals = new WeakMap<ArrayBufferLike, Map<number, number>>()

function arrivalsIn({ buffer }: Int32Array): Map<number, number> {
  let found = arrivals.get(buffer)
  if (found === undefined) {
    found = new Map()
    arrivals.set(buffer, found)
  }
  return found
}

let own: Int32Array | undefined

/** An array of numbers that Atomics, or this, can load and store. */
export type AtomicArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array

const bits32 = new Int32Array(1)
const float32 = new Float32Array(bits32.buffer)
const bits64 = new BigInt64Array(1)
const float64 = new Float64Array(bits64.buffer)

function arrayOf(array: unknown, index: unknown): number {
  if (!ArrayBuffer.isView(array) || array instanceof DataView)
    check.refuse('ERR_SABWAY_INVALID_TYPE', 'the array must be a typed array', array)
  return check.integer(index, 'index', 0, (array as Int32Array).length - 1)
}

/**
 * Mutexes, conditions and barriers in words of any Int32Array, as plain functions. Nothing here
 * notices that a thread has ended: where that may happen, use Mutex, SharedCondition and
 * SharedBarrier, which are in a heap. Errors of all: ERR_SABWAY_INVALID_TYPE,
 * ERR_SABWAY_OUT_OF_RANGE: there is no such word.
 */
export class SharedMemoryAtomics {
  /** Wait until this thread has the mutex, whose word is 0 at first. Returns true. */
  static acquireMutex(mutex: Int32Array, index: number): boolean {
    return acquire(mutex, wordOf(mutex, index), Number.POSITIVE_INFINITY)
  }

  /** Give it back, and wake one that waits. Errors: ERR_SABWAY_INVALID_STATE: it is free. */
  static releaseMutex(mutex: Int32Array, index: number): void {
    release(mutex, wordOf(mutex, index))
  }

  /** Does this thread have it now? Never waits. */
  static tryAcquireMutex(mutex: Int32Array, index: number): boolean {
    return tryAcquire(mutex, wordOf(mutex, index))
  }

  /**
   * Wait while the word is `expected`, until another thread notifies. It may go on without a
   * reason. Errors: ERR_SABWAY_INVALID_STATE: this thread may not block.
   */
  static waitCondition(condition: Int32Array, index: number, expected: number): void {
    const at = wordOf(condition, index)
    check.integer(expected, 'expected', -0x8000_0000, 0x7fff_ffff)
    try {
      Atomics.wait(condition, at, expected)
    } catch (cause) {
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'this thread cannot block, or the memory is not shared', {
        cause,
      })
    }
  }

  /** Wake up to `count` threads that wait, one by default. */
  static notifyCondition(condition: Int32Array, index: number, count = 1): void {
    Atomics.notify(condition, wordOf(condition, index), check.count(count, 'count'))
  }

  static notifyAllConditions(condition: Int32Array, index: number): void {
    Atomics.notify(condition, wordOf(condition, index))
  }

  /**
   * Arrive at a barrier of `total` threads, 1 to 65535, whose word is 0 at first. True: this thread
   * was the last, and the others go on; else it is to call `waitBarrier`.
   */
  static barrier(arrive: Int32Array, index: number, total: number): boolean {
    const at = wordOf(arrive, index)
    check.integer(total, 'total', 1, ARRIVED)
    for (let word = Atomics.load(arrive, at); ; ) {
      const last = (word & ARRIVED) + 1 >= total
      const next = last ? ((word & ~ARRIVED) + ROUND) | 0 : word + 1
      const seen = Atomics.compareExchange(arrive, at, word, next)
      if (seen !== word) {
        word = seen
        continue
      }
      if (last) Atomics.notify(arrive, at)
      else arrivalsIn(arrive).set(arrive.byteOffset + 4 * at, word >>> 16)
      return last
    }
  }

  /** Wait until all have arrived that this thread's `barrier` counted. */
  static waitBarrier(barrier: Int32Array, index: number): void {
    const at = wordOf(barrier, index)
    const rounds = arrivalsIn(barrier)
    const place = barrier.byteOffset + 4 * at
    const round = rounds.get(place)
    if (round === undefined) return // it was the last, or has not arrived
    for (let word = Atomics.load(barrier, at); word >>> 16 === round; word = Atomics.load(barrier, at))
      sleep(barrier, at, word, SLICE_MS)
    rounds.delete(place)
  }

  /** What this thread wrote before is seen by others before what it writes behind this. */
  static fence(): void {
    own ??= new Int32Array(1)
    Atomics.add(own, 0, 0)
  }

  /** An element, read in one piece; floats, too. */
  static load(array: BigInt64Array | BigUint64Array, index: number): bigint
  static load(array: Exclude<AtomicArray, BigInt64Array | BigUint64Array>, index: number): number
  static load(array: AtomicArray, index: number): number | bigint {
    const at = arrayOf(array, index)
    if (array instanceof Float32Array) {
      bits32[0] = Atomics.load(new Int32Array(array.buffer, array.byteOffset, array.length), at)
      return float32[0]!
    }
    if (array instanceof Float64Array) {
      bits64[0] = Atomics.load(new BigInt64Array(array.buffer, array.byteOffset, array.length), at)
      return float64[0]!
    }
    if (array instanceof Uint8ClampedArray)
      return Atomics.load(new Uint8Array(array.buffer, array.byteOffset, array.length), at)
    return Atomics.load(array as Int32Array, at)
  }

  /**
   * Write an element in one piece; floats, too. Errors: ERR_SABWAY_INVALID_TYPE also for values.
   */
  static store(array: BigInt64Array | BigUint64Array, index: number, value: bigint): void
  static store(array: Exclude<AtomicArray, BigInt64Array | BigUint64Array>, index: number, value: number): void
  static store(array: AtomicArray, index: number, value: number | bigint): void {
    const at = arrayOf(array, index)
    const isBig = array instanceof BigInt64Array || array instanceof BigUint64Array
    if (typeof value !== (isBig ? 'bigint' : 'number'))
      check.refuse('ERR_SABWAY_INVALID_TYPE', `value must be a ${isBig ? 'bigint' : 'number'}`, value)
    if (array instanceof Float32Array) {
      float32[0] = value as number
      Atomics.store(new Int32Array(array.buffer, array.byteOffset, array.length), at, bits32[0]!)
    } else if (array instanceof Float64Array) {
      float64[0] = value as number
      Atomics.store(new BigInt64Array(array.buffer, array.byteOffset, array.length), at, bits64[0]!)
    } else if (array instanceof Uint8ClampedArray) {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.length)
      Atomics.store(bytes, at, new Uint8ClampedArray([value as number])[0]!)
    } else {
      Atomics.store(array as Int32Array, at, value as number)
    }
  }
}
