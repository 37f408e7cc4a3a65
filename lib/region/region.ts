// The public class of a region, and this thread's hold on one. A Region is made in one of four
// ways: `create` and `forChannel` write a new region into new memory (create.ts, overlay.ts),
// `open` joins that of a handle or a token, `on` the one in memory that is there. All of them end
// in the constructor, which takes the thread's place (membership.ts).
//
//   vacant (create only) --forChannel--> with its channel --close--> closed
//
// `close` ends what lives in the region (its channel) before it gives the place back. A program
// that drops the object without closing it has the same done: with the addon when its binding is
// collected, without it by commons.ts, and both when the thread ends.
import type { RegionBinding, SharedMemory } from '../base/addon.js'
import { isMemory, isSharedArrayBuffer } from '../base/brand.js'
import * as check from '../base/check.js'
import { coreModule, type GuardedCore, type HotCore, type Offset, offerModule } from '../base/core.js'
import { adopting, coreError, SabwayError } from '../base/errors.js'
import { cloneHint, hide, INSPECT, inspected } from '../base/summary.js'
import { SW_ENDPOINTS, SW_HEAP_AT, SW_PAGE, sw_endpoint } from '../generated/abi.js'
import { ChannelPlace } from './channel-place.js'
import { Commons } from './commons.js'
import { create, open, pagesFor, type ShareOptions } from './create.js'
import { endpointWord } from './endpoint.js'
import { type HandleParts, handleParts } from './handle.js'
import { isolated } from './isolation.js'
import { Membership, ownHost, type RegionHost } from './membership.js'

/** What travels by postMessage (or workerData) to another thread of this process. */
export interface RegionHandle {
  readonly sabway: 'region'
  readonly memory: WebAssembly.Memory
  /** The library's compiled code, so that the other thread need not compile it. */
  readonly module?: WebAssembly.Module
  /** Of a region that processes share. */
  readonly token?: string
  /** The memory is a private copy: open the token. */
  readonly copied?: true
}

export interface RegionStats {
  /** Bytes of the region. */
  size: number
  /** How many of the region's endpoints are taken, by threads of any process. */
  participants: number
  /** How this thread is woken: by the addon's threadsafe function, or by Atomics.notify. */
  wakes: 'addon' | 'atomics'
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
  /** @internal Where the channel is: what the header says, read once. */ readonly channelAt: Offset
  /** @internal */ readonly endpoint: number
  /** @internal */ readonly instance: Offset
  /** @internal */ declare readonly binding: RegionBinding | null
  /** @internal May participants be in several processes? */ readonly processes: boolean
  /**
   * Why the memory is a private one, and messages are copied to and from the shared one; undefined
   * where it is that. @internal
   */
  readonly copied: string | undefined
  /** @internal */ declare readonly commons: Commons
  readonly #membership: Membership
  readonly #shared: SharedMemory | null
  #vacant = false
  #closing = false
  #closed = false
  readonly #onClose = new Set<() => void>()

  static readonly #made = Symbol('made')

  private constructor(
    /** Shows that it is the library that makes the region. */
    made: symbol,
    commons: Commons,
    memory: WebAssembly.Memory,
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
    const { bytes, words, core, hot, binding } = membership
    hide(this, { commons, bytes, words, core, hot, binding })
    this.size = membership.size
    this.channelAt = membership.channelAt
    this.endpoint = membership.endpoint
    this.instance = membership.instance
    this.processes = membership.processes
  }

  /**
   * A region of so many bytes, rounded up to whole pages of 64 KiB. It has room for one channel so
   * far: pass it to the channel's constructor. Errors: ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_OUT_OF_MEMORY, and with share 'processes' ERR_SABWAY_NAME_TAKEN,
   * ERR_SABWAY_NO_ADDON, ERR_SABWAY_OVERLAY_REFUSED.
   */
  static create(options: ShareOptions & { size: number }): Region {
    const { size, share, name } = check.options(options, 'region options', ['size', 'share', 'name'])
    const pages = Math.ceil(check.integer(size, 'size', SW_HEAP_AT + SW_PAGE, LARGEST) / SW_PAGE)
    const region = Region.#make(pages, { share, name }, (core) => core.sw_region_format_empty(0, pages))
    region.#vacant = true
    return region
  }

  /**
   * @internal A region carved for one channel: `region`, or one of its own. Capacities in bytes,
   * rounded up to powers of two.
   */
  static forChannel(
    rendererToNative: number,
    nativeToRenderer: number,
    options: ShareOptions & { region?: Region },
  ): Region {
    const { region } = options
    if (region !== undefined) {
      mustBeRegion(region)
      for (const name of ['share', 'name'] as const) {
        if (options[name] === undefined) continue
        throw new SabwayError(
          'ERR_SABWAY_INVALID_ARGUMENT',
          `\`${name}\` is an option of Region.create where a \`region\` is given`,
        )
      }
      region.#carve(rendererToNative, nativeToRenderer)
      return region
    }
    const pages = pagesFor(rendererToNative, nativeToRenderer)
    const format = (core: GuardedCore) => core.sw_region_format(0, pages, rendererToNative, nativeToRenderer)
    return Region.#make(pages, options, format)
  }

