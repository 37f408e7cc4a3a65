// This thread's hold on the heap of a region: an instance of the heap's code, and its handle, both
// in this thread's own block of the region. Made when the thread first uses the heap; left when the
// region is closed. A thread that ends without that leaves slabs of blocks to those that need them.
import { isMemory } from '../base/brand.js'
import { asCorruptError, coreError, SabwayError } from '../base/errors.js'
import { now as clock } from '../base/host.js'
import {
  OBJECT_ERRORS,
  SW_STACK_BYTES,
  sw_heap,
  sw_heap_stats,
  sw_instance,
  sw_mutex_object,
} from '../generated/abi.js'
import { type GuardedObjects, type HotObjects, objectsCode } from './code.js'
import type { HeapRegion } from './heap-region.js'

const BUSY = OBJECT_ERRORS.ERR_SABWAY_BUSY.number
const FULL = OBJECT_ERRORS.ERR_SABWAY_HEAP_FULL.number

/** Is it worth calling the core again, by `until`? */
export const mayPass = (status: number): boolean => status === BUSY || status === FULL

/** What there is in a heap: bytes, but for `blocks`. */
export interface HeapStats {
  /** Of all pages. */
  total: number
  /** In blocks, as `usableSize` tells. */
  used: number
  /** Of free pages, and of free blocks in others. */
  free: number
  /** The largest block that one allocation could get. */
  largest: number
  blocks: number
  /** Of pages that are not free. */
  pages: number
  /** The most of those that there have been at one time. */
  highWater: number
  /**
   * What each participant has allocated in its present pages, by its endpoint; 'other': the rest.
   */
  owners: Record<string, number>
}

const members = new WeakMap<HeapRegion, HeapMember>()
let onJoin: (region: HeapRegion) => void = () => {}

/**
 * What a thread begins when it joins a heap: to see the ends of others there, whose endpoints and
 * slabs no other call gives back.
 */
export function provideJoin(act: typeof onJoin): void {
  onJoin = act
}

export class HeapMember {
  readonly region: HeapRegion
  readonly core: GuardedObjects
  readonly hot: HotObjects
  /** The sw_heap. */
  readonly handle: number
  readonly scratch: number
  readonly #status: number
  #open = true

  /**
   * Errors: ERR_SABWAY_CLOSED, ERR_SABWAY_UNSUPPORTED: the region has no heap;
   * ERR_SABWAY_CORRUPT.
   */
  static of(region: HeapRegion): HeapMember {
    const found = members.get(region)
    if (found !== undefined) return found
    const made = new HeapMember(region)
    members.set(region, made)
    return made
  }

  private constructor(region: HeapRegion) {
    const leave = region.onClose(() => this.#leave()) // throws for a closed region
    try {
      const memory = region.commons.peek()
      const heap = region.copied === undefined ? region.core.sw_region_heap(0, region.size) >>> 0 : 0
      if (heap === 0 || !isMemory(memory)) throw new SabwayError('ERR_SABWAY_UNSUPPORTED', whyNone(region))
      const { guarded, hot, stackPointer } = objectsCode.instantiate(memory, region.codeHost)
      stackPointer.value = region.instance + sw_instance.stack + SW_STACK_BYTES
      this.region = region
      this.core = guarded
      this.hot = hot
      this.handle = region.instance + sw_instance.heap
      this.scratch = region.instance + sw_instance.scratch
      this.#status = (this.handle + sw_heap.status) >>> 2
      const status = guarded.sw_heap_open(this.handle, 0, region.size, heap, region.endpoint)
      if (status !== 0) throw coreError(status, 'while opening the heap')
      if (storesInOrder()) Atomics.store(region.words, (this.handle + sw_heap.ordered) >>> 2, 1)
      onJoin(region)
    } catch (error) {
      leave()
      throw error
    }
  }

  #leave(): void {
    this.#open = false
    try {
      this.core.sw_heap_close(this.handle)
    } catch {
      // The handle was overwritten: others take the pages over, as those of a thread that has died.
    }
  }

  get closed(): boolean {
    return !this.#open
  }

