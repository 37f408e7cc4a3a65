// Shared buffers by names, in one thread: what there is of them, and what was forgotten.
import { isSharedArrayBuffer } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { every, LONGEST_INTERVAL_MS } from '../base/every.js'
import { now, type Timer } from '../base/host.js'
import { cloneHint } from '../base/summary.js'
import type { Codec } from '../codec/codec.js'
import { type CodingOptions, codecOf } from '../codec/options.js'
import { givenBytes, sharedBytes } from './buffer.js'

/**
 * With `enableCompression` and `enableEncryption`, and the options that belong to them, what
 * `copyToBuffer` writes is compressed and encrypted.
 */
export interface SharedMemoryConfig extends Omit<CodingOptions<Uint8Array>, 'codec'> {
  /** Bytes of a buffer where `createBuffer` is not told, and the most of one: 1 MiB by default. */
  bufferSize: number
  /** How many buffers there may be at one time: 100 by default. */
  maxBuffers: number
  /**
   * Milliseconds between two calls of `cleanup` by the manager itself: a minute by default;
   * Infinity: none. The process is not kept alive for them.
   */
  cleanupInterval: number
  /** Told by `cleanup` of buffers that the program seems to have forgotten. */
  onLeak: (leak: BufferLeak) => void
}

/** A buffer that was not released, and not asked for between two cleanups. */
export interface BufferLeak {
  readonly name: string
  readonly size: number
  /** Milliseconds since it was created, and since the manager last had to do with it. */
  readonly age: number
  readonly idle: number
  /** It had no name, this thread has dropped it, and the manager forgets it with this. */
  readonly collected: boolean
}

interface Entry {
  readonly size: number
  readonly isNamed: boolean
  readonly created: number
  used: number
  /** `used`, when the last cleanup looked. */
  seen: number | undefined
  reported: boolean
  buffer: SharedArrayBuffer | undefined
  weakly: WeakRef<SharedArrayBuffer> | undefined
}

const NAMES = [
  'bufferSize',
  'maxBuffers',
  'cleanupInterval',
  'onLeak',
  'enableCompression',
  'compressionThreshold',
  'compressionLevel',
  'enableEncryption',
  'encryptionKey',
  'encryptionContext',
] as const satisfies readonly (keyof SharedMemoryConfig)[]
const LARGEST = 2 ** 32 - 1
const LONGEST_NAME = 200
const HINT = cloneHint('A SharedMemoryManager stays in its thread: post the buffers. It')

/**
 * Buffers of shared memory by their names, in this thread. A buffer reaches another thread by
 * postMessage, which shares it and copies nothing; another process by a region (see the guide).
 */
export class SharedMemoryManager {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = HINT
  readonly #entries = new Map<string, Entry>()
  readonly #names = new WeakMap<SharedArrayBuffer, string>()
  readonly #bufferSize: number
  readonly #maxBuffers: number
  readonly #codec: Codec<Uint8Array> | null
  readonly #onLeak: ((leak: BufferLeak) => void) | undefined
  readonly #timer: Timer
  /** Buffers that were collected, which no cleanup has told of yet. */
  #lost: BufferLeak[] = []
  #closed = false
  #number = 0

  /**
   * Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE; as
   * codecOf; ERR_SABWAY_UNSUPPORTED: there are no timers here, and `cleanupInterval` is not
   * Infinity.
   */
  constructor(config?: Partial<SharedMemoryConfig>) {
    const {
      bufferSize = 2 ** 20,
      maxBuffers = 100,
      cleanupInterval = 60_000,
      onLeak,
      ...coding
    } = check.options(config, 'manager config', NAMES)
    const codec = codecOf<Uint8Array>({ ...coding, codec: 'bytes' })
    this.#codec = typeof codec === 'object' ? codec : null
    this.#bufferSize = check.integer(bufferSize, 'bufferSize', 1, LARGEST)
    this.#maxBuffers = check.integer(maxBuffers, 'maxBuffers', 1, LARGEST)
    if (onLeak !== undefined) check.callback(onLeak, 'onLeak')
    this.#onLeak = onLeak
    this.#timer = every(this, interval(cleanupInterval), (manager) => manager.cleanup())
  }

