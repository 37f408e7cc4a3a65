// A buffer of shared memory with a header and a checksum.
//
//   word 0  magic      1  version      2  size       3  flags
//   word 4  checksum   5  used         6, 7  zero
//   byte 32 the data
//
// The checksum is the CRC-32C of the header, with zero in the checksum's place, and of all the
// data. A CRC is linear: bytes that change add a difference that depends on them and on how many
// follow. So a writer adds its own difference by one Atomics.xor, also while others write
// elsewhere.
import { isGone, isSharedArrayBuffer, plain, typedArrayName } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { cloneHint } from '../base/summary.js'
import { difference, PIECE, sum, sumWithZeros } from './checksum.js'

/** What is in front of the data. */
export interface BufferHeader {
  /** Tells such a buffer from other memory: 0x46554253 by default. */
  magic: number
  /** The program's own: which version of what is in the data. 1 by default. */
  version: number
  /** Bytes of data. */
  size: number
  /** The program's own: 32 bits. */
  flags: number
  /** The CRC-32C of header and data. */
  checksum: number
}

const MAGIC = 0x46554253
const HEADER = 32
const [AT_MAGIC, AT_VERSION, AT_SIZE, AT_FLAGS, AT_CHECKSUM, AT_USED] = [0, 1, 2, 3, 4, 5] as const
const NAMES = ['magic', 'version', 'size', 'flags', 'checksum'] as const satisfies readonly (keyof BufferHeader)[]
const LARGEST = 2 ** 32 - 1 - HEADER
const WORD = 2 ** 32 - 1
/** Exchanges of the end of what was written, before it counts as written to by a hostile peer. */
const TRIES = 1000
const HINT = cloneHint('A SharedMemoryBuffer stays in its thread: post its `memory`, and open that there. It')

/** Memory that a buffer is in, or is to be in. */
export type BufferMemory = SharedArrayBuffer | ArrayBufferView

/**
 * Bytes that threads share, and with memory of a region's heap processes too, with a checksum that
 * follows each write: `validateHeader` says whether a bit of it is not as it was written. Any
 * number of threads may write to different bytes at once; those that write to the same exclude each
 * other, by a Mutex for instance, or the checksum is wrong from then on.
 */
export class SharedMemoryBuffer {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = HINT
  /** What another thread opens: `SharedMemoryBuffer.open(memory)`. */
  readonly memory: BufferMemory
  readonly #words: Int32Array
  readonly #whole: Uint8Array
  readonly #data: Uint8Array
  readonly #magic: number

