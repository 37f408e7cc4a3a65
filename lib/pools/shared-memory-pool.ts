// The public class of pools in a heap: see native/core/pool/pool.c.
import * as check from '../base/check.js'
import { asCorruptError, SabwayError } from '../base/errors.js'
import { every } from '../base/every.js'
import type { Timer } from '../base/host.js'
import {
  ERRORS,
  OBJECT_ERRORS,
  SW_POOL_BYTES,
  SW_POOL_CELLS,
  SW_POOL_GROWTH,
  SW_POOL_LINKS,
  SW_POOL_MOST,
  SW_TYPE_POOL,
  sw_pool,
  sw_pool_item,
  sw_pool_stats,
} from '../generated/abi.js'
import { HeapObject, type ObjectHome, provideObject, type SharedObjectMemory } from '../heap/heap-object.js'
import type { HeapMember } from '../heap/member.js'
import type { SharedAllocatedMemory } from '../heap/pointer.js'
import { NOTHING } from '../loop/block.js'
import { WaitSet, type WaitSource } from '../loop/waits.js'
import { interval } from '../manager/manager.js'
import { Region } from '../region/region.js'
import { factor } from './memory-pool.js'
import { type AcquireOptions, PoolBlock, type PoolBlockMemory, type PoolPlace } from './pool-block.js'

const EMPTY = OBJECT_ERRORS.ERR_SABWAY_POOL_EMPTY.number
const BUSY = OBJECT_ERRORS.ERR_SABWAY_BUSY.number
const FULL = OBJECT_ERRORS.ERR_SABWAY_HEAP_FULL.number
const CORRUPT = ERRORS.ERR_SABWAY_CORRUPT.number
const LARGEST = 2 ** 32 - 1
const NO_BYTES = new Uint8Array(0)

export interface SharedMemoryPoolOptions {
  /** Bytes of a block: 1024 by default; 0: the cells have none, and are counted alone. */
  blockSize?: number
  /** Blocks that are made at once, and that `shrink` leaves: 0 by default. */
  initialBlocks?: number
  /** Blocks that there are at most, handed out or not: 1000 by default, 2^20 at most. */
  maxBlocks?: number
  /**
   * How many blocks there are, behind the pool has made some because all were handed out, for each
   * that there was before: 2 by default; 1: one at a time.
   */
  growthFactor?: number
  /**
   * Milliseconds between two calls of `shrink` by the thread that has made the pool; Infinity, the
   * default: none. The process is not kept alive for them.
   */
  cleanupInterval?: number
}

/** What there is in a pool: near the truth while others use it. */
export interface SharedMemoryPoolStats {
  blockSize: number
  maxBlocks: number
  /** That are made. */
  blocks: number
  /** That participants hold, alive or dead. */
  held: number
}

const NAMES = [
  'blockSize',
  'initialBlocks',
  'maxBlocks',
  'growthFactor',
  'cleanupInterval',
] as const satisfies readonly (keyof SharedMemoryPoolOptions)[]

/**
 * Blocks of one size in a heap, which threads of any process get, hand on and give back. A block
 * has one holder at a time; what a participant held that has ended comes back to the pool. A call
 * waits for no other participant, but for the one that makes blocks.
 */
export class SharedMemoryPool extends HeapObject {
  readonly blockSize: number
  readonly maxBlocks: number
  readonly #place: PoolPlace
  readonly #initial: number
  readonly #scratch: number
  readonly #waits: WaitSet
  readonly #source: WaitSource
  /** By the index of the cell: the bytes that were there last. */
  readonly #views = new Map<number, Uint8Array>()
  #timer: Timer | undefined

