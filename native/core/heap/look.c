/* Looking at a heap: statistics, walks, marks and sweeps, the check, and trimming.
 *
 * All but the check and trimming go without the lock: a page that is no head when they come by is
 * stepped over, so a split or join meanwhile costs a wrong figure at most. */
#include "core/heap/heap.h"
#include "prim/prim.h"
#include "sabway/role.h"

/* The head at `page`: its word and length, or 0 and 1 where there is none. */
static uint32_t head_at(const sw_heap *h, uint32_t page, uint32_t *length) {
  uint32_t word = sw_peer_load_relaxed(&h->map[page]);
  bool valid = swi_pages_valid(h, page, word);
  *length = valid ? swi_pages_length(word) : 1;
  return valid ? word : 0;
}

/* Bits of the blocks that are not free. */
static uint32_t used_bits(const sw_heap *h, uint32_t page, uint32_t class, uint32_t word) {
  const sw_slab *slab = &h->slabs[page];
  uint32_t used = sw_peer_load_relaxed(&slab->used[word]) & ~sw_peer_load_relaxed(&slab->freed[word]);
  return used & ~swi_slab_surplus(swi_class_blocks(h, class), word);
}

/* ---- statistics ---- */

static void add_blocks(const sw_heap *h, sw_heap_stats *stats, uint32_t page, uint64_t blocks, uint64_t bytes) {
  uint32_t index = sw_role_index(sw_peer_load_relaxed(&h->slabs[page].owner));
  stats->blocks += blocks;
  stats->used += bytes;
  stats->by_owner[index < SW_ENDPOINTS ? index : SW_ENDPOINTS] += bytes;
}

void sw_heap_stats_of(sw_heap *h, sw_heap_stats *stats) {
  __builtin_memset(stats, 0, sizeof(*stats));
  uint64_t free_pages = 0, largest = 0;
  for (uint32_t page = 0, length; page < h->count; page += length) {
    uint32_t word = head_at(h, page, &length), class = swi_slab_class(word);
    if (class < SW_HEAP_CLASSES) {
      uint32_t blocks = 0;
      for (uint32_t i = 0; i < SW_SLAB_WORDS; i++) blocks += swi_count_bits(used_bits(h, page, class, i));
      add_blocks(h, stats, page, blocks, (uint64_t)blocks * h->classes[class].size);
      if (blocks < swi_class_blocks(h, class) && h->classes[class].size > largest) largest = h->classes[class].size;
    } else if (swi_pages_state(word) == SW_PAGES_USED) {
      add_blocks(h, stats, page, 1, (uint64_t)length * SW_HEAP_PAGE);
    } else if (word != 0) {
      free_pages += length;
      if ((uint64_t)length * SW_HEAP_PAGE > largest) largest = (uint64_t)length * SW_HEAP_PAGE;
    }
  }
  uint32_t most = sw_peer_load_relaxed(&h->control->pages_most);
  stats->total = (uint64_t)h->count * SW_HEAP_PAGE;
  stats->free = stats->total - stats->used;
  stats->largest = largest;
  stats->pages_bytes = stats->total - free_pages * SW_HEAP_PAGE;
  stats->high_water = (uint64_t)(most < h->count ? most : h->count) * SW_HEAP_PAGE;
  if (stats->high_water < stats->pages_bytes) stats->high_water = stats->pages_bytes;
}

/* ---- walks ---- */

int sw_heap_walk(sw_heap *h, sw_heap_cursor *cursor, sw_heap_block *block) {
  while (cursor->page < h->count) {
    uint32_t page = cursor->page, length, word = head_at(h, page, &length), class = swi_slab_class(word);
    block->owner = sw_peer_load_relaxed(&h->slabs[page].owner);
    if (class < SW_HEAP_CLASSES) {
      uint32_t index = cursor->index, size = h->classes[class].size;
      for (; index < swi_class_blocks(h, class); index = (index / 32 + 1) * 32) {
        uint32_t bits = used_bits(h, page, class, index / 32) >> (index % 32) << (index % 32);
        if (bits == 0) continue;
        index = index / 32 * 32 + swi_lowest_bit(bits);
        block->at = swi_page_at(h, page) + index * size;
        block->bytes = size;
        cursor->index = index + 1;
        return 1;
      }
    } else if (swi_pages_state(word) == SW_PAGES_USED) {
      block->at = swi_page_at(h, page);
      block->bytes = length * SW_HEAP_PAGE;
      cursor->page = page + length;
      cursor->index = 0;
      return 1;
    }
    cursor->page = page + length;
    cursor->index = 0;
  }
  return 0;
}

/* ---- marks ---- */

