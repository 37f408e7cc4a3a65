/* Blocks of up to SW_HEAP_SMALL bytes: bits in the descriptor of a slab.
 *
 * A slab is a page of equal blocks. `used` has a bit per block, and only the slab's owner writes
 * it, with plain stores: the store that sets a bit is the allocation. A free by another participant
 * is a bit of `freed`; the owner collects those when it is out of blocks:
 *
 *   r = freed
 *   used = used & ~r               the blocks are free
 *   freed = freed & ~r    [B2]     by an atomic operation: others set bits meanwhile
 *
 * A crash between the last two leaves blocks that are free, and freed. The adopter clears those
 * bits before it allocates [B3], or the blocks would be freed a second time.
 *
 *   used   freed   block                 next
 *   0      0       free                  owner: allocate -> 1 0
 *   1      0       used                  owner: free -> 0 0; others: free [B1] -> 1 1
 *   1      1       freed by another      owner: collect -> 0 1
 *   0      1       collecting            owner, or the adopter: -> 0 0
 *
 * Surplus bits, of blocks that are not there, are set in `used`: a page has room for 51 blocks of
 * 160 bytes, which are bits of two words.
 *
 * With few pages a slab has an owner only while a block is being taken from it: see owner.c. */
#include "core/heap/heap.h"

/* ---- bits ---- */

void swi_slab_prepare(const sw_heap *h, uint32_t page, uint32_t class) {
  sw_slab *slab = &h->slabs[page];
  uint32_t blocks = swi_class_blocks(h, class);
  sw_store_relaxed(&slab->owner, h->role);
  for (uint32_t i = 0; i < SW_SLAB_WORDS; i++) {
    sw_store_relaxed(&slab->used[i], swi_slab_surplus(blocks, i));
    sw_store_relaxed(&slab->freed[i], 0);
  }
}

uint32_t swi_slab_collect(const sw_heap *h, uint32_t page, uint32_t class, uint32_t word) {
  sw_slab *slab = &h->slabs[page];
  uint32_t surplus = swi_slab_surplus(swi_class_blocks(h, class), word);
  uint32_t freed = sw_peer_load_relaxed(&slab->freed[word]);
  uint32_t used = sw_peer_load_relaxed(&slab->used[word]);
  if (freed == 0) return used | surplus;
  used &= ~freed;
  sw_store_owned(&slab->used[word], used | surplus);
  sw_fetch_and_acq_rel(&slab->freed[word], ~freed); /* [B2] pairs with [B1] */
  return used | surplus;
}

void swi_slab_normalise(const sw_heap *h, uint32_t page, uint32_t class) {
  sw_slab *slab = &h->slabs[page];
  for (uint32_t i = 0; i * 32 < swi_class_blocks(h, class); i++) {
    uint32_t freed = sw_peer_load_relaxed(&slab->freed[i]);
    uint32_t twice = freed & ~sw_peer_load_relaxed(&slab->used[i]);
    if (twice != 0) sw_fetch_and_acq_rel(&slab->freed[i], ~twice); /* [B3] pairs with [B1] */
  }
}

uint32_t swi_slab_room(const sw_heap *h, uint32_t page, uint32_t class) {
  uint32_t blocks = swi_class_blocks(h, class);
  for (uint32_t i = 0; i * 32 < blocks; i++) {
    if (swi_slab_collect(h, page, class, i) != UINT32_MAX) return i;
  }
  return SW_SLAB_WORDS;
}

bool swi_slab_empty(const sw_heap *h, uint32_t page, uint32_t class) {
  uint32_t blocks = swi_class_blocks(h, class);
  for (uint32_t i = 0; i * 32 < blocks; i++) {
    if (swi_slab_collect(h, page, class, i) != swi_slab_surplus(blocks, i)) return false;
  }
  return true;
}

/* ---- allocating ---- */

