// What all locks and signals have in common: see native/core/sync. Each is an object of a heap;
// this
// thread waits for it through lib/loop/waits.ts.
import * as check from '../base/check.js'
import { coreError, SabwayError } from '../base/errors.js'
import { OBJECT_ERRORS, SW_SYNC_BYTES } from '../generated/abi.js'
import type { Heap } from '../heap/heap.js'
import { HeapObject, type ObjectHome, provideObject, type SharedObjectMemory } from '../heap/heap-object.js'
import type { HeapMember } from '../heap/member.js'
import type { SharedAllocatedMemory } from '../heap/pointer.js'
import { NOTHING } from '../loop/block.js'
import { WaitSet, type WaitSource } from '../loop/waits.js'
import { Region } from '../region/region.js'

export const BUSY = OBJECT_ERRORS.ERR_SABWAY_BUSY.number
export const OWNER_DIED = OBJECT_ERRORS.ERR_SABWAY_OWNER_DIED.number

/** How long a call waits that blocks its thread. */
export interface BlockOptions {
  /** Milliseconds, Infinity by default: then ERR_SABWAY_TIMEOUT. 0: never waits. */
  timeout?: number
}

/** How long a call waits, and what ends the waiting. */
export type WaitingOptions = check.Patience

/** What a lock or signal is opened with: what another's getSharedMemory() gave, or its pointer. */
export type SharedPlace = SharedObjectMemory | SharedAllocatedMemory | number

export const blockTimeout = (options: BlockOptions | undefined): number => {
  const { timeout = Number.POSITIVE_INFINITY } = check.options(options, 'wait options', ['timeout'])
  return check.milliseconds(timeout, 'timeout')
}
export const patienceOf = (options: WaitingOptions | undefined): WaitingOptions =>
  check.patience(options, 'wait options')

/** How a call waits for one of these. */
export interface SyncWait<T> {
  /** The waits word: 1 of readers, else 0. */
  which?: number
  take(): T | typeof NOTHING
  /** When no call of this thread waits any more, besides the core's own. */
  end?(): void
}

/** One object of this kind, as its class calls the core. */
export class SyncCalls {
  readonly core: HeapMember['core']
  readonly hot: HeapMember['hot']
  readonly handle: number
  readonly at: number
  readonly generation: number
  readonly member: HeapMember
  readonly #name: string
  readonly #type: number
  readonly #set: WaitSet

  constructor(object: SyncObject, name: string, type: number) {
    const { region } = object.member
    if (!Region.isRegion(region)) throw new SabwayError('ERR_SABWAY_INVALID_TYPE', 'the heap is not of a Region')
    this.member = object.member
    this.core = object.member.core
    this.hot = object.member.hot
    this.handle = object.member.handle
    this.at = object.pointer
    this.generation = object.generation
    this.#name = name
    this.#type = type
    this.#set = WaitSet.of(region)
  }

  error(status: number, what = `the ${this.#name} at ${this.at}`): SabwayError {
    return coreError(status, what)
  }

  /** The core's answer, when it is no error. */
  ok(status: number, what?: string): number {
    if (status < 0) throw this.error(status, what)
    return status
  }

  /** Of a call that may find the object's lock taken for a moment. */
  until(call: () => number): number {
    this.member.mustBeOpen()
    return this.member.until(call)
  }

  /** Block this thread until `take` gives something. Errors: ERR_SABWAY_TIMEOUT. */
  block<T>(wait: SyncWait<T>, timeout: number): T {
    const taken = wait.take()
    if (taken !== NOTHING) return taken
    const late =
      timeout === 0 ? NOTHING : this.#set.block(this.#key(wait.which), this.#source(wait), wait.take, timeout)
    if (late !== NOTHING) return late
    throw this.timedOut(timeout)
  }

  /** As soon as this call's turn has come. */
  wait<T>(wait: SyncWait<T>, patience: WaitingOptions): Promise<T> {
    return this.#set.wait(this.#key(wait.which), {
      ...patience,
      source: this.#source(wait),
      take: wait.take,
      timedOut: (timeout) => this.timedOut(timeout),
    })
  }

  /** This thread has done what may let its own calls go on. */
  nudge(): void {
    this.#set.nudge()
  }

  timedOut(timeout: number): SabwayError {
    return new SabwayError('ERR_SABWAY_TIMEOUT', `the ${this.#name} did not let this call go on within ${timeout} ms`)
  }

  #key(which = 0): string {
    return `${this.at}:${this.generation}:${which}`
  }

  #source<T>({ which = 0, end }: SyncWait<T>): WaitSource {
    const { core, handle, at, generation } = this
    return {
      begin: () => void core.sw_sync_begin_wait(handle, at, this.#type, generation, which),
      end: () => {
        core.sw_sync_end_wait(handle, at, this.#type, generation, which)
        end?.()
      },
    }
  }
}

/** How one is made: see sw_sync_new. */
export interface SyncShape {
  limit?: number
  initial?: number
  options?: number
}

/** A lock or signal of a heap, as this thread has it. */
export abstract class SyncObject extends HeapObject {
  /** @internal */ readonly calls: SyncCalls
  readonly #kind: number

  /** @internal `shape` reads what `given` has, where that is options. */
  constructor(home: ObjectHome, given: unknown, name: string, type: number, shape: () => SyncShape) {
    super(home, given, type, (member) => {
      const { limit = 0, initial = 0, options = 0 } = shape()
      return member.make(SW_SYNC_BYTES, () => member.core.sw_sync_new(member.handle, type, limit, initial, options))
    })
    this.#kind = type
    this.calls = new SyncCalls(this, name, type)
  }

  /** @internal */
  release(): number {
    const status = this.member.core.sw_sync_free(this.member.handle, this.pointer, this.#kind, this.generation)
    this.calls.nudge()
    return status
  }
}

/** Let the objects of a class have names. */
export function provideSync<T extends SyncObject>(
  type: number,
  name: string,
  open: (heap: Heap, shared: SharedObjectMemory) => T,
): void {
  provideObject<T>({ type, name, open, blocks: () => [] })
}

/** State that this thread has of an object, which all its instances here share. */
export class ThreadStates<S> {
  readonly #all = new WeakMap<object, Map<number, { generation: number; state: S }>>()
  readonly #make: () => S

  constructor(make: () => S) {
    this.#make = make
  }

  /** A later object in the same place has a state of its own, in place of this. */
  of({ member, pointer, generation }: SyncObject): S {
    let places = this.#all.get(member)
    if (places === undefined) {
      places = new Map()
      this.#all.set(member, places)
    }
    let found = places.get(pointer)
    if (found === undefined || found.generation !== generation) {
      found = { generation, state: this.#make() }
      places.set(pointer, found)
    }
    return found.state
  }
}
