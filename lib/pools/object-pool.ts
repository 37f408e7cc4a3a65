// A pool of objects of this thread.
import { abortedError, onAbort } from '../base/abort.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { after, needLoop } from '../base/host.js'
import { cloneHint } from '../base/summary.js'
import type { AcquireOptions, PoolBlock } from './pool-block.js'
import { SharedMemoryPool } from './shared-memory-pool.js'

export interface ObjectPoolConfig<T> {
  /** Makes an object. */
  factory: () => T
  /** Called with an object when it is given back. */
  reset?: (object: T) => void
  /** Is the object still good? Asked before it is handed out again: one that is not is dropped. */
  validate?: (object: T) => boolean
  /** How many objects are made at once: 0 by default. */
  initialSize?: number
  /** The most objects that there are at one time, handed out or not; Infinity by default. */
  maxSize?: number
  /**
   * A pool whose cells count the objects of all participants: each object that is handed out holds
   * one, and what a participant held that has died is had by others.
   */
  slots?: SharedMemoryPool
}

const NAMES = [
  'factory',
  'reset',
  'validate',
  'initialSize',
  'maxSize',
  'slots',
] as const satisfies readonly (keyof ObjectPoolConfig<unknown>)[]
const LARGEST = 2 ** 32 - 1
const HINT = cloneHint('An ObjectPool stays in its thread. It')
const LEASE_HINT = cloneHint('A lease of a pool stays in its thread. It')
const NONE = Symbol()

/** An object that is held until `release`: `using lease = pool.lease()` calls it. */
export class ObjectLease<T> {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = LEASE_HINT
  readonly #pool: ObjectPool<T>
  readonly #object: T
  #over = false

  /** @internal */
  constructor(pool: ObjectPool<T>, object: T) {
    this.#pool = pool
    this.#object = object
  }