  /** Errors: ERR_SABWAY_CLOSED. */
  mustBeOpen(): void {
    if (!this.#open) throw new SabwayError('ERR_SABWAY_CLOSED', 'the region of this heap was closed')
  }

  /**
   * Returns the block's offset. Errors: ERR_SABWAY_CLOSED, ERR_SABWAY_HEAP_FULL, ERR_SABWAY_BUSY,
   * ERR_SABWAY_CORRUPT.
   */
  allocate(bytes: number): number {
    this.mustBeOpen()
    let at: number
    try {
      at = this.hot.sw_heap_alloc(this.handle, bytes) >>> 0
    } catch (error) {
      throw asCorruptError(error)
    }
    return at === 0 ? this.#again(bytes, () => this.hot.sw_heap_alloc(this.handle, bytes)) : at
  }

  allocateAligned(bytes: number, align: number): number {
    this.mustBeOpen()
    return this.#again(bytes, () => this.hot.sw_heap_alloc_aligned(this.handle, bytes, align))
  }

  /** Returns the channel's offset. */
  makeChannel(rendererToNative: number, nativeToRenderer: number): number {
    this.mustBeOpen()
    const bytes = rendererToNative + nativeToRenderer
    return this.#again(bytes, () => this.core.sw_channel_new(this.handle, rendererToNative, nativeToRenderer))
  }

  /** Of a call that makes an object of about so many bytes: what it returns, its offset. */
  make(bytes: number, call: () => number): number {
    this.mustBeOpen()
    return this.#again(bytes, call)
  }

  /** Returns the mutex's offset. */
  makeMutex(): number {
    this.mustBeOpen()
    return this.#again(sw_mutex_object.sizeof, () => this.core.sw_mutex_new(this.handle))
  }

  reallocate(at: number, bytes: number): number {
    this.mustBeOpen()
    return this.#again(bytes, () => this.hot.sw_heap_realloc(this.handle, at, bytes), at)
  }

  /**
   * Errors: ERR_SABWAY_CLOSED, ERR_SABWAY_DOUBLE_FREE, ERR_SABWAY_WILD_POINTER,
   * ERR_SABWAY_CORRUPT.
   */
  free(at: number): void {
    this.mustBeOpen()
    let status: number
    try {
      status = this.hot.sw_heap_free(this.handle, at)
    } catch (error) {
      throw asCorruptError(error)
    }
    if (status !== 0) throw this.#badPointer(status, at)
  }

  /** Bytes of the block. Errors: as `free`. */
  usable(at: number): number {
    this.mustBeOpen()
    try {
      const bytes = this.hot.sw_heap_usable(this.handle, at) >>> 0
      if (bytes !== 0) return bytes
    } catch (error) {
      throw asCorruptError(error)
    }
    throw this.#badPointer(this.#lastStatus, at)
  }

  /** Is there a block of at least so many bytes? */
  hasBlock(at: number, bytes: number): boolean {
    this.mustBeOpen()
    return this.hot.sw_heap_usable(this.handle, at) >>> 0 >= bytes
  }

  /** Bytes that the system has taken back. */
  trim(): number {
    this.mustBeOpen()
    let taken = 0n
    const status = this.until(() => {
      taken = this.core.sw_heap_trim(this.handle)
      return taken === 0n ? this.#lastStatus : 0
    })
    if (status !== 0) throw coreError(status, 'while giving pages back')
    return Number(taken)
  }

  check(): void {
    this.mustBeOpen()
    const status = this.until(() => this.core.sw_heap_check(this.handle))
    if (status !== 0) throw coreError(status, 'the heap')
  }

  stats(): HeapStats {
    this.mustBeOpen()
    this.core.sw_heap_stats_of(this.handle, this.scratch)
    const words = new BigUint64Array(this.region.bytes.buffer, this.scratch, sw_heap_stats.sizeof / 8)
    const of = (field: number) => Number(words[field / 8]!)
    const owners: Record<string, number> = {}
    const first = sw_heap_stats.by_owner / 8
    words.subarray(first).forEach((bytes, i, all) => {
      if (bytes !== 0n) owners[i === all.length - 1 ? 'other' : i] = Number(bytes)
    })
    return {
      total: of(sw_heap_stats.total),
      used: of(sw_heap_stats.used),
      free: of(sw_heap_stats.free),
      largest: of(sw_heap_stats.largest),
      blocks: of(sw_heap_stats.blocks),
      pages: of(sw_heap_stats.pages_bytes),
      highWater: of(sw_heap_stats.high_water),
      owners,
    }
  }

  /**
   * Call the core until no other participant holds the lock that it needs, and once more where the
   * heap was full of what the dead have left. Returns what it returned. `first`: what it returned
   * already. Errors: ERR_SABWAY_BUSY, where that has been so for long.
   */
  until(call: () => number, first = call()): number {
    let status = first
    let begin = 0
    for (let reclaimed = false; mayPass(status); status = call()) {
      if (status === FULL) {
        // Channels whose sides have ended without cleanup have rings that no participant frees.
        if (reclaimed || this.core.sw_channel_reclaim(this.handle) === 0) return status
        reclaimed = true
      } else if (begin === 0) begin = clock()
      else pause(this.region, begin)
    }
    return status
  }

  /** Of a call that returns an offset, or 0. `old`: the pointer that it was given, if it was. */
  #again(bytes: number, call: () => number, old = 0): number {
    let at = 0
    const status = this.until(() => {
      try {
        at = call() >>> 0
      } catch (error) {
        throw asCorruptError(error)
      }
      return at === 0 ? this.#lastStatus : 0
    })
    if (at !== 0) return at
    if (
      status === OBJECT_ERRORS.ERR_SABWAY_DOUBLE_FREE.number ||
      status === OBJECT_ERRORS.ERR_SABWAY_WILD_POINTER.number
    )
      throw this.#badPointer(status, old)
    throw status === FULL ? this.full(bytes) : coreError(status, 'while allocating')
  }

