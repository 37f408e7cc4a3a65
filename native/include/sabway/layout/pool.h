/* A pool: cells, each of which one participant holds or none, and the blocks of memory that go with
 * them. */
#ifndef SABWAY_LAYOUT_POOL_H
#define SABWAY_LAYOUT_POOL_H

#include "object.h"

enum {
  SW_POOL_CELLS = 64,      /* of a chunk */
  SW_POOL_LINKS = 32,      /* from a chunk to others */
  SW_POOL_MOST = 0x100000, /* cells of a pool */
  SW_POOL_GROWTH = 256,    /* sw_pool.growth of a pool that makes one block at a time */
  SW_POOL_CLOSED = 0xff    /* in place of a cell's role: no participant can hold it */
};

/* A pool, and each further chunk of its cells, which is a block of the same family. The chunks of a
 * pool are a tree, whose root is the pool: chunk n is led to by link (n - 1) % SW_POOL_LINKS of
 * chunk (n - 1) / SW_POOL_LINKS. */
typedef struct sw_pool {
  /* Of chunk 0: the lock is of those that make blocks or chunks, or free them; waits[0] is of those
   * that wait for a cell. */
  sw_waitable head;
  uint64_t owner;  /* bits 0-31: offset of the pool; 32-63: its generation; zero: of none */
  uint64_t free;   /* a hint: bit i, cell i is free, and has its block */
  uint32_t number; /* which chunk of the pool it is */
  /* the next two are chunk 0's alone */
  uint32_t chunks; /* that there are */
  uint32_t recent; /* a hint: a chunk in which a cell was given back */
  /* these do not change, and are chunk 0's alone */
  uint32_t bytes;  /* of a block; zero: the cells have none */
  uint32_t most;   /* cells, at most */
  uint32_t growth; /* how many blocks there are behind a growth for each before it, in 1/256 */
  /* bits 0-31: the holder's role, zero when it is free, or SW_POOL_CLOSED; 32-63: its life, which
   * counts how often it was given back, and goes on in the block's next pool */
  uint64_t cell[SW_POOL_CELLS];
  uint32_t block[SW_POOL_CELLS]; /* offsets; zero: not made yet, or given back to the heap */
  uint32_t link[SW_POOL_LINKS];  /* offsets of chunks; zero: not there yet */
} sw_pool;

#define SW_POOL_STRUCTS(X) X(sw_pool)

#define SW_POOL_FIELDS(X) \
  X(sw_pool, owner)       \
  X(sw_pool, free)        \
  X(sw_pool, number)      \
  X(sw_pool, chunks)      \
  X(sw_pool, recent)      \
  X(sw_pool, bytes)       \
  X(sw_pool, most)        \
  X(sw_pool, growth)      \
  X(sw_pool, cell)        \
  X(sw_pool, block)       \
  X(sw_pool, link)

#ifndef __cplusplus
_Static_assert(sizeof(sw_pool) <= SW_POOL_BYTES, "a control block");
#endif

#endif
