/* The region's map and its header.
 *
 *   offset      what                                                     size
 *   0           sw_region_header                                         SW_HEADER_BYTES
 *   4 KiB       SW_ENDPOINTS endpoints                                   sizeof(sw_endpoint) each
 *   SW_READY_AT SW_ENDPOINTS ready sets                                  sizeof(sw_ready) each
 *   64 KiB      SW_ENDPOINTS wasm instance blocks, one per endpoint      SW_INSTANCE_BYTES each
 *   SW_HEAP_AT  the one channel a region is carved for, or a heap          the rest
 *
 * Words that different participants write in turn stand SW_LINE bytes apart: two cache lines,
 * because the adjacent-line prefetcher of x86 moves them in pairs. */
#ifndef SABWAY_LAYOUT_REGION_H
#define SABWAY_LAYOUT_REGION_H

#include <stddef.h>
#include <stdint.h>

enum {
  SW_MAGIC = 0x59574253, /* "SBWY" */
  SW_PAGE = 65536,       /* a page of WebAssembly memory: regions are whole pages */
  SW_LINE = 128,
  SW_HEADER_BYTES = 4096,
  SW_ENDPOINTS = 64,
  SW_INSTANCE_BYTES = 16384,
  SW_INSTANCES_AT = 65536,
  SW_HEAP_AT = SW_INSTANCES_AT + SW_ENDPOINTS * SW_INSTANCE_BYTES
};

/* Bits of sw_region_header.flags. */
enum { SW_REGION_PROCESSES = 1 /* participants may be in several processes */ };

/* magic is written last by the creator, and read first by every other participant. */
typedef struct sw_region_header {
  uint32_t magic;
  uint32_t layout_hash;
  uint32_t pages; /* size of the region in SW_PAGE units */
  uint32_t flags;
  uint32_t root; /* offset of the channel this region was carved for */
  /* random, and in the token: tells this region from another that has taken its place */
  uint32_t nonce_low;
  uint32_t nonce_high;
  uint32_t heap; /* offset of the heap; zero in a region that was carved for its one channel */
  uint8_t unused[SW_HEADER_BYTES - 32];
} sw_region_header;

#define SW_REGION_STRUCTS(X) X(sw_region_header)

#define SW_REGION_FIELDS(X)        \
  X(sw_region_header, magic)       \
  X(sw_region_header, layout_hash) \
  X(sw_region_header, pages)       \
  X(sw_region_header, flags)       \
  X(sw_region_header, root)        \
  X(sw_region_header, nonce_low)   \
  X(sw_region_header, nonce_high)  \
  X(sw_region_header, heap)

#ifndef __cplusplus
_Static_assert(sizeof(sw_region_header) == SW_HEADER_BYTES, "the endpoints follow the header");
_Static_assert((SW_INSTANCE_BYTES & (SW_INSTANCE_BYTES - 1)) == 0, "blocks stay aligned");
#endif

#endif