  /**
   * A new pool; or the one that another participant has made, of its getSharedMemory() or pointer.
   * Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_HEAP_FULL, ERR_SABWAY_CLOSED; ERR_SABWAY_FREED, ERR_SABWAY_OTHER_KIND,
   * ERR_SABWAY_WILD_POINTER.
   */
  constructor(
    home: ObjectHome,
    options?: SharedMemoryPoolOptions | SharedObjectMemory | SharedAllocatedMemory | number,
  ) {
    let made: Required<SharedMemoryPoolOptions> | undefined
    super(home, options, SW_TYPE_POOL, (member) => {
      made = checked(options as SharedMemoryPoolOptions | undefined)
      return make(member, made)
    })
    const { member, pointer, generation } = this
    const word = (field: number) => Atomics.load(member.region.words, (pointer + field) >>> 2) >>> 0
    this.blockSize = word(sw_pool.bytes)
    this.maxBlocks = word(sw_pool.most)
    const { region } = member
    if (!Region.isRegion(region)) throw new SabwayError('ERR_SABWAY_INVALID_TYPE', 'the heap is not of a Region')
    this.#waits = WaitSet.of(region)
    const { core, handle } = member
    this.#source = {
      begin: () => void core.sw_pool_begin_wait(handle, pointer, generation),
      end: () => void core.sw_pool_end_wait(handle, pointer, generation),
    }
    this.#place = { member, pointer, generation, onRelease: () => this.#waits.nudge() }
    this.#initial = made?.initialBlocks ?? 0
    this.#scratch = member.scratch >>> 2
    if (made !== undefined) this.#timer = every(this, made.cleanupInterval, (pool) => pool.#tick())
  }

  /** @internal Is it a pool that this copy of the library has made? */
  static isPool(value: unknown): value is SharedMemoryPool {
    return typeof value === 'object' && value !== null && #initial in value
  }

  /**
   * A block that no participant holds. Errors: ERR_SABWAY_POOL_EMPTY: `maxBlocks` are held by
   * participants that live; ERR_SABWAY_HEAP_FULL, ERR_SABWAY_FREED, ERR_SABWAY_CLOSED,
   * ERR_SABWAY_BUSY, ERR_SABWAY_CORRUPT.
   */
  acquire(): PoolBlock {
    const block = this.tryAcquire()
    if (block !== null) return block
    throw new SabwayError(
      'ERR_SABWAY_POOL_EMPTY',
      `the pool at ${this.pointer}; ${this.maxBlocks} are held by participants that live; release some, or make it larger`,
    )
  }

  /** As `acquire`, but null where that is ERR_SABWAY_POOL_EMPTY. */
  tryAcquire(): PoolBlock | null {
    const { member } = this
    member.mustBeOpen()
    const status = this.#acquire()
    if (status !== 0) return this.#again(status)
    return this.#block()
  }

  /**
   * As `acquire`, but where that is ERR_SABWAY_POOL_EMPTY it waits until a block is given back, or
   * its holder has died: calls of one thread are served in their order. Keeps the process alive
   * meanwhile. Errors: ERR_SABWAY_TIMEOUT: not within `timeout` milliseconds; ERR_SABWAY_ABORTED;
   * as `acquire`.
   */
  acquireAsync(options?: AcquireOptions): Promise<PoolBlock> {
    return new Promise((resolve, reject) => {
      const patience = check.patience(options, 'acquire options')
      this.member.mustBeOpen()
      const call = { ...patience, source: this.#source, take: this.#take, timedOut }
      this.#waits.wait(`${this.pointer}:${this.generation}:pool`, call).then(resolve, reject)
    })
  }

  /**
   * As `acquireAsync`, but blocks the thread. Errors: as that; ERR_SABWAY_INVALID_STATE: this
   * thread may not block, as a page's main thread.
   */
  acquireSync(options?: { timeout?: number }): PoolBlock {
    const { timeout = Number.POSITIVE_INFINITY } = check.options(options, 'acquire options', ['timeout'])
    check.milliseconds(timeout, 'timeout')
    this.member.mustBeOpen()
    const key = `${this.pointer}:${this.generation}:pool`
    const taken = this.#waits.block(key, this.#source, this.#take, timeout)
    if (taken === NOTHING) throw timedOut(timeout)
    return taken
  }

  /**
   * Take over the block that another participant holds, which has sent what its getSharedMemory()
   * gave. From now on it is this thread's; of several that take the same, one gets it. Errors:
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE; ERR_SABWAY_RELEASED: it was given back, also
   * because its holder has died; ERR_SABWAY_NOT_HELD: another participant holds it;
   * ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  take(shared: PoolBlockMemory): PoolBlock {
    if (typeof shared !== 'object' || shared === null)
      check.refuse('ERR_SABWAY_INVALID_TYPE', 'a block is named by what its getSharedMemory() gives', shared)
    const { index, life, holder } = check.fields(shared, 'shared', ['index', 'life', 'holder'])
    const [cell, number, from] = [integer(index, 'index'), integer(life, 'life'), integer(holder, 'holder')]
    const { member, pointer, generation } = this
    member.mustBeOpen()
    const { core, handle, scratch } = member
    const status = core.sw_pool_take(handle, pointer, generation, cell, number, from, scratch)
    if (status !== 0) throw this.error(status)
    return this.#block()
  }

  /**
   * Free blocks that no participant holds, until at most `keep` are there: as many as were made at
   * first, by default. Returns how many were freed. Errors: ERR_SABWAY_INVALID_TYPE,
   * ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_FREED, ERR_SABWAY_CLOSED, ERR_SABWAY_BUSY.
   */
  shrink(keep: number = this.#initial): number {
    check.integer(keep, 'keep', 0, LARGEST)
    const { member, pointer, generation } = this
    member.mustBeOpen()
    let freed = 0
    const status = member.until(() => {
      freed = member.core.sw_pool_shrink(member.handle, pointer, generation, keep)
      return Math.min(freed, 0)
    })
    if (status !== 0) throw this.error(status)
    return freed
  }

  /** Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED. */
  stats(): SharedMemoryPoolStats {
    const { member, pointer, generation } = this
    member.mustBeOpen()
    const { core, handle, scratch, region } = member
    const status = core.sw_pool_stats_of(handle, pointer, generation, scratch)
    if (status !== 0) throw this.error(status)
    const of = (field: number) => Atomics.load(region.words, (scratch + field) >>> 2) >>> 0
    return {
      blockSize: of(sw_pool_stats.bytes),
      maxBlocks: of(sw_pool_stats.most),
      blocks: of(sw_pool_stats.blocks),
      held: of(sw_pool_stats.held),
    }
  }

  override toJSON(): object {
    return { pointer: this.pointer, blockSize: this.blockSize, maxBlocks: this.maxBlocks }
  }

  get [Symbol.toStringTag](): string {
    return 'SharedMemoryPool'
  }

  /** @internal */
  release(): number {
    this.#timer?.cancel()
    const { core, handle } = this.member
    return this.member.until(() => core.sw_pool_free(handle, this.pointer, this.generation))
  }

  readonly #take = (): PoolBlock | typeof NOTHING => this.tryAcquire() ?? NOTHING

  #acquire(): number {
    const { member, pointer, generation } = this
    try {
      return member.hot.sw_pool_acquire(member.handle, pointer, generation, member.scratch)
    } catch (error) {
      throw asCorruptError(error)
    }
  }

  #again(status: number): PoolBlock | null {
    const now = status === BUSY ? this.member.until(() => this.#acquire()) : status
    if (now === 0) return this.#block()
    if (now === EMPTY) return null
    throw now === FULL ? this.member.full(this.blockSize) : this.error(now)
  }

  /** What the core has put into the scratch. */
  #block(): PoolBlock {
    const { words } = this.member.region
    const word = (field: number) => words[this.#scratch + (field >>> 2)]! >>> 0
    const index = word(sw_pool_item.index)
    return new PoolBlock(this.#place, index, word(sw_pool_item.life), this.#bytes(index, word(sw_pool_item.block)))
  }

  #bytes(index: number, at: number): Uint8Array {
    if (at === 0) return NO_BYTES
    const seen = this.#views.get(index)
    if (seen !== undefined && seen.byteOffset === at) return seen
    const { buffer, length } = this.member.region.bytes
    if (at + this.blockSize > length) throw this.error(CORRUPT)
    const bytes = new Uint8Array(buffer, at, this.blockSize)
    this.#views.set(index, bytes)
    return bytes
  }

  #tick(): void {
    if (this.member.closed || this.isFreed) this.#timer?.cancel()
    else this.shrink()
  }
}

