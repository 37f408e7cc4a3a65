/* The blocks of a pool, and the chunks of its cells: how they are made and freed. See pool.c. */
#include "core/pool/pool.h"

#include "sabway/role.h"

enum {
  GROW_MOST = 256, /* blocks that one call makes */
  TRIES = 64       /* of closing a cell which others go on to exchange */
};

/* ---- growth: for the holder of the lock ---- */

/* Make it chunk `number` of the pool. */
static void open_chunk(const view *v, sw_pool *chunk, uint32_t number) {
  uint64_t open = 0;
  sw_store64_relaxed(&chunk->owner, v->owner);
  sw_store_relaxed(&chunk->number, number);
  for (int i = 0; i < 2; i++) sw_store64_relaxed(&chunk->head.waits[i], 0);
  for (uint32_t i = 0; i < SW_POOL_LINKS && number * SW_POOL_LINKS + 1 + i < chunks_for(v->most); i++)
    sw_store_relaxed(&chunk->link[i], 0);
  for (uint32_t i = 0; i < cells_in(v, number); i++) {
    uint32_t life = swi_cell_life(sw_peer_load64_relaxed(&chunk->cell[i])) + 1;
    sw_store_relaxed(&chunk->block[i], 0);
    sw_store64_release(&chunk->cell[i], swi_cell_of(life, 0)); /* [X4] */
    if (v->bytes == 0) open |= (uint64_t)1 << i;
  }
  sw_store64_relaxed(&chunk->free, open);
}

/* Append a chunk. Errors: as sw_heap_alloc and sw_registry_add; SW_ECORRUPT. */
static int append_chunk(sw_heap *h, view *v) {
  uint32_t *link = swi_pool_link(h, v, v->chunks), number = v->chunks;
  if (link == NULL) return SW_ECORRUPT;
  /* one that a holder of the lock which died has made is there already */
  if (swi_chunk_at(h->base, end_of(h), sw_peer_load_acquire(link)) == NULL) { /* [X5] */
    uint32_t at = sw_object_new(h, SW_TYPE_POOL_CHUNK);
    if (at == 0) return h->status;
    open_chunk(v, swi_chunk_at(h->base, end_of(h), at), number);
    sw_store_release(link, at); /* [X5] */
  }
  v->chunks = number + 1;
  sw_store_relaxed(&v->pool->chunks, v->chunks);
  return SW_OK;
}

/* Give the cell, which the caller holds, a block: false with h->status. */
static bool make_block(sw_heap *h, const view *v, sw_pool *chunk, sw_pool_item *item) {
  item->block = sw_heap_alloc(h, v->bytes);
  if (item->block == 0) return false;
  sw_store_relaxed(&chunk->block[item->index % SW_POOL_CELLS], item->block);
  return true;
}

/* Make blocks for `wanted` free cells that have none, of the present chunks. The first comes to
 * `item`, when that is not NULL. Returns how many were made; fewer with h->status, or SW_OK there
 * when there were no more such cells. */
static uint32_t make_blocks(sw_heap *h, const view *v, uint32_t wanted, sw_pool_item *item) {
  uint32_t made = 0;
  h->status = SW_OK;
  for (uint32_t number = 0; number < v->chunks && made < wanted; number++) {
    sw_pool *chunk = chunk_of(h, v, number);
    for (uint32_t i = 0; chunk != NULL && i < cells_in(v, number) && made < wanted; i++) {
      sw_pool_item got;
      if (sw_peer_load_relaxed(&chunk->block[i]) != 0 || !acquire(h, v, chunk, number, i, &got)) continue;
      bool done = make_block(h, v, chunk, &got);
      if (done && made++ == 0 && item != NULL) {
        *item = got;
        continue;
      }
      swi_cell_release(&chunk->cell[i], got.life, h->role, 0);
      if (!done) return made;
      swi_hint_set(chunk, i);
    }
  }
  return made;
}

static uint32_t count_blocks(const sw_heap *h, const view *v) {
  uint32_t blocks = 0;
  for (uint32_t number = 0; number < v->chunks; number++) {
    const sw_pool *chunk = chunk_of(h, v, number);
    for (uint32_t i = 0; chunk != NULL && i < cells_in(v, number); i++)
      blocks += sw_peer_load_relaxed(&chunk->block[i]) != 0;
  }
  return blocks;
}

/* How many blocks a growth makes. */
static uint32_t growth_of(const sw_heap *h, const view *v) {
  uint32_t growth = sw_peer_load_relaxed(&v->pool->growth) - SW_POOL_GROWTH;
  uint64_t wanted = (uint64_t)count_blocks(h, v) * growth / SW_POOL_GROWTH;
  return wanted < 1 ? 1 : wanted > GROW_MOST ? GROW_MOST : (uint32_t)wanted;
}

int swi_pool_grow(sw_heap *h, view *v, sw_pool_item *item) {
  uint32_t wanted = growth_of(h, v);
  for (;;) {
    if (v->bytes != 0 && make_blocks(h, v, wanted, item) != 0) return SW_OK;
    if (v->bytes != 0 && h->status != SW_OK) return h->status;
    if (v->chunks == chunks_for(v->most)) return SW_EPOOLEMPTY;
    int status = append_chunk(h, v);
    if (status != SW_OK) return status;
    if (v->bytes != 0) continue;
    if (acquire_hinted(h, v, v->chunks - 1, item)) return SW_OK;
  }
}

/* ---- making ---- */

static uint32_t undo_new(sw_heap *h, uint32_t at, uint32_t generation, int status) {
  sw_pool_free(h, at, generation);
  h->status = status;
  return 0;
}

