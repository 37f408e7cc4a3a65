// A pool of shared buffers in one thread, by their sizes.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { every } from '../base/every.js'
import type { Timer } from '../base/host.js'
import { cloneHint } from '../base/summary.js'
import { sharedBytes } from '../manager/buffer.js'
import { interval } from '../manager/manager.js'

export interface MemoryPoolConfig {
  /** Bytes that a cleanup leaves in the pool: 0 by default. */
  initialSize: number
  /** The most bytes that there are at one time, handed out or not; Infinity by default. */
  maxSize: number
  /**
   * How many buffers of a size there are, behind the pool has made some because all were handed
   * out, for each that there was before: 1, the default, makes one at a time, 2 doubles them.
   */
  growthFactor: number
  /**
   * Milliseconds between two calls of `cleanup` by the pool itself: a minute by default; Infinity:
   * none. The process is not kept alive for them.
   */
  cleanupInterval: number
}

/** What there is in a pool of one thread, in bytes and in buffers. */
export interface MemoryPoolStats {
  allocated: number
  free: number
  buffers: number
  freeBuffers: number
  /** Calls of `allocate` that found a buffer, and that made one. */
  hits: number
  misses: number
}

interface Size {
  readonly free: SharedArrayBuffer[]
  /** Buffers of this size, handed out or not. */
  count: number
}

const NAMES = [
  'initialSize',
  'maxSize',
  'growthFactor',
  'cleanupInterval',
] as const satisfies readonly (keyof MemoryPoolConfig)[]
const LARGEST = 2 ** 32 - 1
/** Buffers that one call makes at most. */
const MOST_AT_ONCE = 256
const HINT = cloneHint('A MemoryPool stays in its thread: post the buffers, or use a SharedMemoryPool. It')

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE. */
export function factor(value: unknown): number {
  if (check.finite(value, 'growthFactor') >= 1) return value as number
  return check.refuse('ERR_SABWAY_OUT_OF_RANGE', 'growthFactor must be at least 1', value)
}

/**
 * Shared buffers that are used again. A buffer has exactly the size that was asked for, and what
 * its last user left in it; a new one is all zeros. Of one thread: a SharedMemoryPool hands blocks
 * to many.
 */
export class MemoryPool {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = HINT
  readonly #sizes = new Map<number, Size>()
  /** Those that are handed out: true; that are in the pool: false. */
  readonly #lent = new WeakMap<SharedArrayBuffer, boolean>()
  readonly #initialSize: number
  readonly #maxSize: number
  readonly #growthFactor: number
  readonly #timer: Timer
  #allocated = 0
  #free = 0
  #hits = 0
  #misses = 0

  /**
   * Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE;
   * ERR_SABWAY_UNSUPPORTED: there are no timers here, and `cleanupInterval` is not Infinity.
   */
  constructor(config?: Partial<MemoryPoolConfig>) {
    const {
      initialSize = 0,
      maxSize = Number.POSITIVE_INFINITY,
      growthFactor = 1,
      cleanupInterval = 60_000,
    } = check.options(config, 'pool config', NAMES)
    this.#maxSize = check.count(maxSize, 'maxSize')
    this.#initialSize = check.integer(initialSize, 'initialSize', 0, Math.min(this.#maxSize, Number.MAX_SAFE_INTEGER))
    this.#growthFactor = factor(growthFactor)
    this.#timer = every(this, interval(cleanupInterval), (pool) => pool.cleanup())
  }

  /**
   * A buffer of so many bytes. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_OUT_OF_MEMORY; ERR_SABWAY_POOL_EMPTY: with it there would be more than `maxSize`
   * bytes.
   */
  allocate(size: number): SharedArrayBuffer {
    check.integer(size, 'size', 1, LARGEST)
    const found = this.#sizes.get(size)?.free.pop()
    if (found === undefined) this.#misses++
    else {
      this.#free -= size
      this.#hits++
    }
    const buffer = found ?? this.#grow(size)
    this.#lent.set(buffer, true)
    return buffer
  }

