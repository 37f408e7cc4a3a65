/* What the heap's files share.
 *
 *   heap.c    the calls: which of the two ways a block goes, and the shape of a heap
 *   slab.c    blocks of up to SW_HEAP_SMALL bytes: bits in slabs
 *   owner.c   which slabs are whose: circles, adoption, giving back
 *   run.c     whole pages: the page map, and freeing
 *   tree.c    the search tree, which finds a free run
 *   look.c    statistics, walks, checks, sweeps */
#ifndef SABWAY_CORE_HEAP_H
#define SABWAY_CORE_HEAP_H

#include "base/peer.h"
#include "sabway/heap.h"

#define SWI_NO_PAGE UINT32_MAX
/* With fewer pages, slabs have no owner between two allocations. */
enum { SWI_FEW_PAGES = 1024, SWI_KIND_RUN = 0, SWI_KIND_SLAB = 1, SWI_KIND_LAST = 63 };

/* ---- page map words ---- */

static inline uint32_t swi_pages_word(uint32_t state, uint32_t kind, uint32_t length) {
  return length << 8 | kind << 2 | state;
}
static inline uint32_t swi_pages_state(uint32_t word) { return word & 3; }
static inline uint32_t swi_pages_kind(uint32_t word) { return word >> 2 & 63; }
static inline uint32_t swi_pages_length(uint32_t word) { return word >> 8; }

/* Is it the head of pages that are there? */
static inline bool swi_pages_valid(const sw_heap *h, uint32_t page, uint32_t word) {
  uint32_t length = swi_pages_length(word);
  return swi_pages_state(word) != SW_PAGES_INSIDE && page < h->count && length != 0 && length <= h->count - page;
}

static inline uint32_t swi_slab_head(uint32_t class) { return swi_pages_word(SW_PAGES_USED, SWI_KIND_SLAB + class, 1); }

/* The size class of a slab by the word of its page, or SW_HEAP_CLASSES and more. */
static inline uint32_t swi_slab_class(uint32_t word) {
  uint32_t class = swi_pages_kind(word) - SWI_KIND_SLAB;
  return word == swi_slab_head(class) ? class : UINT32_MAX;
}

static inline uint32_t swi_page_at(const sw_heap *h, uint32_t page) { return h->begin + page * SW_HEAP_PAGE; }

static inline uint32_t swi_lowest_bit(uint32_t word) { return (uint32_t)__builtin_ctz(word); }

static inline uint32_t swi_count_bits(uint32_t word) {
  word -= word >> 1 & 0x55555555;
  word = (word & 0x33333333) + (word >> 2 & 0x33333333);
  return ((word + (word >> 4)) & 0x0f0f0f0f) * 0x01010101 >> 24;
}

/* ---- size classes ---- */

/* The class of a block of 1 to SW_HEAP_SMALL bytes: eight of one unit each, then four per
 * doubling. */
static inline uint32_t swi_class_of(uint32_t bytes) {
  uint32_t units = (bytes - 1) / SW_HEAP_UNIT;
  if (units < 8) return units;
  uint32_t log2 = 31 - (uint32_t)__builtin_clz(units);
  return 8 + (log2 - 3) * 4 + (units >> (log2 - 2) & 3);
}

static inline uint32_t swi_class_size(uint32_t class) {
  return class < 8 ? (class + 1) * SW_HEAP_UNIT : (5 + (class & 3)) << (5 + (class - 8) / 4);
}

/* Bits of the word that belong to no block: they count as used. */
static inline uint32_t swi_slab_surplus(uint32_t blocks, uint32_t word) {
  if (word < blocks / 32) return 0;
  return word > blocks / 32 ? UINT32_MAX : UINT32_MAX << (blocks % 32);
}

/* A small block: where its bit is. */
typedef struct swi_place {
  uint32_t page, class, word, bit;
} swi_place;

/* ---- slab.c ---- */

/* A block of this class; when there is none, and no page, a larger one that is aligned to
 * `align`. */
uint32_t swi_slab_alloc(sw_heap *h, uint32_t class, uint32_t align);
/* From this slab, which becomes the present one: 0 when it has no room. For the owner. */
uint32_t swi_slab_alloc_in(sw_heap *h, uint32_t class, uint32_t page);
int swi_slab_free(sw_heap *h, const swi_place *place);
/* The descriptor of a page that is about to become a slab of this participant. Under the lock. */
void swi_slab_prepare(const sw_heap *h, uint32_t page, uint32_t class);
/* Take back what others have freed of one word. Returns the word's bits, surplus included. For the
 * owner. */
