// Where a channel lies in its region, seen from one of its sides: the one place that knows which
// ring of the two is whose.
//
//   offset --> sw_channel { ..., rings: [of SW_RENDERER, of SW_NATIVE] }
//
// A ring is that of the side which produces into it.
import type { Offset } from '../base/core.js'
import { SW_NATIVE, SW_RENDERER, sw_channel, sw_ring } from '../generated/abi.js'
import type { ChannelRef } from '../heap/channels.js'

/** The side of a channel that is not this one. */
export const otherSide = (side: number): number => SW_RENDERER + SW_NATIVE - side

export class ChannelPlace implements ChannelRef {
  readonly offset: Offset
  readonly generation: number
  /** SW_RENDERER or SW_NATIVE. */
  readonly side: number

  constructor({ offset, generation }: ChannelRef, side: number) {
    this.offset = offset
    this.generation = generation
    this.side = side
  }

  /** Is it one of any number of channels in the heap of its region? */
  get isInHeap(): boolean {
    return this.generation !== 0
  }

  /**
   * Index, in an Int32Array over the region, of a word of the ring that this side produces into.
   */
  outgoing(field: number): number {
    return this.#wordOf(this.side, field)
  }

  /** Index of a word of the ring that this side consumes from. */
  incoming(field: number): number {
    return this.#wordOf(otherSide(this.side), field)
  }

  #wordOf(producingSide: number, field: number): number {
    return (this.offset + sw_channel.rings + producingSide * sw_ring.sizeof + field) >>> 2
  }
}
