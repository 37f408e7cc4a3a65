/* A heap: its control block, the page map, the search tree, and the slabs' descriptors.
 *
 *   offset of the heap   sw_heap_control
 *   behind it            page map: one word per page
 *                        search tree: one word per page, then one per 16 of those, and so on up to
 *                        one
 *                        sw_slab, one per page
 *   the next page        the pages that blocks are in
 *
 * Where each of these is follows from the heap's offset and the region's size, so no word of the
 * region says it. See native/core/heap for what the words mean. */
#ifndef SABWAY_LAYOUT_HEAP_H
#define SABWAY_LAYOUT_HEAP_H

#include "mutex.h"

enum {
  SW_HEAP_MAGIC = 0x50414548, /* "HEAP" */
  SW_HEAP_PAGE = 8192,
  SW_HEAP_UNIT = 16,    /* blocks are multiples of it */
  SW_HEAP_SMALL = 4096, /* larger blocks are whole pages */
  SW_HEAP_CLASSES = 28, /* sizes that small blocks have */
  SW_HEAP_GIVEN = 15,
  SW_HEAP_FANOUT = 16, /* children of a node of the search tree */
  SW_SLAB_WORDS = SW_HEAP_PAGE / SW_HEAP_UNIT / 32
};

/* Only the holder of the lock writes what stands before it and the page map, but for a page map
 * word that goes from SW_PAGES_USED to SW_PAGES_GIVEN. */
typedef struct sw_heap_control {
  uint32_t magic;      /* the region's magic is written behind it */
  uint32_t high;       /* no page behind this one has been a head: what a rebuild looks at */
  uint32_t pages_used; /* by runs and slabs */
  uint32_t pages_most; /* the most there were */
  uint8_t unused0[SW_LINE - 16];
  sw_mutex lock;
  uint8_t unused1[SW_LINE - 16];
  /* page + 1 of runs that were freed while the lock was held by another */
  uint32_t given[SW_HEAP_GIVEN];
  uint32_t given_more; /* there were more than that: look at all */
  uint8_t unused2[SW_LINE - 64];
} sw_heap_control;

/* The state of a page map word: bits 0-1. Bits 2-7 are the kind, bits 8-31 the number of pages. */
enum sw_heap_state {
  SW_PAGES_INSIDE = 0, /* not the first page of a run, or the last page of a free one */
  SW_PAGES_FREE = 1,
  SW_PAGES_USED = 2,
  SW_PAGES_GIVEN = 3 /* freed, and not yet merged with its neighbours */
};

/* The descriptor of a page. A slab's blocks are bits: `used` is written by its owner alone, `freed`
 * by every participant that frees a block of another's slab. Of a run, only `owner` counts. */
typedef struct sw_slab {
  uint32_t owner;    /* role; zero: no participant allocates in it now */
  uint32_t next;     /* the owner's slabs of this class are a circle */
  uint32_t previous; /* likewise */
  uint8_t unused[52];
  uint32_t used[SW_SLAB_WORDS];
  uint32_t freed[SW_SLAB_WORDS];
} sw_slab;

#define SW_HEAP_STRUCTS(X) X(sw_heap_control) X(sw_slab)

#define SW_HEAP_FIELDS(X)        \
  X(sw_heap_control, magic)      \
  X(sw_heap_control, high)       \
  X(sw_heap_control, pages_used) \
  X(sw_heap_control, pages_most) \
  X(sw_heap_control, lock)       \
  X(sw_heap_control, given)      \
  X(sw_heap_control, given_more) \
  X(sw_slab, owner)              \
  X(sw_slab, next)               \
  X(sw_slab, previous)           \
  X(sw_slab, used)               \
  X(sw_slab, freed)

#ifndef __cplusplus
_Static_assert(sizeof(sw_heap_control) == 3 * SW_LINE, "each hot word of a heap has its own lines");
_Static_assert(sizeof(sw_slab) == 192, "three cache lines, of which one belongs to the owner, and one to the others");
#endif

#endif
