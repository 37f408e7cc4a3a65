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
 * sw_pool_chunk.free is a hint, written by stores that others' stores may undo. Whether a cell is
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
#include "core/cells/cells.h"

#include "sabway/pool.h"
#include "sabway/role.h"

static void evict(sw_pool_chunk *chunk, uint32_t role, bool all_claims) {
  if (chunk == NULL || sw_role_index(role) >= SW_ENDPOINTS) return;
  for (uint32_t i = 0; i < SW_POOL_CELLS; i++) {
    uint64_t cell = sw_peer_load64_relaxed(&chunk->cell[i]);
    uint32_t holder = swi_cell_role(cell);
    bool named = all_claims ? sw_role_index(holder) == sw_role_index(role) : holder == role;
    if (!named || swi_cell_release(&chunk->cell[i], swi_cell_life(cell), holder, 0) != cell) continue;
    swi_hint_set(chunk, i);
  }
}

void sw_pool_evict(void *base, uint64_t size, uint32_t at, uint32_t role) {
  evict(swi_chunk_at(base, size, at), role, false);
}

void sw_pool_evict_endpoint(void *base, uint64_t size, uint32_t at, uint32_t endpoint) {
  evict(swi_chunk_at(base, size, at), sw_role_of(endpoint, 0), true);
}
