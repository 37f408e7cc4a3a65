// What a thread has of a queue: the core's handle, and places for a value that is put and one that
// is taken, in a piece of this thread's arena of handles.
//
//   0     a tag, and the block that the place has got for what is too long for it
//   16    sw_queue_handle
//   128   the value that is put
//   320   the value that is taken
import { sw_queue_handle } from '../generated/abi.js'
import { arenaOf, provideHandles } from '../heap/handle-arena.js'
import type { HeapMember } from '../heap/member.js'
import { Place, type Views, viewsOf } from '../map/values.js'

const TAG = 0x51756575
const BLOCK = 4
const HANDLE = 16
const VALUE = 128
const TAKEN = 320
const END = 512

export class QueueAttachment {
  readonly member: HeapMember
  /** Of the sw_queue_handle. */
  readonly at: number
  readonly views: Views
  readonly value: Place
  /** Where a short value is taken to. */
  readonly taken: number
  readonly room = END - TAKEN
  readonly #piece: number
  readonly #forget: () => void

  /** Errors: as Heap.alloc. */
  constructor(member: HeapMember) {
    this.member = member
    this.#piece = arenaOf(member.region).take()
    this.at = this.#piece + HANDLE
    this.taken = this.#piece + TAKEN
    this.views = viewsOf(member.region.bytes)
    this.value = new Place(member, this.#piece + VALUE, TAKEN - VALUE, this.#piece + BLOCK)
    Atomics.store(member.region.words, this.#piece >>> 2, TAG)
    this.#forget = member.region.onClose(() => this.leave())
  }

  /** Bytes of the value that was taken. */
  get length(): number {
    return this.#word(sw_queue_handle.length)
  }

  /** The block of one that was too long to be copied; or 0. */
  get held(): number {
    return this.#word(sw_queue_handle.held)
  }

  /** Of a queue whose values are acknowledged: which one was taken. */
  get cell(): number {
    return this.#word(sw_queue_handle.cell)
  }

  #word(field: number): number {
    return Atomics.load(this.member.region.words, (this.at + field) >>> 2) >>> 0
  }

  /** Give everything back. */
  leave(): void {
    if (this.member.closed) return
    this.#forget()
    const { core, handle, region } = this.member
    try {
      core.sw_queue_close_handle(this.at, handle)
      this.value.shrink()
      Atomics.store(region.words, this.#piece >>> 2, 0)
      arenaOf(region).give(this.#piece)
    } catch {
      // This thread's memory was overwritten: the blocks stay.
    }
  }
}

/** Attachments of queues that were collected: their memory serves others. */
export const attachments = /* @__PURE__ */ new FinalizationRegistry<QueueAttachment>((attachment) => attachment.leave())

function handleBlocks({ region }: HeapMember, piece: number): number[] {
  const word = (at: number) => Atomics.load(region.words, at >>> 2) >>> 0
  return word(piece) === TAG ? [word(piece + BLOCK), word(piece + HANDLE + sw_queue_handle.held)] : []
}

/** The blocks that handles of all participants have: those of queues are told by their tag. */
export const provideQueueHandles = (): void => provideHandles(handleBlocks)