uint32_t swi_slab_collect(const sw_heap *h, uint32_t page, uint32_t class, uint32_t word);
/* Look for room, collecting: the first word with a free block, or SW_SLAB_WORDS. For the owner. */
uint32_t swi_slab_room(const sw_heap *h, uint32_t page, uint32_t class);
/* For the owner. */
bool swi_slab_empty(const sw_heap *h, uint32_t page, uint32_t class);
/* Mend what a crash in swi_slab_collect left. For the owner. */
void swi_slab_normalise(const sw_heap *h, uint32_t page, uint32_t class);

static inline uint32_t swi_class_blocks(const sw_heap *h, uint32_t class) {
  return SW_HEAP_PAGE / h->classes[class].size;
}

/* ---- owner.c ---- */

/* The next slab of the circle behind the scan: one of this participant's, or SWI_NO_PAGE. */
uint32_t swi_circle_next(sw_heap *h, uint32_t class);
void swi_circle_add(sw_heap *h, uint32_t class, uint32_t page);
void swi_circle_remove(sw_heap *h, uint32_t class, uint32_t page);
void swi_circle_clear(sw_heap *h);
/* Put every slab that this role owns into its circle. */
void swi_circle_gather(sw_heap *h);
/* How sure to be that an owner is dead: by its claim, or by asking the system as well. */
enum swi_effort { SWI_GLANCE, SWI_ASK };
/* Become the owner of the slab if it has none, or a dead one. */
bool swi_slab_adopt(sw_heap *h, uint32_t page, uint32_t class, enum swi_effort effort);
/* The opposite. */
void swi_slab_leave(const sw_heap *h, uint32_t page);
/* Give the pages of empty slabs back: this participant's, and those without a living owner; and let
 * pages be found that a participant has freed and died. Returns how many there are. */
uint32_t swi_slab_reclaim(sw_heap *h);

/* ---- run.c ---- */

/* Lock, and take back what was given meanwhile. Errors: SW_EBUSY, SW_EPOISONED, SW_ECORRUPT, with
 * h->status. */
int swi_runs_lock(sw_heap *h);
/* The same, for a caller that got `status` from the mutex. */
int swi_runs_enter(sw_heap *h, int status);
void swi_runs_unlock(sw_heap *h);
/* Take `pages` pages whose offset is a multiple of `align` pages: the first one, or SWI_NO_PAGE
 * with h->status. */
uint32_t swi_runs_take(sw_heap *h, uint32_t pages, uint32_t align, uint32_t kind);
/* Free the run or slab at `page`, whose word is `word`. Errors: SW_EDOUBLEFREE. */
int swi_runs_free(sw_heap *h, uint32_t page, uint32_t word);
/* Let the next holder of the lock look for freed pages that no list has. */
void swi_runs_ask_for_look(const sw_heap *h);
/* Change the length of a run in place. Errors: SW_EHEAPFULL: there is no room behind it; SW_EBUSY
 * and others. */
int swi_runs_resize(sw_heap *h, uint32_t page, uint32_t word, uint32_t pages);
/* Behind so many pages, from the first, none has ever been a head. */
uint32_t swi_runs_touched(const sw_heap *h);

/* ---- tree.c: under the lock ---- */

/* The length of the free run that begins at the page; 0: none does. */
void swi_tree_set(const sw_heap *h, uint32_t page, uint32_t length);
uint32_t swi_tree_get(const sw_heap *h, uint32_t page);
uint32_t swi_tree_largest(const sw_heap *h);
/* The first page of the lowest free run of `pages` pages; SWI_NO_PAGE: there is none; *broken: the
 * tree contradicts itself. */
uint32_t swi_tree_find(const sw_heap *h, uint32_t pages, bool *broken);
/* The lowest words of the first `pages` pages are right: make the others so. */
void swi_tree_rebuild(const sw_heap *h, uint32_t pages);
bool swi_tree_right(const sw_heap *h, uint32_t pages);
static inline uint32_t swi_tree_words(uint32_t pages, uint32_t level) { return ((pages - 1) >> (4 * level)) + 1; }

#endif
