// The core on the bytes of one region, hosted natively or as WebAssembly, behind the same names.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { abi } from '../js/support/abi.js'
import { rawAddon, root } from '../js/support/paths.js'

/**
 * The functions of native/codegen/exports.txt. Every pointer is an offset; only 64-bit sizes are
 * bigint.
 */
export type Core = Record<string, (...args: (number | bigint)[]) => number | bigint | undefined>

/**
 * 'native': the native core with its handles in the region, as the wasm core has them; 'addon': the
 * one in the addon, whose handles are private.
 */
export type HostName = 'native' | 'wasm' | 'addon'

export interface Host {
  readonly core: Core
  /** Doorbells rung since the last call, and how: [offset, enum sw_sleep, ...]. */
  takeWakes(): number[]
}

type DirectCore = (bytes: Uint8Array, wake: (doorbell: number, how: number) => number) => Core

interface NativeCore {
  directCore: DirectCore
  nativeObjects(bytes: Uint8Array): Core & { takeWakes(): number[] }
  alive(pid: number, startLow: number, startHigh: number): number
}

/** binding.gyp builds it. Not called .node, so that it is not taken for Sabway's addon. */
const loaded = { exports: {} }
process.dlopen(loaded as NodeJS.Module, fileURLToPath(new URL('build/Release/native_core.addon', root)))
export const native = loaded.exports as NativeCore
const addon = rawAddon() as unknown as { directCore: DirectCore }

/** The participants: endpoints 0 and 1, each with an instance block of its own. */
export const ENDPOINTS = [0, 1] as const
export type Endpoint = (typeof ENDPOINTS)[number]

const layout = abi as typeof abi & { SW_INSTANCES_AT: number; SW_INSTANCE_BYTES: number; SW_STACK_BYTES: number } & {
  sw_instance: { sizeof: number; stack: number; producer: number; consumer: number; outgoing: number; incoming: number }
}

/** Where the fields of an endpoint's instance block lie. */
export function instanceOf(endpoint: number) {
  const at = layout.SW_INSTANCES_AT + endpoint * layout.SW_INSTANCE_BYTES
  const { producer, consumer, outgoing, incoming } = layout.sw_instance
  return { at, producer: at + producer, consumer: at + consumer, outgoing: at + outgoing, incoming: at + incoming }
}

const compiled = (name: string) => new WebAssembly.Module(readFileSync(new URL(`lib/generated/${name}.wasm`, root)))
export const wasmModule = compiled('core')
const objectsModule = compiled('objects')
/** What exports.txt lists below `# objects`. */
export const objectFunctions = WebAssembly.Module.exports(objectsModule)
  .map(({ name }) => name)
  .filter((name) => name.startsWith('sw_'))

/** Notes what the core wakes. */
class Wakes {
  #taken: number[] = []

  readonly wake = (doorbell: number, how: number): number => {
    this.#taken.push(doorbell >>> 0, how >>> 0)
    return 1
  }

  readonly take = (): number[] => this.#taken.splice(0)
}

function wasmHost(memory: WebAssembly.Memory, endpoint: number, modules = [wasmModule]): Host {
  const wakes = new Wakes()
  const cores = modules.map((module) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory, wake: wakes.wake, alive: native.alive } })
    const stackPointer = exports.__stack_pointer as WebAssembly.Global
    stackPointer.value = instanceOf(endpoint).at + layout.SW_STACK_BYTES
    return exports as unknown as Core
  })
  return { core: Object.assign({}, ...cores), takeWakes: wakes.take }
}

function directHost(directCore: DirectCore, bytes: Uint8Array): Host {
  const wakes = new Wakes()
  return { core: directCore(bytes, wakes.wake), takeWakes: wakes.take }
}

/** The core and the objects, natively. */
function nativeObjectsHost(bytes: Uint8Array): Host {
  const core = directHost(native.directCore, bytes)
  const { takeWakes, ...objects } = native.nativeObjects(bytes)
  return { core: { ...core.core, ...objects }, takeWakes: () => [...core.takeWakes(), ...takeWakes()] }
}

/** A piece of memory that native code and WebAssembly use at once. */
class Memory {
  readonly bytes: Uint8Array<SharedArrayBuffer>
  readonly words: Int32Array<SharedArrayBuffer>
  protected readonly memory: WebAssembly.Memory

  constructor(
    readonly pages: number,
    private readonly endpoints: readonly number[],
  ) {
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
    const buffer = this.memory.buffer as unknown as SharedArrayBuffer
    this.bytes = new Uint8Array(buffer)
    this.words = new Int32Array(buffer)
  }

  /**
   * What all hosts must agree on: all bytes but the shadow stacks, which native code does not have.
   */
  image(): Buffer {
    const copy = Buffer.from(this.bytes)
    for (const endpoint of this.endpoints) {
      const { at } = instanceOf(endpoint)
      copy.fill(0, at, at + layout.SW_STACK_BYTES)
    }
    return copy
  }
}

/** A piece of memory on which every host works. */
export class Arena extends Memory {
  readonly #hosts: Record<HostName, readonly [Host, Host]>

  constructor(pages: number) {
    super(pages, ENDPOINTS)
    const { memory } = this
    const onNative = directHost(native.directCore, this.bytes)
    this.#hosts = {
      native: [onNative, onNative],
      wasm: [wasmHost(memory, 0), wasmHost(memory, 1)],
      addon: [directHost(addon.directCore, this.bytes), directHost(addon.directCore, this.bytes)],
    }
  }

  host(name: HostName, endpoint: Endpoint): Host {
    return this.#hosts[name][endpoint]
  }
}

/** Where objects are: a region with a heap. */
export const OBJECT_HOSTS = ['native', 'wasm'] as const
export type ObjectHostName = (typeof OBJECT_HOSTS)[number]

export class ObjectArena extends Memory {
  readonly #hosts: Record<ObjectHostName, readonly Host[]>

  constructor(pages: number, endpoints: readonly number[]) {
    super(pages, endpoints)
    const onNative = nativeObjectsHost(this.bytes)
    this.#hosts = {
      native: endpoints.map(() => onNative),
      wasm: endpoints.map((endpoint) => wasmHost(this.memory, endpoint, [wasmModule, objectsModule])),
    }
  }

  host(name: ObjectHostName, endpoint: number): Host {
    return this.#hosts[name][endpoint]!
  }
}