  static #make(pages: number, options: ShareOptions, format: (core: GuardedCore) => number): Region {
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
   * token. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_NOT_A_REGION, ERR_SABWAY_LAYOUT_MISMATCH,
   * ERR_SABWAY_TOO_MANY_PARTICIPANTS; of a token also ERR_SABWAY_INVALID_TOKEN, _REGION_GONE,
   * _STALE_TOKEN, _SIZE_MISMATCH, _NOT_PERMITTED, _OVERLAY_REFUSED.
   */
  static open(from: RegionHandle | string): Region {
    return typeof from === 'string' ? Region.#opened(from) : Region.joined(handleParts(from))
  }

  static #opened(token: string): Region {
    const region = open(token, Region.#over)
    region.commons.lend()
    return region
  }

  /** @internal The same, of what was in a handle. */
  static joined({ commons: own, memory, module, token, copied }: HandleParts): Region {
    offerModule(module)
    if (own !== undefined) return new Region(Region.#made, own, own.peek())
    if (copied && typeof token === 'string') return Region.#opened(token)
    if (!isMemory(memory) || !isSharedArrayBuffer(memory.buffer)) {
      throw new SabwayError('ERR_SABWAY_NOT_A_REGION', 'its memory is not shared; make regions with Sabway')
    }
    return Region.on(memory, undefined, token as string | undefined)
  }

  /**
   * @internal Join the region that is in this memory, with the addon of another context of this
   * thread.
   */
  static on(memory: WebAssembly.Memory, host?: RegionHost, token?: string): Region {
    const commons = new Commons(memory, token)
    commons.lend()
    return new Region(Region.#made, commons, memory, null, host)
  }

  /** What other threads need to join: `handle` is made of it. */
  get memory(): WebAssembly.Memory {
    return this.commons.lend()
  }

  /** The SharedArrayBuffer itself. */
  get buffer(): SharedArrayBuffer {
    return this.memory.buffer as unknown as SharedArrayBuffer
  }

  /** @internal The region's channel, from this side. */
  channel(side: number): ChannelPlace {
    return new ChannelPlace(this.channelAt, side)
  }

  /** @internal Put a channel into a region that `create` made. */
  #carve(rendererToNative: number, nativeToRenderer: number): void {
    this.#mustBeOpen()
    if (!this.#vacant) {
      throw new SabwayError(
        'ERR_SABWAY_INVALID_STATE',
        'a region has room for one channel so far, made by the caller of Region.create; attach to that one, or make another region',
      )
    }
    const needed = pagesFor(rendererToNative, nativeToRenderer) * SW_PAGE
    if (needed > this.bytes.length) {
      throw new SabwayError(
        'ERR_SABWAY_OUT_OF_RANGE',
        `these rings need a region of ${needed} bytes, this one has ${this.bytes.length}`,
      )
    }
    const status = this.core.sw_channel_format(0, this.channelAt, rendererToNative, nativeToRenderer)
    if (status !== 0) throw coreError(status, 'while making a channel')
    if (this.copied !== undefined) adopting(() => this.#shared!.mirror(this.bytes, true))
    this.#vacant = false
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

  /** @internal A handle of this region with these parts. */
  handleOf<Parts extends object>(parts: Parts): Parts & Pick<RegionHandle, 'memory' | 'module' | 'token' | 'copied'> {
    const { token } = this.commons
    return this.commons.handle({
      ...parts,
      module: coreModule(),
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
    return { size: this.bytes.length, participants, wakes: this.binding === null ? 'atomics' : 'addon' }
  }

  /**
   * Walk the region's invariants. Throws ERR_SABWAY_CORRUPT. For tests, while no participant
   * writes.
   */
  check(): void {
    this.#mustBeOpen()
    const status = this.core.sw_channel_check(0, this.size, this.channelAt)
    if (status !== 0) throw coreError(status, 'the channel')
  }

  /**
   * Call `act` when the region is closed, and before it is. The returned function takes that back.
   * @internal
   */
  onClose(act: () => void): () => void {
    this.#mustBeOpen()
    this.#onClose.add(act)
    return () => this.#onClose.delete(act)
  }

  /**
   * Clean up the channel that this thread has in the region, and give its place back. Other threads
   * keep theirs; the memory goes with the last participant. Idempotent.
   */
  close(): void {
    if (this.#closing) return
    this.#closing = true
    for (const act of this.#onClose) act()
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
