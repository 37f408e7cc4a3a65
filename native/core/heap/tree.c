/* The search tree: which free run is the lowest that is long enough?
 *
 * The lowest level has a word per page: the length of the free run that begins there, or 0. A word
 * of the level above is the greatest of 16 words. It is derived from the page map, written under
 * the lock, and made anew when a holder of the lock died. A lie in it cannot do more than lead to a
 * page whose word in the page map says otherwise. */
#include "core/heap/heap.h"

/* The greatest of the words below `node`. */
static uint32_t greatest(const sw_heap *h, uint32_t level, uint32_t node) {
  uint32_t words = swi_tree_words(h->pages, level - 1), child = node * SW_HEAP_FANOUT, most = 0;
  for (uint32_t i = 0; i < SW_HEAP_FANOUT && child + i < words; i++) {
    uint32_t value = sw_peer_load_relaxed(&h->tree[level - 1][child + i]);
    if (value > most) most = value;
  }
  return most;
}

void swi_tree_set(const sw_heap *h, uint32_t page, uint32_t length) {
  uint32_t old = sw_peer_load_relaxed(&h->tree[0][page]), value = length;
  if (old == value) return;
  sw_store_relaxed(&h->tree[0][page], value);
  for (uint32_t level = 1, node = page / SW_HEAP_FANOUT; level <= h->levels; level++, node /= SW_HEAP_FANOUT) {
    uint32_t now = sw_peer_load_relaxed(&h->tree[level][node]);
    if (value < now) {
      if (old < now) return;
      value = greatest(h, level, node);
    }
    if (value == now) return;
    sw_store_relaxed(&h->tree[level][node], value);
    old = now;
  }
}

uint32_t swi_tree_get(const sw_heap *h, uint32_t page) { return sw_peer_load_relaxed(&h->tree[0][page]); }

uint32_t swi_tree_largest(const sw_heap *h) { return sw_peer_load_relaxed(&h->tree[h->levels][0]); }

uint32_t swi_tree_find(const sw_heap *h, uint32_t pages, bool *broken) {
  uint32_t node = 0;
  *broken = false;
  if (swi_tree_largest(h) < pages) return SWI_NO_PAGE;
  for (uint32_t level = h->levels; level-- > 0;) {
    uint32_t words = swi_tree_words(h->pages, level), end = (node + 1) * SW_HEAP_FANOUT;
    node *= SW_HEAP_FANOUT;
    if (end > words) end = words;
    while (node < end && sw_peer_load_relaxed(&h->tree[level][node]) < pages) node++;
    *broken = node == end;
    if (*broken) return SWI_NO_PAGE;
  }
  return node;
}

/* Nodes of a level that are above the first `pages` pages. */
static uint32_t nodes_of(uint32_t pages, uint32_t level) { return pages == 0 ? 0 : swi_tree_words(pages, level); }

void swi_tree_rebuild(const sw_heap *h, uint32_t pages) {
  for (uint32_t level = 1; level <= h->levels; level++) {
    for (uint32_t node = 0; node < nodes_of(pages, level); node++) {
      uint32_t value = greatest(h, level, node);
      if (sw_peer_load_relaxed(&h->tree[level][node]) != value) sw_store_relaxed(&h->tree[level][node], value);
    }
  }
}

bool swi_tree_right(const sw_heap *h, uint32_t pages) {
  for (uint32_t level = 1; level <= h->levels; level++) {
    for (uint32_t node = 0; node < nodes_of(pages, level); node++) {
      if (sw_peer_load_relaxed(&h->tree[level][node]) != greatest(h, level, node)) return false;
    }
  }
  return true;
}
