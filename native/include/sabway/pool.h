/* Pools in a heap: each of a pool's cells is held by one participant or by none, and may have a
 * block of memory. What a participant held that has died comes back.
 *
 *   uint32_t at = sw_pool_new(&heap, 4096, 8, 1000, 2 * SW_POOL_GROWTH), generation;
 *   sw_object_type(&heap, at, &generation);
 *   sw_pool_item item;
 *   int status = sw_pool_acquire(&heap, at, generation, &item);
 *   ... heap.base + item.block ...
 *   sw_pool_release(&heap, at, generation, item.index, item.life);
 *
 * A pool is named by its offset and its generation, as every object of the heap; a cell by its
 * index and its life: one that was given back since has another life, so a late or second release
 * is an error. A message of both, and of the sender's role, hands what one participant holds to
 * another, which takes it (sw_pool_take): until then it is the sender's, and comes back when that
 * dies.
 *
 * All functions are for the thread of the handle, none sleeps, and all but those that make and free
 * blocks are lock-free: these are SW_EBUSY while another participant that lives does so. Errors of
 * all: SW_EFREED, SW_EKIND, SW_EWILD, as sw_object_check; SW_ECORRUPT. */
#ifndef SABWAY_POOL_H
#define SABWAY_POOL_H

#include "error.h"
#include "heap.h"
#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a participant holds. */
typedef struct sw_pool_item {
  uint32_t index;
  uint32_t life;
  uint32_t block; /* offset of its bytes; zero, where the pool has none */
} sw_pool_item;

typedef struct sw_pool_stats {
  uint32_t bytes;  /* of a block */
  uint32_t most;   /* cells, at most */
  uint32_t blocks; /* that are made */
  uint32_t held;   /* cells that a participant holds, alive or dead */
} sw_pool_stats;

/* Make a pool of at most `most` cells with blocks of that many bytes (zero: none), `initial` of
 * which are made at once. `growth`: how many blocks there are behind a growth for each before it,
 * in 1/SW_POOL_GROWTH. Returns its offset, or 0 with h->status, as sw_object_new and sw_heap_alloc.
 * A crash inside leaks what was made. Errors also: SW_ERANGE: `most` is zero or more than
 * SW_POOL_MOST, or less than `initial`, or `growth` is less than SW_POOL_GROWTH. */
uint32_t sw_pool_new(sw_heap *h, uint32_t bytes, uint32_t initial, uint32_t most, uint32_t growth);

/* Get a cell that no participant holds, or whose holder has died, and its block, whose bytes are
 * what its last holder has left. Where all are held more blocks are made, at most 256 at a time. A
 * crash inside leaves a cell that a dead participant holds; where a block is made, that may leak.
 * Errors: SW_EPOOLEMPTY: all are held by participants that live; SW_EBUSY; as sw_heap_alloc. */
int sw_pool_acquire(sw_heap *h, uint32_t at, uint32_t generation, sw_pool_item *item);

/* Give a cell back. What the holder has written to its block the next one sees. A crash inside
 * leaves it held by the dead caller, or given back. Errors: SW_ERELEASED: it was given back before,
 * by the caller or for it, because it was taken for dead; SW_ENOTHELD: another participant holds
 * it, or there is no such cell. */
int sw_pool_release(sw_heap *h, uint32_t at, uint32_t generation, uint32_t index, uint32_t life);

/* Take over a cell which the participant `from`, a role, holds: from now on the caller does, and
 * `from` does not. For what that has sent the caller; of several that take the same, one gets it.
 * Errors: SW_ERELEASED: it was given back; SW_ENOTHELD: another participant holds it. */
int sw_pool_take(sw_heap *h, uint32_t at, uint32_t generation, uint32_t index, uint32_t life, uint32_t from,
                 sw_pool_item *item);

/* Free blocks of cells that no participant holds, until at most `keep` blocks are there. Returns
 * how many were freed. A crash inside may leak one. Errors: SW_EBUSY. */
int sw_pool_shrink(sw_heap *h, uint32_t at, uint32_t generation, uint32_t keep);

/* Count: near the truth while others acquire and release. Wait-free. */
int sw_pool_stats_of(sw_heap *h, uint32_t at, uint32_t generation, sw_pool_stats *stats);

/* Free the pool and all blocks, also those that participants hold. A crash inside leaks what was
 * not freed yet. Errors: SW_EBUSY. */
int sw_pool_free(sw_heap *h, uint32_t at, uint32_t generation);

/* Are its words such as participants write, and its blocks large enough? Locks the pool. Errors:
 * SW_EBUSY. */
int sw_pool_check(sw_heap *h, uint32_t at, uint32_t generation);

/* Declare the caller a waiter for a cell, before each sleep: it then arms its doorbell, and tries
 * to acquire one once more. Its own endpoint; wait-free. A crash behind it leaves a bit, as with
 * the mutex. */
int sw_pool_begin_wait(sw_heap *h, uint32_t at, uint32_t generation);

/* The caller waits no more, with a cell or without: another waiter is woken when a cell may be
 * free. Its own endpoint; lock-free. A crash inside may lose a wake, which burial makes good. */
int sw_pool_end_wait(sw_heap *h, uint32_t at, uint32_t generation);

/* Native threads: acquire a cell, sleeping for at most `timeout_ns` (negative: no time-out) where
 * it would be SW_EPOOLEMPTY or SW_EBUSY. Errors: as sw_pool_acquire, and SW_ETIMEDOUT. */
int sw_pool_acquire_wait(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns, sw_pool_item *item);

#ifdef __cplusplus
}
#endif
#endif
