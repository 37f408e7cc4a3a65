/* What the two files of pools share: see pool.c. */
#ifndef SABWAY_CORE_POOL_H
#define SABWAY_CORE_POOL_H

#include "core/objects/lock.h"
#include "core/pool/cells.h"
#include "sabway/pool.h"

/* What one call knows of a pool: copies, within bounds. */
typedef struct view {
  sw_pool *pool;
  uint64_t owner; /* as the chunks have it */
  uint32_t bytes, most, chunks;
} view;

static inline uint64_t end_of(const sw_heap *h) { return h->begin + (uint64_t)h->count * SW_HEAP_PAGE; }

static inline uint32_t chunks_for(uint32_t cells) { return (cells + SW_POOL_CELLS - 1) / SW_POOL_CELLS; }

/* Cells of a chunk that the pool uses: fewer than it has in the last one. */
static inline uint32_t cells_in(const view *v, uint32_t number) {
  uint32_t before = number * SW_POOL_CELLS;
  return v->most - before < SW_POOL_CELLS ? v->most - before : SW_POOL_CELLS;
}

/* What is at `at` as a pool: false, when there is none any more, or never was. */
SWI_INLINE bool see(const sw_heap *h, uint32_t at, uint32_t generation, view *v) {
  v->pool = (sw_pool *)(void *)swi_object_at(h, at, SW_TYPE_POOL, generation);
  if (v->pool == NULL) return false;
  v->owner = swi_cell_of(generation, at);
  v->bytes = sw_peer_load_relaxed(&v->pool->bytes);
  v->most = sw_peer_load_relaxed(&v->pool->most);
  v->chunks = sw_peer_load_relaxed(&v->pool->chunks);
  if (v->most > SW_POOL_MOST) v->most = SW_POOL_MOST;
  if (v->chunks > chunks_for(v->most)) v->chunks = chunks_for(v->most);
  return true;
}

/* Why `see` was false. */
int swi_pool_unseen(const sw_heap *h, uint32_t at, uint32_t generation);

/* ---- chunks ---- */

/* The link that leads to chunk `number`, or NULL: one on the way is not there. */
uint32_t *swi_pool_link(const sw_heap *h, const view *v, uint32_t number);

SWI_INLINE sw_pool *chunk_of(const sw_heap *h, const view *v, uint32_t number) {
  if (number == 0) return v->pool;
  const uint32_t *link = swi_pool_link(h, v, number);
  if (link == NULL) return NULL;
  return swi_chunk_at(h->base, end_of(h), sw_peer_load_acquire(link)); /* [X5] */
}

/* Is it chunk `number` of this pool? For a participant that holds one of its cells: then it stays
 * so. */
SWI_INLINE bool is_ours(const view *v, const sw_pool *chunk, uint32_t number) {
  return sw_peer_load64_relaxed(&chunk->owner) == v->owner && sw_peer_load_relaxed(&chunk->number) == number;
}

/* ---- cells ---- */

/* The cell at which a participant begins: eight are in one line of a cache. */
SWI_INLINE uint32_t turn_of(const sw_heap *h) { return (h->endpoint * 8 + h->endpoint / 8) % SW_POOL_CELLS; }

/* The first bit from `turn` on. */
SWI_INLINE uint32_t bit_from(uint64_t bits, uint32_t turn) {
  uint64_t behind = bits >> turn;
  return behind != 0 ? turn + (uint32_t)__builtin_ctzll(behind) : (uint32_t)__builtin_ctzll(bits);
}

SWI_INLINE bool is_block(const sw_heap *h, const view *v, uint32_t block) {
  return block >= h->begin && block % SW_HEAP_UNIT == 0 && block + (uint64_t)v->bytes <= end_of(h);
}

/* The block that goes with a cell: none, where the pool has none, whatever is written there. */
SWI_INLINE uint32_t block_in(const view *v, const sw_pool *chunk, uint32_t i) {
  return v->bytes == 0 ? 0 : sw_peer_load_relaxed(&chunk->block[i]);
}

/* Hold cell i, if it is free and of this pool. */
SWI_INLINE bool acquire(const sw_heap *h, const view *v, sw_pool *chunk, uint32_t number, uint32_t i,
                        sw_pool_item *item) {
  if (!swi_cell_acquire(&chunk->cell[i], h->role, &item->life)) return false;
  item->index = number * SW_POOL_CELLS + i;
  item->block = block_in(v, chunk, i);
  if (is_ours(v, chunk, number)) return true;
  swi_cell_release(&chunk->cell[i], item->life, h->role, 0);
  return false;
}

/* Likewise, if it has its block. */
SWI_INLINE bool acquire_whole(const sw_heap *h, const view *v, sw_pool *chunk, uint32_t number, uint32_t i,
                              sw_pool_item *item) {
  bool got = acquire(h, v, chunk, number, i, item);
  swi_hint_clear(chunk, i);
  if (!got || v->bytes == 0 || is_block(h, v, item->block)) return got;
  swi_cell_release(&chunk->cell[i], item->life, h->role, 0);
  return false;
}

SWI_INLINE bool acquire_from(const sw_heap *h, const view *v, sw_pool *chunk, uint32_t number, uint64_t free,
                             sw_pool_item *item) {
  for (uint32_t turn = turn_of(h); free != 0;) {
    uint32_t i = bit_from(free, turn);
    if (acquire_whole(h, v, chunk, number, i, item)) return true;
    free &= ~((uint64_t)1 << i);
  }
  return false;
}

SWI_INLINE bool acquire_hinted(const sw_heap *h, const view *v, uint32_t number, sw_pool_item *item) {
  sw_pool *chunk = chunk_of(h, v, number);
  uint32_t cells = cells_in(v, number);
  if (chunk == NULL || cells == 0) return false;
  uint64_t used = UINT64_MAX >> (SW_POOL_CELLS - cells);
  return acquire_from(h, v, chunk, number, sw_peer_load64_relaxed(&chunk->free) & used, item);
}

/* Hold any cell that is free and has its block. Looks at all of them, and gives back those of dead
 * holders. */
bool swi_pool_acquire_any(const sw_heap *h, const view *v, sw_pool_item *item);

/* ---- the lock ---- */

SWI_INLINE void unlock(const sw_heap *h, const view *v) {
  sw_mutex_unlock(h->base, &v->pool->head.object.lock, h->endpoint);
}

/* Lock, and see the pool. On an error it is not locked. */
int swi_pool_enter(const sw_heap *h, uint32_t at, uint32_t generation, view *v);

/* For the holder of the lock: make one cell with its block at least, which comes to `item`. Errors:
 * SW_EPOOLEMPTY; as sw_heap_alloc and sw_registry_add. */
int swi_pool_grow(sw_heap *h, view *v, sw_pool_item *item);

#endif
