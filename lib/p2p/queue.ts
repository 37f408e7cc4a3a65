// Queues of messages between peers, which game engines read and write by offsets. The same in C is
// native/include/sabway/p2p.h; docs/guide/p2p.md has the bytes.
import { isArrayBuffer, isSharedArrayBuffer } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { SW_P2P_TIMED, sw_p2p_header } from '../generated/abi.js'
import { P2PReader } from './reader.js'
import {
  DIRECTIONS,
  OPTION_NAMES,
  type P2PDirection,
  type P2PQueueOptions,
  placesOf,
  type Shape,
  shapeOf,
} from './shape.js'
import type { Memory } from './side.js'
import { P2PWriter } from './writer.js'

/** Where a queue lies in memory that exists. */
export interface P2PAttachOptions extends P2PQueueOptions {
  /** The queue's first byte, a multiple of 4, such as an address in a program's memory. */
  byteOffset?: number
}

/**
 * A queue of messages between peers in each of two directions, or one, for an engine on the other
 * side that knows its bytes.
 *
 *     const queue = new P2PQueue()
 *     const incoming = queue.writer('incoming')
 *     incoming.write('alice', 0, bytes)
 *     queue.reader('outgoing').read((message) => send(message.from, message.copy()))
 */
export class P2PQueue {
  readonly #memory: Memory
  readonly #shape: Shape

  /**
   * Make an empty queue, in memory that is shared where this scope can share memory. Errors:
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE.
   */
  constructor(options?: P2PQueueOptions)
  /** @internal */
  constructor(options: P2PQueueOptions, memory: (shape: Shape) => Memory)
  constructor(options?: P2PQueueOptions, memory?: (shape: Shape) => Memory) {
    this.#shape = shapeOf(check.options(options, 'options', OPTION_NAMES))
    this.#memory = (memory ?? newMemory)(this.#shape)
  }

  /**
   * The queue that lies in `buffer`, which Sabway or an engine made with these options;
   * `timestamps` is what the memory says, unless given. Errors: as the constructor;
   * ERR_SABWAY_INVALID_ARGUMENT: there are too few bytes.
   */
  static attach(buffer: ArrayBuffer | SharedArrayBuffer, options?: P2PAttachOptions): P2PQueue {
    const { byteOffset = 0, ...rest } = check.options(options, 'options', [...OPTION_NAMES, 'byteOffset'])
    const memory = memoryIn(buffer, byteOffset, shapeOf(rest).byteLength)
    // For both directions it is that of the first; their sides look at their own.
    const version = memory.words[sw_p2p_header.version / 4]
    return new P2PQueue({ ...rest, timestamps: rest.timestamps ?? version === SW_P2P_TIMED }, () => memory)
  }

  /** The memory, for an engine. The queue is all of it, or begins at `byteOffset`. */
  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#memory.bytes.buffer
  }

  get byteOffset(): number {
    return this.#memory.bytes.byteOffset
  }

  get byteLength(): number {
    return this.#shape.byteLength
  }

  /** Slots of a direction. One of them stays free. */
  get slots(): number {
    return this.#shape.slots
  }

  get slotBytes(): 512 | 1024 {
    return this.#shape.slotBytes as 512 | 1024
  }

  get timestamps(): boolean {
    return this.#shape.timestamps
  }

  get single(): boolean {
    return this.#shape.single
  }

  /** The most bytes of data in a message. */
  get maxDataBytes(): number {
    return this.#shape.most
  }

  /**
   * Become the writer of a direction, where there is none, or the last one has ended: go on behind
   * what it has written. Errors: ERR_SABWAY_INVALID_ARGUMENT; ERR_SABWAY_LAYOUT_MISMATCH: the queue
   * has, or has no, timestamps; ERR_SABWAY_CORRUPT: it was made with other options, or overwritten.
   */
  writer(direction: P2PDirection): P2PWriter {
    return new P2PWriter(this.#memory, this.#shape, this.#direction(direction))
  }

  /** Become the reader of a direction. Errors: as `writer`. */
  reader(direction: P2PDirection): P2PReader {
    return new P2PReader(this.#memory, this.#shape, this.#direction(direction))
  }

  /** @internal Was its memory transferred, or that of a program that has grown? */
  get isGone(): boolean {
    return this.#memory.words.length === 0
  }

  /** Empty both directions. No side may use them: make new ones. */
  clear(): void {
    format(this.#memory, this.#shape)
  }

  #direction(direction: P2PDirection): number {
    const choices = this.#shape.single ? DIRECTIONS.slice(0, 1) : DIRECTIONS
    return DIRECTIONS.indexOf(check.oneOf(direction, 'direction', choices))
  }
}

function newMemory(shape: Shape): Memory {
  const Buffer = typeof SharedArrayBuffer === 'undefined' ? ArrayBuffer : SharedArrayBuffer
  const memory = memoryAt(new Buffer(shape.byteLength), 0, shape.byteLength)
  format(memory, shape)
  return memory
}

function memoryIn(buffer: unknown, byteOffset: unknown, byteLength: number): Memory {
  if (!isArrayBuffer(buffer) && !isSharedArrayBuffer(buffer)) {
    return check.refuse('ERR_SABWAY_INVALID_TYPE', 'buffer must be a SharedArrayBuffer or an ArrayBuffer', buffer)
  }
  const at = check.integer(byteOffset, 'byteOffset', 0, Number.MAX_SAFE_INTEGER)
  if (at % 4 !== 0) check.refuse('ERR_SABWAY_INVALID_ARGUMENT', 'byteOffset must be a multiple of 4', at)
  if (at + byteLength > buffer.byteLength) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      `a queue with these options has ${byteLength} bytes, and there are ${Math.max(buffer.byteLength - at, 0)}; give the options that it was made with`,
    )
  }
  return memoryAt(buffer, at, byteLength)
}

const memoryAt = (buffer: ArrayBuffer | SharedArrayBuffer, at: number, byteLength: number): Memory => ({
  words: new Int32Array(buffer, at, byteLength / 4),
  bytes: new Uint8Array(buffer, at, byteLength),
})

function format({ words }: Memory, shape: Shape): void {
  words.fill(0)
  for (let direction = 0; direction < (shape.single ? 1 : 2); direction++) {
    const at = placesOf(shape, direction).header + sw_p2p_header.version
    Atomics.store(words, at / 4, shape.version)
  }
}