uint32_t sw_pool_new(sw_heap *h, uint32_t bytes, uint32_t initial, uint32_t most, uint32_t growth) {
  h->status = SW_ERANGE;
  if (most == 0 || most > SW_POOL_MOST || initial > most || growth < SW_POOL_GROWTH) return 0;
  uint32_t at = sw_object_new(h, SW_TYPE_POOL), generation = 0;
  if (at == 0) return 0;
  sw_object_type(h, at, &generation);
  view v = {(sw_pool *)(void *)(h->base + at), swi_cell_of(generation, at), bytes, most, 1};
  sw_store_relaxed(&v.pool->bytes, bytes);
  sw_store_relaxed(&v.pool->most, most);
  sw_store_relaxed(&v.pool->growth, growth);
  sw_store_relaxed(&v.pool->recent, 0);
  sw_store_relaxed(&v.pool->chunks, 1);
  open_chunk(&v, v.pool, 0);
  for (uint32_t made = 0; made < initial && bytes != 0;) {
    made += make_blocks(h, &v, initial - made, NULL);
    int status = made >= initial ? SW_OK : h->status != SW_OK ? h->status : append_chunk(h, &v);
    if (status != SW_OK) return undo_new(h, at, generation, status);
  }
  return at;
}

/* ---- all cells ---- */

int sw_pool_shrink(sw_heap *h, uint32_t at, uint32_t generation, uint32_t keep) {
  view v;
  int status = swi_pool_enter(h, at, generation, &v), freed = 0;
  if (status != SW_OK) return status;
  uint32_t blocks = count_blocks(h, &v);
  for (uint32_t number = v.chunks; number-- > 0 && blocks > keep;) {
    sw_pool *chunk = chunk_of(h, &v, number);
    for (uint32_t i = cells_in(&v, number); chunk != NULL && i-- > 0 && blocks > keep;) {
      sw_pool_item item;
      if (sw_peer_load_relaxed(&chunk->block[i]) == 0 || !acquire(h, &v, chunk, number, i, &item)) continue;
      swi_hint_clear(chunk, i);
      sw_store_relaxed(&chunk->block[i], 0); /* first: a crash must not leave it leading nowhere */
      if (item.block != 0) sw_heap_free(h, item.block);
      swi_cell_release(&chunk->cell[i], item.life, h->role, 0);
      blocks--;
      freed++;
    }
  }
  unlock(h, &v);
  return freed;
}

int sw_pool_stats_of(sw_heap *h, uint32_t at, uint32_t generation, sw_pool_stats *stats) {
  view v;
  if (!see(h, at, generation, &v)) return swi_pool_unseen(h, at, generation);
  *stats = (sw_pool_stats){.bytes = v.bytes, .most = v.most, .blocks = count_blocks(h, &v)};
  for (uint32_t number = 0; number < v.chunks; number++) {
    const sw_pool *chunk = chunk_of(h, &v, number);
    for (uint32_t i = 0; chunk != NULL && i < cells_in(&v, number); i++) {
      uint32_t role = swi_cell_role(sw_peer_load64_relaxed(&chunk->cell[i]));
      stats->held += role != 0 && role != SW_POOL_CLOSED;
    }
  }
  return SW_OK;
}

/* Close the cell, whatever its state is. */
static void close_cell(uint64_t *word) {
  for (int tries = 0; tries < TRIES; tries++) {
    uint64_t cell = sw_peer_load64_relaxed(word);
    if (swi_cell_release(word, swi_cell_life(cell), swi_cell_role(cell), SW_POOL_CLOSED) == cell) return;
  }
}

int sw_pool_free(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  int status = swi_pool_enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  status = sw_object_begin_free(h, at, SW_TYPE_POOL, generation);
  if (status != SW_OK) {
    unlock(h, &v);
    return status;
  }
  /* from the last to the first: the links lead to those that are left. One more may be there, of a
   * holder of the lock that died. */
  for (uint32_t number = chunks_for(v.most); number-- > 0;) {
    sw_pool *chunk = number <= v.chunks ? chunk_of(h, &v, number) : NULL;
    if (chunk == NULL || !is_ours(&v, chunk, number)) continue;
    for (uint32_t i = 0; i < cells_in(&v, number); i++) {
      close_cell(&chunk->cell[i]);
      uint32_t block = sw_peer_load_relaxed(&chunk->block[i]);
      sw_store_relaxed(&chunk->block[i], 0);
      if (block != 0) sw_heap_free(h, block);
    }
    sw_store64_relaxed(&chunk->owner, 0);
    if (number != 0) sw_object_end_free(h, (uint32_t)((uint8_t *)chunk - h->base));
  }
  unlock(h, &v);
  sw_object_end_free(h, at);
  return SW_OK;
}

static bool is_whole(sw_heap *h, const view *v, const sw_pool *chunk, uint32_t number) {
  if (chunk == NULL || !is_ours(v, chunk, number)) return false;
  for (uint32_t i = 0; i < cells_in(v, number); i++) {
    uint32_t role = swi_cell_role(sw_peer_load64_relaxed(&chunk->cell[i]));
    uint32_t block = sw_peer_load_relaxed(&chunk->block[i]);
    if (sw_role_holder(role) != role || !sw_role_is_possible(role)) return false;
    if (block != 0 && (v->bytes == 0 || sw_heap_usable(h, block) < v->bytes)) return false;
  }
  return true;
}

int sw_pool_check(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  int status = swi_pool_enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  for (uint32_t number = 0; number < v.chunks && status == SW_OK; number++) {
    if (!is_whole(h, &v, chunk_of(h, &v, number), number)) status = SW_ECORRUPT;
  }
  if (sw_peer_load_relaxed(&v.pool->growth) < SW_POOL_GROWTH || v.chunks == 0) status = SW_ECORRUPT;
  unlock(h, &v);
  return status;
}