  /** The error for a heap that has no such block. */
  full(bytes: number): SabwayError {
    const { total, used, largest } = this.stats()
    return new SabwayError(
      'ERR_SABWAY_HEAP_FULL',
      `${bytes} bytes were asked for; of ${total} bytes ${used} are in use, and the largest block that is left has ${largest}; free some, or make the region larger`,
    )
  }

  get #lastStatus(): number {
    return Atomics.load(this.region.words, this.#status)
  }

  #badPointer(status: number, at: number): SabwayError {
    return coreError(status, `${at} (0x${at.toString(16)}); a pointer is what an allocation of this heap returned`)
  }
}

/** Are stores of this processor seen in their order, without a fence? A page does not know. */
const storesInOrder = (): boolean => {
  const { process } = globalThis as { process?: { arch?: string } }
  return process?.arch === 'x64' || process?.arch === 'ia32'
}

function whyNone(region: HeapRegion): string {
  if (region.copied !== undefined)
    return `this thread has a private copy of the shared memory (${region.copied}), in which others cannot allocate`
  if (!isMemory(region.commons.peek()))
    return 'this region lies over a SharedArrayBuffer, where the code of the heap, which is WebAssembly, cannot run; make it with Region.create'
  return "this region was made for one channel, or where the heap was not loaded; make it with Region.create, and import Region from 'sabway' there, not from 'sabway/bytes'"
}

/**
 * How long the holder of a lock may need, in milliseconds: much less, unless its thread is stopped.
 */
const PATIENCE_MS = { sleeping: 20_000, spinning: 2000 }
let maySleep = true

/**
 * Let the holder of a lock go on. It needs some microseconds, unless the system has stopped its
 * thread: so this thread soon sleeps, a millisecond at a time. Errors: ERR_SABWAY_BUSY.
 */
function pause(region: HeapRegion, begin: number): void {
  const waited = clock() - begin
  if (waited < 0.05) return
  if (maySleep) {
    try {
      // a word that no participant changes while the region is open
      Atomics.wait(region.words, 0, Atomics.load(region.words, 0), 1)
    } catch {
      maySleep = false // a page's main thread, or an audio thread
    }
  }
  const most = maySleep ? PATIENCE_MS.sleeping : PATIENCE_MS.spinning
  if (waited < most) return
  throw new SabwayError(
    'ERR_SABWAY_BUSY',
    `for ${most} ms: its thread is stopped, or has ended where this one cannot see it; try again later`,
  )
}
