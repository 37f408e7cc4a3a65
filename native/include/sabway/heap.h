/* A heap in a region: any participant allocates blocks, which the others reach by their offset and
 * may free. See native/core/heap for how it works.
 *
 *   sw_heap heap;
 *   sw_heap_open(&heap, base, size, header->heap, endpoint);
 *   uint32_t at = sw_heap_alloc(&heap, 100);
 *   if (at == 0) ... heap.status says why ...
 *   sw_heap_free(&heap, at);
 *   sw_heap_close(&heap);
 *
 * An endpoint has one handle of a heap at a time, which is for one thread. Blocks are aligned to 16
 * bytes, and to more when their size class is a multiple of more. What is in a new block is left
 * over from an earlier one.
 *
 * Double frees and wild pointers are errors. Two bad frees cannot be told from good ones: of a
 * block that has been handed out anew, and of one block by its owner and another thread at once. */
#ifndef SABWAY_HEAP_H
#define SABWAY_HEAP_H

#include "error.h"
#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SW_HEAP_LEVELS = 6 /* of the search tree: 16^5 pages are more than there can be */ };

/* What a handle knows of one size class. */
typedef struct sw_heap_class {
  uint32_t page;       /* the slab that blocks come from now, or UINT32_MAX */
  uint32_t word;       /* of its bits: the one to look at first */
  uint32_t size;       /* of a block */
  uint32_t reciprocal; /* 65536 / units of a block, rounded up */
  uint32_t scan;       /* a slab of the circle, or UINT32_MAX; the next look begins behind it */
} sw_heap_class;

/* A participant's handle of the heap: private, and nothing is lost with it. Its fields are the
 * heap's own but for `status`: why the last call that returned 0 did. */
typedef struct sw_heap {
  uint8_t *base; /* of the region */
  int32_t status;
  uint32_t role;
  uint32_t endpoint;
  uint32_t begin; /* offset of the first page */
  uint32_t count; /* of pages */
  uint32_t pages; /* that the tables have room for */
  sw_heap_control *control;
  uint32_t *map;
  sw_slab *slabs;
  uint32_t *tree[SW_HEAP_LEVELS];
  uint32_t levels; /* above the lowest */
  uint32_t shares; /* slabs have no owner between two allocations: there are few pages */
  uint32_t held;   /* the lock is the caller's, and is given back by the next call */
  /* the caller's, in WebAssembly: this processor makes stores visible in their order */
  uint32_t ordered;
  uint64_t alive; /* endpoints whose owners live, as the system said in this look at all slabs */
  uint32_t look;  /* the page at which the next look for slabs without an owner begins */
  /* of the registry: a slot that this handle has retired, and the block that a look for such slots
   * has come to; zero: none */
  uint32_t retired_at, looked_at;
  sw_heap_class classes[SW_HEAP_CLASSES];
} sw_heap;

/* Make a heap of the zeroed bytes from `offset` (a multiple of SW_LINE) up to `size`, the region's
 * end. Of 4 GiB the last page is left out. One caller, once, before the region's magic is written;
 * wait-free; uses no stack in the region, and touches a few words only. Errors: SW_ERANGE: there is
 * no room for a single page, or `offset` is not such a multiple. */
int sw_heap_format(void *base, uint32_t offset, uint64_t size);

/* Open the heap at `offset`. Takes slabs back that an earlier handle of the same claim of the
 * endpoint had. Looks at each page that was ever used: at most 524,288 words. Lock-free. Errors:
 * SW_ENOTREGION: there is no heap; SW_EINVAL: no such endpoint. */
int sw_heap_open(sw_heap *h, void *base, uint64_t size, uint32_t offset, uint32_t endpoint);

/* Leave the heap: blocks stay as they are, slabs without blocks become free pages, and other
 * participants may allocate in the rest. A handle that is not closed loses nothing either: when the
 * claim of its endpoint is over, others find its slabs. */
void sw_heap_close(sw_heap *h);

/* Allocate `bytes` bytes. Returns the offset of the block, or 0 with h->status: SW_EINVAL: no bytes
 * are wanted; SW_EHEAPFULL; SW_EBUSY: pages are needed, and another participant that lives holds
 * the lock: to be tried again; SW_EPOISONED, SW_ECORRUPT: the page map has been destroyed.
 * Up to SW_HEAP_SMALL bytes it is wait-free where the present slab has room. A crash leaks at most
 * the block in hand. */
uint32_t sw_heap_alloc(sw_heap *h, uint32_t bytes);

/* The same, with an offset that is a multiple of `align`, a power of two up to 1 GiB. Errors also:
 * SW_EINVAL: no power of two; SW_ERANGE: larger than that. */
uint32_t sw_heap_alloc_aligned(sw_heap *h, uint32_t bytes, uint32_t align);

