/* A hash map in a heap, which participants of any processes read and change at once.
 *
 *   uint32_t at = sw_map_new(&heap, &(sw_map_options){.seed = seed});
 *   sw_map_handle map;
 *   sw_map_open(&map, &heap, at, 0);
 *   sw_map_put(&map, SW_MAP_STRING, "hits", 4, SW_MAP_NUMBER, &(double){1}, 8, SW_MAP_SET);
 *   double hits;
 *   if (sw_map_get(&map, SW_MAP_STRING, "hits", 4, &hits, 8) == SW_MAP_NUMBER) ...
 *
 * Each call on one key is atomic. Readers write nothing and take no lock, no call waits for another
 * participant, and one that dies in a call leaves the map whole: with its change or without. What
 * it loses then is at most the new entry and the block of its bucket, or those that they replaced,
 * and the four blocks that its handle keeps for its next changes; and the size is off by one, which
 * sw_map_check mends.
 *
 * A handle is for one thread, and lives where no other writes; an endpoint may have several. */
#ifndef SABWAY_MAP_H
#define SABWAY_MAP_H

#include "error.h"
#include "heap.h"
#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All zeros are a map without limits for about 12 entries, which grows. */
typedef struct sw_map_options {
  uint32_t flags;
  uint32_t capacity; /* entries that are expected */
  uint32_t most;     /* with SW_MAP_LRU: entries at most */
  uint32_t codec;
  uint64_t seed; /* any number that a hostile sender of keys does not know */
  double ttl;
} sw_map_options;

enum { SW_MAP_TAG = 0x4d61704d, SW_MAP_SPARES = 4 };

typedef struct sw_map_handle {
  uint32_t tag; /* SW_MAP_TAG: a search for lost blocks knows the spares by it */
  /* blocks of 16 to 64 bytes for the next change, so that a change of a value allocates nothing */
  uint32_t spare[SW_MAP_SPARES];
  int32_t status;  /* why a call that returns no status has failed */
  uint32_t length; /* of the value that was found */
  uint32_t flags;
  uint64_t life; /* of the control block */
  uint64_t seed;
  double now;     /* the caller's, with SW_MAP_TTL: milliseconds of a clock that all share */
  double expires; /* the caller's, with SW_MAP_TTL: when what is put next expires; zero: never */
  sw_heap *heap;
  uint8_t *base;
  sw_map *map;
  uint64_t *bucket; /* of the table that is looked at first, which may have been replaced */
  uint64_t *count;
  uint32_t at, table, mask, log2, marks;
  uint32_t begin, end; /* of the heap's pages */
  uint32_t slots, most;
  uint32_t ordered; /* the heap's */
  uint32_t until;   /* so many more entries, and their number is compared with the buckets' */
} sw_map_handle;

enum sw_map_mode {
  SW_MAP_SET,    /* add the entry, or replace its value */
  SW_MAP_INSERT, /* only add */
  SW_MAP_REPLACE /* only replace */
};

/* Make a map. Returns the offset of its control block, or 0 with h->status: SW_EHEAPFULL, SW_EBUSY,
 * SW_EPOISONED, SW_ECORRUPT; SW_EINVAL: there are no such flags; SW_ERANGE: the capacity. A crash
 * inside leaks what was made. */
uint32_t sw_map_new(sw_heap *h, const sw_map_options *options);

/* Open it. `generation` of 0, here and below: of whichever map is there. Wait-free. Errors: as
 * sw_object_check, SW_ECORRUPT. */
int sw_map_open(sw_map_handle *m, sw_heap *h, uint32_t at, uint32_t generation);

/* Give back what the handle keeps for its next changes. */
void sw_map_close(sw_map_handle *m);

/* Free the map and all its entries, when no participant uses it any more; calls that come later are
 * SW_EFREED. One that runs at the same time ends as if it came before, or with SW_EFREED. A crash
 * inside leaks what was not freed yet. Errors: as sw_object_check. */
int sw_map_free(sw_heap *h, uint32_t at, uint32_t generation);

