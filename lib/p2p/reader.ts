// The side of a direction that reads: native/core/p2p/slots.c.
import * as check from '../base/check.js'
import { copyPooled } from '../base/copy-pooled.js'
import { SabwayError } from '../base/errors.js'
import { SW_P2P_SLOT_LARGE, sw_p2p_slot } from '../generated/abi.js'
import { ID_WORDS, idText } from './ids.js'
import type { Shape } from './shape.js'
import { type Memory, P2PSide } from './side.js'

const HIGH = 2 ** 32

/**
 * What is copied comes here first, by words: data begin where other copies out of shared memory are
 * slow.
 */
const stage = new Uint8Array(SW_P2P_SLOT_LARGE)
const stageWords = new Int32Array(stage.buffer)

/** A message of its own. */
export interface P2PMessage {
  /** The id of the peer that it is from, or for, as it stands there. */
  readonly from: string
  readonly channel: number
  /** Milliseconds since 1970 in queues with timestamps; otherwise 0. */
  readonly timestamp: number
  readonly data: Uint8Array
}

/**
 * The message that a reader is at, in place: one object for all of them, which has another's values
 * after the callback. What another program writes there meanwhile is seen: copy what is to be read
 * twice.
 */
export class P2PMessageView implements P2PMessage {
  readonly #side: P2PSide
  /** Where the message begins, as the index of a word. */
  #at = 0
  channel = 0
  timestamp = 0
  /** Bytes of the data. */
  length = 0

  /** @internal */
  constructor(side: P2PSide) {
    this.#side = side
  }

  /** @internal Is what lies in the slot a message? Each word is read once. */
  show(at: number): boolean {
    const { words, shape } = this.#side
    const size = words[at]! >>> 0
    if (size < shape.headBytes || size > shape.slotBytes - sw_p2p_slot.message) return false
    this.#at = at + sw_p2p_slot.message / 4
    let word = this.#at + ID_WORDS
    this.channel = words[word++]! >>> 0
    this.timestamp = 0
    if (shape.timestamps) {
      this.timestamp = words[word++]! >>> 0
      this.timestamp += (words[word++]! >>> 0) * HIGH
    }
    this.length = words[word]! >>> 0
    return this.length <= size - shape.headBytes
  }

  /** Its text is made when it is asked for, and remembered for the next message of that peer. */
  get from(): string {
    return idText(this.#side.words, this.#at)
  }

  /** Where the data begin in `buffer`, in bytes. */
  get byteOffset(): number {
    return this.#side.bytes.byteOffset + this.#start
  }

  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#side.bytes.buffer
  }

  /** A view of the data where they lie. */
  get data(): Uint8Array {
    return this.#side.bytes.subarray(this.#start, this.#start + this.length)
  }

  /** A copy of the data, whose ArrayBuffer has others, too. */
  copy(): Uint8Array {
    const { words } = this.#side
    const { length } = this
    let from = this.#start >>> 2
    for (let i = 0; i < length; i += 4) stageWords[i >>> 2] = words[from++]!
    return copyPooled(stage, 0, length, stageWords)
  }

  get #start(): number {
    return this.#at * 4 + this.#side.shape.headBytes
  }

  /** @internal */
  toMessage(): P2PMessage {
    return { from: this.from, channel: this.channel, timestamp: this.timestamp, data: this.copy() }
  }
}

/**
 * Reads the messages of one direction of a queue. There is one reader at a time, which may be in
 * any thread or process.
 */
export class P2PReader {
  readonly #side: P2PSide
  readonly #view: P2PMessageView
  /** The writer's index, as last seen. */
  #write = 0
  #skipped = 0
  /** `visit` is being called. */
  #reads = false

  /** @internal */
  constructor(memory: Memory, shape: Shape, direction: number) {
    this.#side = new P2PSide(memory, shape, direction)
    this.#view = new P2PMessageView(this.#side)
    this.#side.index = Atomics.load(this.#side.words, this.#side.readIndex)
    if (!this.repair()) this.repair()
  }

  /** Messages of wrong sizes, which were passed over. */
  get skipped(): number {
    return this.#skipped
  }

  /** Times that the count, which other programs go by, was wrong and was put right. */
  get repaired(): number {
    return this.#side.repaired
  }

  /** Values of the writer's index that cannot be right, and were passed over. */
  get bad(): number {
    return this.#side.bad
  }

  /** How many messages are there, at least. */
  get pending(): number {
    this.#side.mustHaveMemory()
    return this.#look()
  }

  /**
   * Give the messages that are there to `visit`, in place, up to `most` of them: how many. One is
   * read when `visit` returns or throws; it is the last one when that returns false. Errors:
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE; ERR_SABWAY_INVALID_STATE: the memory is gone,
   * or `visit` reads, too; what `visit` throws.
   */
  read(visit: (message: P2PMessageView) => unknown, most = Number.POSITIVE_INFINITY): number {
    check.callback(visit, 'visit')
    check.count(most, 'most')
    return this.#read(visit, most)
  }

  /** Copies of the messages that are there, up to `most` of them. Errors: as `read`. */
  take(most = Number.POSITIVE_INFINITY): P2PMessage[] {
    const messages: P2PMessage[] = []
    this.read((message) => void messages.push(message.toMessage()), most)
    return messages
  }

  #read(visit: (message: P2PMessageView) => unknown, most: number): number {
    const side = this.#side
    side.mustHaveMemory()
    if (this.#reads) {
      throw new SabwayError(
        'ERR_SABWAY_INVALID_STATE',
        'the reader was called within its callback; the messages that follow come to that callback, return from it first',
      )
    }
    let count = 0
    // More than that is not there at once: a writer may be as fast as this.
    for (let i = 0; i < side.slots && count < most; i++) {
      if (this.#look() === 0) {
        this.repair()
        break
      }
      if (!this.#view.show(side.slot(side.index))) {
        this.#skipped++
        this.#release(side)
        continue
      }
      count++
      let goesOn: unknown
      this.#reads = true
      try {
        goesOn = visit(this.#view)
      } finally {
        this.#reads = false
        this.#release(side)
      }
      if (goesOn === false) break
    }
    return count
  }

  #look(): number {
    const side = this.#side
    const write = Atomics.load(side.words, side.writeIndex) >>> 0
    if (write >= side.slots) {
      side.bad++
      return 0
    }
    this.#write = write
    if (write !== side.index) return side.distance(side.index, write)
    return side.isFull(write, Atomics.load(side.words, side.messageCount)) ? side.slots : 0
  }

  #release(side: P2PSide): void {
    const { words } = side
    const used = side.distance(side.index, this.#write)
    words[side.slot(side.index)] = 0
    side.index = side.next(side.index)
    Atomics.store(words, side.readIndex, side.index)
    if (Atomics.sub(words, side.messageCount, 1) !== (used === 0 ? side.slots : used)) this.repair()
  }

  /**
   * Look at the count, by which other programs write, and put it right when it was wrong in the
   * same way before: true when it was.
   */
  repair(): boolean {
    const side = this.#side
    const before = Atomics.load(side.words, side.writeIndex)
    const count = Atomics.load(side.words, side.messageCount)
    const after = Atomics.load(side.words, side.writeIndex) >>> 0
    if (before >>> 0 !== after || after >= side.slots) return false
    return side.putRight(count, side.used(after, side.index, count))
  }
}