const timedOut = (timeout: number): SabwayError =>
  new SabwayError('ERR_SABWAY_TIMEOUT', `no block of the pool was given back within ${timeout} ms`)

const integer = (value: unknown, name: string): number => check.integer(value, name, 0, LARGEST)

function checked(options: SharedMemoryPoolOptions | undefined): Required<SharedMemoryPoolOptions> {
  const {
    blockSize = 1024,
    initialBlocks = 0,
    maxBlocks = 1000,
    growthFactor = 2,
    cleanupInterval = Number.POSITIVE_INFINITY,
  } = check.options(options, 'pool options', NAMES)
  return {
    blockSize: check.integer(blockSize, 'blockSize', 0, LARGEST),
    maxBlocks: check.integer(maxBlocks, 'maxBlocks', 1, SW_POOL_MOST),
    initialBlocks: check.integer(initialBlocks, 'initialBlocks', 0, maxBlocks),
    growthFactor: factor(growthFactor),
    cleanupInterval: interval(cleanupInterval),
  }
}

function make(
  member: HeapMember,
  { blockSize, initialBlocks, maxBlocks, growthFactor }: Required<SharedMemoryPoolOptions>,
): number {
  const growth = Math.min(Math.floor(growthFactor * SW_POOL_GROWTH), LARGEST)
  const bytes = Math.min(initialBlocks * blockSize + SW_POOL_BYTES, Number.MAX_SAFE_INTEGER)
  const { core, handle } = member
  return member.make(bytes, () => core.sw_pool_new(handle, blockSize, initialBlocks, maxBlocks, growth))
}

/** The blocks of the pool at `pointer`, and its chunks. */
function* blocksOf({ region }: HeapMember, pointer: number): Generator<number, void, undefined> {
  const word = (at: number) => Atomics.load(region.words, at >>> 2) >>> 0
  const seen = new Set<number>()
  const chunks = [pointer]
  for (let at = chunks.pop(); at !== undefined; at = chunks.pop()) {
    if (at === 0 || seen.has(at) || at + sw_pool.sizeof > region.bytes.length) continue
    seen.add(at)
    yield at
    for (let i = 0; i < SW_POOL_CELLS; i++) yield word(at + sw_pool.block + 4 * i)
    for (let i = 0; i < SW_POOL_LINKS; i++) chunks.push(word(at + sw_pool.link + 4 * i))
  }
}

/** Let pools have names in the directory. */
export function providePool(): void {
  provideObject<SharedMemoryPool>({
    type: SW_TYPE_POOL,
    name: 'pool',
    open: (heap, shared) => new SharedMemoryPool(heap, shared),
    blocks: blocksOf,
  })
}
