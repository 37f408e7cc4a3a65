/* Queues: rings of values whose slots say by themselves whether they are filled. See
 * native/core/queue/ncq.h for how a ring works.
 *
 *   sw_queue --> rings: spares, again (with SW_QUEUE_ACK), then one for each level
 *                a ring:  head, tail, and its slots
 *                         a slot: bits 32-63 the cycle of the position that it was filled for;
 *                                 bits 0-31 the value
 *                cells (with SW_QUEUE_ACK), or entries (with SW_QUEUE_SORTED)
 *
 * A value that leaves a ring is one word:
 *
 *   bits 0-3   0                 bits 4-31: offset / 16 of a sw_queue_item
 *              SW_QUEUE_INTEGER  bits 4-31: an integer with its sign
 *              SW_MAP_NULL, SW_MAP_FALSE, SW_MAP_TRUE
 *   SW_QUEUE_END                 behind all others: the ring is closed
 *
 * With SW_QUEUE_ACK the words in the slots are cells: bits 0-15 the generation, 16-31 the index.
 *
 * An unbuffered channel has no such ring, but places: see native/core/queue/offer.c. */
#ifndef SABWAY_LAYOUT_QUEUE_H
#define SABWAY_LAYOUT_QUEUE_H

#include "object.h"

enum {
  SW_TYPE_QUEUE = 16,          /* any number of producers and consumers */
  SW_TYPE_SINGLE_QUEUE = 17,   /* one of each */
  SW_TYPE_PRIORITY_QUEUE = 18, /* levels, or any priority */
  SW_TYPE_RING_QUEUE = 19,     /* as SW_TYPE_QUEUE, under another name */
  /* likewise; with a capacity of zero it is unbuffered */
  SW_TYPE_CHANNEL = 20,

  /* sw_queue.flags */
  SW_QUEUE_ACK = 1,    /* a value stays the queue's until its consumer acknowledges it */
  SW_QUEUE_SORTED = 2, /* any priority: under the lock */

  SW_QUEUE_CLOSED = 1, /* sw_object.root, of an unbuffered channel: it is */

  SW_QUEUE_INTEGER = 1,
  SW_QUEUE_END = -1,

  SW_QUEUE_LEVELS = 64,
  SW_QUEUE_MOST = 1 << 20,      /* values of a ring */
  SW_QUEUE_CELLS_MOST = 0xfffe, /* with SW_QUEUE_ACK */
  SW_QUEUE_SPARES = 32          /* slots of the ring of spare blocks */
};

/* The control block. */
typedef struct sw_queue {
  sw_waitable waitable; /* waits[0]: for a value; waits[1]: for room */
  uint32_t rings;       /* offset of the block with all rings; zero: it is not ready */
  /* these do not change */
  uint32_t flags;
  uint32_t capacity; /* values of a level */
  uint32_t levels;
  uint32_t codec; /* JavaScript's: which codec its values are coded by */
  /* the first position of all rings, which no earlier ring in this memory had: a participant that
   * comes late exchanges nothing in the next one */
  uint32_t cycle;
  /* of SW_TYPE_SINGLE_QUEUE: the roles of its two participants */
  uint32_t producer, consumer;
  uint32_t closed; /* SW_QUEUE_SORTED: it is */
  uint32_t unused0;
  uint64_t present; /* bit i: level i may have values */
  /* unbuffered: the next offer's number, and by side the endpoint at which a look begins */
  uint64_t offers;
  uint32_t turns[2];
  uint8_t unused1[SW_QUEUE_BYTES - sizeof(sw_waitable) - 64];
} sw_queue;

/* The head of a ring. Its slots follow. */
typedef struct sw_queue_ring {
  uint64_t head; /* the position of the next value, at least */
  uint8_t unused0[SW_LINE - 8];
  uint64_t tail; /* the position of the next free slot, or of the one before it */
  uint8_t unused1[SW_LINE - 8];
} sw_queue_ring;

/* A value in a block of its own. Its bytes follow. */
typedef struct sw_queue_item {
  uint32_t type; /* enum sw_map_type */
  uint32_t length;
} sw_queue_item;

enum {
  /* Beside the role, in the state of a cell. With a role: its producer puts it into a ring; without
   * one: it is in a ring. */
  SW_CELL_OFFERED = 0x80
};

