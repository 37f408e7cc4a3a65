/* The registry: every object of the heap that has words which name participants (roles, waiters),
 * so that a participant that dies can be taken out of all of them. */
#ifndef SABWAY_LAYOUT_REGISTRY_H
#define SABWAY_LAYOUT_REGISTRY_H

#include "mutex.h"

/* Kinds of objects. New ones go to the end. */
enum sw_kind {
  SW_KIND_MEMORY = 1, /* a block of the heap; names no participant, so it is not registered */
  SW_KIND_MUTEX = 2,
  SW_KIND_CHANNEL = 3,
  SW_KIND_FREE_MUTEX = 4,   /* a block that was a mutex, and can be one again and nothing else */
  SW_KIND_FREE_CHANNEL = 5, /* likewise, of a channel's header */
  SW_KIND_OBJECT = 6,       /* a container's control block, see layout/object.h */
  SW_KIND_FREE_OBJECT = 7,  /* one that the next container may have */
  /* likewise, the control blocks of other families: see layout/object.h */
  SW_KIND_SYNC = 8,
  SW_KIND_FREE_SYNC = 9,
  SW_KIND_QUEUE = 10,
  SW_KIND_FREE_QUEUE = 11,
  SW_KIND_CAST = 12,
  SW_KIND_FREE_CAST = 13,
  SW_KIND_POOL = 14,
  SW_KIND_FREE_POOL = 15,
  SW_KIND_MASK = 15
};

enum {
  SW_REGISTRY_AT = 2176, /* its offset, in the region's header */
  SW_REGISTRY_SLOTS = 255,
  SW_REGISTRY_BLOCKS = 4096 /* of one region at most */
};

/* A slot is an object's offset, which is a multiple of 16, and its kind in the bits below; zero:
 * vacant. Blocks are never freed. */
typedef struct sw_registry_block {
  uint32_t next; /* offset of the next block; zero: none */
  uint32_t slot[SW_REGISTRY_SLOTS];
} sw_registry_block;

typedef struct sw_registry {
  uint32_t first; /* offset of the first block; zero before the first object */
  uint32_t hint;  /* offset of a block that had a vacant slot; zero: none */
} sw_registry;

#define SW_REGISTRY_STRUCTS(X) X(sw_registry_block) X(sw_registry)

#define SW_REGISTRY_FIELDS(X) \
  X(sw_registry_block, next)  \
  X(sw_registry_block, slot)  \
  X(sw_registry, first)       \
  X(sw_registry, hint)

#ifndef __cplusplus
_Static_assert(SW_REGISTRY_AT + sizeof(sw_registry) <= SW_HEADER_BYTES, "the registry is in the header");
#endif

#endif
