/* Pools. A cell decides by itself (cells.c); what is here finds one, and makes the
 * blocks.
 *
 *   acquire    by the hints: the participant's own chunk, the one in which a cell was given back
 *              last, then all of them; at first the bit that is the participant's own, so that
 *              each comes back to its own cells
 *              by the cells: those of dead holders are given back, and the hints are made anew
 *              with the lock: a cell without a block gets one, and others with it, so that growth
 *              is rare; or a chunk is appended
 *   shrink     with the lock: acquire a free cell, block := 0, free the block, give the cell back
 *              without a hint
 *   release    the cell, its hint, and one of those that wait is woken
 *   free       with the lock: close all cells, free their blocks, leave the chunks to other pools
 *
 * A pool and its chunks are blocks of one family for good, in which cells are cells and links lead
 * to such blocks or nowhere. So a participant that comes late, when the pool was freed, exchanges
 * nothing but a word which is a cell; and when it has got one it looks whose the chunk is, which
 * changes only when all cells are closed. A wait that begins while the pool is freed may set its
 * bit in the block's next pool: it is taken back when the wait ends, and the next waiter is rung.
 *
 * A block belongs to its cell; its word is written by the holder of both the cell and the lock.
 *
 * Ordering edges:
 *   [X4] the release store of an opened cell, pairs with [X1]: the chunk's other words are seen.
 *   [X5] the release store of a link to a chunk, pairs with the acquire load of it by a participant
 *        that looks for cells: the zeros of a new block are seen. (A chunk whose other words are
 *        not seen yet gives no cell, or one that is given back.)
 *
 * What a crash leaves: a cell that a dead participant holds; with the lock also one block that no
 * cell leads to, or one chunk. Nothing needs to be mended by the next holder of the lock. */
#include "core/pool/pool.h"

#include "core/region/waits.h"
#include "sabway/endpoint.h"
#include "sabway/role.h"

int swi_pool_unseen(const sw_heap *h, uint32_t at, uint32_t generation) {
  int status = sw_object_check(h, at, SW_TYPE_POOL, generation);
  return status == SW_OK ? SW_ECORRUPT : status;
}

uint32_t *swi_pool_link(const sw_heap *h, const view *v, uint32_t number) {
  /* the links on the way from the first chunk, the last one first; there are at most three */
  uint32_t way[4], length = 0;
  for (; number != 0 && length < 4; number = (number - 1) / SW_POOL_LINKS) way[length++] = (number - 1) % SW_POOL_LINKS;
  sw_pool *chunk = v->pool;
  while (length > 1 && chunk != NULL) {
    length--;
    uint32_t at = sw_peer_load_acquire(&chunk->link[way[length]]); /* [X5] */
    chunk = swi_chunk_at(h->base, end_of(h), at);
  }
  return chunk == NULL || length == 0 ? NULL : &chunk->link[way[0]];
}

/* ---- looking at the cells ---- */

/* Does the holder live? `known`: endpoints of which the system has said so in this call. */
static bool lives(const sw_heap *h, uint32_t role, uint64_t *known) {
  uint32_t index = sw_role_index(role);
  if (role == h->role) return true;
  if (index >= SW_ENDPOINTS || sw_endpoint_role(h->base, index) != role) return false;
  if ((*known >> index & 1) != 0) return true;
  if (!sw_endpoint_role_alive(h->base, role)) return false;
  *known |= (uint64_t)1 << index;
  return true;
}

/* The cells of a chunk that are free and have their block; those of dead holders are given back.
 * The hints are made anew. */
static uint64_t sweep(const sw_heap *h, const view *v, sw_pool *chunk, uint32_t number, uint64_t *known) {
  uint64_t free = 0;
  for (uint32_t i = 0; i < cells_in(v, number); i++) {
    uint64_t cell = sw_peer_load64_relaxed(&chunk->cell[i]);
    uint32_t role = swi_cell_role(cell);
    if (role == SW_POOL_CLOSED) continue;
    if (role != 0 && lives(h, role, known)) continue;
    if (role != 0 && swi_cell_release(&chunk->cell[i], swi_cell_life(cell), role, 0) != cell) continue;
    if (v->bytes == 0 || sw_peer_load_relaxed(&chunk->block[i]) != 0) free |= (uint64_t)1 << i;
  }
  sw_store64_relaxed(&chunk->free, free);
  return free;
}

bool swi_pool_acquire_any(const sw_heap *h, const view *v, sw_pool_item *item) {
  uint64_t known = 0;
  for (uint32_t k = 0; k < v->chunks; k++) {
    uint32_t number = (h->endpoint + k) % v->chunks;
    sw_pool *chunk = chunk_of(h, v, number);
    if (chunk != NULL && acquire_from(h, v, chunk, number, sweep(h, v, chunk, number, &known), item)) return true;
  }
  return false;
}

int swi_pool_enter(const sw_heap *h, uint32_t at, uint32_t generation, view *v) {
  bool at_once = swi_object_lock(h, at, SW_TYPE_POOL, generation) != NULL;
  int locked = at_once ? SW_OK : swi_object_lock_slowly(h, at, SW_TYPE_POOL, generation);
  if (locked != SW_OK && locked != SW_EOWNERDEAD) return locked;
  sw_mutex *lock = &((sw_object *)(void *)(h->base + at))->lock;
  if (locked == SW_EOWNERDEAD) sw_mutex_consistent(h->base, lock, h->endpoint);
  if (see(h, at, generation, v)) return SW_OK;
  sw_mutex_unlock(h->base, lock, h->endpoint);
  return swi_pool_unseen(h, at, generation);
}

