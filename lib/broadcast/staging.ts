// Where this thread writes a value before the core copies it into a broadcast, and where the core
// copies one to: one for all broadcasts of a region, since no call uses it across a turn.
//
//   0     laid out as a handle of a map without one, so that a search for lost blocks finds the two
//   144   the blocks that the places have got for what is too long for them
//   160   sw_broadcast_message
//   192   a value that is sent; 352: one that is received
import { SW_MAP_TAG, sw_map_handle } from '../generated/abi.js'
import { arenaOf } from '../heap/handle-arena.js'
import type { HeapRegion } from '../heap/heap-region.js'
import type { HeapMember } from '../heap/member.js'
import { Place, type Views, viewsOf } from '../map/values.js'

const BLOCKS = 144
const MESSAGE = 160
const SENT = 192
const RECEIVED = 352
const END = 512

const all = new WeakMap<HeapRegion, Staging>()

export class Staging {
  readonly views: Views
  /** Of the sw_broadcast_message. */
  readonly message: number
  readonly sent: Place
  readonly received: Place

  /** Errors: as Heap.alloc. */
  static of(member: HeapMember): Staging {
    let staging = all.get(member.region)
    if (staging === undefined) {
      staging = new Staging(member)
      all.set(member.region, staging)
    }
    return staging
  }

  private constructor(member: HeapMember) {
    const { region } = member
    const at = arenaOf(region).take()
    this.views = viewsOf(region.bytes)
    this.message = at + MESSAGE
    this.sent = new Place(member, at + SENT, RECEIVED - SENT, at + BLOCKS)
    this.received = new Place(member, at + RECEIVED, END - RECEIVED, at + BLOCKS + 4)
    for (let i = 0; i < MESSAGE; i += 4) Atomics.store(region.words, (at + i) >>> 2, 0)
    Atomics.store(region.words, (at + sw_map_handle.tag) >>> 2, SW_MAP_TAG)
    region.onClose(() => {
      all.delete(region)
      if (member.closed) return
      try {
        for (const place of [this.sent, this.received]) place.shrink()
        Atomics.store(region.words, (at + sw_map_handle.tag) >>> 2, 0)
        arenaOf(region).give(at)
      } catch {
        // This thread's memory was overwritten: the blocks stay.
      }
    })
  }
}
