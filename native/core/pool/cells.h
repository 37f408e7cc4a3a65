/* The cells of a pool, each a word: see cells.c. */
#ifndef SABWAY_CORE_POOL_CELLS_H
#define SABWAY_CORE_POOL_CELLS_H

#include "base/peer.h"
#include "sabway/layout.h"

/* The pool or chunk at that offset of a region of `size` bytes, or NULL when none can be there. */
static inline sw_pool *swi_chunk_at(const void *base, uint64_t size, uint32_t at) {
  if (at < SW_HEAP_AT || at % SW_HEAP_UNIT != 0 || size < SW_POOL_BYTES || at > size - SW_POOL_BYTES) return NULL;
  return (sw_pool *)(void *)((uint8_t *)base + at);
}

static inline uint64_t swi_cell_of(uint32_t life, uint32_t role) { return (uint64_t)life << 32 | role; }
static inline uint32_t swi_cell_life(uint64_t cell) { return (uint32_t)(cell >> 32); }
static inline uint32_t swi_cell_role(uint64_t cell) { return (uint32_t)cell; }

/* Hold the cell, when no participant does. `life`: its life then. */
static inline bool swi_cell_acquire(uint64_t *word, uint32_t role, uint32_t *life) {
  uint64_t cell = sw_peer_load64_relaxed(word);
  *life = swi_cell_life(cell);
  if (swi_cell_role(cell) != 0) return false;
  return sw_compare_exchange64_acq_rel(word, &cell, cell | role); /* [X1] */
}

/* Give back the cell which `role` holds in that life, with `next` in place of the role: zero, or
 * SW_POOL_CLOSED. Returns what it was. */
static inline uint64_t swi_cell_release(uint64_t *word, uint32_t life, uint32_t role, uint32_t next) {
  uint64_t cell = swi_cell_of(life, role);
  sw_compare_exchange64_acq_rel(word, &cell, swi_cell_of(life + 1, next)); /* [X2] */
  return cell;
}

/* Hand the cell of `from` to `role`, in its life. Returns what it was. */
static inline uint64_t swi_cell_take(uint64_t *word, uint32_t life, uint32_t from, uint32_t role) {
  uint64_t cell = swi_cell_of(life, from);
  sw_compare_exchange64_acq_rel(word, &cell, swi_cell_of(life, role)); /* [X3] */
  return cell;
}

/* Cell i of the chunk is free, and has its block. A store and no exchange: it is a hint. What
 * another participant notes at once may be lost; the next look at the cells themselves finds it. */
static inline void swi_hint_set(sw_pool *chunk, uint32_t i) {
  sw_store64_relaxed(&chunk->free, sw_peer_load64_relaxed(&chunk->free) | (uint64_t)1 << i);
}

static inline void swi_hint_clear(sw_pool *chunk, uint32_t i) {
  sw_store64_relaxed(&chunk->free, sw_peer_load64_relaxed(&chunk->free) & ~((uint64_t)1 << i));
}

#endif
