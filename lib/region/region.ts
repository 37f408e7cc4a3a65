import { type Addon, addon, addonMissing, type RegionBinding, reclaiming, type SharedMemory } from '../base/addon.js'
import { isMemory, isSharedArrayBuffer } from '../base/brand.js'
import * as check from '../base/check.js'
import {
  type Core,
  coreModule,
  guarded,
  instantiate,
  type Offset,
  offerModule,
  regionBytes,
  sharedMemory,
} from '../base/core.js'
import { adopt, coreError, SabwayError } from '../base/errors.js'
import { cloneHint, hide, INSPECT, inspected } from '../base/summary.js'
import {
  SW_ENDPOINTS,
  SW_HEAP_AT,
  SW_INSTANCE_BYTES,
  SW_INSTANCES_AT,
  SW_PAGE,
  SW_REGION_PROCESSES,
  SW_SLEEP_ATOMICS,
  SW_SLEEP_FUTEX,
  SW_STACK_BYTES,
  SW_WAKES_ATOMICS,
  SW_WAKES_FUTEX,
  sw_endpoint,
  sw_instance,
  sw_region_header,
} from '../generated/abi.js'
import { Commons } from './commons.js'
import { endpointWord, leave, roleOf, stay } from './endpoint.js'
import { type HandleParts, handleParts } from './handle.js'
import { isolated } from './isolation.js'

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

/** Who can take part: threads of this process, or other processes of the same user, too. */
export interface ShareOptions {
  share?: 'threads' | 'processes'
  /** With share 'processes': make it a POSIX shared memory object of that name. */
  name?: string
}

export interface RegionStats {
  /** Bytes of the region. */
  size: number
  /** How many of the region's endpoints are taken, by threads of any process. */
  participants: number
  /** How this thread is woken: by the addon's threadsafe function, or by Atomics.notify. */
  wakes: 'addon' | 'atomics'
}

/** What a region asks of the addon: of this context's, or of the one in the preload script of an Electron page. */
export interface RegionHost {
  identity: Addon['identity']
  alive: Addon['alive']
  /** The endpoint's binding: from now on it is rung, and given back when the addon's environment ends. */
  bind(bytes: Uint8Array<SharedArrayBuffer>, endpoint: number, channelAt: number, away?: SharedMemory): RegionBinding
}

function ownHost(): RegionHost | null {
  const native = addon()
  if (native === null) return null
  const { identity, alive } = native
  return {
    identity,
    alive,
    bind: (bytes, endpoint, channelAt, away) => new native.RegionBinding(bytes, endpoint, channelAt, away),
  }
}

const LARGEST = 65536 * SW_PAGE
const CLONE_HINT = 'A region stays in its thread: post region.handle, and open that there. It'

/**
 * One piece of shared memory and this thread's place in it: an endpoint, a WebAssembly instance of the core, and the addon's
 * binding where there is an addon. Belongs to the thread that made it; others open its handle, and other processes its token.
 */
