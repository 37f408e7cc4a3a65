/* The registry: a chain of blocks of slots, which grows and never shrinks.
 *
 *   slot             state     next
 *   0                vacant    add: compare-exchange -> taken
 *   offset | kind    taken     remove: compare-exchange -> vacant
 *
 *   block.next, and registry.first
 *   0                the last block   add: compare-exchange -> a block that is filled already
 *   offset           for good
 *
 * Each change is one compare-exchange, so a crash leaves it done or not; between the allocation of
 * a block and its place in the chain the block is lost. Readers walk the chain at any time. `hint`
 * only says where to begin.
 *
 * Hostile participants write here, too: offsets are bounded before use, a circle of blocks ends a
 * walk, and none is longer than SW_REGISTRY_BLOCKS blocks. */
#include "sabway/registry.h"

#include <stddef.h>

#include "base/peer.h"

static sw_registry *registry_of(const void *base) { return (sw_registry *)(void *)((uint8_t *)base + SW_REGISTRY_AT); }

/* The block at that offset, or NULL when none can be there. */
static sw_registry_block *block_at(const void *base, uint64_t size, uint32_t at) {
  if (at < SW_HEAP_AT || at % 16 != 0 || size < sizeof(sw_registry_block) || at > size - sizeof(sw_registry_block))
    return NULL;
  return (sw_registry_block *)(void *)((uint8_t *)base + at);
}

/* A way along the chain. */
typedef struct way {
  const void *base;
  uint64_t size;
  uint32_t passed; /* blocks */
  uint32_t at;     /* offset of the present one, or what stands in its place */
  uint32_t mark;   /* one that was passed: the chain is a circle when it comes again */
} way;

/* The block that the link names, or NULL: at the end of the chain, where way->at is zero, and where
 * no block can be. */
static sw_registry_block *follow(way *w, const uint32_t *link) {
  w->at = sw_peer_load_acquire(link); /* pairs with [L2] */
  sw_registry_block *block = block_at(w->base, w->size, w->at);
  if (block == NULL || w->at == w->mark || w->passed == SW_REGISTRY_BLOCKS) return NULL;
  if ((w->passed & (w->passed - 1)) == 0) w->mark = w->at; /* behind 0, 1, 2, 4, 8 ... blocks */
  w->passed++;
  return block;
}

/* The offset of a slot, as objects know it. */
static uint32_t place_of(const sw_heap *heap, const uint32_t *slot) {
  return (uint32_t)((const uint8_t *)slot - heap->base);
}

/* Put the entry into a vacant slot of the block. */
static bool put(const sw_heap *heap, sw_registry_block *block, uint32_t entry, uint32_t *place) {
  for (uint32_t i = 0; i < SW_REGISTRY_SLOTS; i++) {
    uint32_t seen = sw_peer_load_relaxed(&block->slot[i]);
    if (seen != 0) continue;
    *place = place_of(heap, &block->slot[i]);
    /* [L1] a walk that sees the entry sees the object; pairs with the acquire in sw_registry_next
     */
    if (sw_compare_exchange_acq_rel(&block->slot[i], &seen, entry)) return true;
  }
  return false;
}

/* Append a block that has the entry alone to the chain, whose last link is `link`. Returns 1 when
 * another participant was first. */
static int append(sw_heap *heap, uint32_t *link, uint32_t entry, uint32_t *place) {
  uint32_t at = sw_heap_alloc(heap, (uint32_t)sizeof(sw_registry_block)), none = 0;
  if (at == 0) return heap->status;
  sw_registry_block *block = (sw_registry_block *)(void *)(heap->base + at);
  __builtin_memset(block, 0, sizeof(*block)); /* no other participant knows of it */
  sw_store_relaxed(&block->slot[0], entry);
  *place = place_of(heap, &block->slot[0]);
  /* [L2] a walk that sees the block sees its slots; pairs with the acquires of links */
  if (sw_compare_exchange_acq_rel(link, &none, at)) {
    sw_store_release(&registry_of(heap->base)->hint, at); /* [L3] as [L2], for sw_registry_add */
    return SW_OK;
  }
  sw_heap_free(heap, at);
  return 1;
}

int sw_registry_add(sw_heap *heap, uint32_t object, uint32_t kind, uint32_t *place) {
  uint32_t unwanted;
  if (place == NULL) place = &unwanted;
  sw_registry *registry = registry_of(heap->base);
  uint32_t entry = object | kind;
  uint64_t size = heap->begin + (uint64_t)heap->count * SW_HEAP_PAGE;
  uint32_t hint = sw_peer_load_acquire(&registry->hint); /* pairs with [L3] */
  sw_registry_block *hinted = block_at(heap->base, size, hint);
  if (hinted != NULL && put(heap, hinted, entry, place)) return SW_OK;
  uint32_t *link = &registry->first;
  for (way w = {.base = heap->base, .size = size};;) {
    sw_registry_block *block = follow(&w, link);
    if (block == NULL) {
      if (w.passed == SW_REGISTRY_BLOCKS) return SW_ECROWDED;
      if (w.at != 0) return SW_ECORRUPT;
      int status = append(heap, link, entry, place);
      if (status != 1) return status;
      continue;
    }
    if (put(heap, block, entry, place)) {
      sw_store_release(&registry->hint, w.at); /* [L3] */
      return SW_OK;
    }
    link = &block->next;
  }
}

