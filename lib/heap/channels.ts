// Channels as objects of the heap: see native/core/objects/heap_channel.c.
import { SW_CHANNEL_UNSHARED } from '../generated/abi.js'
import { arenaOf } from './handle-arena.js'
import type { HeapRegion } from './heap-region.js'
import { HeapMember } from './member.js'

/** A channel of a region: its offset, and which of those that were there one after the other. */
export interface ChannelRef {
  readonly offset: number
  /** 0: the only channel that its region has, and will have. */
  readonly generation: number
}

/** Errors: as Heap.alloc. */
export function makeChannel(region: HeapRegion, rendererToNative: number, nativeToRenderer: number): ChannelRef {
  const offset = HeapMember.of(region).makeChannel(rendererToNative, nativeToRenderer)
  return { offset, generation: generationOf(region, offset) }
}

/**
 * This side is done with the channel: free it, if the other one is, too. `alone`: what is not held
 * now will not be taken again.
 */
export function freeChannel(region: HeapRegion, { offset, generation }: ChannelRef, alone: boolean): void {
  try {
    const { core, handle } = HeapMember.of(region)
    core.sw_channel_free(handle, offset, generation, alone ? SW_CHANNEL_UNSHARED : 0)
  } catch {
    // The heap's words were overwritten, or its code has no room here: the channel stays.
  }
}

/** Of the channel that is there now; 0: none. */
export const generationOf = ({ core, size }: HeapRegion, offset: number): number =>
  core.sw_channel_generation(0, size, offset) >>> 0

/** Room for one channel's handles in this thread. Errors: as Heap.alloc. */
export const takeHandles = (region: HeapRegion): number => arenaOf(region).take()

export const giveHandles = (region: HeapRegion, at: number): void => arenaOf(region).give(at)
