/* Channels in the heap of a region: any participant makes them, and the last one that is done with
 * one frees it.
 *
 *   uint32_t channel = sw_channel_new(&heap, 65536, 65536);
 *   if (channel == 0) ... heap.status says why ...
 *   uint32_t generation = sw_channel_generation(base, size, channel);
 *   ... both are told to the other side, by a handle, a token or a name; each side opens its two
 *       roles, and closes and leaves them when it is done ...
 *   sw_channel_free(&heap, channel, generation, 0);
 *
 * A channel is a header, and a block for the bytes of its rings, which is freed. A header that was
 * a channel is used again for the next one and for nothing else, because others may still come to
 * its words; the generation tells one channel from the next. */
#ifndef SABWAY_HEAP_CHANNEL_H
#define SABWAY_HEAP_CHANNEL_H

#include "channel.h"
#include "heap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Make a channel with rings of these capacities, in bytes. Returns its offset, or 0 with
 * heap->status: SW_ERANGE: a capacity; SW_ECROWDED: the registry has no room for more objects;
 * those of sw_heap_alloc: behind SW_EBUSY, call it again. A full heap is searched for channels that
 * can be freed. Any thread, lock-free. A crash inside loses the channel that was being made. */
uint32_t sw_channel_new(sw_heap *heap, uint32_t renderer_to_native, uint32_t native_to_renderer);

/* Free the channel if both sides are done: 1. When one is not: 0, and that side's call, or
 * sw_channel_reclaim, frees it later. To be called by each side behind its last leave.
 *
 * A side is done when it has closed and left both of its directions, or was left by its death. A
 * holder that lives is never freed under, also when its role was lost to another; one that takes a
 * role meanwhile gets it, and the channel stays, or SW_ECLOSED. Of several callers at once one gets
 * 1. Any thread, lock-free. A crash inside leaves the rest to the next caller, but for the moment
 * in which one block is in hand: at most the block of the rings is lost, and then the header.
 * Errors: SW_ECLOSED: it was freed before; SW_ENOTREGION: there is no channel; SW_ERANGE. */
int sw_channel_free(sw_heap *heap, uint32_t channel, uint32_t generation, uint32_t flags);

/* Free all channels whose sides are done, and what a participant that died has left of others.
 * sw_channel_new does so when there is no room; a host does where another allocation finds none.
 * Returns how many were freed. Any thread, lock-free; looks at every object of the registry. */
uint32_t sw_channel_reclaim(sw_heap *heap);

#ifdef __cplusplus
}
#endif
#endif
