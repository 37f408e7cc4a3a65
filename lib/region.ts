import { addon, type RegionBinding } from './addon.js'
import { integer } from './check.js'
import { type Core, guarded, instantiate, type Offset, pure, sharedMemory } from './core.js'
import { adopt, coreError, SabwayError } from './errors.js'
import {
  SW_ENDPOINTS,
  SW_HEAP_AT,
  SW_INSTANCE_BYTES,
  SW_INSTANCES_AT,
  SW_PAGE,
  SW_RING_MAX,
  SW_RING_MIN,
  SW_SLEEP_ATOMICS,
  SW_SLEEP_FUTEX,
  SW_STACK_BYTES,
  SW_WAKES_ATOMICS,
  SW_WAKES_FUTEX,
  sw_endpoint,
  sw_instance,
  sw_region_header,
} from './generated/abi.js'

/** What travels by postMessage (or workerData) to another thread of this process. */
export interface RegionHandle {
  readonly sabway: 'region'
  readonly memory: WebAssembly.Memory
}

export interface RegionStats {
  /** Bytes of the region. */
  size: number
  /** How many of the region's endpoints are taken, by threads of any process. */
  participants: number
  /** How this thread is woken: by the addon's threadsafe function, or by Atomics.notify. */
  wakes: 'addon' | 'atomics'
}

/** What a region does for its owner when the environment or the garbage collector takes it. */
const forgotten = new FinalizationRegistry<() => void>((close) => close())

/**
 * One piece of shared memory and this thread's place in it: an endpoint, a WebAssembly instance of the core, and the addon's
 * binding where there is an addon. Belongs to the thread that made it; others open its handle.
 */
export class Region {
  readonly memory: WebAssembly.Memory
  /** The SharedArrayBuffer itself. */
  readonly buffer: SharedArrayBuffer
  /** @internal */ readonly bytes: Uint8Array<SharedArrayBuffer>
  /** @internal */ readonly words: Int32Array<SharedArrayBuffer>
  /** @internal */ readonly core: Core
  /** @internal */ readonly size: bigint
  /** @internal */ readonly endpoint: number
  /** @internal */ readonly instance: Offset
  /** @internal */ readonly binding: RegionBinding | null
  /** The doorbell's value up to which this relay has looked for requests. @internal */ served = 0
  private readonly link: { readonly wakes: number }
  #closed = false

  private constructor(memory: WebAssembly.Memory) {
    this.memory = memory
    this.buffer = memory.buffer as unknown as SharedArrayBuffer
    this.bytes = new Uint8Array(this.buffer)
    this.words = new Int32Array(this.buffer)
    this.size = BigInt(this.buffer.byteLength)
    const native = addon()
    const words = this.words
    // The imports must not hold the Region: the instance lives as long as its exports are held.
    const link: { binding: RegionBinding | null; wakes: number } = { binding: null, wakes: 0 }
    this.link = link
    this.core = guarded(
      instantiate(memory, {
        wake: (doorbell, how) => {
          const at = doorbell >>> 0
          if (at >= words.byteLength || at % 4 !== 0) return 1 // from a handle that was overwritten
          if (how === SW_SLEEP_FUTEX && link.binding === null) return 0
          link.wakes++
          if (how === SW_SLEEP_ATOMICS || link.binding === null) Atomics.notify(words, at >>> 2)
          else link.binding.ring(at, how)
          return 1
        },
        alive: native === null ? () => 1 : native.alive,
      }),
    )
    const status = this.core.sw_region_verify(0, this.buffer.byteLength / SW_PAGE)
    if (status !== 0) throw coreError(status, describeHeader(this.words))
    this.endpoint = claim(this.core)
    this.instance = SW_INSTANCES_AT + this.endpoint * SW_INSTANCE_BYTES
    this.core.__stack_pointer.value = this.instance + sw_instance.stack + SW_STACK_BYTES
    const { core, endpoint, size } = this
    try {
      this.binding = native === null ? null : new native.RegionBinding(this.bytes, endpoint, SW_HEAP_AT)
    } catch (error) {
      leave(core, size, endpoint)
      throw adopt(error)
    }
    link.binding = this.binding
    core.sw_endpoint_able(0, endpoint, this.binding === null ? SW_WAKES_ATOMICS : SW_WAKES_ATOMICS | SW_WAKES_FUTEX)
    // With an addon, the binding's own finalizer does this.
    if (this.binding === null) forgotten.register(this, () => leave(core, size, endpoint), this)
  }

