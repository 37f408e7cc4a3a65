/* Runs: one or more whole pages, and the page map that says where they are.
 *
 * The truth is the page map word at the first page of each run, its head. From one head the next is
 * `length` pages further. A word that is no head is 0, or says SW_PAGES_FREE (a head that a merge
 * has left behind), or is the tail of a free run; it never says USED or GIVEN.
 *
 *   head     next
 *   FREE     holder of the lock: a part of it, or all -> USED; joined to the one before
 *   USED     any participant, by compare-exchange -> GIVEN [G1]
 *   GIVEN    holder of the lock: -> FREE, and joined to its free neighbours
 *
 * [G1] decides which of two frees is the first, and needs no lock: when the lock is held, the page
 * waits in sw_heap_control.given, and the next holder takes it. All else is written under the lock
 * by one participant, and each change is one store:
 *
 *   split    the second head is written where no walk comes by; then the first one's length
 *   join     the second one is FREE already; then the first one's length
 *
 * The last page of a free run of more than one has a tail, which tells where its head is, and the
 * last page of a used one has 0: so a run finds a free one before it. Tails, the search tree and
 * the counts are derived.
 *
 * What a crash leaves: in swi_runs_take, nothing, or the pages in hand USED; in swi_runs_free,
 * GIVEN pages that no list has: until a rebuild, or until an allocation finds no room. A holder of
 * the lock that dies leaves derived words wrong: the next one gets SW_EOWNERDEAD and makes all of
 * them anew from the heads.
 *
 * Hostile: a head is bounded before it is used, and so is everything that a derived word leads to;
 * what contradicts itself is made anew once, and then is SW_ECORRUPT. */
#include "core/heap/heap.h"
#include "sabway/mutex.h"

enum { KIND_TAIL = 1 };

static uint32_t tail(uint32_t head) { return swi_pages_word(SW_PAGES_INSIDE, KIND_TAIL, head); }

static uint32_t map_word(const sw_heap *h, uint32_t page) { return sw_peer_load_relaxed(&h->map[page]); }

static bool is_free(const sw_heap *h, uint32_t page, uint32_t word) {
  return swi_pages_state(word) == SW_PAGES_FREE && swi_pages_valid(h, page, word);
}

uint32_t swi_runs_touched(const sw_heap *h) {
  uint32_t high = sw_peer_load_relaxed(&h->control->high);
  return high < h->count ? high + 1 : h->count;
}

static void count_used(const sw_heap *h, uint32_t change) {
  sw_heap_control *control = h->control;
  uint32_t used = sw_peer_load_relaxed(&control->pages_used) + change;
  sw_store_relaxed(&control->pages_used, used);
  if (used <= h->count && used > sw_peer_load_relaxed(&control->pages_most)) {
    sw_store_relaxed(&control->pages_most, used);
  }
}

/* Before a head is written for the first time. */
static void raise_high(const sw_heap *h, uint32_t page) {
  if (page > sw_peer_load_relaxed(&h->control->high)) sw_store_relaxed(&h->control->high, page);
}

static void write_tail(const sw_heap *h, uint32_t page, uint32_t length) {
  if (length > 1) sw_store_relaxed(&h->map[page + length - 1], tail(page));
}

/* A free head, its tail, and its place in the search tree. */
static void write_free(const sw_heap *h, uint32_t page, uint32_t length) {
  raise_high(h, page);
  sw_store_relaxed(&h->map[page], swi_pages_word(SW_PAGES_FREE, 0, length));
  write_tail(h, page, length);
  swi_tree_set(h, page, length);
}

/* ---- joining ---- */

/* The free run that ends right before `page`, or SWI_NO_PAGE. */
static uint32_t free_before(const sw_heap *h, uint32_t page) {
  if (page == 0) return SWI_NO_PAGE;
  uint32_t word = map_word(h, page - 1), head = page - 1;
  if (word >> 2 << 2 == tail(swi_pages_length(word)) >> 2 << 2 && swi_pages_state(word) == SW_PAGES_INSIDE) {
    head = swi_pages_length(word);
    if (head >= page) return SWI_NO_PAGE;
    word = map_word(h, head);
  }
  return word == swi_pages_word(SW_PAGES_FREE, 0, page - head) ? head : SWI_NO_PAGE;
}

/* The pages have a head that is FREE already, or becomes it: join them to their free neighbours. */
static void join(const sw_heap *h, uint32_t page, uint32_t length) {
  sw_store_relaxed(&h->map[page], swi_pages_word(SW_PAGES_FREE, 0, length));
  uint32_t next = page + length;
  if (next < h->count) {
    uint32_t word = map_word(h, next);
    if (is_free(h, next, word)) {
      swi_tree_set(h, next, 0);
      length += swi_pages_length(word);
      sw_store_relaxed(&h->map[page], swi_pages_word(SW_PAGES_FREE, 0, length));
    }
  }
  uint32_t before = free_before(h, page);
  if (before != SWI_NO_PAGE) {
    length += page - before;
    page = before;
  }
  write_free(h, page, length);
}