/* A bit per unit of all pages; a block's is that of its first byte. */
uint64_t sw_heap_marks_bytes(const sw_heap *h) { return (uint64_t)h->count * (SW_HEAP_PAGE / SW_HEAP_UNIT / 8); }

static bool is_marked(const sw_heap *h, const uint8_t *marks, uint32_t at) {
  uint32_t unit = (at - h->begin) / SW_HEAP_UNIT;
  return (marks[unit / 8] >> (unit % 8) & 1) != 0;
}

int sw_heap_mark(sw_heap *h, void *marks, uint32_t at) {
  if (sw_heap_usable(h, at) == 0) return h->status;
  if (is_marked(h, marks, at)) return 0;
  uint32_t unit = (at - h->begin) / SW_HEAP_UNIT;
  ((uint8_t *)marks)[unit / 8] |= (uint8_t)(1u << (unit % 8));
  return 1;
}

int64_t sw_heap_sweep(sw_heap *h, const void *marks, int (*found)(const sw_heap_block *block, void *context),
                      void *context) {
  sw_heap_cursor cursor = {0, 0};
  sw_heap_block block;
  int64_t freed = 0;
  while (sw_heap_walk(h, &cursor, &block) == 1) {
    if (is_marked(h, marks, block.at) || !found(&block, context)) continue;
    int status = sw_heap_free(h, block.at);
    if (status != SW_OK) return status;
    freed++;
  }
  return freed;
}

/* ---- check ---- */

static bool slab_right(const sw_heap *h, uint32_t page, uint32_t class) {
  const sw_slab *slab = &h->slabs[page];
  uint32_t owner = sw_peer_load_relaxed(&slab->owner);
  if (owner != 0 && sw_role_index(owner) >= SW_ENDPOINTS) return false;
  for (uint32_t i = 0; i < SW_SLAB_WORDS; i++) {
    uint32_t surplus = swi_slab_surplus(swi_class_blocks(h, class), i);
    if ((sw_peer_load_relaxed(&slab->used[i]) & surplus) != surplus) return false;
    if ((sw_peer_load_relaxed(&slab->freed[i]) & surplus) != 0) return false;
  }
  return true;
}

static bool run_right(const sw_heap *h, uint32_t page, uint32_t word, bool after_free) {
  uint32_t length = swi_pages_length(word), state = swi_pages_state(word);
  uint32_t last = sw_peer_load_relaxed(&h->map[page + length - 1]);
  uint32_t tail = swi_pages_word(SW_PAGES_INSIDE, 1, page);
  bool is_free = state == SW_PAGES_FREE;
  if (is_free && after_free) return false; /* they would have been joined */
  if (length > 1 && last != (is_free ? tail : 0)) return false;
  for (uint32_t i = page; i < page + length && i < swi_runs_touched(h); i++) {
    if (swi_tree_get(h, i) != (is_free && i == page ? length : 0)) return false;
    uint32_t inside = swi_pages_state(sw_peer_load_relaxed(&h->map[i]));
    if (i != page && inside != SW_PAGES_INSIDE && inside != SW_PAGES_FREE) return false;
  }
  uint32_t class = swi_slab_class(word);
  if (class < SW_HEAP_CLASSES) return slab_right(h, page, class);
  return state != SW_PAGES_USED || swi_pages_kind(word) == SWI_KIND_RUN;
}

int sw_heap_check(sw_heap *h) {
  int status = swi_runs_lock(h);
  if (status != SW_OK) return status;
  uint32_t used = 0;
  bool right = true, after_free = false;
  for (uint32_t page = 0; right && page < h->count;) {
    uint32_t word = sw_peer_load_relaxed(&h->map[page]);
    right = swi_pages_valid(h, page, word) && run_right(h, page, word, after_free);
    after_free = swi_pages_state(word) == SW_PAGES_FREE;
    if (!after_free) used += swi_pages_length(word);
    page += swi_pages_length(word);
  }
  right = right && swi_tree_right(h, swi_runs_touched(h));
  right = right && sw_peer_load_relaxed(&h->control->pages_used) == used;
  swi_runs_unlock(h);
  return right ? SW_OK : SW_ECORRUPT;
}

/* ---- trimming ---- */

uint64_t sw_heap_trim(sw_heap *h) {
  swi_slab_reclaim(h);
  if (swi_runs_lock(h) != SW_OK) return 0;
  uint64_t given = 0;
  for (uint32_t page = 0, length; page < h->count; page += length) {
    uint32_t word = head_at(h, page, &length);
    if (swi_pages_state(word) != SW_PAGES_FREE) continue;
    given += sw_prim_discard(h->base + swi_page_at(h, page), (uint64_t)length * SW_HEAP_PAGE);
  }
  h->status = SW_OK;
  swi_runs_unlock(h);
  return given;
}
