// The public class of a region, and this thread's hold on one. A Region is made in one of four
// ways: `create` and `forChannel` write a new region into new memory (create.ts, overlay.ts),
// `open` joins that of a handle or a token, `on` the one in memory that is there. All of them end
// in the constructor, which takes the thread's place (membership.ts).
//
// A region with a heap has any number of channels, which are objects of the heap. One without has
// room for one, at a fixed place:
//
//   vacant (create only) --forChannel--> with its channel --close--> closed
//
// A thread has one Region for each memory that it creates or opens, counted: the last `close` is
// the one that counts. But a channel that has a region of its own has a Region of its own in each
// of its objects.
//
// `close` ends what lives in the region (its channels) before it gives the place back. A program
// that drops the object without closing it has the same done: with the addon when its binding is
// collected, without it by commons.ts, and both when the thread ends.
import type { RegionBinding, SharedMemory } from '../base/addon.js'
import { isMemory, isSharedArrayBuffer } from '../base/brand.js'
import type { ChannelHandle, HasChannelHandle } from '../base/channel-handle.js'
import * as check from '../base/check.js'
import { Windows } from '../base/copy.js'
import { type CoreHost, coreCode, type GuardedCore, type HotCore, type Offset } from '../base/core.js'
import { adopting, coreError, SabwayError } from '../base/errors.js'
import type { RegionHandle } from '../base/region-handle.js'
import type { RegionMemory } from '../base/region-memory.js'
import { cloneHint, hide, INSPECT, inspected } from '../base/summary.js'
import { SW_ENDPOINTS, SW_HEAP_AT, SW_PAGE, sw_channel, sw_endpoint, sw_instance } from '../generated/abi.js'
import type { ChannelRef } from '../heap/channels.js'
import type { Heap } from '../heap/heap.js'
import { ChannelPlace } from './channel-place.js'
import { Commons } from './commons.js'
import { buffers } from './core-on.js'
import { create, type Format, open, pagesFor, type ShareOptions } from './create.js'
import { endpointWord } from './endpoint.js'
import { FIRST_CHANNEL, type HandleParts, handleParts, tokenParts } from './handle.js'
import { isolated } from './isolation.js'
import { inMemory, remember, withCommons, withToken } from './known.js'
import { Membership, ownHost, type RegionHost } from './membership.js'
import { heapPart } from './parts.js'

export type { RegionHandle }

export interface RegionStats {
  /** Bytes of the region. */
  size: number
  /** How many of the region's endpoints are taken, by threads of any process. */
  participants: number
  /** How this thread is woken: by the addon's threadsafe function, or by Atomics.notify. */
  wakes: 'addon' | 'atomics'
  /** How this thread runs the core on the region: over a SharedArrayBuffer as native code. */
  core: 'wasm' | 'native'
}

const LARGEST = 65536 * SW_PAGE
const CLONE_HINT = 'A region stays in its thread: post region.handle, and open that there. It'

/**
 * One piece of shared memory and this thread's place in it: an endpoint, a WebAssembly instance of
 * the core, and the addon's binding where there is an addon. Belongs to the thread that made it;
 * others open its handle, and other processes its token.
 */
export class Region {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = cloneHint(CLONE_HINT)
  /** @internal */ declare readonly bytes: Uint8Array<SharedArrayBuffer>
  /** @internal */ declare readonly words: Int32Array<SharedArrayBuffer>
  /** @internal */ declare readonly core: GuardedCore
  /** @internal */ declare readonly hot: HotCore
  /** @internal */ readonly size: bigint
  /** @internal */ declare readonly codeHost: CoreHost
  /** @internal */ readonly endpoint: number
  /** @internal */ readonly instance: Offset
  /** @internal */ declare readonly binding: RegionBinding | null
  /** @internal Of its producers: views of its bytes that are made once. */
  declare readonly windows: Windows
  /** @internal May participants be in several processes? */ readonly processes: boolean
  /**
   * Why the memory is a private one, and messages are copied to and from the shared one; undefined
   * where it is that. @internal
   */
  readonly copied: string | undefined
  /** @internal */ declare readonly commons: Commons
  /** Is a batch of a channel of this region being handed out? @internal */
  declare handing: boolean
  readonly #membership: Membership
  readonly #shared: SharedMemory | null
  #vacant = false
  /** How often the program has it open, and how many channels hold it. */
  #opened = 0
  #held = 0
  /** Are this thread's fixed handles in use? */
  #handlesTaken = false
  #closing = false
  #closed = false
  readonly #onClose = new Set<() => void>()
  /** Ends of the channels that `new` has made here. */
  readonly #guests = new Set<() => void>()