/* The lowest free block of the word, or 0: there is none, or (h->status) it is not in the page. */
static uint32_t take_block(sw_heap *h, uint32_t page, uint32_t class, uint32_t word) {
  uint32_t *bits = &h->slabs[page].used[word];
  uint32_t used = sw_peer_load_relaxed(bits);
  if (used == UINT32_MAX) return 0;
  uint32_t bit = swi_lowest_bit(~used), size = h->classes[class].size;
  uint32_t offset = (word * 32 + bit) * size;
  if (offset > SW_HEAP_PAGE - size) { /* a surplus bit was cleared */
    sw_store_relaxed(bits, used | swi_slab_surplus(swi_class_blocks(h, class), word));
    h->status = SW_ECORRUPT;
    return 0;
  }
  sw_store_owned(bits, used | 1u << bit);
  return swi_page_at(h, page) + offset;
}

uint32_t swi_slab_alloc_in(sw_heap *h, uint32_t class, uint32_t page) {
  uint32_t word = swi_slab_room(h, page, class);
  if (word == SW_SLAB_WORDS) return 0;
  h->classes[class].page = page;
  h->classes[class].word = word;
  return take_block(h, page, class, word);
}

static void release_slab(sw_heap *h, uint32_t class, uint32_t page) {
  swi_circle_remove(h, class, page);
  swi_runs_free(h, page, swi_slab_head(class));
}

/* From the slabs of the circle: at most `most` are looked at. One slab without blocks is given back
 * meanwhile, so that what was allocated in plenty and freed by others shrinks. */
static uint32_t from_circle(sw_heap *h, uint32_t class, uint32_t most) {
  uint32_t first = SWI_NO_PAGE;
  for (uint32_t i = 0; i < most; i++) {
    uint32_t page = swi_circle_next(h, class);
    if (page == SWI_NO_PAGE || page == first) return 0;
    if (i == 0) first = page;
    uint32_t at = swi_slab_alloc_in(h, class, page);
    if (at == 0) continue;
    uint32_t other = swi_circle_next(h, class);
    if (other != SWI_NO_PAGE && other != page && swi_slab_empty(h, other, class)) release_slab(h, class, other);
    return at;
  }
  return 0;
}

/* From slabs whose owner is dead, or that have none: `most` pages are looked at. */
static uint32_t from_adopted(sw_heap *h, uint32_t class, uint32_t most, enum swi_effort effort) {
  uint32_t pages = swi_runs_touched(h);
  if (most > pages) most = pages;
  h->alive = 0;
  for (uint32_t i = 0; i < most; i++) {
    uint32_t page = h->look < pages ? h->look : 0;
    h->look = page + 1;
    if (!swi_slab_adopt(h, page, class, effort)) continue;
    if (!h->shares) swi_circle_add(h, class, page);
    uint32_t at = swi_slab_alloc_in(h, class, page);
    if (h->shares) {
      h->classes[class].page = SWI_NO_PAGE;
      h->classes[class].scan = page;
      swi_slab_leave(h, page);
    }
    if (at != 0) return at;
  }
  return 0;
}

static uint32_t from_new(sw_heap *h, uint32_t class) {
  uint32_t page = swi_runs_take(h, 1, 1, SWI_KIND_SLAB + class);
  if (page == SWI_NO_PAGE) return 0;
  if (h->shares) {
    uint32_t at = take_block(h, page, class, 0);
    h->classes[class].scan = page;
    swi_slab_leave(h, page);
    return at;
  }
  swi_circle_add(h, class, page);
  h->classes[class].page = page;
  h->classes[class].word = 0;
  return take_block(h, page, class, 0);
}

/* Everything that there is of this class. */
static uint32_t from_anywhere(sw_heap *h, uint32_t class, enum swi_effort effort) {
  uint32_t at = h->shares ? 0 : from_circle(h, class, h->count);
  return at != 0 ? at : from_adopted(h, class, h->count, effort);
}