  /**
   * Give a buffer back. Errors: ERR_SABWAY_INVALID_TYPE; ERR_SABWAY_RELEASED: it was given back
   * before; ERR_SABWAY_NOT_HELD: it is not of this pool.
   */
  release(buffer: SharedArrayBuffer): void {
    const lent = typeof buffer === 'object' && buffer !== null ? this.#lent.get(buffer) : undefined
    if (lent === undefined)
      check.refuse('ERR_SABWAY_NOT_HELD', 'buffer must be what allocate() of this pool has returned', buffer)
    if (!lent) throw new SabwayError('ERR_SABWAY_RELEASED', `a buffer of ${buffer.byteLength} bytes`)
    this.#lent.set(buffer, false)
    this.#free += buffer.byteLength
    this.#sizes.get(buffer.byteLength)!.free.push(buffer)
  }

  /** The buffers of that size that are in the pool: a copy of the list. */
  getPool(size: number): SharedArrayBuffer[] {
    check.integer(size, 'size', 1, LARGEST)
    return [...(this.#sizes.get(size)?.free ?? [])]
  }

  /** Bytes of all buffers, handed out or not. */
  getTotalAllocated(): number {
    return this.#allocated
  }

  /** How many sizes there are buffers of. */
  getPoolCount(): number {
    return this.#sizes.size
  }

  stats(): MemoryPoolStats {
    let buffers = 0
    let freeBuffers = 0
    for (const { free, count } of this.#sizes.values()) {
      buffers += count
      freeBuffers += free.length
    }
    return {
      allocated: this.#allocated,
      free: this.#free,
      buffers,
      freeBuffers,
      hits: this.#hits,
      misses: this.#misses,
    }
  }

  /**
   * Let go of buffers in the pool, the largest first, until at most `initialSize` bytes are there.
   */
  cleanup(): void {
    const largest = [...this.#sizes].sort(([a], [b]) => b - a)
    for (const [size, { free }] of largest) {
      while (this.#allocated > this.#initialSize && free.length > 0) this.#drop(size)
    }
  }

  /** Let go of all buffers in the pool, and end the cleanups. */
  close(): void {
    this.#timer.cancel()
    for (const [size, { free }] of [...this.#sizes]) while (free.length > 0) this.#drop(size)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  get [Symbol.toStringTag](): string {
    return 'MemoryPool'
  }

  toJSON(): MemoryPoolStats {
    return this.stats()
  }

  /** One more, and by the growth factor others for the pool, as far as there is room. */
  #grow(size: number): SharedArrayBuffer {
    if (this.#allocated + size > this.#maxSize) this.#drain(size)
    const room = this.#maxSize - this.#allocated
    if (size > room)
      throw new SabwayError(
        'ERR_SABWAY_POOL_EMPTY',
        `${size} bytes were asked for, of the ${this.#maxSize} of maxSize ${this.#allocated - this.#free} are handed out; release some, or raise it`,
      )
    const there = this.#sizes.get(size)?.count ?? 0
    const wanted = Math.max(1, Math.floor(there * (this.#growthFactor - 1)))
    const buffer = this.#make(size)
    const more = Math.min(wanted, MOST_AT_ONCE, Math.floor(room / size)) - 1
    for (let i = 0; i < more; i++) {
      const spare = this.#make(size)
      this.#lent.set(spare, false)
      this.#sizes.get(size)!.free.push(spare)
      this.#free += size
    }
    return buffer
  }

  #make(size: number): SharedArrayBuffer {
    const buffer = sharedBytes(size)
    let of = this.#sizes.get(size)
    if (of === undefined) {
      of = { free: [], count: 0 }
      this.#sizes.set(size, of)
    }
    of.count++
    this.#allocated += size
    return buffer
  }

  /** Make room for so many bytes, from buffers of other sizes that are in the pool. */
  #drain(size: number): void {
    if (this.#allocated - this.#free + size > this.#maxSize) return
    for (const [other, { free }] of [...this.#sizes]) {
      while (free.length > 0 && this.#allocated + size > this.#maxSize) this.#drop(other)
    }
  }

  /** One buffer of that size, which is in the pool. */
  #drop(size: number): void {
    const of = this.#sizes.get(size)!
    this.#lent.delete(of.free.pop()!)
    if (--of.count === 0) this.#sizes.delete(size)
    this.#allocated -= size
    this.#free -= size
  }
}