/* ---- one cell ---- */

__attribute__((noinline)) static int acquire_slowly(sw_heap *h, uint32_t at, uint32_t generation, sw_pool_item *item) {
  view v;
  if (!see(h, at, generation, &v)) return swi_pool_unseen(h, at, generation);
  if (swi_pool_acquire_any(h, &v, item)) return SW_OK;
  int status = swi_pool_enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  /* another may have made some meanwhile */
  bool got = swi_pool_acquire_any(h, &v, item);
  status = got ? SW_OK : swi_pool_grow(h, &v, item);
  unlock(h, &v);
  return status;
}

int sw_pool_acquire(sw_heap *h, uint32_t at, uint32_t generation, sw_pool_item *item) {
  view v;
  if (!see(h, at, generation, &v)) return swi_pool_unseen(h, at, generation);
  if (v.chunks <= 1) {
    if (acquire_hinted(h, &v, 0, item)) return SW_OK;
    return acquire_slowly(h, at, generation, item);
  }
  uint32_t own = h->endpoint % v.chunks, recent = sw_peer_load_relaxed(&v.pool->recent);
  if (acquire_hinted(h, &v, own, item)) return SW_OK;
  if (recent < v.chunks && acquire_hinted(h, &v, recent, item)) return SW_OK;
  for (uint32_t k = 1; k < v.chunks; k++) {
    if (acquire_hinted(h, &v, (own + k) % v.chunks, item)) return SW_OK;
  }
  return acquire_slowly(h, at, generation, item);
}

/* Why a cell that should be held in that life is not, by what it was. */
static int not_held(uint64_t cell, uint32_t life) {
  return swi_cell_life(cell) != life || swi_cell_role(cell) == 0 ? SW_ERELEASED : SW_ENOTHELD;
}

/* The chunk that has the cell, or NULL. */
SWI_INLINE sw_pool *chunk_with(const sw_heap *h, const view *v, uint32_t index) {
  uint32_t number = index / SW_POOL_CELLS;
  return index < v->most && number < v->chunks ? chunk_of(h, v, number) : NULL;
}

int sw_pool_release(sw_heap *h, uint32_t at, uint32_t generation, uint32_t index, uint32_t life) {
  view v;
  if (!see(h, at, generation, &v)) return swi_pool_unseen(h, at, generation);
  sw_pool *chunk = chunk_with(h, &v, index);
  if (chunk == NULL) return SW_ENOTHELD;
  uint32_t i = index % SW_POOL_CELLS, number = index / SW_POOL_CELLS;
  uint64_t cell = swi_cell_release(&chunk->cell[i], life, h->role, 0);
  if (cell != swi_cell_of(life, h->role)) return not_held(cell, life);
  swi_hint_set(chunk, i);
  if (sw_peer_load_relaxed(&v.pool->recent) != number) sw_store_relaxed(&v.pool->recent, number);
  const uint64_t *waits = &v.pool->head.waits[0];
  if (swi_waits_any(waits)) swi_waits_ring_one(h->base, waits, h->endpoint);
  return SW_OK;
}

int sw_pool_take(sw_heap *h, uint32_t at, uint32_t generation, uint32_t index, uint32_t life, uint32_t from,
                 sw_pool_item *item) {
  view v;
  if (!see(h, at, generation, &v)) return swi_pool_unseen(h, at, generation);
  sw_pool *chunk = chunk_with(h, &v, index);
  if (chunk == NULL || sw_role_index(from) >= SW_ENDPOINTS) return SW_ENOTHELD;
  uint64_t cell = swi_cell_take(&chunk->cell[index % SW_POOL_CELLS], life, from, h->role);
  if (cell != swi_cell_of(life, from)) return not_held(cell, life);
  uint32_t block = block_in(&v, chunk, index % SW_POOL_CELLS);
  *item = (sw_pool_item){index, life, block};
  if (is_ours(&v, chunk, index / SW_POOL_CELLS) && (v.bytes == 0 || is_block(h, &v, block))) return SW_OK;
  return SW_ECORRUPT;
}

/* ---- waiting ---- */

int sw_pool_begin_wait(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  if (!see(h, at, generation, &v)) return swi_pool_unseen(h, at, generation);
  swi_waits_begin(&v.pool->head.waits[0], h->endpoint);
  return SW_OK;
}

int sw_pool_end_wait(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  if (!see(h, at, generation, &v)) {
    int why = swi_pool_unseen(h, at, generation);
    if (why == SW_EFREED) swi_object_end_stray_wait(h, at, SW_TYPE_POOL, 0);
    return why;
  }
  swi_waits_end(&v.pool->head.waits[0], h->endpoint);
  /* also when no cell is free: to know that takes a look at all of them, and this is rare */
  swi_waits_ring_one(h->base, &v.pool->head.waits[0], h->endpoint);
  return SW_OK;
}
