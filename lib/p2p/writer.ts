// The side of a direction that writes: native/core/p2p/slots.c.
import { lengthOf, plain } from '../base/brand.js'
import * as check from '../base/check.js'
import { copyIn } from '../base/copy.js'
import { SabwayError } from '../base/errors.js'
import { SW_P2P_SLOT_LARGE, sw_p2p_slot } from '../generated/abi.js'
import { ID_WORDS, idWords } from './ids.js'
import type { Shape } from './shape.js'
import { type Memory, P2PSide } from './side.js'

const HIGH = 2 ** 32
const SMALL = 64

/** Where larger messages are copied first: to shared memory V8 is fast only by words. */
const stage = new Uint8Array(SW_P2P_SLOT_LARGE)
const stageWords = new Int32Array(stage.buffer)

/**
 * Writes messages into one direction of a queue. There is one writer at a time, which may be in any
 * thread or process.
 */
export class P2PWriter {
  readonly #side: P2PSide
  /** The reader's index, as last believed, and the slots that it has not read, at most. */
  #read: number
  #used: number
  #refused = 0
  #lastId = ''
  #lastWords: Int32Array = new Int32Array(ID_WORDS)

  /** @internal */
  constructor(memory: Memory, shape: Shape, direction: number) {
    const side = new P2PSide(memory, shape, direction)
    this.#side = side
    const { words } = side
    side.index = Atomics.load(words, side.writeIndex)
    this.#read = Atomics.load(words, side.readIndex)
    this.#used = side.used(side.index, this.#read, Atomics.load(words, side.messageCount))
    if (!this.repair()) this.repair()
  }

  /** Messages that there was no room for. */
  get refused(): number {
    return this.#refused
  }

  /** Times that the count, which other programs go by, was wrong and was put right. */
  get repaired(): number {
    return this.#side.repaired
  }

  /** Values of the reader's index that cannot be right, and were passed over. */
  get bad(): number {
    return this.#side.bad
  }

  /** How many messages there is room for, at least. */
  get room(): number {
    this.#side.mustHaveMemory()
    this.#believeReader()
    return Math.max(this.#side.slots - 1 - this.#used, 0)
  }

  /**
   * Write a message: true, or false when the queue is full. `from` is an id of at most 32 bytes;
   * `timestamp`, in milliseconds, is for queues with timestamps, and the present unless given.
   * Errors: ERR_SABWAY_MESSAGE_TOO_LARGE; ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT,
   * ERR_SABWAY_OUT_OF_RANGE; ERR_SABWAY_INVALID_STATE: the memory of the queue is gone.
   */
  write(from: string, channel: number, data: Uint8Array, timestamp?: number): boolean {
    check.bytes(data)
    return this.#writePart(from, channel, data, lengthOf(data), timestamp)
  }

  #writePart(from: string, channel: number, data: Uint8Array, length: number, timestamp: number | undefined): boolean {
    const side = this.#side
    const { words, shape } = side
    if (channel >>> 0 !== channel) check.integer(channel, 'channel', 0, HIGH - 1)
    if (length > shape.most) tooLarge(length, shape.most)
    if (from !== this.#lastId) {
      this.#lastWords = idWords(from)
      this.#lastId = from
    }
    side.mustHaveMemory()
    this.#believeReader()
    if (this.#used >= side.slots - 1) return this.#refuse()
    const size = side.slot(side.index)
    const id = this.#lastWords
    let at = size + sw_p2p_slot.message / 4
    for (let i = 0; i < ID_WORDS; i++) words[at + i] = id[i]!
    at += ID_WORDS
    words[at++] = channel
    if (shape.timestamps) {
      const time =
        timestamp === undefined ? Date.now() : check.integer(timestamp, 'timestamp', 0, Number.MAX_SAFE_INTEGER)
      words[at++] = time % HIGH
      words[at++] = time / HIGH
    }
    words[at++] = length
    if (length <= SMALL) copyIn(side.bytes, at * 4, data, length, null, words)
    else copyByWords(side, at, data, length)
    words[size] = shape.headBytes + length
    this.#publish(side)
    return true
  }

  #publish(side: P2PSide): void {
    const { words } = side
    side.index = side.next(side.index)
    Atomics.store(words, side.writeIndex, side.index)
    const before = this.#used++
    if (Atomics.add(words, side.messageCount, 1) !== before) this.repair()
  }

  #refuse(): false {
    this.#refused++
    this.repair()
    return false
  }

  #believeReader(): void {
    const side = this.#side
    const read = Atomics.load(side.words, side.readIndex) >>> 0
    let gone = read < side.slots ? side.distance(this.#read, read) : Number.POSITIVE_INFINITY
    if (gone === 0 && this.#used === side.slots) {
      if (Atomics.load(side.words, side.messageCount) < side.slots >>> 1) gone = side.slots
    }
    if (gone > this.#used) {
      side.bad++
      return
    }
    this.#read = read
    this.#used -= gone
  }

  /**
   * Look at the count, by which other programs read, and put it right when it was wrong in the same
   * way before: true when it was. A program that writes an old count back leaves messages that it
   * does not see; a writer that calls this once a frame shows them to it again.
   */
  repair(): boolean {
    const side = this.#side
    this.#believeReader()
    const used = this.#used
    const { bad } = side
    const count = Atomics.load(side.words, side.messageCount)
    this.#believeReader()
    return used === this.#used && bad === side.bad && side.putRight(count, used)
  }
}

function tooLarge(length: number, most: number): never {
  throw new SabwayError(
    'ERR_SABWAY_MESSAGE_TOO_LARGE',
    `the message has ${length} bytes, and a slot of this queue has room for ${most}; send less at a time, or use larger slots`,
  )
}

function copyByWords(side: P2PSide, at: number, data: Uint8Array, length: number): void {
  try {
    stage.set(data)
  } catch {
    stage.set(plain(data, length)) // it has grown meanwhile
  }
  const { words } = side
  const whole = length >>> 2
  for (let i = 0; i < whole; i++) words[at + i] = stageWords[i]!
  for (let k = length & ~3; k < length; k++) side.bytes[at * 4 + k] = stage[k]!
}