/* A value with SW_QUEUE_ACK. */
typedef struct sw_queue_cell {
  /* bits 32-63: generation; bits 0-31: zero: it is free; a role: its consumer has it; or with
   * SW_CELL_OFFERED */
  uint64_t state;
  uint32_t value;
  uint32_t deliveries; /* how often it was given to a consumer */
} sw_queue_cell;

typedef struct sw_queue_entry {
  uint64_t key; /* the priority: higher ones first */
  uint64_t seq; /* of the same priority, lower ones first */
  uint32_t value;
  uint32_t unused;
} sw_queue_entry;

/* A heap of four branches, with SW_QUEUE_SORTED. Its entries follow. */
typedef struct sw_queue_sorted {
  uint64_t seq; /* of the next entry */
  /* bits 32-63: how many entries there are; bits 0-31, the journal of the holder of the lock: 1 +
   * the place among them that `item` belongs into; zero: none */
  uint64_t state;
  sw_queue_entry item;
} sw_queue_sorted;

enum {
  /* sw_queue_place.state: bits 0-2, and in bits 3-63 the ticket of an offer, unless something else
   * is said */
  SW_OFFER_FREE = 0,    /* no offer has its home here */
  SW_OFFER_WAITING = 1, /* it can be taken */
  SW_OFFER_TAKING = 2,  /* its owner tries to take another one, and it can not be taken */
  /* it was taken: bits 3-34 the value that it was given, or zero; bits 35-63 its case */
  SW_OFFER_DONE = 3,
  SW_OFFER_LEFT = 4, /* its owner died; it was not taken */
  SW_OFFER_REST = 5  /* its owner died; bits 3-34: a value that no participant has, or zero */
};

/* What an endpoint has in an unbuffered channel, one for its sends and one for its receives. */
typedef struct sw_queue_place {
  uint64_t state; /* of the offer that has its home here */
  /* The card of the offer that can be found here, whose home may be a place of another channel. */
  uint64_t ticket; /* which no other offer has or had; above bit 60: there is no card */
  uint32_t home;   /* offset of a place, in whose state that ticket is while it waits */
  uint32_t which;  /* its case */
  uint32_t value;  /* of a send */
  uint32_t role;   /* its owner */
} sw_queue_place;

#define SW_QUEUE_STRUCTS(X) \
  X(sw_queue)               \
  X(sw_queue_ring)          \
  X(sw_queue_item)          \
  X(sw_queue_cell)          \
  X(sw_queue_entry)         \
  X(sw_queue_sorted)        \
  X(sw_queue_place)

#define SW_QUEUE_FIELDS(X)     \
  X(sw_queue, rings)           \
  X(sw_queue, flags)           \
  X(sw_queue, capacity)        \
  X(sw_queue, levels)          \
  X(sw_queue, codec)           \
  X(sw_queue, cycle)           \
  X(sw_queue, producer)        \
  X(sw_queue, consumer)        \
  X(sw_queue, closed)          \
  X(sw_queue, present)         \
  X(sw_queue, offers)          \
  X(sw_queue, turns)           \
  X(sw_queue_ring, head)       \
  X(sw_queue_ring, tail)       \
  X(sw_queue_item, type)       \
  X(sw_queue_item, length)     \
  X(sw_queue_cell, state)      \
  X(sw_queue_cell, value)      \
  X(sw_queue_cell, deliveries) \
  X(sw_queue_entry, key)       \
  X(sw_queue_entry, seq)       \
  X(sw_queue_entry, value)     \
  X(sw_queue_sorted, seq)      \
  X(sw_queue_sorted, state)    \
  X(sw_queue_sorted, item)     \
  X(sw_queue_place, state)     \
  X(sw_queue_place, ticket)    \
  X(sw_queue_place, home)      \
  X(sw_queue_place, which)     \
  X(sw_queue_place, value)     \
  X(sw_queue_place, role)

#ifndef __cplusplus
_Static_assert(sizeof(sw_queue) == SW_QUEUE_BYTES, "a queue's control block is one of its family");
_Static_assert(sizeof(sw_queue_ring) == 2 * SW_LINE, "head and tail have their own lines");
#endif

#endif