  static readonly #made = Symbol('made')

  private constructor(
    /** Shows that it is the library that makes the region. */
    made: symbol,
    commons: Commons,
    memory: RegionMemory,
    shared: SharedMemory | null = null,
    host: RegionHost | null = ownHost(),
    copied?: string,
  ) {
    if (made !== Region.#made) {
      throw new SabwayError(
        'ERR_SABWAY_INVALID_ARGUMENT',
        'regions come from Region.create and Region.open, not from `new`',
      )
    }
    this.copied = copied
    this.#shared = shared
    const membership = new Membership(this, commons, memory, host, (copied !== undefined && shared) || undefined)
    this.#membership = membership
    const { bytes, words, core, hot, binding, codeHost } = membership
    hide(this, { commons, bytes, words, core, hot, binding, codeHost, handing: false, windows: new Windows(bytes) })
    this.size = membership.size
    this.endpoint = membership.endpoint
    this.instance = membership.instance
    this.processes = membership.processes
  }

  /**
   * A region of so many bytes, rounded up to whole pages of 64 KiB, with a heap and a directory of
   * names. Memory is taken as it is used. Any number of channels can be made in it: pass it to
   * their constructor. A thread that has only the Region of 'sabway/bytes' makes it without a heap,
   * with room for one channel. Errors: ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_OUT_OF_MEMORY, and with
   * share 'processes' ERR_SABWAY_NAME_TAKEN, ERR_SABWAY_NO_ADDON, ERR_SABWAY_OVERLAY_REFUSED.
   */
  static create(options: ShareOptions & { size: number }): Region {
    const { size, share, name } = check.options(options, 'region options', ['size', 'share', 'name'])
    const pages = Math.ceil(check.integer(size, 'size', SW_HEAP_AT + SW_PAGE, LARGEST) / SW_PAGE)
    const heaps = heapPart.loaded
    const region = Region.#make(pages, { share, name }, (core, memory) =>
      heaps === null ? core.sw_region_format_empty(0, pages, 0) : heaps.format(core, memory, pages),
    )
    region.#vacant = true
    return Region.#remembered(region)
  }

  /**
   * A region over a SharedArrayBuffer that the program has, or that native code has made: the whole
   * pages of 64 KiB in it, of which there must be 18 at least, all zeros. It is the region's from
   * then on, and as long as any thread uses it. All of them need the addon, whose native core runs
   * there. It has no heap. Not for memory that can grow. Errors: ERR_SABWAY_NO_ADDON,
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE, and
   * ERR_SABWAY_INVALID_STATE: it holds a region already, or something else.
   */
  static over(buffer: SharedArrayBuffer): Region {
    const region = buffers().overWhole(buffer, Region.#in)
    region.#vacant = true
    return Region.#remembered(region)
  }

  static #remembered(region: Region): Region {
    remember(region)
    region.#opened++
    return region
  }

  /** Others may have the buffer, so they may take part from the beginning. */
  static #in(memory: RegionMemory): Region {
    return Region.on(memory)
  }

  /**
   * @internal The region of a new channel, and where it is: `region`, or one of its own. Capacities
   * in bytes, rounded up to powers of two.
   */
  static forChannel(
    rendererToNative: number,
    nativeToRenderer: number,
    options: ShareOptions & { region?: Region; buffer?: SharedArrayBuffer },
  ): [Region, ChannelRef] {
    const { region, buffer } = options
    if (region !== undefined) {
      mustBeRegion(region)
      mustNotHave(
        options,
        ['share', 'buffer'],
        'is an option of Region.create or Region.over where a `region` is given',
      )
      return [region, region.#makeChannel(rendererToNative, nativeToRenderer)]
    }
    const pages = pagesFor(rendererToNative, nativeToRenderer)
    if (buffer !== undefined) {
      mustNotHave(options, ['share', 'name'], 'does not go with `buffer`, which only threads can share')
      const formatIn = (core: GuardedCore, all: number) =>
        core.sw_region_format(0, all, rendererToNative, nativeToRenderer)
      return own(buffers().createIn(buffer, pages * SW_PAGE, formatIn, Region.#in))
    }
    const format = (core: GuardedCore) => core.sw_region_format(0, pages, rendererToNative, nativeToRenderer)
    return own(Region.#make(pages, options, format))
  }

  static #make(pages: number, options: ShareOptions, format: Format): Region {
    const region = create(pages, options, format, Region.#over)
    if (options.name !== undefined) region.commons.lend() // its token can be told from the name
    return region
  }

  static #over(memory: WebAssembly.Memory, shared: SharedMemory | null, copied?: string): Region {
    const commons = new Commons(memory, shared?.token())
    if (copied !== undefined) commons.lend() // the thread that copies takes part
    return new Region(Region.#made, commons, memory, shared, undefined, copied)
  }

  /**
   * Join a region: of another thread, by its handle, or of another process of this user, by its
   * token. A thread that has it open already is given the same Region, for one `close` more.
   * Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_NOT_A_REGION, ERR_SABWAY_LAYOUT_MISMATCH,
   * ERR_SABWAY_TOO_MANY_PARTICIPANTS; of a token also ERR_SABWAY_INVALID_TOKEN, _REGION_GONE,
   * _STALE_TOKEN, _SIZE_MISMATCH, _NOT_PERMITTED, _OVERLAY_REFUSED.
   */
  static open(from: RegionHandle | string): Region {
    const parts = typeof from === 'string' ? tokenParts(from) : handleParts(from)
    const region = Region.known(parts)
    if (region === undefined) return Region.#remembered(Region.#joined(parts))
    region.#opened++
    return region
  }

  /**
   * @internal For one object of the channel that a handle or a token names, which calls `release`:
   * a place of its own, where the channel has the region for itself. Errors: as `open`.
   */
  static holding(parts: Partial<HandleParts> & { channel: ChannelRef }): Region {
    let region = parts.channel.generation === 0 ? undefined : Region.known(parts)
    if (region === undefined) {
      region = Region.#joined(parts)
      if (parts.channel.generation !== 0) remember(region)
    }
    region.#held++
    return region
  }

  /**
   * @internal The Region that this thread has of what was in a handle or a token, if it has one.
   */
  static known({ commons, memory, token, copied }: Partial<HandleParts>): Region | undefined {
    let found: Region | undefined
    if (commons !== undefined) found = withCommons(commons)
    else if (memory === undefined || copied) found = withToken(token as string)
    else found = inMemory(memory as RegionMemory)
    return found === undefined || found.#closing ? undefined : found
  }

  /** Another place of this thread in the region of what was in a handle or a token. */
  static #joined({ commons: own, memory, module, token, copied }: Partial<HandleParts>): Region {
    coreCode.offer(module)
    if (own !== undefined) return new Region(Region.#made, own, own.peek())
    if (memory === undefined || (copied && typeof token === 'string')) {
      const region = open(token as string, Region.#over)
      region.commons.lend()
      return region
    }
    if (!isMemory(memory)) return Region.on(buffers().memoryOf((memory as RegionMemory).buffer))
    if (!isSharedArrayBuffer(memory.buffer)) {
      throw new SabwayError('ERR_SABWAY_NOT_A_REGION', 'its memory is not shared; make regions with Sabway')
    }
    return Region.on(memory, undefined, token as string | undefined)
  }

  /**
   * @internal Join the region that is in this memory, with the addon of another context of this
   * thread.
   */
  static on(memory: RegionMemory, host?: RegionHost, token?: string): Region {
    const commons = new Commons(memory, token)
    commons.lend()
    return new Region(Region.#made, commons, memory, null, host)
  }

  /** What other threads need to join: `handle` is made of it. */
  get memory(): RegionMemory {
    return this.commons.lend()
  }

  /** The SharedArrayBuffer itself. */
  get buffer(): SharedArrayBuffer {
    return this.memory.buffer as unknown as SharedArrayBuffer
  }

  /**
   * @internal Room for the handles of one channel: this thread's own, or a place in the heap where
   * that is in use. Errors: as Heap.alloc.
   */
  takeHandles(): Offset {
    const own = this.instance + sw_instance.producer
    if (this.#handlesTaken) return heapPart.for(IN_HEAP).takeHandles(this)
    this.#handlesTaken = true
    return own
  }

  /** @internal */
  giveHandles(at: Offset): void {
    if (at === this.instance + sw_instance.producer) this.#handlesTaken = false
    else heapPart.loaded?.giveHandles(this, at)
  }

  /**
   * The heap, in which any participant allocates and frees. Errors: ERR_SABWAY_NOT_LOADED,
   * ERR_SABWAY_CLOSED, ERR_SABWAY_UNSUPPORTED for a region that was made without one.
   */
  get heap(): Heap {
    return heapPart.for('a heap').heapOf(this)
  }

  /**
   * Give an object of the heap a name, by which participants of any process and language find it: a
   * text of at most 255 bytes of UTF-8. Errors: ERR_SABWAY_NAME_TAKEN: the name stands for another
   * object; ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_HEAP_FULL; as `heap`.
   */
  set(name: string, object: object): void {
    heapPart.for('the directory of names').set(this, name, object)
  }

  /**
   * The object of that name, or undefined; of a channel its handle, for `attach`. Errors:
   * ERR_SABWAY_WILD_POINTER, ERR_SABWAY_DOUBLE_FREE: it was freed; ERR_SABWAY_OTHER_KIND: this
   * version knows no such kind; as `heap`.
   */
  get(name: string): object | undefined {
    return heapPart.for('the directory of names').get(this, name)
  }

  /**
   * The object of that name, or the one that `make` returns, which then has the name. When several
   * participants do so at once, all get the same object, and what the others have made is freed. Of
   * a channel that is its handle, as of `get`. Errors: as `get` and `set`.
   */
  getOrMake(name: string, make: () => HasChannelHandle): ChannelHandle
  getOrMake<T extends object>(name: string, make: () => T): T
  getOrMake<T extends object>(name: string, make: () => T): T {
    return heapPart.for('the directory of names').getOrMake(this, name, make) as T
  }

  /** Does the name stand for an object? Errors: as `heap`. */
  has(name: string): boolean {
    return heapPart.for('the directory of names').has(this, name)
  }

  /** Take a name away; the object stays. False: there was none. Errors: as `heap`. */
  delete(name: string): boolean {
    return heapPart.for('the directory of names').drop(this, name)
  }

  /** All names and the kinds of their objects, such as 'memory'. Errors: as `heap`. */
  list(): { name: string; kind: string }[] {
    return heapPart.for('the directory of names').named(this)
  }

  /** @internal A channel in the heap, or the only one of a region without. */
  #makeChannel(rendererToNative: number, nativeToRenderer: number): ChannelRef {
    this.#mustBeOpen()
    const { core } = this
    if (this.copied === undefined && core.sw_region_heap(0, this.size) !== 0) {
      return heapPart.for(IN_HEAP).makeChannel(this, rendererToNative, nativeToRenderer)
    }
    if (!this.#vacant) {
      throw new SabwayError(
        'ERR_SABWAY_INVALID_STATE',
        `a region has room for one channel where it has no heap, ${this.copied === undefined ? 'as one over a SharedArrayBuffer, or made where only sabway/bytes was loaded' : `as one that is copied to others (${this.copied})`}; attach to that one, or make another region`,
      )
    }
    const needed = pagesFor(rendererToNative, nativeToRenderer) * SW_PAGE
    if (needed > this.bytes.length) {
      throw new SabwayError(
        'ERR_SABWAY_OUT_OF_RANGE',
        `these rings need a region of ${needed} bytes, this one has ${this.bytes.length}`,
      )
    }
    // A private copy has no heap: no other participant could allocate in it.
    if (this.copied !== undefined) core.sw_region_format_empty(0, this.bytes.length / SW_PAGE, 0)
    const status = core.sw_channel_format(0, SW_HEAP_AT, rendererToNative, nativeToRenderer)
    if (status !== 0) throw coreError(status, 'while making a channel')
    if (this.copied !== undefined) adopting(() => this.#shared!.mirror(this.bytes, true))
    this.#vacant = false
    return FIRST_CHANNEL
  }

  /**
   * @internal Where the channel is that a handle or a token names. Errors: ERR_SABWAY_CORRUPT, of
   * what is no place in this region; ERR_SABWAY_NOT_LOADED; ERR_SABWAY_INVALID_ARGUMENT: it names
   * the region alone; ERR_SABWAY_UNSUPPORTED: it is in a heap, which a private copy has not.
   */
  placeOf({ offset, generation }: ChannelRef, side: number): ChannelPlace {
    if (generation !== 0) {
      heapPart.for(IN_HEAP)
      if (this.copied !== undefined)
        throw new SabwayError(
          'ERR_SABWAY_UNSUPPORTED',
          `this thread has a private copy of the shared memory (${this.copied}), which channels in a heap are not copied to; make the channel without the option \`region\``,
        )
      return new ChannelPlace({ offset, generation }, side)
    }
    const at = this.core.sw_region_channel(0, this.size) >>> 0
    if (at !== 0) return new ChannelPlace({ offset: at, generation }, side)
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      'this is the handle or token of a region with a heap, which has any number of channels; pass that of a channel',
    )
  }

  /** @internal Errors: ERR_SABWAY_CLOSED: it was freed, or there never was one. */
  mustHaveChannel({ isInHeap, offset, generation }: ChannelPlace): void {
    if (!isInHeap || this.core.sw_channel_generation(0, this.size, offset) >>> 0 === generation) return
    throw new SabwayError('ERR_SABWAY_CLOSED', 'this channel was freed, as both sides were done with it; make another')
  }

  /** @internal This side is done with its channel: see freeChannel. */
  freeChannel(place: ChannelPlace, alone: boolean): void {
    if (place.isInHeap) heapPart.loaded?.freeChannel(this, place, alone)
  }

  /**
   * @internal Before the first use of a side: where the memory is private, have messages copied
   * from and to the shared one.
   */
  join(side: number): void {
    if (this.copied === undefined || this.#closed) return
    adopting(() => this.binding!.carry!(side))
  }

  /**
   * @internal Is a participant on the other side of the memory that processes share? Undefined
   * where this memory tells.
   */
  hasPeer(side: number): boolean | undefined {
    return this.copied === undefined ? undefined : this.#shared!.hasPeer(side)
  }

  /**
   * The participant that ended without leaving the other side of the memory that processes share, 0
   * for none. Undefined where this memory tells. @internal
   */
  deadPeer(side: number): number | undefined {
    return this.copied === undefined ? undefined : this.#shared!.deadPeer(side)
  }

  /**
   * For other processes of this user: Region.open(token), SharedMemoryChannel.attach(token). Good
   * while this process lives and the region is open where it was made or opened by token. Errors:
   * ERR_SABWAY_INVALID_STATE when only threads share it.
   */
  get token(): string {
    const { token } = this.commons
    if (token !== undefined) {
      this.commons.lend()
      return token
    }
    throw new SabwayError('ERR_SABWAY_INVALID_STATE', "only threads share this; make it with { share: 'processes' }")
  }

  /**
   * Structured-cloneable: send it to another thread, which passes it to `open`. Errors: as of a
   * channel's handle.
   */
  get handle(): RegionHandle {
    isolated()
    return this.handleOf({ sabway: 'region' })
  }

  /** @internal A handle of one of its channels. */
  channelHandle({ offset, generation }: ChannelRef): ChannelHandle {
    const place = generation === 0 ? {} : { channel: offset, generation }
    return this.handleOf({ sabway: 'channel' as const, ...place })
  }

  /** @internal A handle of this region with these parts. */
  handleOf<Parts extends object>(parts: Parts): Parts & Pick<RegionHandle, 'memory' | 'module' | 'token' | 'copied'> {
    const { token } = this.commons
    return this.commons.handle({
      ...parts,
      ...(isMemory(this.commons.peek()) && { module: coreCode.module() }),
      ...(token !== undefined && { token }),
      ...(this.copied !== undefined && { copied: true as const }),
    })
  }

  get closed(): boolean {
    return this.#closed
  }

  get [Symbol.toStringTag](): string {
    return 'Region'
  }

  /**
   * What JSON.stringify and console.log show; `stats()` tells more. Another thread needs `handle`,
   * another process `token`.
   */
  toJSON(): { size: number; share: 'threads' | 'processes'; closed: boolean } {
    return { size: this.bytes.length, share: this.processes ? 'processes' : 'threads', closed: this.#closed }
  }

  /** @internal */
  [INSPECT](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    return inspected('Region', this.toJSON(), options, inspect)
  }

  /** @internal Is it a region of this copy of the library? */
  static isRegion(value: object): value is Region {
    return #closed in value
  }

  stats(): RegionStats {
    let participants = 0
    for (let index = 0; index < SW_ENDPOINTS; index++) {
      if (Atomics.load(this.words, endpointWord(index, sw_endpoint.pid)) !== 0) participants++
    }
    const wakes = this.binding === null ? 'atomics' : 'addon'
    return { size: this.bytes.length, participants, wakes, core: isMemory(this.commons.peek()) ? 'wasm' : 'native' }
  }

  /**
   * Walk the region's invariants. Throws ERR_SABWAY_CORRUPT. For tests, while no participant
   * writes.
   */
  check(): void {
    this.#mustBeOpen()
    const at = this.core.sw_region_channel(0, this.size) >>> 0
    // A region without a heap has a place for its channel from the beginning.
    const isMade = this.bytes.subarray(at, at + sw_channel.sizeof).some(Boolean)
    const status = at !== 0 && isMade ? this.core.sw_channel_check(0, this.size, at) : 0
    if (status !== 0) throw coreError(status, 'the channel')
  }

  /**
   * Call `act` when the region is closed, and before it is. The returned function takes that back.
   * @internal
   */
  onClose(act: () => void): () => void {
    return this.#before(act, this.#onClose)
  }

  /**
   * @internal The same for the end of a channel that `new` has made here: when the program closes
   * the region, although other channels may hold it.
   */
  host(end: () => void): () => void {
    return this.#before(end, this.#guests)
  }

  #before(act: () => void, acts: Set<() => void>): () => void {
    this.#mustBeOpen()
    acts.add(act)
    return () => acts.delete(act)
  }

  /**
   * Clean up the channels that this thread has made in the region, and give its place back: at the
   * last `close`, where this thread has opened the region more than once, and once the last channel
   * is cleaned up that it has attached to there. Other threads keep theirs; the memory goes with
   * the last participant. Idempotent then.
   */
  close(): void {
    if (this.#opened > 0 && --this.#opened > 0) return
    for (const end of this.#guests) end()
    this.#closeUnlessHeld()
  }

  /** @internal The channel for which it was opened is over. */
  release(): void {
    if (this.#held > 0) this.#held--
    this.#closeUnlessHeld()
  }

  #closeUnlessHeld(): void {
    if (this.#closing || this.#opened > 0 || this.#held > 0) return
    this.#closing = true
    for (const end of this.#guests) end()
    // The last one first: what was begun later may stand on what was begun before.
    for (const act of [...this.#onClose].reverse()) act()
    this.#closed = true
    this.#membership.leave()
    this.#shared?.close()
  }

  /** Calls made to wake others. @internal */
  get wakes(): number {
    return this.#membership.wakes
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new SabwayError('ERR_SABWAY_CLOSED', 'this region was closed')
  }
}

const IN_HEAP = 'a channel in a region with a heap'

/** A region that was carved for its channel. */
const own = (region: Region): [Region, ChannelRef] => [region, FIRST_CHANNEL]

/** Errors: ERR_SABWAY_INVALID_ARGUMENT, for options that do not go with another one. */
function mustNotHave(options: object, names: readonly string[], why: string): void {
  for (const name of names) {
    if ((options as Record<string, unknown>)[name] === undefined) continue
    throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', `\`${name}\` ${why}`)
  }
}

function mustBeRegion(value: unknown): asserts value is Region {
  if (typeof value === 'object' && value !== null) {
    if (Region.isRegion(value)) return
    if (check.kindOf(value) === 'Region') {
      throw new SabwayError(
        'ERR_SABWAY_INVALID_TYPE',
        'this Region belongs to another copy of Sabway (both `import` and `require` load one); use one copy for both',
      )
    }
  }
  check.refuse('ERR_SABWAY_INVALID_TYPE', 'region must come from Region.create', value)
}
