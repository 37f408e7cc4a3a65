// The native addon as the library sees it, where there is one: load.ts provides it; no page does.

/** What a WorkerEvent tells: native/napi/events.h says what each kind means. */
export {
  SWI_EVENT_CARRIER_FAILED as CARRIER_FAILED,
  SWI_EVENT_PEER_DIED as PEER_DIED,
  SWI_EVENT_WORKER_EXITED as WORKER_EXITED,
  SWI_EVENT_WORKER_JOINED as WORKER_JOINED,
  SWI_EVENT_WORKER_LOG as WORKER_LOG,
} from '../generated/abi.js'

export interface WorkerEvent {
  worker: number
  kind: number
  /**
   * The log level, why the worker ended or the carrier failed; of a death the dead one's role word
   * and, times 2^32, its roles (bits, by sw_channel_role's numbers).
   */
  number: number
  text: string
}

export interface WorkerStats {
  received: number
  receivedBytes: number
  sent: number
  sentBytes: number
  /** How often the native thread went to sleep in the kernel. */
  parks: number
  /** System calls it has made to wake others. */
  wakes: number
  /** CRC-32C over all that the 'sink' handler has received. */
  crc: number
}

export interface RegionBinding {
  ring(doorbell: number, how: number): void
  park(ticket: number, milliseconds: number): void
  /** Let another thread that is ready have this one's processor. */
  yield(): void
  /**
   * Have rings of the endpoint heard by this thread's event loop. Returns the number that
   * Addon.heard gives them.
   */
  listen(): number
  /**
   * Hear rings of other processes, and of deaths in the channel at that offset. Returns the watch
   * id that PEER_DIED will name.
   */
  watch(channel: number): number
  unwatch(id: number): void
  /**
   * For a private region, after `watch`: start the carrier, which copies the side's messages to and
   * from the shared memory.
   */
  carry?(side: number): void
  /** The first `length` bytes. Absent where a call would cost more than V8's own copy. */
  copyIn?(offset: number, bytes: Uint8Array, length: number): void
  close(): void
}

/** What only the addon's own binding has, and not what a page has of one in its preload script. */
export interface WorkerBinding extends RegionBinding {
  startWorker(options: {
    side: number
    channel: number
    generation: number
    builtin?: string
    plugin?: string
    json: string
    wait: number
  }): number
  stopWorker(id: number): void
  workerStats(id: number): (WorkerStats & { reach: number }) | undefined
}

/** Memory that processes share, held open. */
export interface SharedMemory {
  size(): number
  /** Map it over a whole shared WebAssembly.Memory. */
  overlay(bytes: Uint8Array): void
  /**
   * Where the memory cannot be mapped: copy the channel's shape from it into a private region of
   * the same size, or, with `outward`, from the private region into it.
   */
  mirror(bytes: Uint8Array, outward: boolean): void
  /** Of mirrored memory: is a living participant on the other side? */
  hasPeer(side: number): boolean
  /**
   * Of mirrored memory: the role of a participant that ended without leaving the other side and has
   * no successor, or 0.
   */
  deadPeer(side: number): number
  token(): string
  close(): void
}

/** Called when something has come: events, and `count` rings, as of `takeRings`. */
export type Dispatch = (events: WorkerEvent[] | undefined, count: number) => void

/** A process, as endpoints name it. */
export interface Identity {
  pid: number
  startLow: number
  startHigh: number
}