export class Region {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = cloneHint(CLONE_HINT)
  /** @internal */ declare readonly bytes: Uint8Array<SharedArrayBuffer>
  /** @internal */ declare readonly words: Int32Array<SharedArrayBuffer>
  /** @internal */ declare readonly core: Core
  /** @internal */ readonly size: bigint
  /** @internal Where the channel is: what the header says, read once. */ readonly channelAt: Offset
  /** @internal */ readonly endpoint: number
  /** @internal */ readonly instance: Offset
  /** @internal */ declare readonly binding: RegionBinding | null
  /** @internal May participants be in several processes? */ readonly processes: boolean
  /** Why the memory is a private one, and messages are carried to and from the shared one; undefined where it is that. @internal */
  readonly copied: string | undefined
  declare private readonly link: { readonly wakes: number }
  /** @internal */ declare readonly commons: Commons
  readonly #shared: SharedMemory | null
  #vacant = false
  #closing = false
  #closed = false
  /** Without the addon: what becomes of the place in the region when this is collected is no matter any more. */
  readonly #settled: (() => void) | null
  /** Names this claim of the endpoint. */
  readonly #role: number
  /** What lives in the region and ends with it. */
  readonly #tenants = new Set<() => void>()

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
    const buffer = memory.buffer as unknown as SharedArrayBuffer
    hide(this, { commons, bytes: new Uint8Array(buffer), words: new Int32Array(buffer) })
    this.size = BigInt(buffer.byteLength)
    const words = this.words
    // The imports must not hold the Region: the instance lives as long as its exports are held.
    const link: { binding: RegionBinding | null; processes: boolean; wakes: number } = {
      binding: null,
      processes: false,
      wakes: 0,
    }
    const exported = guarded(
      instantiate(memory, {
        wake: (doorbell, how) => {
          const at = doorbell >>> 0
          if (at >= words.byteLength || at % 4 !== 0) return 1 // from a handle that was overwritten
          if (how === SW_SLEEP_FUTEX && link.binding === null) return 0
          link.wakes++
          commons.rouse()
          if (commons.secluded) return 1
          if (how === SW_SLEEP_ATOMICS || link.binding === null) Atomics.notify(words, at >>> 2)
          // V8's waiters are this process's only: for those of another the futex is where its relay can hear it.
          if (how !== SW_SLEEP_ATOMICS || link.processes) link.binding?.ring(at, how)
          return 1
        },
        alive: host === null ? () => 1 : host.alive,
      }),
    )
    hide(this, { link, core: exported })
    const status = this.core.sw_region_verify(0, buffer.byteLength / SW_PAGE)
    if (status !== 0) throw coreError(status, describeHeader(this.words))
    this.channelAt = this.core.sw_region_channel(0, this.size) >>> 0
    if (this.channelAt === 0)
      throw new SabwayError('ERR_SABWAY_CORRUPT', 'its header names a place where no channel can be')
    this.processes = (Atomics.load(words, sw_region_header.flags >>> 2) & SW_REGION_PROCESSES) !== 0
    link.processes = this.processes
    this.endpoint = claim(this.core, host)
    this.instance = SW_INSTANCES_AT + this.endpoint * SW_INSTANCE_BYTES
    this.core.__stack_pointer.value = this.instance + sw_instance.stack + SW_STACK_BYTES
    const { core, endpoint, size, channelAt } = this
    try {
      const away = (copied !== undefined && shared) || undefined
      hide(this, { binding: host === null ? null : host.bind(this.bytes, endpoint, channelAt, away) })
    } catch (error) {
      leave(core, size, channelAt, roleOf(words, endpoint))
      throw adopt(error)
    }
    link.binding = this.binding
    this.#role = roleOf(words, endpoint)
    const place = { core, words, size, channelAt, endpoint }
    this.#settled =
      this.binding === null
        ? commons.settle(
            this,
            endpoint,
            (other) => leave(core, size, channelAt, roleOf(words, other)),
            () => stay(place),
          )
        : null
    core.sw_endpoint_able(0, endpoint, this.binding === null ? SW_WAKES_ATOMICS : SW_WAKES_ATOMICS | SW_WAKES_FUTEX)
  }

  /**
   * A region of so many bytes, rounded up to whole pages of 64 KiB. It has room for one channel so far: pass it to the channel's
   * constructor. Errors: ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_OUT_OF_MEMORY, and with share 'processes' ERR_SABWAY_NAME_TAKEN,
   * ERR_SABWAY_NO_ADDON, ERR_SABWAY_OVERLAY_REFUSED.
   */
  static create(options: ShareOptions & { size: number }): Region {
    const { size, share, name } = check.options(options, 'region options', ['size', 'share', 'name'])
    const pages = Math.ceil(check.integer(size, 'size', SW_HEAP_AT + SW_PAGE, LARGEST) / SW_PAGE)
    const region = make(pages, { share, name }, (core) => core.sw_region_format_empty(0, pages), Region.#over)
    region.#vacant = true
    return region
  }

  /** @internal A region carved for one channel: `region`, or one of its own. Capacities in bytes, rounded up to powers of two. */
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
    const format = (core: Core) => core.sw_region_format(0, pages, rendererToNative, nativeToRenderer)
    return make(pages, options, format, Region.#over)
  }

  static #over(memory: WebAssembly.Memory, shared: SharedMemory | null, copied?: string): Region {
    const commons = new Commons(memory, shared?.token())
    if (copied !== undefined) commons.lend() // its carrier takes part
    return new Region(Region.#made, commons, memory, shared, undefined, copied)
  }

  /**
   * Join a region: of another thread, by its handle, or of another process of this user, by its token.
   * Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_NOT_A_REGION, ERR_SABWAY_LAYOUT_MISMATCH, ERR_SABWAY_TOO_MANY_PARTICIPANTS; of a
   * token also ERR_SABWAY_INVALID_TOKEN, _REGION_GONE, _STALE_TOKEN, _SIZE_MISMATCH, _NOT_PERMITTED, _OVERLAY_REFUSED.
   */
  static open(from: RegionHandle | string): Region {
    return typeof from === 'string' ? Region.#opened(from) : Region.joined(handleParts(from))
  }

  static #opened(token: string): Region {
    const { SharedMemory } = needAddon()
    const region = reclaiming(() => overlaid(() => new SharedMemory(token), null, Region.#over), true)
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

  /** @internal Join the region that is in this memory, with the addon of another context of this thread. */
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

  /** @internal Put a channel into a region that `create` made. */
  #carve(rendererToNative: number, nativeToRenderer: number): void {
    this.#mustBeOpen()
    if (!this.#vacant) {
      throw new SabwayError(
        'ERR_SABWAY_INVALID_STATE',
        'a region has room for one channel so far, made by who called Region.create; attach to that one, or make another region',
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
    if (this.copied !== undefined) attempt(() => this.#shared!.mirror(this.bytes, true))
    this.#vacant = false
  }

  /** @internal Before the first use of a side: where the memory is private, have messages carried from and to the shared one. */
  join(side: number): void {
    if (this.copied === undefined || this.#closed) return
    attempt(() => this.binding!.carry!(side))
  }

  /** @internal Is somebody on the other side of the memory that processes share? Undefined where this memory tells. */
  hasPeer(side: number): boolean | undefined {
    return this.copied === undefined ? undefined : this.#shared!.hasPeer(side)
  }

  /**
   * The participant that ended without leaving the other side of the memory that processes share, 0 for none. Undefined where
   * this memory tells. @internal
   */
  deadPeer(side: number): number | undefined {
    return this.copied === undefined ? undefined : this.#shared!.deadPeer(side)
  }

  /**
   * For other processes of this user: Region.open(token), SharedMemoryChannel.attach(token). Good while this process lives and
   * the region is open where it was made or opened by token. Errors: ERR_SABWAY_INVALID_STATE when only threads share it.
   */
  get token(): string {
    const { token } = this.commons
    if (token !== undefined) {
      this.commons.lend()
      return token
    }
    throw new SabwayError('ERR_SABWAY_INVALID_STATE', "only threads share this; make it with { share: 'processes' }")
  }

  /** Structured-cloneable: send it to another thread, which passes it to `open`. Errors: as of a channel's handle. */
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

  /** What JSON.stringify and console.log show; `stats()` tells more. Another thread needs `handle`, another process `token`. */
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

  /** Walk the region's invariants. Throws ERR_SABWAY_CORRUPT. For tests, while nobody writes. */
  check(): void {
    this.#mustBeOpen()
    const status = this.core.sw_channel_check(0, this.size, this.channelAt)
    if (status !== 0) throw coreError(status, 'the channel')
  }

  /** Call `end` when the region is closed, and before it is. The returned function takes that back. @internal */
  house(end: () => void): () => void {
    this.#mustBeOpen()
    this.#tenants.add(end)
    return () => this.#tenants.delete(end)
  }

  /**
   * Clean up the channel that this thread has in the region, and give its place back. Other threads keep theirs; the memory goes
   * with the last participant. Idempotent.
   */
  close(): void {
    if (this.#closing) return
    this.#closing = true
    for (const end of this.#tenants) end()
    this.#closed = true
    Atomics.notify(this.words, endpointWord(this.endpoint, sw_endpoint.doorbell)) // V8 need not keep our waiter
    if (this.binding !== null) {
      // While JavaScript can: who relied on this relay finds another mechanism.
      this.core.sw_endpoint_able(0, this.endpoint, SW_WAKES_ATOMICS | SW_WAKES_FUTEX)
      this.core.sw_endpoint_serve(0)
      this.core.sw_channel_evict(0, this.size, this.channelAt, this.endpoint)
      this.binding.close()
    } else {
      this.#settled?.()
      leave(this.core, this.size, this.channelAt, this.#role)
    }
    this.#shared?.close()
  }

  /** Calls made to wake others. @internal */
  get wakes(): number {
    return this.link.wakes
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new SabwayError('ERR_SABWAY_CLOSED', 'this region was closed')
  }
}

/** What sw_token_name_valid allows, which also knows how long a name may be. */
const NAME = /^[\w.-]+$/

type Over = (memory: WebAssembly.Memory, shared: SharedMemory | null, copied?: string) => Region

function make(pages: number, { share, name }: ShareOptions, format: (core: Core) => number, over: Over): Region {
  if (share !== undefined) check.oneOf(share, 'share', ['threads', 'processes'])
  if (name !== undefined) {
    if (typeof name !== 'string') check.refuse('ERR_SABWAY_INVALID_TYPE', 'name must be a string', name)
    if (!NAME.test(name))
      check.refuse('ERR_SABWAY_INVALID_ARGUMENT', "name must be letters, digits, '.', '_' or '-'", name)
  }
  const prepare = (memory: WebAssembly.Memory) => {
    const status = format(instantiate(memory, { wake: () => 1, alive: () => 1 }))
    if (status !== 0) throw coreError(status, 'while making a region')
  }
  if (share === 'processes') {
    const { SharedMemory } = needAddon()
    const region = reclaiming(() => overlaid(() => new SharedMemory(pages * SW_PAGE, name), prepare, over), true)
    if (name !== undefined) region.commons.lend() // its token can be told from the name
    return region
  }
  if (name !== undefined) {
    throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', "a name is for share: 'processes'")
  }
  const memory = sharedMemory(pages)
  prepare(memory)
  return over(memory, null)
}

/**
 * Map shared memory over a new WebAssembly.Memory: from then on that, and its SharedArrayBuffer, are the shared memory. Where the
 * system has no way to do that, make them a private region with the same channel. `prepare`: what writes a new region.
 */
function overlaid(
  open: () => SharedMemory,
  prepare: ((memory: WebAssembly.Memory) => void) | null,
  over: Over,
): Region {
  const shared = attempt(open)
  try {
    const memory = sharedMemory(shared.size() / SW_PAGE)
    const bytes = new Uint8Array(memory.buffer)
    const copied = whyNotOverlaid(shared, bytes)
    prepare?.(memory)
    if (copied !== undefined) attempt(() => shared.mirror(bytes, prepare !== null))
    return over(memory, shared, copied)
  } catch (error) {
    shared.close()
    throw error
  }
}

function whyNotOverlaid(shared: SharedMemory, bytes: Uint8Array): string | undefined {
  try {
    attempt(() => shared.overlay(bytes))
    return undefined
  } catch (error) {
    if ((error as SabwayError).code !== 'ERR_SABWAY_UNSUPPORTED') throw error
    return (error as SabwayError).message
  }
}

function pagesFor(rendererToNative: number, nativeToRenderer: number): number {
  return regionBytes(rendererToNative, nativeToRenderer) / SW_PAGE
}

function needAddon(): Addon {
  const native = addon()
  if (native === null) throw new SabwayError('ERR_SABWAY_NO_ADDON', addonMissing())
  return native
}

function attempt<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw adopt(error)
  }
}

function claim(core: Core, host: RegionHost | null): number {
  const { pid, startLow, startHigh } = host?.identity() ?? { pid: 1, startLow: 0, startHigh: 0 }
  const index = core.sw_endpoint_claim(0, pid, startLow, startHigh)
  if (index < 0)
    throw coreError(index, `a region has room for ${SW_ENDPOINTS} threads; clean up channels no longer used`)
  return index
}

function describeHeader(words: Int32Array): string {
  const hex = (field: number) => `0x${(words[field >>> 2]! >>> 0).toString(16)}`
  return (
    `its header says magic ${hex(sw_region_header.magic)}, layout ${hex(sw_region_header.layout_hash)}; ` +
    'open handles of regions made by the same version of Sabway'
  )
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