  /**
   * A new buffer with so many bytes of data, in memory of its own; all bytes are zero. Errors:
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_OUT_OF_MEMORY, ERR_SABWAY_UNSUPPORTED: there is no SharedArrayBuffer here.
   */
  constructor(size: number, config?: Partial<BufferHeader>) {
    const made = Place.isPlace(size) ? size : undefined
    if (made !== undefined) {
      this.memory = made.memory
      this.#whole = made.bytes
    } else {
      check.integer(size, 'size', 1, LARGEST)
      const memory = sharedBytes(HEADER + size)
      this.memory = memory
      this.#whole = new Uint8Array(memory)
    }
    const { buffer, byteOffset } = this.#whole
    this.#words = new Int32Array(buffer, byteOffset, HEADER / 4)
    this.#data = this.#whole.subarray(HEADER)
    if (made !== undefined && !made.isNew) {
      this.#magic = this.#word(AT_MAGIC)
      return
    }
    const {
      magic = MAGIC,
      version = 1,
      size: whole = this.#data.length,
      flags = 0,
      checksum,
    } = check.options(config, 'buffer config', NAMES)
    for (const [name, value] of Object.entries({ magic, version, flags })) check.integer(value, name, 0, WORD)
    this.#mustBeSize(whole)
    this.#magic = magic
    this.#words.set([magic, version, this.#data.length, flags, 0, 0, 0, 0])
    const first = sum(this.#whole.subarray(0, HEADER))
    Atomics.store(this.#words, AT_CHECKSUM, sumWithZeros(first, this.#data.length))
    if (checksum !== undefined) this.setHeader({ checksum })
  }

  /**
   * A new buffer in memory that is there, such as `region.heap.allocUI8(n).data`, which processes
   * share: it has all of it, the first 32 bytes for the header. All bytes become zero. Errors: as
   * the constructor; ERR_SABWAY_OUT_OF_RANGE: there is no room for a byte of data, or the memory
   * does not begin at a multiple of 4.
   */
  static over(memory: BufferMemory, config?: Partial<BufferHeader>): SharedMemoryBuffer {
    const place = placeIn(memory, true)
    check.options(config, 'buffer config', NAMES)
    place.bytes.fill(0)
    return new SharedMemoryBuffer(place as never, config)
  }

  /**
   * The buffer that another participant has made in this memory. `expected`: header fields that it
   * must have. Errors: ERR_SABWAY_INVALID_TYPE; ERR_SABWAY_INVALID_ARGUMENT: no buffer is there;
   * ERR_SABWAY_LAYOUT_MISMATCH: it is not as expected.
   */
  static open(memory: BufferMemory, expected?: Partial<BufferHeader>): SharedMemoryBuffer {
    const wanted = check.options(expected, 'expected header', NAMES)
    for (const [name, value] of Object.entries(wanted)) check.integer(value, name, 0, WORD)
    const place = placeIn(memory, false)
    const words = new Uint32Array(place.bytes.buffer, place.bytes.byteOffset, HEADER / 4)
    const [magic, size] = [words[AT_MAGIC]!, words[AT_SIZE]!]
    if (magic !== (wanted.magic ?? MAGIC) || size === 0 || size > place.bytes.length - HEADER)
      throw new SabwayError(
        'ERR_SABWAY_INVALID_ARGUMENT',
        `no SharedMemoryBuffer begins in this memory: its magic is 0x${magic.toString(16)}, its size ${size}; open the \`memory\` of one, and say its magic when that is your own`,
      )
    const opened = new SharedMemoryBuffer(
      new Place(place.memory, place.bytes.subarray(0, HEADER + size), false) as never,
    )
    const header = opened.getHeader()
    for (const [name, value] of Object.entries(wanted) as [keyof BufferHeader, number][]) {
      if (header[name] !== value)
        throw new SabwayError('ERR_SABWAY_LAYOUT_MISMATCH', `the buffer's ${name} is ${header[name]}, not ${value}`)
    }
    return opened
  }

  // ---- the header ----

  /** The header as it is now. */
  getHeader(): BufferHeader {
    return {
      magic: this.#word(AT_MAGIC),
      version: this.#word(AT_VERSION),
      size: this.#word(AT_SIZE),
      flags: this.#word(AT_FLAGS),
      checksum: this.#word(AT_CHECKSUM),
    }
  }

  /**
   * Change fields of the header; the checksum follows, unless it is among them. Errors:
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE; ERR_SABWAY_INVALID_ARGUMENT: the size is that
   * of the memory, and cannot change.
   */
  setHeader(header: Partial<BufferHeader>): void {
    if (header === undefined) check.refuse('ERR_SABWAY_INVALID_TYPE', 'header must be an object', header)
    const { magic, version, size, flags, checksum } = check.options(header, 'header', NAMES)
    for (const [name, value] of Object.entries({ magic, version, flags, checksum }))
      if (value !== undefined) check.integer(value, name, 0, WORD)
    if (size !== undefined) this.#mustBeSize(size)
    if (magic !== undefined && magic !== this.#magic)
      check.refuse('ERR_SABWAY_INVALID_ARGUMENT', `magic is 0x${this.#magic.toString(16)} for good`, magic)
    if (version !== undefined) this.#exchange(AT_VERSION, version)
    if (flags !== undefined) this.#exchange(AT_FLAGS, flags)
    if (checksum !== undefined) Atomics.store(this.#words, AT_CHECKSUM, checksum)
  }

  /**
   * Is the header what a buffer's is, and each bit of header and data as it was written? False also
   * while another thread writes, and behind one that has died while it did: so ask in a quiet
   * moment. Takes as long as reading all of it.
   */
  validateHeader(): boolean {
    const header = this.#whole.slice(0, HEADER)
    const words = new Uint32Array(header.buffer)
    const [magic, size, checksum, used] = [AT_MAGIC, AT_SIZE, AT_CHECKSUM, AT_USED].map((at) => words[at]!)
    if (magic !== this.#magic || size !== this.#data.length || used! > size) return false
    words[AT_CHECKSUM] = 0
    return sum(this.#data, sum(header)) === checksum
  }

  // ---- the data ----

  /**
   * Copy the bytes to the data, from its byte `offset` on. Returns how many. Errors:
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT; ERR_SABWAY_OUT_OF_RANGE: they do not fit
   * there.
   */
  write(data: Uint8Array, offset: number): number {
    const given = givenBytes(data)
    const { length } = given
    check.integer(offset, 'offset', 0, this.#data.length)
    this.#mustFit(offset, length)
    for (let done = 0; done < length; done += PIECE) {
      // a copy: the bytes may be another thread's, too, and what is written is what is summed
      this.#replace(offset + done, given.slice(done, done + PIECE))
    }
    this.#moveEnd((used) => Math.max(used, length === 0 ? 0 : offset + length))
    return length
  }

  /** A copy of so many bytes of the data, from its byte `offset` on. Errors: as `write`. */
  read(offset: number, length: number): Uint8Array {
    check.integer(offset, 'offset', 0, this.#data.length)
    check.integer(length, 'length', 0, LARGEST)
    this.#mustFit(offset, length)
    return this.#data.slice(offset, offset + length)
  }

  /**
   * Make so many bytes zero, from byte `offset` on. When they are the last that were written, there
   * is room again behind `offset`. Errors: as `write`.
   */
  clear(offset: number, length: number): void {
    check.integer(offset, 'offset', 0, this.#data.length)
    check.integer(length, 'length', 0, LARGEST)
    this.#mustFit(offset, length)
    for (let done = 0; done < length; done += PIECE)
      this.#replace(offset + done, new Uint8Array(Math.min(PIECE, length - done)))
    this.#moveEnd((used) => (offset < used && offset + length >= used ? offset : used))
  }

  // ---- how much there is ----

  /** Bytes of data that there is room for. */
  getSize(): number {
    return this.#data.length
  }

  /** Bytes behind the last that was written. */
  getAvailableSpace(): number {
    return this.#data.length - this.#used
  }

  /** Is there no byte behind the last that was written? */
  isFull(): boolean {
    return this.getAvailableSpace() === 0
  }

  /** Was nothing written, or all of it cleared? */
  isEmpty(): boolean {
    return this.#used === 0
  }

  get [Symbol.toStringTag](): string {
    return 'SharedMemoryBuffer'
  }

  toJSON(): { size: number; used: number } {
    return { size: this.#data.length, used: this.#used }
  }

  // ---- words ----

  get #used(): number {
    return Math.min(this.#word(AT_USED), this.#data.length)
  }

  #word(at: number): number {
    return Atomics.load(this.#words, at) >>> 0
  }

  /** At most PIECE bytes. */
  #replace(offset: number, bytes: Uint8Array): void {
    const old = this.#data.slice(offset, offset + bytes.length)
    this.#data.set(bytes, offset)
    this.#add(HEADER + offset, bytes.length, (i) => old[i]! ^ bytes[i]!)
  }

  #exchange(at: number, value: number): void {
    this.#addWord(at, Atomics.exchange(this.#words, at, value) ^ value)
  }

  /** The end of what was written becomes another, at once. */
  #moveEnd(next: (used: number) => number): void {
    for (let tries = 0; tries < TRIES; tries++) {
      const word = this.#word(AT_USED)
      const value = next(Math.min(word, this.#data.length))
      if (value === word) return
      if (Atomics.compareExchange(this.#words, AT_USED, word | 0, value | 0) >>> 0 !== word) continue
      this.#addWord(AT_USED, word ^ value)
      return
    }
    throw new SabwayError('ERR_SABWAY_CORRUPT', "a peer does not stop writing to the buffer's header")
  }

  #addWord(at: number, change: number): void {
    this.#add(4 * at, 4, (i) => change >>> (8 * i))
  }

  #add(at: number, length: number, change: (index: number) => number): void {
    Atomics.xor(this.#words, AT_CHECKSUM, difference(length, change, this.#whole.length - at - length))
  }

  #mustBeSize(size: number): void {
    if (check.integer(size, 'size', 0, WORD) === this.#data.length) return
    check.refuse('ERR_SABWAY_INVALID_ARGUMENT', `size is ${this.#data.length} for good`, size)
  }

  #mustFit(offset: number, length: number): void {
    const room = this.#data.length - offset
    if (length <= room) return
    throw new SabwayError(
      'ERR_SABWAY_OUT_OF_RANGE',
      `${length} bytes from byte ${offset} on are more than the ${room} that there are; the buffer has ${this.#data.length}`,
    )
  }
}

/** Where a buffer is, or is to be. */
class Place {
  readonly memory: BufferMemory
  readonly bytes: Uint8Array
  readonly isNew: boolean
  readonly #isPlace = true

  constructor(memory: BufferMemory, bytes: Uint8Array, isNew: boolean) {
    this.memory = memory
    this.bytes = bytes
    this.isNew = isNew
  }

  /** Asks no code of the value's. */
  static isPlace(value: unknown): value is Place {
    return typeof value === 'object' && value !== null && #isPlace in value
  }
}

/** The bytes that a call was given, as a plain array. Errors: ERR_SABWAY_INVALID_TYPE,
 * ERR_SABWAY_INVALID_ARGUMENT: their memory was transferred away. */
export function givenBytes(data: unknown): Uint8Array {
  check.bytes(data)
  if (!isGone(data)) return plain(data)
  return check.refuse('ERR_SABWAY_INVALID_ARGUMENT', 'data must have memory, which was not transferred away', data)
}

function placeIn(memory: unknown, isNew: boolean): Place {
  const bytes = isSharedArrayBuffer(memory)
    ? new Uint8Array(memory)
    : typedArrayName(memory) !== undefined
      ? viewed(memory as Uint8Array)
      : check.refuse(
          'ERR_SABWAY_INVALID_TYPE',
          'memory must be a SharedArrayBuffer, or a typed array over shared memory',
          memory,
        )
  if (bytes.byteOffset % 4 !== 0)
    check.refuse('ERR_SABWAY_OUT_OF_RANGE', 'memory must begin at a multiple of 4', bytes.byteOffset)
  if (bytes.length <= HEADER)
    check.refuse('ERR_SABWAY_OUT_OF_RANGE', `memory must have more than ${HEADER} bytes`, bytes.length)
  return new Place(memory as BufferMemory, bytes, isNew)
}

const viewed = (array: Uint8Array): Uint8Array =>
  check.reading('memory', () => new Uint8Array(array.buffer, array.byteOffset, array.byteLength))

/** Errors: ERR_SABWAY_OUT_OF_MEMORY, ERR_SABWAY_UNSUPPORTED. */
export function sharedBytes(size: number): SharedArrayBuffer {
  if (typeof SharedArrayBuffer === 'undefined')
    throw new SabwayError(
      'ERR_SABWAY_UNSUPPORTED',
      'there is no SharedArrayBuffer here; a page must be cross-origin isolated (docs/guide/browsers.md)',
    )
  try {
    return new SharedArrayBuffer(size)
  } catch (cause) {
    throw new SabwayError('ERR_SABWAY_OUT_OF_MEMORY', `a buffer of ${size} bytes`, { cause })
  }
}
