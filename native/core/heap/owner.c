/* Which slabs are whose.
 *
 *   owner           state                 next
 *   0               none                  any participant, by compare-exchange -> its role [O1]
 *   role, living    owned                 owner: leaves it -> 0 [O2]
 *   role, dead      as if there were none as 0; the adopter mends what a crash has left
 *
 * The slabs of one owner and class are a circle of page numbers in their descriptors, which only
 * the owner uses; it is derived from `owner`, and made anew by swi_circle_gather. Each number is
 * bounded, and the page that it leads to must be a slab of this class and this owner, or the circle
 * is forgotten.
 *
 * An adopter looks at the page map again behind [O1], then at `owner`: a dead owner may have given
 * the page back before it died, and the page may be another's slab. */
#include "core/heap/heap.h"
#include "core/region/endpoint.h"
#include "sabway/endpoint.h"
#include "sabway/role.h"

/* ---- circles ---- */

static bool is_mine(const sw_heap *h, uint32_t class, uint32_t page) {
  return page < h->count && sw_peer_load_relaxed(&h->map[page]) == swi_slab_head(class) &&
         sw_peer_load_relaxed(&h->slabs[page].owner) == h->role;
}

uint32_t swi_circle_next(sw_heap *h, uint32_t class) {
  sw_heap_class *mine = &h->classes[class];
  if (mine->scan == SWI_NO_PAGE) return SWI_NO_PAGE;
  uint32_t page = sw_peer_load_relaxed(&h->slabs[mine->scan].next);
  if (!is_mine(h, class, page)) page = mine->page = SWI_NO_PAGE;
  mine->scan = page;
  return page;
}

void swi_circle_add(sw_heap *h, uint32_t class, uint32_t page) {
  sw_heap_class *mine = &h->classes[class];
  sw_slab *slab = &h->slabs[page];
  uint32_t before = page, behind = page;
  if (mine->scan != SWI_NO_PAGE) {
    before = mine->scan;
    behind = sw_peer_load_relaxed(&h->slabs[before].next);
    if (behind >= h->count) behind = before;
  }
  sw_store_relaxed(&slab->next, behind);
  sw_store_relaxed(&slab->previous, before);
  if (before != page) {
    sw_store_relaxed(&h->slabs[before].next, page);
    sw_store_relaxed(&h->slabs[behind].previous, page);
  }
  mine->scan = page;
}

void swi_circle_remove(sw_heap *h, uint32_t class, uint32_t page) {
  sw_heap_class *mine = &h->classes[class];
  uint32_t next = sw_peer_load_relaxed(&h->slabs[page].next);
  uint32_t previous = sw_peer_load_relaxed(&h->slabs[page].previous);
  if (mine->page == page) mine->page = SWI_NO_PAGE;
  bool alone = next == page || !is_mine(h, class, next) || !is_mine(h, class, previous);
  if (!alone) {
    sw_store_relaxed(&h->slabs[previous].next, next);
    sw_store_relaxed(&h->slabs[next].previous, previous);
  }
  if (mine->scan == page || alone) mine->scan = alone ? SWI_NO_PAGE : previous;
}

void swi_circle_clear(sw_heap *h) {
  for (uint32_t class = 0; class < SW_HEAP_CLASSES; class ++) {
    h->classes[class].page = h->classes[class].scan = SWI_NO_PAGE;
    h->classes[class].word = 0;
  }
}

void swi_circle_gather(sw_heap *h) {
  swi_circle_clear(h);
  uint32_t pages = swi_runs_touched(h);
  for (uint32_t page = 0; page < pages; page++) {
    uint32_t class = swi_slab_class(sw_peer_load_relaxed(&h->map[page]));
    if (class >= SW_HEAP_CLASSES || sw_peer_load_relaxed(&h->slabs[page].owner) != h->role) continue;
    swi_slab_normalise(h, page, class);
    if (h->shares) swi_slab_leave(h, page);
    else swi_circle_add(h, class, page);
  }
}

/* ---- adopting, and leaving ---- */

static bool owner_is_dead(sw_heap *h, uint32_t owner, enum swi_effort effort) {
  const sw_endpoint *e = swi_endpoint_named(h->base, owner);
  if (e == NULL) return true;
  if (!sw_role_is_of_claim(owner, sw_peer_load_acquire(&e->epoch))) return true;
  uint64_t bit = (uint64_t)1 << sw_role_index(owner);
  if (effort == SWI_GLANCE || (h->alive & bit) != 0) return false;
  if (!sw_endpoint_role_alive(h->base, owner)) return true;
  h->alive |= bit; /* not to be asked again for each of its slabs */
  return false;
}

bool swi_slab_adopt(sw_heap *h, uint32_t page, uint32_t class, enum swi_effort effort) {
  uint32_t *word = &h->slabs[page].owner;
  if (sw_peer_load_relaxed(&h->map[page]) != swi_slab_head(class)) return false;
  uint32_t owner = sw_peer_load_relaxed(word), before = owner;
  if (owner == h->role || (owner != 0 && !owner_is_dead(h, owner, effort))) return false;
  if (!sw_compare_exchange_acq_rel(word, &owner, h->role)) return false; /* [O1] */
  uint32_t head = sw_peer_load_acquire(&h->map[page]);                   /* pairs with [G4] */
  if (head != swi_slab_head(class) || sw_peer_load_relaxed(word) != h->role) {
    owner = h->role;
    sw_compare_exchange_acq_rel(word, &owner, 0);
    return false;
  }
  if (before != 0) swi_slab_normalise(h, page, class);
  return true;
}

void swi_slab_leave(const sw_heap *h, uint32_t page) {
  sw_store_release(&h->slabs[page].owner, 0); /* [O2] pairs with [O1] */
}

uint32_t swi_slab_reclaim(sw_heap *h) {
  uint32_t pages = swi_runs_touched(h), given = 0, waiting = 0;
  h->alive = 0;
  for (uint32_t page = 0; page < pages; page++) {
    uint32_t word = sw_peer_load_relaxed(&h->map[page]), class = swi_slab_class(word);
    if (swi_pages_state(word) == SW_PAGES_GIVEN) waiting++;
    if (class >= SW_HEAP_CLASSES) continue;
    bool mine = !h->shares && is_mine(h, class, page);
    if (!mine && !swi_slab_adopt(h, page, class, SWI_ASK)) continue;
    bool empty = swi_slab_empty(h, page, class);
    if (mine && empty) swi_circle_remove(h, class, page);
    if (empty) given += swi_runs_free(h, page, swi_slab_head(class)) == SW_OK;
    else if (!mine) swi_slab_leave(h, page);
  }
  if (waiting != 0) swi_runs_ask_for_look(h);
  return given + waiting;
}
