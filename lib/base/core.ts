// The C core as WebAssembly: one instance for each thread and region, on the region's own bytes.

import { SW_PAGE } from '../generated/abi.js'
import { CORE_ID, CORE_SECTION, CORE_WASM, SIZES_WASM } from '../generated/core-wasm.js'
import { reclaiming } from './addon.js'
import { isError, sectionOf } from './brand.js'
import { SabwayError, trapped } from './errors.js'
import { addressLimit, roomForRegions } from './host.js'
import { wasmBytes } from './wasm-text.js'

/** A byte offset in the region: a pointer, in the core's eyes. */
export type Offset = number

/** What native/codegen/exports.txt lists; each is documented in native/include/sabway. */
export interface Core {
  readonly __stack_pointer: WebAssembly.Global
  sw_region_bytes(rendererToNative: number, nativeToRenderer: number): bigint
  sw_region_format(base: Offset, pages: number, rendererToNative: number, nativeToRenderer: number): number
  sw_region_format_empty(base: Offset, pages: number): number
  sw_region_verify(base: Offset, pages: number): number
  sw_region_channel(base: Offset, size: bigint): Offset
  sw_endpoint_claim(base: Offset, pid: number, startLow: number, startHigh: number): number
  sw_endpoint_release(base: Offset, index: number): void
  sw_endpoint_release_role(base: Offset, role: number): number
  sw_endpoint_role_alive(base: Offset, role: number): number
  sw_endpoint_ring(base: Offset, role: number): void
  sw_endpoint_arm(base: Offset, index: number, how: number): number
  sw_endpoint_disarm(base: Offset, index: number): void
  sw_endpoint_is_armed(base: Offset, index: number): number
  sw_endpoint_able(base: Offset, index: number, skills: number): void
  sw_endpoint_serve(base: Offset): number
  sw_endpoint_reach(base: Offset, index: number, role: number, how: number): number
  sw_wait_spin(windowNs: number, mostNs: number, sleptNs: number): number
  sw_wait_forgo(last: number, tookNs: number): number
  sw_wait_bound(reach: number, sleeps: number): number
  sw_channel_open_producer(
    p: Offset,
    base: Offset,
    size: bigint,
    channel: Offset,
    side: number,
    endpoint: number,
  ): number
  sw_channel_open_consumer(
    c: Offset,
    base: Offset,
    size: bigint,
    channel: Offset,
    side: number,
    endpoint: number,
  ): number
  sw_channel_format(base: Offset, channel: Offset, rendererToNative: number, nativeToRenderer: number): number
  sw_channel_evict(base: Offset, size: bigint, channel: Offset, endpoint: number): void
  sw_channel_evict_role(base: Offset, size: bigint, channel: Offset, role: number): void
  sw_channel_check(base: Offset, size: bigint, channel: Offset): number
  sw_producer_reserve(p: Offset, length: number, lead: number): Offset
  sw_producer_commit(p: Offset, length: number): number
  sw_producer_abandon(p: Offset): number
  sw_producer_publish(p: Offset): void
  sw_producer_push(p: Offset, length: number): number
  sw_producer_append(p: Offset, length: number, publish: number): number
  sw_producer_append_batch(p: Offset, slices: Offset, count: number, publish: number): number
  sw_producer_want_space(p: Offset, length: number): number
  sw_producer_close(p: Offset): void
  sw_producer_leave(p: Offset): void
  sw_producer_used(p: Offset): number
  sw_consumer_peek_batch(c: Offset, slices: Offset, count: number): number
  sw_consumer_release(c: Offset): void
  sw_consumer_rewind(c: Offset): void
  sw_consumer_ready(c: Offset): number
  sw_consumer_used(c: Offset): number
  sw_consumer_close(c: Offset): void
  sw_consumer_leave(c: Offset): void
}

/** What the core asks of its host. */
export interface CoreHost {
  /** 0 when this thread cannot wake such a sleeper. */
  wake(doorbell: Offset, how: number): number
  alive(pid: number, startLow: number, startHigh: number): number
}

let compiled: WebAssembly.Module | undefined

/** Errors: ERR_SABWAY_NO_WASM, ERR_SABWAY_OUT_OF_MEMORY. */
function compile(source: string): WebAssembly.Module {
  try {
    return new WebAssembly.Module(wasmBytes(source))
  } catch (cause) {
    throw refused(cause)
  }
}

/** The core, compiled once. It goes with every handle: on an audio thread, for one, there is no time to compile it. */
export function coreModule(): WebAssembly.Module {
  compiled ??= compile(CORE_WASM)
  return compiled
}

/** Take the module of a handle for this thread's core, if it is the same. Another version's is left alone. */
export function offerModule(module: WebAssembly.Module | undefined): void {
  if (compiled !== undefined || module === undefined) return
  const id = sectionOf(module, CORE_SECTION)
  if (id !== undefined && String.fromCharCode(...id.subarray(0, CORE_ID.length + 1)) === CORE_ID) compiled = module
}

