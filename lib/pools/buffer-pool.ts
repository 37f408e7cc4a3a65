// A pool of private byte arrays, by their lengths.
import { isGone, isUint8Array } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { cloneHint } from '../base/summary.js'

const LARGEST = 2 ** 32 - 1
const HINT = cloneHint('A BufferPool stays in its thread. It')

/**
 * Byte arrays that are used again, so that a program which needs one for a moment makes no work for
 * the garbage collector. An array has exactly the length that was asked for, and what its last user
 * left in it; a new one is all zeros.
 */
export class BufferPool {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = HINT
  readonly #free = new Map<number, Uint8Array[]>()
  /** Those that are handed out: true; that are in the pool, or were dropped by it: false. */
  readonly #lent = new WeakMap<Uint8Array, boolean>()
  readonly #maxPoolSize: number
  #total = 0

  /**
   * `maxPoolSize`: how many arrays of one length the pool keeps: 100 by default. Errors:
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE.
   */
  constructor(maxPoolSize = 100) {
    this.#maxPoolSize = check.integer(maxPoolSize, 'maxPoolSize', 0, LARGEST)
  }

  /**
   * An array of so many bytes. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE;
   * ERR_SABWAY_OUT_OF_MEMORY.
   */
  getBuffer(size: number): Uint8Array {
    check.integer(size, 'size', 0, LARGEST)
    const found = this.#free.get(size)?.pop()
    if (found !== undefined) this.#total--
    const buffer = found ?? newBytes(size)
    this.#lent.set(buffer, true)
    return buffer
  }

  /**
   * Give an array back; beyond `maxPoolSize` of its length it is dropped, and so is one whose
   * memory was transferred away. Errors: ERR_SABWAY_INVALID_TYPE; ERR_SABWAY_RELEASED: it was given
   * back before; ERR_SABWAY_NOT_HELD: it is not of this pool, or a view of one that is.
   */
  returnBuffer(buffer: Uint8Array): void {
    if (!isUint8Array(buffer)) check.refuse('ERR_SABWAY_INVALID_TYPE', 'buffer must be a Uint8Array', buffer)
    const lent = this.#lent.get(buffer)
    if (lent === undefined)
      throw new SabwayError(
        'ERR_SABWAY_NOT_HELD',
        'buffer must be the very array that getBuffer() of this pool returned',
      )
    if (!lent) throw new SabwayError('ERR_SABWAY_RELEASED', `an array of ${buffer.length} bytes`)
    this.#lent.set(buffer, false)
    const free = this.#free.get(buffer.length) ?? []
    if (free.length >= this.#maxPoolSize || isGone(buffer)) return
    free.push(buffer)
    this.#free.set(buffer.length, free)
    this.#total++
  }

  /** Drop all arrays that are in the pool. Those that are handed out may still be given back. */
  clear(): void {
    this.#free.clear()
    this.#total = 0
  }

  /** How many arrays are in the pool. */
  getTotalBuffers(): number {
    return this.#total
  }

  /** How many arrays are in the pool, by their lengths. */
  getPoolSizes(): Map<number, number> {
    const sizes = new Map<number, number>()
    for (const [size, { length }] of this.#free) if (length > 0) sizes.set(size, length)
    return sizes
  }

  get [Symbol.toStringTag](): string {
    return 'BufferPool'
  }

  toJSON(): { buffers: number } {
    return { buffers: this.#total }
  }
}

function newBytes(size: number): Uint8Array {
  try {
    return new Uint8Array(size)
  } catch (cause) {
    throw new SabwayError('ERR_SABWAY_OUT_OF_MEMORY', `an array of ${size} bytes`, { cause })
  }
}
