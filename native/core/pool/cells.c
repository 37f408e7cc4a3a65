/* The cells of a pool. Each is one word, which only compare-exchanges change:
 *
 *   role     life   state            next
 *   0        n      free             acquire -> held
 *                                    the pool is freed -> closed
 *   role     n      held             release -> free, life n + 1
 *                                    another takes it -> held by that
 *                                    the holder is dead: evict -> free, life n + 1
 *                                    the pool is freed -> closed
 *   CLOSED   n      of no use        the chunk has its next pool -> free, life n + 1
 *
 * A role that is none is taken for a dead holder, whatever wrote it there. A life never comes again
 * in 2^32 releases: so a participant that comes late with a name from before finds another life,
 * also in the chunk's next pool.
 *
 * sw_pool.free is a hint, written by stores that others' stores may undo. Whether a cell is
 * free is in its word alone; where the hints lead nowhere the words are looked at.
 *
 * Ordering edges:
 *   [X1] the exchange that acquires, pairs with
 *   [X2] the exchange that gives back, or with the release store that opens the cells of a chunk:
 *        what the last holder wrote to the block is seen, and which pool the chunk is of.
 *   [X3] the exchange by which another participant takes a cell over, pairs with [X1], [X2] and
 *        itself. (What the last holder wrote to the block is also ordered by the message.)
 *
 * What a crash leaves: a cell that a dead participant holds, or one that is free and whose hint
 * does not say so. */
#include "core/pool/cells.h"

#include "core/objects/burial.h"
#include "core/region/waits.h"

void swi_pool_bury(void *base, uint64_t size, uint32_t at, const swi_dead *dead) {
  sw_pool *chunk = swi_chunk_at(base, size, at);
  bool freed = false;
  for (uint32_t i = 0; chunk != NULL && i < SW_POOL_CELLS; i++) {
    uint64_t cell = sw_peer_load64_relaxed(&chunk->cell[i]);
    uint32_t holder = swi_cell_role(cell);
    if (!swi_is_dead(dead, holder)) continue;
    if (swi_cell_release(&chunk->cell[i], swi_cell_life(cell), holder, 0) != cell) continue;
    swi_hint_set(chunk, i);
    freed = true;
  }
  if (!freed) return;
  /* those that wait for a cell have their bits in the pool, which need not be this block */
  const sw_pool *pool = swi_chunk_at(base, size, (uint32_t)sw_peer_load64_relaxed(&chunk->owner));
  if (pool != NULL) swi_waits_ring_all(base, &pool->head.waits[0]);
}