export interface Addon {
  /** Is this the thread that lives as long as the process? index.ts knows. */
  isMainThread: boolean
  /**
   * Without an endpoint it takes one for this process: `endpoint` of it is the index, or the core's
   * error, and then it is closed. No end of the thread comes between.
   */
  RegionBinding: {
    new (bytes: Uint8Array, endpoint: undefined, away?: SharedMemory): WorkerBinding & { readonly endpoint: number }
    new (bytes: Uint8Array, endpoint: number): WorkerBinding
  }
  SharedMemory: { new (token: string): SharedMemory; new (size: number, name: string | undefined): SharedMemory }
  /**
   * `rings`: where the numbers of the endpoints that were rung are put, from index 1 on. At index 0
   * is 1 when there is something to take.
   */
  setDispatcher(callback: Dispatch, rings: Int32Array): void
  /**
   * Put the numbers of endpoints that were rung into the list, each once, as many as it has room
   * for. Returns how many; with a full list there may be more.
   */
  takeRings(): number
  ref(): void
  unref(): void
  identity(): Identity
  alive(pid: number, startLow: number, startHigh: number): number
  crc32c(bytes: Uint8Array, crc: number): number
  /** Where the first byte is that is not zero; -1 where all are. */
  firstSet(bytes: Uint8Array): number
  /** The core's functions by name, as native code on these bytes. */
  directCore(
    bytes: Uint8Array,
    wake: (doorbell: number, how: number) => number,
  ): Record<string, (...args: unknown[]) => unknown>
  /**
   * Unlike a WeakRef, this keeps the object not even until the job ends in which it was made or
   * asked.
   */
  weakly<T extends object>(object: T): () => T | undefined
  /**
   * Let go of regions and memory that the garbage collector has found, and whose finalizers would
   * run in a later turn. Returns how many there were. With `collect` the collector looks for such
   * first.
   */
  reclaim(collect: boolean): number
  /**
   * Shared by the ESM and the CommonJS copy of this library, when one program has loaded both: the
   * addon exists once.
   */
  shared?: SharedLoop
}

/** What all copies of this library in one thread share of the addon. */
export interface SharedLoop {
  /** One of each copy: takes in events, and runs what is to be run. */
  readonly dispatchers: Set<(events: WorkerEvent[] | undefined) => void>
  readonly rings: Int32Array
  /** By the endpoint's number: what is told of its rings. It keeps no region alive. */
  readonly heard: ({ rung(): void } | undefined)[]
  references: number
}

let provided: Addon | null = null
let missing = 'this build of Sabway has no native addon (it is the browser build)'

export function provideAddon(addon: Addon | null, reason = ''): void {
  provided = addon
  missing = reason
}

export const addon = (): Addon | null => provided

/** Why there is none. */
export const addonMissing = (): string => missing

/** Leads to an object, as long as something else keeps it. */
export type Weakly<T> = () => T | undefined

/**
 * Hold it weakly: with the addon the object can be collected in the middle of a job, without it
 * once the job has ended.
 */
export function weakly<T extends object>(object: T): Weakly<T> {
  if (provided !== null) return provided.weakly(object)
  const reference = new WeakRef(object)
  return () => reference.deref()
}

const nowhere = (): undefined => undefined

/**
 * Leads to an object without keeping it from being collected, once it was loosened. A WeakRef keeps
 * what it leads to until the running code ends, so that an object which is dropped in the same run
 * could not be collected there: until then the object is held in place of that, and the code that
 * makes this one calls `loosen` in a later turn, or `drop`. With the addon neither is needed.
 */
export class LooseRef<T extends object> {
  #held: T | null = null
  #way: Weakly<T> = nowhere

  constructor(object: T) {
    if (provided !== null) this.#way = provided.weakly(object)
    else this.#held = object
  }

  get(): T | undefined {
    return this.#held ?? this.#way()
  }

  loosen(): void {
    if (this.#held === null) return
    this.#way = weakly(this.#held)
    this.#held = null
  }

  /** Lead nowhere from now on. */
  drop(): void {
    this.#held = null
    this.#way = nowhere
  }
}

/** Failures that may be due to what dropped regions still hold. */
const SCARCE = new Set([
  'ERR_SABWAY_SYSTEM',
  'ERR_SABWAY_OUT_OF_MEMORY',
  'ERR_SABWAY_TOO_MANY_FILES',
  'ERR_SABWAY_OVERLAY_REFUSED', // its look at /proc/self/maps takes a descriptor
])

/**
 * Do what takes something that the system can run out of. When that fails, do it once more
 * without the regions that were dropped and whose finalizers have not run yet. `collect`: the
 * failure itself has not made V8 look for such. `act` leaves nothing behind when it throws.
 */
export function reclaiming<T>(act: () => T, collect: boolean): T {
  try {
    return act()
  } catch (error) {
    const { code } = error as { code?: string }
    if (provided === null || (code !== undefined && !SCARCE.has(code))) throw error
    if (provided.reclaim(collect) === 0) throw error
    return act()
  }
}