  // ---- buffers ----

  /**
   * A new buffer, all zeros. Without a name it gets one, and the manager does not keep it from
   * being collected behind its first cleanup. Errors: ERR_SABWAY_INVALID_TYPE,
   * ERR_SABWAY_OUT_OF_RANGE: more than `bufferSize`; ERR_SABWAY_NAME_TAKEN,
   * ERR_SABWAY_TOO_MANY_BUFFERS, ERR_SABWAY_OUT_OF_MEMORY, ERR_SABWAY_CLOSED.
   */
  createBuffer(size: number = this.#bufferSize, name?: string): SharedArrayBuffer {
    this.#mustBeOpen()
    check.integer(size, 'size', 1, this.#bufferSize)
    if (name !== undefined) check.text(name, 'name', LONGEST_NAME)
    this.#forgetCollected()
    if (name !== undefined && this.#entries.has(name))
      throw new SabwayError('ERR_SABWAY_NAME_TAKEN', `${check.shown(name)}; release that buffer first, or get it`)
    if (this.#entries.size >= this.#maxBuffers)
      throw new SabwayError(
        'ERR_SABWAY_TOO_MANY_BUFFERS',
        `${this.#maxBuffers}, as maxBuffers says; release some, or raise it`,
      )
    const called = name ?? this.#unusedName()
    const buffer = sharedBytes(size)
    const created = now()
    this.#entries.set(called, {
      size,
      isNamed: name !== undefined,
      created,
      used: created,
      seen: undefined,
      reported: false,
      buffer,
      weakly: undefined,
    })
    this.#names.set(buffer, called)
    return buffer
  }

  /** The buffer of that name, or undefined. Errors: ERR_SABWAY_INVALID_TYPE. */
  getBuffer(name: string): SharedArrayBuffer | undefined {
    const entry = this.#entries.get(checkedName(name))
    const buffer = entry === undefined ? undefined : bufferOf(entry)
    if (entry !== undefined && buffer !== undefined) this.#touch(entry)
    return buffer
  }

  /**
   * Forget the buffer of that name: true, or false when there is none. Its memory is given back
   * when no thread has it any more. Errors: ERR_SABWAY_INVALID_TYPE.
   */
  releaseBuffer(name: string): boolean {
    return this.#entries.delete(checkedName(name))
  }

  /** The names of all buffers, in the order in which they were created. */
  listBuffers(): string[] {
    this.#forgetCollected()
    return [...this.#entries.keys()]
  }

  // ---- memory ----

  /**
   * Copy the bytes into a buffer, from its byte `offset` on. Returns how many bytes of the buffer
   * they take: with compression or encryption others than they have. Any shared buffer will do.
   * Errors: ERR_SABWAY_INVALID_TYPE; ERR_SABWAY_OUT_OF_RANGE: they do not fit there, and nothing
   * was copied; ERR_SABWAY_NOT_ENCODABLE: they are too many to compress.
   */
  copyToBuffer(data: Uint8Array, buffer: SharedArrayBuffer, offset: number): number {
    const given = givenBytes(data)
    const bytes = this.#codec === null ? given : this.#codec.encode(given, placeAt(offset))
    this.#place(buffer, offset, bytes.length).set(bytes)
    return bytes.length
  }

  /**
   * A copy of so many bytes of a buffer, from its byte `offset` on; with compression or encryption
   * what `copyToBuffer` was given, which it has written there as so many bytes. Errors: as
   * `copyToBuffer`; ERR_SABWAY_NOT_COMPRESSED, ERR_SABWAY_EXPANDS_TOO_MUCH, ERR_SABWAY_FORGED.
   */
  copyFromBuffer(buffer: SharedArrayBuffer, offset: number, length: number): Uint8Array {
    check.integer(length, 'length', 0, LARGEST)
    const bytes = this.#place(buffer, offset, length).slice()
    return this.#codec === null ? bytes : this.#codec.decode(bytes, placeAt(offset))
  }

  /**
   * Bytes: `total`, that there may be at one time; `used`, of the buffers that there are, of which
   * there are `buffers`.
   */
  getMemoryUsage(): { total: number; used: number; buffers: number } {
    this.#forgetCollected()
    let used = 0
    for (const { size } of this.#entries.values()) used += size
    return { total: this.#maxBuffers * this.#bufferSize, used, buffers: this.#entries.size }
  }

  // ---- what was forgotten ----

  /**
   * Forget buffers without a name that were collected, let those that are there be collected, and
   * tell `onLeak` of each that was not released and not asked for since the last cleanup: once,
   * until it is asked for again. A buffer with a name stays until it is released.
   */
  cleanup(): void {
    this.#forgetCollected()
    const leaks = this.#lost
    this.#lost = []
    for (const [name, entry] of this.#entries) {
      if (!entry.isNamed && entry.buffer !== undefined && typeof WeakRef !== 'undefined') {
        entry.weakly = new WeakRef(entry.buffer)
        entry.buffer = undefined
      }
      if (entry.seen === entry.used && !entry.reported) {
        entry.reported = true
        leaks.push(leakOf(name, entry, false))
      }
      entry.seen = entry.used
    }
    for (const leak of leaks) this.#onLeak?.(leak)
  }

  /** The buffers that `cleanup` has told of, and that are still there. */
  getLeaks(): BufferLeak[] {
    return [...this.#entries].filter(([, entry]) => entry.reported).map(([name, entry]) => leakOf(name, entry, false))
  }

  /** Release all buffers, and end the cleanups. */
  close(): void {
    this.#closed = true
    this.#timer.cancel()
    this.#entries.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  get [Symbol.toStringTag](): string {
    return 'SharedMemoryManager'
  }

  toJSON(): { total: number; used: number; buffers: number } {
    return this.getMemoryUsage()
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new SabwayError('ERR_SABWAY_CLOSED', 'this manager was closed; make another')
  }

  #unusedName(): string {
    let name: string
    do name = `buffer-${++this.#number}`
    while (this.#entries.has(name))
    return name
  }

  #touch(entry: Entry): void {
    entry.used = now()
    entry.seen = undefined
    entry.reported = false
  }

  #place(buffer: unknown, offset: unknown, length: number): Uint8Array {
    if (!isSharedArrayBuffer(buffer))
      check.refuse('ERR_SABWAY_INVALID_TYPE', 'buffer must be a SharedArrayBuffer', buffer)
    const size = buffer.byteLength
    const at = check.integer(offset, 'offset', 0, size)
    if (length > size - at)
      throw new SabwayError(
        'ERR_SABWAY_OUT_OF_RANGE',
        `${length} bytes from byte ${at} on do not fit in the buffer, which has ${size}`,
      )
    const entry = this.#entries.get(this.#names.get(buffer) ?? '')
    if (entry !== undefined && bufferOf(entry) === buffer) this.#touch(entry)
    return new Uint8Array(buffer, at, length)
  }

  #forgetCollected(): void {
    for (const [name, entry] of this.#entries) {
      if (bufferOf(entry) !== undefined) continue
      this.#entries.delete(name)
      this.#lost.push(leakOf(name, entry, true))
    }
  }
}

/** What is encrypted for one place is refused at another. */
const placeAt = (offset: number): string => `byte ${offset}`

const bufferOf = (entry: Entry): SharedArrayBuffer | undefined => entry.buffer ?? entry.weakly?.deref()

function leakOf(name: string, { size, created, used }: Entry, collected: boolean): BufferLeak {
  const time = now()
  return { name, size, age: time - created, idle: time - used, collected }
}

function checkedName(name: unknown): string {
  return typeof name === 'string' ? name : check.refuse('ERR_SABWAY_INVALID_TYPE', 'name must be a string', name)
}

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE. */
export function interval(value: unknown): number {
  if (value === Number.POSITIVE_INFINITY) return value
  return check.integer(value, 'cleanupInterval', 1, LONGEST_INTERVAL_MS)
}
