// What a thread has of a map: the core's handle, and places for a key and two values, in a piece of
// this thread's arena of handles.
//
//   0     sw_map_handle
//   144   the blocks that the places have got for what is too long for them
//   160   sw_map_cursor
//   176   key, value, other value
import { SW_MAP_SPARES, SW_MAP_TAG, sw_map_block_cursor, sw_map_cursor, sw_map_handle } from '../generated/abi.js'
import { arenaOf, provideHandles } from '../heap/handle-arena.js'
import type { HeapMember } from '../heap/member.js'
import { Place, type Views, viewsOf } from './values.js'

const BLOCKS = 144
export const CURSOR = 160
const KEY = 176
const VALUE = 304
const OTHER = 432
const END = 512

export class MapAttachment {
  readonly member: HeapMember
  /** Of the sw_map_handle. */
  readonly at: number
  readonly views: Views
  readonly key: Place
  readonly value: Place
  readonly other: Place
  readonly #forget: () => void

  /** Errors: as Heap.alloc. */
  constructor(member: HeapMember) {
    this.member = member
    this.at = arenaOf(member.region).take()
    this.views = viewsOf(member.region.bytes)
    const place = (begin: number, end: number, i: number) =>
      new Place(member, this.at + begin, end - begin, this.at + BLOCKS + 4 * i)
    this.key = place(KEY, VALUE, 0)
    this.value = place(VALUE, OTHER, 1)
    this.other = place(OTHER, END, 2)
    this.#forget = member.region.onClose(() => this.leave())
  }

  /** Give everything back. */
  leave(): void {
    if (this.member.closed) return
    this.#forget()
    const { core, region } = this.member
    try {
      core.sw_map_close(this.at)
      for (const place of [this.key, this.value, this.other]) place.shrink()
      Atomics.store(region.words, this.at >>> 2, 0)
      arenaOf(region).give(this.at)
    } catch {
      // This thread's memory was overwritten: the blocks stay.
    }
  }
}

/** Attachments of maps that were collected: their memory serves others. */
export const attachments = /* @__PURE__ */ new FinalizationRegistry<MapAttachment>((attachment) => attachment.leave())

/** The blocks that handles of all participants have: those of maps are told by their tag. */
function handleBlocks(member: HeapMember, at: number): number[] {
  const word = (offset: number) => Atomics.load(member.region.words, (at + offset) >>> 2) >>> 0
  if (word(sw_map_handle.tag) !== SW_MAP_TAG) return []
  const spares = Array.from({ length: SW_MAP_SPARES }, (_, i) => word(sw_map_handle.spare + 4 * i))
  return [...spares, word(BLOCKS), word(BLOCKS + 4), word(BLOCKS + 8)]
}

export const provideMapHandles = (): void => provideHandles(handleBlocks)

/** Entries of the list of blocks that one call of the core gives. */
const ROOM = 2048

/** The pointers of all blocks that the map at `pointer` owns. */
export function* blocksOf(member: HeapMember, pointer: number): Generator<number, void, undefined> {
  const { core, region } = member
  const cursor = member.allocate(sw_map_block_cursor.sizeof + 4 * ROOM)
  const out = cursor + 16
  try {
    for (let i = 0; i < sw_map_cursor.sizeof; i += 4) Atomics.store(region.words, (cursor + i) >>> 2, 0)
    for (;;) {
      const count = core.sw_map_blocks(member.handle, pointer, cursor, out, ROOM)
      if (count <= 0) return
      for (let i = 0; i < count; i++) yield Atomics.load(region.words, (out >>> 2) + i) >>> 0
    }
  } finally {
    member.free(cursor)
  }
}