/* Free a block, of this participant or another. Lock-free; never SW_EBUSY: when the lock is held,
 * its next holder takes the pages back. Errors: SW_EDOUBLEFREE, SW_EWILD: nothing has happened. */
int sw_heap_free(sw_heap *h, uint32_t at);

/* Make the block hold `bytes` bytes: in place where it can be, else in a new block to which the
 * bytes are copied before the old one is freed. `at` of 0 allocates. Returns the offset, or 0 with
 * h->status, as sw_heap_alloc and sw_heap_free, and the old block is as it was. A crash leaks at
 * most the new block. */
uint32_t sw_heap_realloc(sw_heap *h, uint32_t at, uint32_t bytes);

/* Bytes that the block at `at` has, which may be more than were asked for; 0 with h->status when
 * there is none: SW_EDOUBLEFREE, SW_EWILD. Wait-free. */
uint32_t sw_heap_usable(sw_heap *h, uint32_t at);

/* Give pages that hold no block back to the system: this participant's empty slabs, those of the
 * dead, and then the memory of all free runs. Returns how many bytes the system has taken (which
 * may not have had memory behind them), or 0 with h->status: SW_EBUSY, SW_EPOISONED, SW_ECORRUPT.
 * Holds the lock during system calls. */
uint64_t sw_heap_trim(sw_heap *h);

/* What is in the heap. While others allocate and free it is near the truth, not the truth. */
typedef struct sw_heap_stats {
  uint64_t total;       /* bytes of all pages */
  uint64_t used;        /* bytes in blocks, as sw_heap_usable tells */
  uint64_t free;        /* bytes of free pages and of free blocks in slabs */
  uint64_t largest;     /* the largest block that one allocation could get */
  uint64_t blocks;      /* blocks that are not free */
  uint64_t pages_bytes; /* bytes of the pages that are not free */
  uint64_t high_water;  /* the most that has been */
  /* `used` by endpoint of the allocating participant, for as long as its slabs are its own; the
   * last is the sum of all others */
  uint64_t by_owner[SW_ENDPOINTS + 1];
} sw_heap_stats;

/* Any state of the heap; wait-free; looks at each page that was ever used. */
void sw_heap_stats_of(sw_heap *h, sw_heap_stats *stats);

/* Are the page map, the search tree and the slabs as they should be? For tests and for finding out:
 * takes the lock and looks at everything. Errors: SW_ECORRUPT, SW_EBUSY, SW_EPOISONED. */
int sw_heap_check(sw_heap *h);

/* A block, as a walk finds it. */
typedef struct sw_heap_block {
  uint32_t at, bytes;
  uint32_t owner; /* role, or zero */
} sw_heap_block;

/* Where a walk is. Zeroes are its beginning. */
typedef struct sw_heap_cursor {
  uint32_t page, index;
} sw_heap_cursor;

/* The next block that is not free: 1, or 0 at the end. While others allocate and free, blocks may
 * be left out or be free when they are told. */
int sw_heap_walk(sw_heap *h, sw_heap_cursor *cursor, sw_heap_block *block);

/* Finding what no participant can reach, in a moment when no other allocates or frees:
 *
 *   zero sw_heap_marks_bytes(&heap) bytes, outside of the heap
 *   sw_heap_mark each root; where it returns 1, each block that this one names, and so on
 *   sw_heap_sweep
 *
 * The marks' size depends on the heap's, and is 1/128 of it. */
uint64_t sw_heap_marks_bytes(const sw_heap *h);

/* Mark the block at `at`: 1, or 0 when it was marked before. Errors: SW_EWILD, SW_EDOUBLEFREE. */
int sw_heap_mark(sw_heap *h, void *marks, uint32_t at);

/* Call `found` with each block that is not marked, and free it when that returns not zero. Returns
 * how many were freed, or a negative error of sw_heap_free. */
int64_t sw_heap_sweep(sw_heap *h, const void *marks, int (*found)(const sw_heap_block *block, void *context),
                      void *context);

/* Offset of the heap's sw_mutex, for hosts that can sleep: behind SW_EBUSY they wait for it. */
uint32_t sw_heap_lock_at(const sw_heap *h);

/* Native threads: as those without _wait, sleeping for at most `timeout_ns` (negative: no time-out)
 * where they would be SW_EBUSY. Errors also: SW_ETIMEDOUT. */
uint32_t sw_heap_alloc_wait(sw_heap *h, uint32_t bytes, uint32_t align, int64_t timeout_ns);
uint32_t sw_heap_realloc_wait(sw_heap *h, uint32_t at, uint32_t bytes, int64_t timeout_ns);
uint64_t sw_heap_trim_wait(sw_heap *h, int64_t timeout_ns);

#ifdef __cplusplus
}
#endif
#endif