/* There are no pages: what can be had without any, at whatever cost. */
static uint32_t from_the_last(sw_heap *h, uint32_t class, uint32_t align) {
  int status = h->status;
  if (!h->shares && swi_circle_next(h, class) == SWI_NO_PAGE) swi_circle_gather(h);
  uint32_t at = from_anywhere(h, class, SWI_ASK);
  if (at == 0 && status == SW_EHEAPFULL && swi_slab_reclaim(h) != 0) at = from_new(h, class);
  /* a block that is larger than was asked for */
  for (uint32_t larger = class + 1; at == 0 && larger < SW_HEAP_CLASSES; larger++) {
    if (h->classes[larger].size % align == 0) at = from_anywhere(h, larger, SWI_GLANCE);
  }
  if (at == 0) h->status = status;
  return at;
}

enum { CIRCLE = 8, WINDOW = 32 };

/* The present slab has no block at the word that was looked at. */
__attribute__((noinline)) static uint32_t refill(sw_heap *h, uint32_t class, uint32_t align) {
  sw_heap_class *mine = &h->classes[class];
  uint32_t at = 0;
  if (h->shares) {
    uint32_t page = mine->scan;
    if (page < h->count && swi_slab_adopt(h, page, class, SWI_GLANCE)) {
      at = swi_slab_alloc_in(h, class, page);
      mine->page = SWI_NO_PAGE;
      swi_slab_leave(h, page);
    }
    if (at == 0) at = from_adopted(h, class, h->count, SWI_GLANCE);
  } else {
    if (mine->page != SWI_NO_PAGE) at = swi_slab_alloc_in(h, class, mine->page);
    if (at == 0) at = from_circle(h, class, CIRCLE);
    if (at == 0) at = from_adopted(h, class, WINDOW, SWI_GLANCE);
  }
  if (at == 0) at = from_new(h, class);
  return at != 0 ? at : from_the_last(h, class, align);
}

uint32_t swi_slab_alloc(sw_heap *h, uint32_t class, uint32_t align) {
  const sw_heap_class *mine = &h->classes[class];
  uint32_t at = mine->page == SWI_NO_PAGE ? 0 : take_block(h, mine->page, class, mine->word);
  return at != 0 ? at : refill(h, class, align);
}

/* ---- freeing ---- */

/* The present slab is another one from now on. */
static void leave_present(sw_heap *h, uint32_t class, uint32_t page, uint32_t word) {
  sw_heap_class *mine = &h->classes[class];
  uint32_t old = mine->page, last = mine->word;
  mine->page = page;
  mine->word = word;
  if (old == SWI_NO_PAGE) return;
  /* It can only be empty when the word of its last free is. */
  if (sw_peer_load_relaxed(&h->slabs[old].used[last]) != swi_slab_surplus(swi_class_blocks(h, class), last)) return;
  if (swi_slab_empty(h, old, class)) release_slab(h, class, old);
}

int swi_slab_free(sw_heap *h, const swi_place *place) {
  sw_slab *slab = &h->slabs[place->page];
  uint32_t bit = 1u << place->bit;
  uint32_t used = sw_peer_load_relaxed(&slab->used[place->word]);
  if ((used & bit) == 0) return SW_EDOUBLEFREE;
  if (h->shares || sw_peer_load_relaxed(&slab->owner) != h->role) {
    /* [B1] the last use of the block comes before its next */
    return (sw_fetch_or_acq_rel(&slab->freed[place->word], bit) & bit) != 0 ? SW_EDOUBLEFREE : SW_OK;
  }
  if ((sw_peer_load_relaxed(&slab->freed[place->word]) & bit) != 0) return SW_EDOUBLEFREE;
  sw_store_owned(&slab->used[place->word], used & ~bit);
  if (h->classes[place->class].page == place->page) h->classes[place->class].word = place->word;
  else leave_present(h, place->class, place->page, place->word);
  return SW_OK;
}