static void take_back(const sw_heap *h, uint32_t page) {
  uint32_t word = sw_peer_load_acquire(&h->map[page]); /* pairs with [G1] */
  if (swi_pages_state(word) != SW_PAGES_GIVEN || !swi_pages_valid(h, page, word)) return;
  count_used(h, 0 - swi_pages_length(word));
  join(h, page, swi_pages_length(word));
}

/* ---- the lock ---- */

/* Everything that is derived, from the heads. */
static int rebuild(const sw_heap *h) {
  uint32_t touched = swi_runs_touched(h), used = 0;
  for (uint32_t page = 0; page < h->count;) {
    uint32_t word = sw_peer_load_acquire(&h->map[page]), at = page; /* pairs with [G1] */
    if (!swi_pages_valid(h, page, word)) return SW_ECORRUPT;
    uint32_t length = swi_pages_length(word);
    bool is_used = swi_pages_state(word) == SW_PAGES_USED;
    while (!is_used && page + length < h->count) {
      uint32_t next = page + length;
      uint32_t other = sw_peer_load_acquire(&h->map[next]); /* pairs with [G1] */
      if (!swi_pages_valid(h, next, other) || swi_pages_state(other) == SW_PAGES_USED) break;
      /* a run that becomes the inside of another is FREE first */
      sw_store_relaxed(&h->map[next], swi_pages_word(SW_PAGES_FREE, 0, swi_pages_length(other)));
      length += swi_pages_length(other);
    }
    if (is_used) {
      used += length;
      if (length > 1) sw_store_relaxed(&h->map[page + length - 1], 0);
    } else {
      sw_store_relaxed(&h->map[page], swi_pages_word(SW_PAGES_FREE, 0, length));
      write_tail(h, page, length);
    }
    for (; at < page + length && at < touched; at++) {
      uint32_t value = at == page && !is_used ? length : 0;
      if (swi_tree_get(h, at) != value) sw_store_relaxed(&h->tree[0][at], value);
    }
    page += length;
  }
  swi_tree_rebuild(h, touched);
  sw_store_relaxed(&h->control->pages_used, used);
  return SW_OK;
}

static void take_all_back(const sw_heap *h) {
  for (uint32_t i = 0; i < SW_HEAP_GIVEN; i++) {
    if (sw_peer_load_relaxed(&h->control->given[i]) == 0) continue;
    uint32_t page = sw_exchange_acq_rel(&h->control->given[i], 0) - 1; /* pairs with [G2] */
    if (page < h->count) take_back(h, page);
  }
  if (sw_peer_load_relaxed(&h->control->given_more) == 0) return;
  sw_exchange_acq_rel(&h->control->given_more, 0); /* pairs with [G3] */
  for (uint32_t page = 0; page < h->count;) {
    uint32_t word = map_word(h, page);
    if (!swi_pages_valid(h, page, word)) return;
    uint32_t next = page + swi_pages_length(word);
    take_back(h, page);
    page = next;
  }
}

int swi_runs_enter(sw_heap *h, int status) {
  if (status == SW_EOWNERDEAD) {
    status = rebuild(h);
    if (status == SW_OK) sw_mutex_consistent(h->base, &h->control->lock, h->endpoint);
    else sw_mutex_unlock(h->base, &h->control->lock, h->endpoint); /* which poisons it */
  }
  h->status = status;
  h->held = status == SW_OK;
  if (status == SW_OK) take_all_back(h);
  return status;
}

int swi_runs_lock(sw_heap *h) {
  if (h->held) return SW_OK;
  return swi_runs_enter(h, sw_mutex_try_lock(h->base, &h->control->lock, h->endpoint));
}

void swi_runs_unlock(sw_heap *h) {
  if (!h->held) return;
  h->held = 0;
  sw_mutex_unlock(h->base, &h->control->lock, h->endpoint);
}

/* ---- taking ---- */

/* Find a free run of that many pages: its length, or 0 with *status. */
static uint32_t find(const sw_heap *h, uint32_t pages, uint32_t *page, int *status) {
  for (int tries = 0; tries < 2; tries++) {
    bool broken;
    *status = SW_EHEAPFULL;
    *page = swi_tree_find(h, pages, &broken);
    if (*page == SWI_NO_PAGE && !broken) return 0;
    if (!broken) { /* the map has as many words as the tree */
      uint32_t word = map_word(h, *page);
      if (is_free(h, *page, word) && swi_pages_length(word) >= pages) return swi_pages_length(word);
    }
    *status = rebuild(h);
    if (*status != SW_OK) return 0;
  }
  *status = SW_ECORRUPT;
  return 0;
}

static void split_free(const sw_heap *h, uint32_t page, uint32_t length, uint32_t first) {
  write_free(h, page + first, length - first);
  write_free(h, page, first); /* from here on there are two */
}

