/* The heap's calls: blocks of up to SW_HEAP_SMALL bytes are bits of a slab (slab.c), larger ones
 * whole pages (run.c).
 *
 * Where things are follows from the heap's offset and the region's size. So the shape of a heap is
 * calculation, a handle keeps it, and no word of the region can change it. */
#include "core/heap/heap.h"

#include "sabway/endpoint.h"

/* ---- shape ---- */

typedef struct shape {
  uint32_t tree, slabs; /* offsets */
  uint32_t first;       /* page of the region that is page 0 of the heap */
  uint32_t count, pages;
} shape;

/* count 0: there is no room. Inlined, so that formatting needs no stack in WebAssembly. */
static inline __attribute__((always_inline)) shape shape_of(uint32_t offset, uint64_t size) {
  shape s = {0, 0, 0, 0, 0};
  /* offsets end below 2^32: of 4 GiB the last page is left out */
  uint32_t end = size >> 32 != 0 ? 0 - (uint32_t)SW_HEAP_PAGE : (uint32_t)size / SW_HEAP_PAGE * SW_HEAP_PAGE;
  if (offset % SW_LINE != 0 || size >> 32 > 1 || end <= offset) return s;
  if (end - offset < sizeof(sw_heap_control) + SW_HEAP_PAGE) return s;
  s.pages = (end - offset) / SW_HEAP_PAGE;
  s.tree = offset + (uint32_t)sizeof(sw_heap_control) + 4 * s.pages;
  uint32_t words = s.pages;
  for (uint32_t level = 1; swi_tree_words(s.pages, level - 1) > 1; level++) words += swi_tree_words(s.pages, level);
  s.slabs = (s.tree + 4 * words + SW_LINE - 1) / SW_LINE * SW_LINE;
  uint32_t tables = (uint32_t)sizeof(sw_slab) * s.pages;
  if (s.slabs >= end || end - s.slabs < tables) return s;
  s.first = (s.slabs + tables + SW_HEAP_PAGE - 1) / SW_HEAP_PAGE;
  if (s.first < end / SW_HEAP_PAGE) s.count = end / SW_HEAP_PAGE - s.first;
  return s;
}

static inline uint32_t *word_at(void *base, uint32_t offset) { return (uint32_t *)(void *)((uint8_t *)base + offset); }

int sw_heap_format(void *base, uint32_t offset, uint64_t size) {
  shape s = shape_of(offset, size);
  if (s.count == 0) return SW_ERANGE;
  uint32_t *map = word_at(base, offset + sizeof(sw_heap_control)), *tree = word_at(base, s.tree);
  sw_store_relaxed(&map[0], swi_pages_word(SW_PAGES_FREE, 0, s.count));
  /* its tail */
  if (s.count > 1) sw_store_relaxed(&map[s.count - 1], swi_pages_word(SW_PAGES_INSIDE, 1, 0));
  for (uint32_t level = 0;; level++) {
    sw_store_relaxed(tree, s.count);
    if (swi_tree_words(s.pages, level) == 1) break;
    tree += swi_tree_words(s.pages, level);
  }
  sw_store_relaxed(&((sw_heap_control *)(void *)word_at(base, offset))->magic, SW_HEAP_MAGIC);
  return SW_OK;
}