/* In all calls: a key is its type, bytes and their number. Errors of all calls: SW_EFREED;
 * SW_EBUSY: other participants have changed the entry again and again meanwhile: to be tried again;
 * SW_EINVAL: there is no such type; SW_ERANGE: the key is too long; SW_ECORRUPT. Those that add or
 * replace: SW_EHEAPFULL, SW_EBUSY of the heap, SW_EPOISONED. */

/* Copy the value to `out`. Returns its type (enum sw_map_type), with m->length; 0: there is none.
 * Lock-free, writes nothing but the marks of SW_MAP_LRU. SW_ERANGE with m->length: it has more than
 * `room` bytes. */
int sw_map_get(sw_map_handle *m, uint32_t type, const void *key, uint32_t length, void *out, uint32_t room);

/* The same for a number as key and value: NaN where m->status is 0 (there is none), another type or
 * an error. */
double sw_map_get_number(sw_map_handle *m, double key);

/* Put an entry. Returns 1: it was added; 2: its value was replaced; 0: it was there already, or was
 * not, as the mode says. Lock-free. */
int sw_map_put(sw_map_handle *m, uint32_t type, const void *key, uint32_t length, uint32_t value_type,
               const void *value, uint32_t value_length, uint32_t mode);
int sw_map_put_number(sw_map_handle *m, double key, double value);

/* Replace the value where it has this type and these bytes; `value_type` of 0: delete the entry.
 * Returns 1, or 0: there is no such entry, or its value is another. Lock-free. */
int sw_map_replace_if(sw_map_handle *m, uint32_t type, const void *key, uint32_t length, uint32_t expected_type,
                      const void *expected, uint32_t expected_length, uint32_t value_type, const void *value,
                      uint32_t value_length);

/* Returns 1, or 0: there was none. Lock-free. */
int sw_map_delete(sw_map_handle *m, uint32_t type, const void *key, uint32_t length);

/* Add to a number, which is 0 where there is no entry. Returns the sum; NaN with m->status where
 * that is not the type of a number. With SW_MAP_U32 it wraps. Lock-free. SW_EINVAL: the value is no
 * number. */
double sw_map_add(sw_map_handle *m, uint32_t type, const void *key, uint32_t length, double amount);
double sw_map_add_number(sw_map_handle *m, double key, double amount);
/* The same with SW_MAP_I64, of the 8 bytes at `amount`, where the sum comes. It wraps. */
int sw_map_add_integer(sw_map_handle *m, uint32_t type, const void *key, uint32_t length, int64_t *amount);

/* Entries: exact while no participant changes the map, near it otherwise, with those that have
 * expired and were not removed yet. Wait-free. */
uint32_t sw_map_size(const sw_map_handle *m);

/* Delete every entry that is there now, and perhaps some that are added meanwhile. Lock-free. */
int sw_map_clear(sw_map_handle *m);

/* Where a walk is: zeroes are its beginning. */
typedef struct sw_map_cursor {
  uint32_t base, log2, index;
  uint32_t over;
} sw_map_cursor;

/* Copy the next entries to `out`, 8-byte aligned: each as it is in the map (sw_map_entry, perhaps
 * the time, key, value), one behind the other. Returns how many bytes; 0: the walk is at its end.
 * An entry that is there all the time comes once; one that is added or deleted meanwhile comes once
 * or not. Entries of one bucket are of one moment. Lock-free. SW_ERANGE with m->length: so much
 * room is needed. */
int sw_map_next(sw_map_handle *m, sw_map_cursor *cursor, void *out, uint32_t room);

/* Delete what has expired at m->now. Returns how many entries. Lock-free. */
int sw_map_prune(sw_map_handle *m);

/* In a moment when no participant changes the map: are all entries where they belong? Corrects the
 * size. Errors: SW_ECORRUPT. */
int sw_map_check(sw_map_handle *m);

/* The blocks that a map owns, for a search for lost ones: as many as fit into `room` words at
 * `out`, which are at least SW_MAP_BUCKET_MOST + 3. Returns how many; 0: that was all. */
typedef struct sw_map_block_cursor {
  uint32_t table, index, over;
} sw_map_block_cursor;
int sw_map_blocks(sw_heap *h, uint32_t at, sw_map_block_cursor *cursor, uint32_t *out, uint32_t room);

#ifdef __cplusplus
}
#endif
#endif