uint32_t sw_registry_next(const void *base, uint64_t size, sw_registry_cursor *cursor) {
  way w = {base, size, cursor->passed, cursor->block, cursor->mark};
  uint32_t slot = cursor->slot;
  sw_registry_block *block = w.passed == 0 ? follow(&w, &registry_of(base)->first) : block_at(base, size, w.at);
  for (; block != NULL; block = follow(&w, &block->next), slot = 0) {
    for (; slot < SW_REGISTRY_SLOTS; slot++) {
      uint32_t entry = sw_peer_load_acquire(&block->slot[slot]); /* pairs with [L1] */
      if (entry == 0) continue;
      *cursor = (sw_registry_cursor){w.passed, w.at, w.mark, slot + 1};
      return entry;
    }
  }
  return 0;
}

/* Make `to` of the kind of what is in the slot, if that is an entry of that kind, and of that
 * object (zero: of any). Returns the entry, or 0. */
static uint32_t replace(uint32_t *slot, uint32_t object, uint32_t kind, uint32_t to) {
  uint32_t seen = sw_peer_load_relaxed(slot);
  if ((seen & SW_KIND_MASK) != kind || (object != 0 && seen != (object | kind))) return 0;
  uint32_t next = to == 0 ? 0 : (seen & ~(uint32_t)SW_KIND_MASK) | to;
  /* [L1] as in put: what is known of the object before is seen with its new kind */
  return sw_compare_exchange_acq_rel(slot, &seen, next) ? seen : 0;
}

/* Likewise, in any slot of the block: that slot, or NULL. */
static uint32_t *replace_in(sw_registry_block *block, uint32_t object, uint32_t kind, uint32_t to, uint32_t *entry) {
  for (uint32_t i = 0; i < SW_REGISTRY_SLOTS; i++) {
    *entry = replace(&block->slot[i], object, kind, to);
    if (*entry != 0) return &block->slot[i];
  }
  return NULL;
}

/* Likewise, of one object, in all blocks. */
static uint32_t *replace_anywhere(void *base, uint64_t size, uint32_t object, uint32_t kind, uint32_t to, way *w) {
  *w = (way){.base = base, .size = size};
  uint32_t entry;
  sw_registry_block *block = follow(w, &registry_of(base)->first);
  for (; block != NULL; block = follow(w, &block->next)) {
    uint32_t *slot = replace_in(block, object, kind, to, &entry);
    if (slot != NULL) return slot;
  }
  return NULL;
}

int sw_registry_remove(void *base, uint64_t size, uint32_t object, uint32_t kind) {
  way w;
  if (object == 0 || replace_anywhere(base, size, object, kind, 0, &w) == NULL) return 0;
  sw_store_release(&registry_of(base)->hint, w.at); /* [L3] */
  return 1;
}

static uint64_t size_of(const sw_heap *heap) { return heap->begin + (uint64_t)heap->count * SW_HEAP_PAGE; }

/* The slot at that place, which a participant may have made up, or NULL when none can be there. */
static uint32_t *slot_at(const sw_heap *heap, uint32_t place) {
  if (place < heap->begin || place % 4 != 0 || place > size_of(heap) - 4) return NULL;
  return (uint32_t *)(void *)(heap->base + place);
}

int sw_registry_retire(sw_heap *heap, uint32_t object, uint32_t from, uint32_t to, uint32_t place) {
  if (object == 0) return 0;
  uint32_t *slot = slot_at(heap, place);
  if (slot == NULL || replace(slot, object, from, to) == 0) {
    way w;
    slot = replace_anywhere(heap->base, size_of(heap), object, from, to, &w);
  }
  if (slot == NULL) return 0;
  heap->retired_at = place_of(heap, slot);
  return 1;
}

/* At so many blocks: all that there are up to a thousand objects. */
enum { LOOKS = 4 };

uint32_t sw_registry_reuse(sw_heap *heap, uint32_t from, uint32_t to) {
  uint32_t entry = 0, *slot = slot_at(heap, heap->retired_at);
  heap->retired_at = 0;
  if (slot != NULL) entry = replace(slot, 0, from, to);
  for (int looks = 0; entry == 0 && looks <= LOOKS; looks++) { /* one of them may find the end */
    uint64_t size = size_of(heap);
    way w = {.base = heap->base, .size = size};
    sw_registry_block *last = block_at(heap->base, size, heap->looked_at);
    sw_registry_block *block = follow(&w, last == NULL ? &registry_of(heap->base)->first : &last->next);
    /* one that has something is looked at again; at the end the next look begins anew */
    if (block == NULL) heap->looked_at = 0;
    else if (replace_in(block, 0, from, to, &entry) == NULL) heap->looked_at = w.at;
    if (block == NULL && last == NULL) break;
  }
  return entry & ~(uint32_t)SW_KIND_MASK;
}