int sw_heap_open(sw_heap *h, void *base, uint64_t size, uint32_t offset, uint32_t endpoint) {
  shape s = shape_of(offset, size);
  if (endpoint >= SW_ENDPOINTS) return SW_EINVAL;
  if (s.count == 0) return SW_ENOTREGION;
  sw_heap_control *control = (sw_heap_control *)(void *)word_at(base, offset);
  if (sw_peer_load_relaxed(&control->magic) != SW_HEAP_MAGIC) return SW_ENOTREGION;
  h->base = base;
  h->status = SW_OK;
  h->endpoint = endpoint;
  h->role = sw_endpoint_role(base, endpoint);
  h->begin = s.first * SW_HEAP_PAGE;
  h->count = s.count;
  h->pages = s.pages;
  h->control = control;
  h->map = word_at(base, offset + sizeof(sw_heap_control));
  h->slabs = (sw_slab *)(void *)word_at(base, s.slabs);
  h->tree[0] = word_at(base, s.tree);
  h->levels = 0;
  while (swi_tree_words(s.pages, h->levels) > 1) {
    h->tree[h->levels + 1] = h->tree[h->levels] + swi_tree_words(s.pages, h->levels);
    h->levels++;
  }
  h->shares = s.count < SWI_FEW_PAGES;
  h->held = 0;
  h->ordered = 0;
  h->retired_at = 0;
  h->looked_at = 0;
  h->alive = 0;
  h->look = endpoint; /* so that not all begin at the same slab */
  for (uint32_t class = 0; class < SW_HEAP_CLASSES; class ++) {
    h->classes[class].size = swi_class_size(class);
    h->classes[class].reciprocal = 65536 * SW_HEAP_UNIT / h->classes[class].size + 1;
  }
  swi_circle_gather(h);
  return SW_OK;
}

void sw_heap_close(sw_heap *h) {
  uint32_t pages = swi_runs_touched(h);
  swi_circle_clear(h);
  for (uint32_t page = 0; page < pages; page++) {
    uint32_t class = swi_slab_class(sw_peer_load_relaxed(&h->map[page]));
    if (class >= SW_HEAP_CLASSES || sw_peer_load_relaxed(&h->slabs[page].owner) != h->role) continue;
    if (swi_slab_empty(h, page, class)) swi_runs_free(h, page, swi_slab_head(class));
    else swi_slab_leave(h, page);
  }
  h->count = 0; /* a call by mistake finds a heap without pages */
}

uint32_t sw_heap_lock_at(const sw_heap *h) { return (uint32_t)((uint8_t *)&h->control->lock - h->base); }

/* ---- allocating ---- */

static uint32_t refuse(sw_heap *h, int status) {
  h->status = status;
  return 0;
}

static uint32_t pages_of(uint32_t bytes) { return (bytes - 1) / SW_HEAP_PAGE + 1; }

__attribute__((noinline)) static uint32_t alloc_run(sw_heap *h, uint32_t bytes, uint32_t align) {
  if (bytes == 0) return refuse(h, SW_EINVAL);
  uint32_t pages = pages_of(bytes), page = swi_runs_take(h, pages, align, SWI_KIND_RUN);
  if (page == SWI_NO_PAGE && h->status == SW_EHEAPFULL && swi_slab_reclaim(h) != 0) {
    page = swi_runs_take(h, pages, align, SWI_KIND_RUN);
  }
  return page == SWI_NO_PAGE ? 0 : swi_page_at(h, page);
}

uint32_t sw_heap_alloc(sw_heap *h, uint32_t bytes) {
  return bytes - 1 < SW_HEAP_SMALL ? swi_slab_alloc(h, swi_class_of(bytes), SW_HEAP_UNIT) : alloc_run(h, bytes, 1);
}

uint32_t sw_heap_alloc_aligned(sw_heap *h, uint32_t bytes, uint32_t align) {
  enum { MOST = 1 << 30 };
  if (align == 0 || (align & (align - 1)) != 0 || bytes == 0) return refuse(h, SW_EINVAL);
  if (align > MOST) return refuse(h, SW_ERANGE);
  uint32_t pages = align > SW_HEAP_PAGE ? align / SW_HEAP_PAGE : 1;
  if (bytes > SW_HEAP_SMALL || align > SW_HEAP_SMALL) return alloc_run(h, bytes, pages);
  /* pages are aligned, so a block is as far as its size is */
  uint32_t class = swi_class_of(bytes);
  while (h->classes[class].size % align != 0) class ++;
  return swi_slab_alloc(h, class, align);
}