/**
 * The core on `memory`. Its stack pointer is zero until the caller owns an instance block: a function that needed a stack
 * before that would trap instead of writing where it must not (native/codegen/build.mjs checks which functions need none).
 */
export function instantiate(memory: WebAssembly.Memory, host: CoreHost): Core {
  const { exports } = new WebAssembly.Instance(coreModule(), {
    env: { memory, wake: host.wake, alive: host.alive },
  })
  const core = exports as unknown as Core
  core.__stack_pointer.value = 0
  return core
}

type Call = (...args: unknown[]) => unknown

/** What messages and batches cost: the callers (Producer and Consumer) catch for themselves, once around several calls. */
const HOT = new Set([
  'sw_producer_reserve',
  'sw_producer_push',
  'sw_producer_append',
  'sw_producer_append_batch',
  'sw_producer_publish',
  'sw_consumer_peek_batch',
  'sw_consumer_release',
])

/** The same core, which throws ERR_SABWAY_CORRUPT where the bare one traps; all but the hot functions. */
export function guarded(core: Core): Core {
  const guard = (call: Call): Call => {
    // Six arguments are what the longest takes; WebAssembly ignores those that are too many.
    return (a, b, c, d, e, f) => {
      try {
        return call(a, b, c, d, e, f)
      } catch (error) {
        throw trapped(error)
      }
    }
  }
  const entries = Object.entries(core).map(([name, value]) => {
    return [name, typeof value === 'function' && !HOT.has(name) ? guard(value as Call) : value]
  })
  return Object.fromEntries(entries) as Core
}

/** Memories made by this thread that the garbage collector has not taken yet: each pins its address space. */
let held = 0
const collected = new FinalizationRegistry<void>(() => void held--)

/** Shared memory of so many pages, none of which is touched yet. Errors: ERR_SABWAY_NO_WASM, ERR_SABWAY_OUT_OF_MEMORY. */
export function sharedMemory(pages: number): WebAssembly.Memory {
  const make = () => new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  try {
    const memory = reclaiming(make, false) // the engine has collected before it says that there is no room
    collected.register(memory)
    held++
    return memory
  } catch (cause) {
    if (typeof WebAssembly === 'undefined') throw new SabwayError('ERR_SABWAY_NO_WASM', NO_WASM, { cause })
    throw noRoom(cause, `a region of ${pages * SW_PAGE} bytes`)
  }
}

/** The error for code that the engine would not compile. */
function refused(cause: unknown): SabwayError {
  if (typeof WebAssembly === 'undefined') return new SabwayError('ERR_SABWAY_NO_WASM', NO_WASM, { cause })
  return isShort(cause)
    ? noRoom(cause, 'the code of its core')
    : new SabwayError('ERR_SABWAY_NO_WASM', NO_CODE, { cause })
}

/** Is that how an engine says that it has no memory? V8 by a RangeError, Firefox by an InternalError or a string. */
const isShort = (cause: unknown): boolean =>
  !isError(cause) || cause.name === 'RangeError' || cause.name === 'InternalError'

const NO_WASM =
  'there is no WebAssembly; start Node without --jitless (look at NODE_OPTIONS, too), and exempt the page in a browser in lockdown mode'
const NO_CODE = "if the page has a Content-Security-Policy, its script-src must contain 'wasm-unsafe-eval'"

function noRoom(cause: unknown, what: string): SabwayError {
  const limit = addressLimit()
  const why =
    limit === undefined
      ? 'memory is used up, or address space'
      : `this process may have ${Math.floor(limit / 2 ** 20)} MiB of address space (\`ulimit -v\`, RLIMIT_AS): raise that limit`
  const text = `${what}; ${why}. The engine reserves 8 to 10 GiB of addresses for each region, however small: ${roomForRegions}; this thread holds ${held}: call cleanup() of channels and close() of regions no longer used, let the event loop turn (what was dropped since it last did may be held until then), or make fewer and larger ones`
  return new SabwayError('ERR_SABWAY_OUT_OF_MEMORY', text, { cause })
}

let sizes: { sw_region_bytes: Core['sw_region_bytes'] } | undefined

/** Bytes of a region for rings of these capacities, for which there need not be a memory yet. */
export function regionBytes(rendererToNative: number, nativeToRenderer: number): number {
  if (sizes === undefined) {
    const module = compile(SIZES_WASM) // first: where there is no WebAssembly, its error says so
    sizes = new WebAssembly.Instance(module).exports as unknown as NonNullable<typeof sizes>
  }
  return Number(sizes.sw_region_bytes(rendererToNative, nativeToRenderer))
}