  /** The object. Errors: ERR_SABWAY_RELEASED: the lease is over. */
  get value(): T {
    if (this.#over) throw new SabwayError('ERR_SABWAY_RELEASED', 'this lease is over')
    return this.#object
  }

  /** Give the object back. Errors: ERR_SABWAY_RELEASED; what `reset` throws. */
  release(): void {
    if (this.#over) throw new SabwayError('ERR_SABWAY_RELEASED', 'this lease is over')
    this.#over = true
    this.#pool.release(this.#object)
  }

  /** As `release`, but a lease that is over is left alone. */
  [Symbol.dispose](): void {
    if (!this.#over) this.release()
  }

  get [Symbol.toStringTag](): string {
    return 'ObjectLease'
  }
}

interface Pending<T> {
  resolve(object: T): void
  reject(error: unknown): void
}

/** What is known of an object that is handed out. */
interface Held {
  readonly slot: PoolBlock | null
}

/**
 * Objects that are expensive to make, and are used again. They are of this thread; with `slots` all
 * participants together have no more of them than that pool has cells.
 */
export class ObjectPool<T> {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = HINT
  readonly #factory: () => T
  readonly #reset: ((object: T) => void) | undefined
  readonly #validate: ((object: T) => boolean) | undefined
  readonly #maxSize: number
  readonly #slots: SharedMemoryPool | undefined
  readonly #free: T[] = []
  readonly #held = new Map<T, Held>()
  /** Calls of acquireAsync, in their order. */
  readonly #pending = new Set<Pending<T>>()

  /**
   * Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE; what
   * `factory` throws.
   */
  constructor(config: ObjectPoolConfig<T>) {
    const {
      factory,
      reset,
      validate,
      initialSize = 0,
      maxSize = Number.POSITIVE_INFINITY,
      slots,
    } = check.options<ObjectPoolConfig<T>>(config, 'pool config', NAMES)
    check.callback(factory, 'factory')
    if (reset !== undefined) check.callback(reset, 'reset')
    if (validate !== undefined) check.callback(validate, 'validate')
    this.#maxSize = check.count(maxSize, 'maxSize')
    check.integer(initialSize, 'initialSize', 0, Math.min(this.#maxSize, LARGEST))
    if (slots !== undefined && !SharedMemoryPool.isPool(slots))
      check.refuse('ERR_SABWAY_INVALID_TYPE', 'slots must be a SharedMemoryPool', slots)
    this.#factory = factory!
    this.#reset = reset
    this.#validate = validate
    this.#slots = slots
    for (let i = 0; i < initialSize; i++) this.#free.push(this.#factory())
  }

  /**
   * An object that no other caller has. Errors: ERR_SABWAY_POOL_EMPTY: `maxSize` are handed out, or
   * all cells of `slots` are held; what `factory` and `validate` throw; with `slots`: as
   * SharedMemoryPool.acquire.
   */
  acquire(): T {
    const object = this.#take()
    if (object !== NONE) return object
    throw new SabwayError(
      'ERR_SABWAY_POOL_EMPTY',
      `${this.#held.size} objects are handed out; release some, wait with acquireAsync, or raise maxSize`,
    )
  }

  /**
   * An object, as soon as this call's turn has come: calls are served in their order. With `slots`
   * it waits for objects that this thread gives back. Errors: ERR_SABWAY_TIMEOUT,
   * ERR_SABWAY_ABORTED; what `factory` throws; ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE.
   */
  acquireAsync(options?: AcquireOptions): Promise<T> {
    return new Promise((resolve, reject) => {
      const { timeout, signal } = check.patience(options, 'acquire options')
      if (signal?.aborted) throw abortedError(signal)
      const object = this.#pending.size > 0 ? NONE : this.#take()
      if (object !== NONE) return resolve(object)
      if (timeout === 0) throw timedOut(0)
      needLoop()
      const giveUp = (error: SabwayError) => {
        if (this.#pending.has(call)) call.reject(error)
      }
      const timer = timeout === undefined ? undefined : after(timeout, () => giveUp(timedOut(timeout)))
      const ignoreSignal = onAbort(signal, () => giveUp(abortedError(signal!)))
      const over = () => {
        this.#pending.delete(call)
        timer?.cancel()
        ignoreSignal()
      }
      const call: Pending<T> = {
        resolve(object) {
          over()
          resolve(object)
        },
        reject(error) {
          over()
          reject(error)
        },
      }
      this.#pending.add(call)
    })
  }

  /** An object for `using`: given back at the end of the block. Errors: as `acquire`. */
  lease(): ObjectLease<T> {
    return new ObjectLease(this, this.acquire())
  }

  /**
   * Give an object back. Errors: ERR_SABWAY_RELEASED: it was given back before, and is in the pool;
   * ERR_SABWAY_NOT_HELD: it is not of this pool, or was dropped by it; what `reset` throws: then
   * the object is dropped.
   */
  release(object: T): void {
    const held = this.#held.get(object)
    if (held === undefined) {
      if (this.#free.includes(object)) throw new SabwayError('ERR_SABWAY_RELEASED', 'the object is in the pool')
      throw new SabwayError('ERR_SABWAY_NOT_HELD', 'the object is none that acquire() of this pool has handed out')
    }
    this.#held.delete(object)
    try {
      this.#reset?.(object)
      this.#free.push(object)
    } finally {
      held.slot?.[Symbol.dispose]()
      this.#serve()
    }
  }

  /** Drop all objects that are in the pool. Those that are handed out may still be given back. */
  clear(): void {
    this.#free.length = 0
    this.#serve()
  }

  /** How many objects there are, handed out or not. */
  getSize(): number {
    return this.#held.size + this.#free.length
  }

  /** How many are handed out. */
  getAllocated(): number {
    return this.#held.size
  }

  /** How many are in the pool. */
  getAvailable(): number {
    return this.#free.length
  }

  get [Symbol.toStringTag](): string {
    return 'ObjectPool'
  }

  toJSON(): { size: number; allocated: number } {
    return { size: this.getSize(), allocated: this.getAllocated() }
  }

  #take(): T | typeof NONE {
    if (this.#held.size >= this.#maxSize) return NONE
    const slot = this.#slots?.tryAcquire() ?? null
    if (this.#slots !== undefined && slot === null) return NONE
    try {
      const object = this.#good()
      if (this.#held.has(object))
        throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', 'factory has returned an object that is handed out')
      this.#held.set(object, { slot })
      return object
    } catch (error) {
      slot?.[Symbol.dispose]()
      throw error
    }
  }

  /** The last that was given back is the first to be handed out: it may still be in a cache. */
  #good(): T {
    while (this.#free.length > 0) {
      const object = this.#free.pop()!
      if (this.#validate === undefined || this.#validate(object)) return object
    }
    return this.#factory()
  }

  /** Something was given back, or dropped. */
  #serve(): void {
    for (const call of this.#pending) {
      let object: T | typeof NONE
      try {
        object = this.#take()
      } catch (error) {
        call.reject(error)
        continue
      }
      if (object === NONE) return
      call.resolve(object)
    }
  }
}

const timedOut = (timeout: number): SabwayError =>
  new SabwayError('ERR_SABWAY_TIMEOUT', `no object of the pool was to be had within ${timeout} ms`)