/* ---- blocks ---- */

/* What is at an offset: a small block (*place, 1), a run (*place has its page, 0), or an error.
 * *word is the page map's. */
static inline int look_up(const sw_heap *h, uint32_t at, swi_place *place, uint32_t *word) {
  uint32_t page = (at - h->begin) / SW_HEAP_PAGE, offset = at % SW_HEAP_PAGE;
  /* below the first page the difference is huge */
  if (page >= h->count) return SW_EWILD;
  *word = sw_peer_load_relaxed(&h->map[page]); /* what made the offset known ordered it */
  place->page = page;
  uint32_t class = swi_slab_class(*word);
  if (class < SW_HEAP_CLASSES) {
    uint32_t index = offset / SW_HEAP_UNIT * h->classes[class].reciprocal >> 16, size = h->classes[class].size;
    if (index * size != offset || offset > SW_HEAP_PAGE - size) return SW_EWILD;
    place->class = class;
    place->word = index / 32;
    place->bit = index % 32;
    return 1;
  }
  uint32_t state = swi_pages_state(*word);
  if (offset != 0 || state == SW_PAGES_INSIDE || !swi_pages_valid(h, page, *word)) return SW_EWILD;
  if (state != SW_PAGES_USED) return SW_EDOUBLEFREE;
  return swi_pages_kind(*word) == SWI_KIND_RUN ? 0 : SW_EWILD;
}

int sw_heap_free(sw_heap *h, uint32_t at) {
  swi_place place;
  uint32_t word;
  int kind = look_up(h, at, &place, &word);
  if (kind == 1) return swi_slab_free(h, &place);
  return kind < 0 ? kind : swi_runs_free(h, place.page, word);
}

/* Bytes of the block, or 0 with h->status. */
static uint32_t measure(sw_heap *h, uint32_t at, swi_place *place, uint32_t *word, int *kind) {
  *kind = look_up(h, at, place, word);
  if (*kind < 0) return refuse(h, *kind);
  if (*kind == 0) return swi_pages_length(*word) * SW_HEAP_PAGE;
  const sw_slab *slab = &h->slabs[place->page];
  uint32_t bits = sw_peer_load_relaxed(&slab->used[place->word]) & ~sw_peer_load_relaxed(&slab->freed[place->word]);
  return (bits >> place->bit & 1) == 0 ? refuse(h, SW_EDOUBLEFREE) : h->classes[place->class].size;
}

uint32_t sw_heap_usable(sw_heap *h, uint32_t at) {
  swi_place place;
  uint32_t word;
  int kind;
  return measure(h, at, &place, &word, &kind);
}

uint32_t sw_heap_realloc(sw_heap *h, uint32_t at, uint32_t bytes) {
  if (at == 0) return sw_heap_alloc(h, bytes);
  if (bytes == 0) return refuse(h, SW_EINVAL);
  swi_place place;
  uint32_t word;
  int kind;
  uint32_t usable = measure(h, at, &place, &word, &kind);
  if (usable == 0) return 0;
  if (kind == 1 && bytes <= usable && bytes > usable / 2) return at;
  if (kind == 0 && bytes > SW_HEAP_SMALL) {
    int status = swi_runs_resize(h, place.page, word, pages_of(bytes));
    if (status == SW_OK) return at;
    if (status == SW_EDOUBLEFREE) return refuse(h, status);
    if (bytes <= usable) return at; /* it cannot shrink now, and need not */
  }
  uint32_t moved = sw_heap_alloc(h, bytes);
  if (moved == 0) return bytes <= usable ? at : 0;
  __builtin_memcpy(h->base + moved, h->base + at, bytes < usable ? bytes : usable);
  int status = sw_heap_free(h, at);
  if (status == SW_OK) return moved;
  sw_heap_free(h, moved);
  return refuse(h, status);
}
