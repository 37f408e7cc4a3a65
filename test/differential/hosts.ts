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
export function instanceOf(endpoint: Endpoint) {
  const at = layout.SW_INSTANCES_AT + endpoint * layout.SW_INSTANCE_BYTES
  const { producer, consumer, outgoing, incoming } = layout.sw_instance
  return { at, producer: at + producer, consumer: at + consumer, outgoing: at + outgoing, incoming: at + incoming }
}

export const wasmModule = new WebAssembly.Module(readFileSync(new URL('lib/generated/core.wasm', root)))

/** Notes what the core wakes. */
class Wakes {
  #taken: number[] = []

  readonly wake = (doorbell: number, how: number): number => {
    this.#taken.push(doorbell >>> 0, how >>> 0)
    return 1
  }

  readonly take = (): number[] => this.#taken.splice(0)
}

function wasmHost(memory: WebAssembly.Memory, endpoint: Endpoint): Host {
  const wakes = new Wakes()
  const { exports } = new WebAssembly.Instance(wasmModule, {
    env: { memory, wake: wakes.wake, alive: native.alive },
  })
  const stackPointer = exports.__stack_pointer as WebAssembly.Global
  stackPointer.value = instanceOf(endpoint).at + layout.SW_STACK_BYTES
  return { core: exports as unknown as Core, takeWakes: wakes.take }
}

function directHost(directCore: DirectCore, bytes: Uint8Array): Host {
  const wakes = new Wakes()
  return { core: directCore(bytes, wakes.wake), takeWakes: wakes.take }
}

/** A piece of memory on which every host works. */
export class Arena {
  readonly bytes: Uint8Array<SharedArrayBuffer>
  readonly words: Int32Array<SharedArrayBuffer>
  readonly #hosts: Record<HostName, readonly [Host, Host]>

  constructor(readonly pages: number) {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
    const buffer = memory.buffer as unknown as SharedArrayBuffer
    this.bytes = new Uint8Array(buffer)
    this.words = new Int32Array(buffer)
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

  /**
   * What all hosts must agree on: all bytes but the shadow stacks, which native code does not have.
   */
  image(): Buffer {
    const copy = Buffer.from(this.bytes)
    for (const endpoint of ENDPOINTS) {
      const { at } = instanceOf(endpoint)
      copy.fill(0, at, at + layout.SW_STACK_BYTES)
    }
    return copy
  }
}
