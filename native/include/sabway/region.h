/* A region: one piece of shared memory that Sabway's objects live in. See layout/region.h for its
 * bytes. */
#ifndef SABWAY_REGION_H
#define SABWAY_REGION_H

#include "error.h"
#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* FNV-1a over every row of the tables of layout.h, as this compiler lays them out. Wait-free. */
uint32_t sw_layout_hash(void);

/* Bytes that a region for one channel needs, a whole number of SW_PAGEs; 0 when a capacity is out
 * of range. Capacities are bytes and are rounded up to powers of two. Wait-free. */
uint64_t sw_region_bytes(uint32_t renderer_to_native, uint32_t native_to_renderer);

/* Write header and channel into `pages` * SW_PAGE zeroed bytes at `base` (8-byte aligned). Zeroed
 * but for flags and nonce, which are there already when the memory is shared by processes
 * (shared.h). The magic goes last, so an attach meanwhile is refused with SW_ENOTREGION. One
 * caller, once; wait-free. A crash inside leaves memory that every host refuses. Errors: SW_ERANGE.
 * */
int sw_region_format(void *base, uint32_t pages, uint32_t renderer_to_native, uint32_t native_to_renderer);

/* The same without a channel. `heap` is the offset of the heap that sw_heap_format has written, or
 * zero for none: then sw_channel_format can put a channel at SW_HEAP_AT later. */
int sw_region_format_empty(void *base, uint32_t pages, uint32_t heap);

/* Offset of the channel that the region was carved for, or 0: the region has a heap, and its
 * channels in that, or the header names a place where none can be. Reads the header once, so keep
 * the answer: a peer may write another. An empty region without a heap has a place for one, too:
 * opening it is SW_ENOTREGION. Any thread; wait-free; uses
 * no stack in the region. */
uint32_t sw_region_channel(const void *base, uint64_t size);

/* Offset of the region's heap, or 0 when it has none. Any thread; wait-free. */
uint32_t sw_region_heap(const void *base, uint64_t size);

/* Is this a region that this build understands, with all of it inside `pages`? Any thread;
 * wait-free; writes nothing and uses no stack in the region. Errors: SW_ENOTREGION, SW_ELAYOUT. */
int sw_region_verify(const void *base, uint32_t pages);

#ifdef __cplusplus
}
#endif
#endif
