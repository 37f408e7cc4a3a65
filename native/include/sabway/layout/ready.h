/* Ready sets: which of the things behind an endpoint have something for its owner. */
#ifndef SABWAY_LAYOUT_READY_H
#define SABWAY_LAYOUT_READY_H

#include "endpoint.h"

enum {
  SW_READY_AT = SW_HEADER_BYTES + SW_ENDPOINTS * (int)sizeof(sw_endpoint),
  SW_READY_WORDS = 64,
  SW_READY_SLOTS = SW_READY_WORDS * 64
};

/* What the slots of a set stand for. The owner gives those from SW_READY_FIRST up to its idle
 * channels. */
enum {
  SW_READY_ALL = 0,     /* everything behind the endpoint */
  SW_READY_MUTEXES = 1, /* the mutexes that the owner waits for */
  SW_READY_FIRST = 2
};

/* A slot word (sw_ring.producer_slot and consumer_slot; format: role.h) has a slot, or zero for a
 * channel that its holder looks at by itself before each sleep, and beside it: */
enum {
  SW_SLOT_QUIET = SW_READY_SLOTS, /* messages are not told of */
  SW_SLOT_ROLE_AT = 13            /* from this bit up: the low bits of the holder's role word */
};

/* One for each endpoint. Any participant sets bits, and only the owner takes them. */
typedef struct sw_ready {
  uint64_t some; /* bit i: word[i] may have bits */
  uint8_t unused[SW_LINE / 2 - 8];
  uint64_t word[SW_READY_WORDS]; /* slot i is bit i % 64 of word i / 64 */
} sw_ready;

#define SW_READY_STRUCTS(X) X(sw_ready)

#define SW_READY_FIELDS(X) \
  X(sw_ready, some)        \
  X(sw_ready, word)

#ifndef __cplusplus
_Static_assert(SW_READY_AT + SW_ENDPOINTS * sizeof(sw_ready) <= SW_INSTANCES_AT, "ready sets end before the instances");
_Static_assert(SW_SLOT_QUIET << 1 == 1 << SW_SLOT_ROLE_AT, "slot, SW_SLOT_QUIET and role share a word");
#endif

#endif