  /** A region carved for one channel. Capacities in bytes, rounded up to powers of two. */
  static forChannel(rendererToNative: number, nativeToRenderer: number): Region {
    integer(rendererToNative, 'rendererToNativeBytes', SW_RING_MIN, SW_RING_MAX)
    integer(nativeToRenderer, 'nativeToRendererBytes', SW_RING_MIN, SW_RING_MAX)
    const pages = Number(pure().sw_region_bytes(rendererToNative, nativeToRenderer)) / SW_PAGE
    const memory = sharedMemory(pages)
    const core = instantiate(memory, { wake: () => 1, alive: () => 1 })
    const status = core.sw_region_format(0, pages, rendererToNative, nativeToRenderer)
    if (status !== 0) throw coreError(status, 'while making a region')
    return new Region(memory)
  }

  /** Join a region that another thread of this process made. */
  static open(handle: RegionHandle): Region {
    const memory = handle?.memory
    if (!(memory instanceof WebAssembly.Memory)) {
      throw new SabwayError(
        'ERR_SABWAY_INVALID_TYPE',
        'expected the `handle` of a region or channel, as it came by postMessage',
      )
    }
    if (!(memory.buffer instanceof SharedArrayBuffer)) {
      throw new SabwayError('ERR_SABWAY_NOT_A_REGION', 'its memory is not shared; make regions with Sabway')
    }
    return new Region(memory)
  }

  get handle(): RegionHandle {
    return { sabway: 'region', memory: this.memory }
  }

  get closed(): boolean {
    return this.#closed
  }

  stats(): RegionStats {
    let participants = 0
    for (let index = 0; index < SW_ENDPOINTS; index++) {
      if (Atomics.load(this.words, endpointWord(index, sw_endpoint.pid)) !== 0) participants++
    }
    return { size: this.buffer.byteLength, participants, wakes: this.binding === null ? 'atomics' : 'addon' }
  }

  /** Walk the region's invariants. Throws ERR_SABWAY_CORRUPT. For tests, while nobody writes. */
  check(): void {
    this.#mustBeOpen()
    const status = this.core.sw_channel_check(0, this.size, SW_HEAP_AT)
    if (status !== 0) throw coreError(status, 'the channel')
  }

  /** Give this thread's place back. Other threads keep theirs; the memory goes when nobody holds it. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    Atomics.notify(this.words, endpointWord(this.endpoint, sw_endpoint.doorbell)) // V8 need not keep our waiter
    if (this.binding !== null) {
      // While JavaScript can: who relied on this relay finds another mechanism.
      this.core.sw_endpoint_able(0, this.endpoint, SW_WAKES_ATOMICS | SW_WAKES_FUTEX)
      this.core.sw_endpoint_serve(0)
      this.core.sw_channel_evict(0, this.size, SW_HEAP_AT, this.endpoint)
      this.binding.close()
    } else {
      forgotten.unregister(this)
      leave(this.core, this.size, this.endpoint)
    }
  }

  /** Calls made to wake others. @internal */
  get wakes(): number {
    return this.link.wakes
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new SabwayError('ERR_SABWAY_CLOSED', 'this region was closed')
  }
}

/** Index, in an Int32Array over the region, of a word of an endpoint. */
export function endpointWord(index: number, field: number): number {
  return (sw_region_header.sizeof + index * sw_endpoint.sizeof + field) >>> 2
}

function claim(core: Core): number {
  const { pid, startLow, startHigh } = addon()?.identity() ?? { pid: 1, startLow: 0, startHigh: 0 }
  const index = core.sw_endpoint_claim(0, pid, startLow, startHigh)
  if (index < 0)
    throw coreError(index, `a region has room for ${SW_ENDPOINTS} threads; clean up channels no longer used`)
  return index
}

function leave(core: Core, size: bigint, endpoint: number): void {
  core.sw_channel_evict(0, size, SW_HEAP_AT, endpoint)
  core.sw_endpoint_release(0, endpoint)
}

function describeHeader(words: Int32Array): string {
  const hex = (field: number) => `0x${(words[field >>> 2]! >>> 0).toString(16)}`
  return (
    `its header says magic ${hex(sw_region_header.magic)}, layout ${hex(sw_region_header.layout_hash)}; ` +
    'open handles of regions made by the same version of Sabway'
  )
}
