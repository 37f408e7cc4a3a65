// The C core as JavaScript calls it: as WebAssembly, one instance for each thread and region, on
// the region's own bytes; or as native code, of the addon.

import { SW_PAGE } from '../generated/abi.js'
import { GUARDED_NAMES, type GuardedCore, HOT_NAMES, type HotCore } from '../generated/core.js'
import { CODE, ID, SECTION, SIZES } from '../generated/core-wasm.js'
import { reclaiming } from './addon.js'
import { isError, sectionOf } from './brand.js'
import { asCorruptError, SabwayError } from './errors.js'
import { nodeHost } from './host.js'
import { wasmBytes } from './wasm-text.js'

export type { GuardedCore, HotCore }

/** A byte offset in the region: a pointer, in the core's eyes. */
export type Offset = number

/**
 * A module of the C code on one memory. Its functions are those of native/codegen/exports.txt;
 * native/include/sabway documents each.
 */
export interface Instance<Guarded, Hot> {
  readonly guarded: Guarded
  readonly hot: Hot
  /** Native code has a stack of its own, and does not look at it. */
  readonly stackPointer: { value: number }
}

export type Core = Instance<GuardedCore, HotCore>

/** What the core asks of its host. */
export interface CoreHost {
  /** 0 when this thread cannot wake such a sleeper. */
  wake(doorbell: Offset, how: number): number
  alive(pid: number, startLow: number, startHigh: number): number
}

/** Of code that writes into memory which no other participant can see yet. */
export const NO_HOST: CoreHost = { wake: () => 1, alive: () => 1 }

/** Errors: ERR_SABWAY_NO_WASM, ERR_SABWAY_OUT_OF_MEMORY. */
function compile(source: string): WebAssembly.Module {
  try {
    return new WebAssembly.Module(wasmBytes(source))
  } catch (cause) {
    throw refused(cause)
  }
}

type Call = (...args: unknown[]) => unknown

/** Seven arguments are what the longest takes; WebAssembly ignores those that are too many. */
function guard(call: Call): Call {
  return (a, b, c, d, e, f, g) => {
    try {
      return call(a, b, c, d, e, f, g)
    } catch (error) {
      throw asCorruptError(error)
    }
  }
}

/** A module of the C code, as text and as what this thread has compiled of it. */
export class Code<Guarded, Hot> {
  readonly #text: string
  readonly #id: string
  readonly #hot: string[]
  readonly #guarded: string[]
  #compiled: WebAssembly.Module | undefined

  /** `id`: what its section SECTION has. The names of functions are in one text each. */
  constructor(text: string, id: string, hot: string, guarded: string) {
    this.#text = text
    this.#id = id
    this.#hot = hot.split(' ')
    this.#guarded = guarded.split(' ')
  }

  /**
   * Compiled once. The core's goes with every handle: on an audio thread, for one, there is no time
   * to compile it.
   */
  module(): WebAssembly.Module {
    this.#compiled ??= compile(this.#text)
    return this.#compiled
  }

  /** Take the module of a handle, if it is the same. Another version's is left alone. */
  offer(module: WebAssembly.Module | undefined): void {
    if (this.#compiled !== undefined || module === undefined) return
    const id = sectionOf(module, SECTION)
    if (id !== undefined && String.fromCharCode(...id.subarray(0, this.#id.length + 1)) === this.#id)
      this.#compiled = module
  }

  /**
   * The code on `memory`. Its stack pointer is zero until the caller owns an instance block: a
   * function that needed a stack before that would trap instead of writing where it must not
   * (native/codegen/build.mjs checks which functions need none).
   */
  instantiate(memory: WebAssembly.Memory, host: CoreHost): Instance<Guarded, Hot> {
    const { exports } = new WebAssembly.Instance(this.module(), {
      env: { memory, wake: host.wake, alive: host.alive },
    })
    const numbered = (number: number): unknown => exports[number.toString(36)]
    const stackPointer = numbered(this.#hot.length + this.#guarded.length) as WebAssembly.Global
    stackPointer.value = 0
    return this.of((_, number) => numbered(number) as Call, stackPointer)
  }

  /** The instance of these functions, by their names or numbers. */
  of(find: (name: string, number: number) => Call, stackPointer = { value: 0 }): Instance<Guarded, Hot> {
    const hot = this.#hot.map((name, i) => [name, find(name, i)])
    const guarded = this.#guarded.map((name, i) => [name, guard(find(name, hot.length + i))])
    return { hot: Object.fromEntries(hot), guarded: Object.fromEntries(guarded), stackPointer }
  }
}

/** What every participant needs: regions, endpoints, channels. */
export const coreCode = new Code<GuardedCore, HotCore>(CODE, ID, HOT_NAMES, GUARDED_NAMES)

/**
 * Memories made by this thread that the garbage collector has not taken yet: each pins its address
 * space.
 */
let held = 0
const collected = new FinalizationRegistry<void>(() => void held--)

/**
 * Shared memory of `pages` pages, none of which is touched yet. Errors: ERR_SABWAY_NO_WASM,
 * ERR_SABWAY_OUT_OF_MEMORY.
 */
export function sharedMemory(pages: number): WebAssembly.Memory {
  const make = () => new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  try {
    // the engine has collected before it says that there is no room
    const memory = reclaiming(make, false)
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

/**
 * Is that how an engine says that it has no memory? V8 by a RangeError, Firefox by an InternalError
 * or a string.
 */
const isShort = (cause: unknown): boolean =>
  !isError(cause) || cause.name === 'RangeError' || cause.name === 'InternalError'

const NO_WASM =
  'there is no WebAssembly; start Node without --jitless (look at NODE_OPTIONS, too), and exempt the page in a browser in lockdown mode'
const NO_CODE = "if the page has a Content-Security-Policy, its script-src must contain 'wasm-unsafe-eval'"

/** In a browser, as measured: docs/guide/troubleshooting.md. */
const ROOM =
  'a process of Chromium has room for about 120 (a page, its workers, and other pages of the site), one of Firefox for about 1,000'

function noRoom(cause: unknown, what: string): SabwayError {
  const limit = nodeHost.loaded?.addressLimit()
  const why =
    limit === undefined
      ? 'memory is used up, or address space'
      : `this process may have ${Math.floor(limit / 2 ** 20)} MiB of address space (\`ulimit -v\`, RLIMIT_AS): raise that limit`
  const text = `${what}; ${why}. The engine reserves 8 to 10 GiB of addresses for each region, however small: ${nodeHost.loaded?.roomForRegions() ?? ROOM}; this thread holds ${held}: call cleanup() of channels and close() of regions no longer used, let the event loop turn (what was dropped since it last did may be held until then), or make many channels in one region: \`new SharedMemoryChannel(a, b, { region })\``
  return new SabwayError('ERR_SABWAY_OUT_OF_MEMORY', text, { cause })
}

let sizes: Pick<GuardedCore, 'sw_region_bytes'> | undefined

/** Bytes of a region for rings of these capacities, for which there need not be a memory yet. */
export function regionBytes(rendererToNative: number, nativeToRenderer: number): number {
  if (sizes === undefined) {
    const module = compile(SIZES) // first: where there is no WebAssembly, its error says so
    sizes = new WebAssembly.Instance(module).exports as unknown as NonNullable<typeof sizes>
  }
  return Number(sizes.sw_region_bytes(rendererToNative, nativeToRenderer))
}
