// One direction of a queue, as its writer and its reader have it. What they do, and in which order,
// is native/core/p2p/slots.c, whose names these are.
import { SabwayError } from '../base/errors.js'
import { sw_p2p_header, sw_p2p_slot } from '../generated/abi.js'
import { placesOf, type Shape } from './shape.js'

/** The memory of a queue, from its first byte to its last. */
export interface Memory {
  readonly words: Int32Array
  readonly bytes: Uint8Array
}

/** @internal */
export class P2PSide {
  readonly words: Int32Array
  readonly bytes: Uint8Array
  readonly shape: Shape
  readonly slots: number
  readonly slotWords: number
  /** Indices of words: of the header's, and of the first slot's size. */
  readonly writeIndex: number
  readonly readIndex: number
  readonly messageCount: number
  readonly firstSlot: number
  /** The slot that this side is at. */
  index = 0
  drift = 0
  bad = 0
  repaired = 0

  constructor(memory: Memory, shape: Shape, direction: number) {
    const { header, slots } = placesOf(shape, direction)
    this.words = memory.words
    this.bytes = memory.bytes
    this.shape = shape
    this.slots = shape.slots
    this.slotWords = shape.slotBytes / 4
    this.writeIndex = (header + sw_p2p_header.write_index) / 4
    this.readIndex = (header + sw_p2p_header.read_index) / 4
    this.messageCount = (header + sw_p2p_header.message_count) / 4
    this.firstSlot = (slots + sw_p2p_slot.size) / 4
    this.#verify((header + sw_p2p_header.version) / 4)
  }

  #verify(at: number): void {
    const { words, shape, slots } = this
    const version = Atomics.load(words, at) >>> 0
    if (version !== 0 && version !== shape.version) {
      throw new SabwayError(
        'ERR_SABWAY_LAYOUT_MISMATCH',
        `the queue's version is ${version}, expected ${shape.version}; open it with { timestamps: ${!shape.timestamps} }, or make it anew`,
      )
    }
    const write = Atomics.load(words, this.writeIndex) >>> 0
    const read = Atomics.load(words, this.readIndex) >>> 0
    if (write < slots && read < slots) return
    throw new SabwayError(
      'ERR_SABWAY_CORRUPT',
      `the indices are ${write} and ${read}, expected less than ${slots} slots; open it with the options that it was made with, or make it anew`,
    )
  }

  /** Where the size of the slot stands, as the index of a word. */
  slot(index: number): number {
    return this.firstSlot + index * this.slotWords
  }

  next(index: number): number {
    return index + 1 === this.slots ? 0 : index + 1
  }

  distance(from: number, to: number): number {
    return to >= from ? to - from : to + this.slots - from
  }

  isFull(index: number, count: number): boolean {
    const last = (index === 0 ? this.slots : index) - 1
    return count >= this.slots >>> 1 && Atomics.load(this.words, this.slot(last)) !== 0
  }

  used(write: number, read: number, count: number): number {
    if (write !== read) return this.distance(read, write)
    return this.isFull(read, count) ? this.slots : 0
  }

  putRight(count: number, used: number): boolean {
    const drift = (count - used) | 0
    const again = drift === this.drift
    this.drift = drift
    if (drift === 0 || !again) return false
    this.drift = 0
    if (Atomics.compareExchange(this.words, this.messageCount, count, used) !== count) return false
    this.repaired++
    return true
  }

  /** The memory of a WebAssembly program that has grown is another buffer. */
  mustHaveMemory(): void {
    if (this.words.length !== 0) return
    throw new SabwayError(
      'ERR_SABWAY_INVALID_STATE',
      'the memory of the queue is gone: it was transferred, or its WebAssembly.Memory has grown; attach to the new buffer',
    )
  }
}