uint32_t swi_runs_take(sw_heap *h, uint32_t pages, uint32_t align, uint32_t kind) {
  if (swi_runs_lock(h) != SW_OK) return SWI_NO_PAGE;
  uint32_t page = SWI_NO_PAGE, length = 0;
  if (pages <= h->count) length = find(h, pages + align - 1, &page, &h->status);
  else h->status = SW_EHEAPFULL;
  if (length != 0) {
    uint32_t skip = (0 - (h->begin / SW_HEAP_PAGE + page)) & (align - 1);
    if (skip != 0) {
      split_free(h, page, length, skip);
      page += skip;
      length -= skip;
    }
    if (length > pages) write_free(h, page + pages, length - pages);
    raise_high(h, page);
    swi_tree_set(h, page, 0);
    if (kind == SWI_KIND_RUN) sw_store_relaxed(&h->slabs[page].owner, h->role);
    else swi_slab_prepare(h, page, kind - SWI_KIND_SLAB);
    if (pages > 1) sw_store_relaxed(&h->map[page + pages - 1], 0);
    /* [G4] a participant that sees the slab sees its descriptor */
    sw_store_release(&h->map[page], swi_pages_word(SW_PAGES_USED, kind, pages));
    count_used(h, pages);
    h->status = SW_OK;
  }
  swi_runs_unlock(h);
  return length != 0 ? page : SWI_NO_PAGE;
}

/* ---- freeing ---- */

void swi_runs_ask_for_look(const sw_heap *h) {
  /* [G3] */
  sw_exchange_acq_rel(&h->control->given_more, 1);
}

/* The next holder of the lock finds it. */
static void leave_to_next(const sw_heap *h, uint32_t page) {
  for (uint32_t i = 0; i < SW_HEAP_GIVEN; i++) {
    uint32_t none = 0;
    if (sw_peer_load_relaxed(&h->control->given[i]) != 0) continue;
    if (sw_compare_exchange_acq_rel(&h->control->given[i], &none, page + 1)) return; /* [G2] */
  }
  swi_runs_ask_for_look(h);
}

int swi_runs_free(sw_heap *h, uint32_t page, uint32_t word) {
  uint32_t given = swi_pages_word(SW_PAGES_GIVEN, 0, swi_pages_length(word));
  /* [G1] the last use of the pages comes before their next */
  if (!sw_compare_exchange_acq_rel(&h->map[page], &word, given)) return SW_EDOUBLEFREE;
  int before = h->status;
  if (swi_runs_lock(h) == SW_OK) {
    take_back(h, page);
    swi_runs_unlock(h);
  } else {
    leave_to_next(h, page);
  }
  h->status = before;
  return SW_OK;
}

/* ---- resizing ---- */

static int shrink(sw_heap *h, uint32_t page, uint32_t word, uint32_t pages) {
  uint32_t rest = swi_pages_length(word) - pages;
  raise_high(h, page + pages);
  sw_store_relaxed(&h->map[page + pages], swi_pages_word(SW_PAGES_FREE, 0, rest));
  if (pages > 1) sw_store_relaxed(&h->map[page + pages - 1], 0);
  uint32_t less = swi_pages_word(SW_PAGES_USED, SWI_KIND_RUN, pages);
  if (!sw_compare_exchange_acq_rel(&h->map[page], &word, less)) return SW_EDOUBLEFREE;
  count_used(h, 0 - rest);
  join(h, page + pages, rest);
  return SW_OK;
}

static int grow(sw_heap *h, uint32_t page, uint32_t word, uint32_t pages) {
  uint32_t length = swi_pages_length(word), next = page + length, extra = pages - length;
  if (next >= h->count) return SW_EHEAPFULL;
  uint32_t other = map_word(h, next);
  if (!is_free(h, next, other) || swi_pages_length(other) < extra) return SW_EHEAPFULL;
  uint32_t rest = swi_pages_length(other) - extra;
  if (rest != 0) write_free(h, next + extra, rest);
  uint32_t more = swi_pages_word(SW_PAGES_USED, SWI_KIND_RUN, pages);
  if (!sw_compare_exchange_acq_rel(&h->map[page], &word, more)) {
    /* freed by another, whose mistake it is: what follows is free, and one piece, still */
    if (rest != 0) swi_tree_set(h, next + extra, 0);
    write_tail(h, next, extra + rest);
    return SW_EDOUBLEFREE;
  }
  swi_tree_set(h, next, 0);
  sw_store_relaxed(&h->map[page + pages - 1], 0);
  count_used(h, extra);
  return SW_OK;
}

int swi_runs_resize(sw_heap *h, uint32_t page, uint32_t word, uint32_t pages) {
  uint32_t length = swi_pages_length(word);
  if (pages == length) return SW_OK;
  if (swi_runs_lock(h) != SW_OK) return h->status;
  /* locking has taken back what others have freed, by mistake this run, too */
  if (map_word(h, page) != word) h->status = SW_EDOUBLEFREE;
  else h->status = pages < length ? shrink(h, page, word, pages) : grow(h, page, word, pages);
  swi_runs_unlock(h);
  return h->status;
}
