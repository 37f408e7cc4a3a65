/* A robust mutex: one word that decides, and the set of those that wait. */
#ifndef SABWAY_LAYOUT_MUTEX_H
#define SABWAY_LAYOUT_MUTEX_H

#include "region.h"

/* Beside a role in the owner half of sw_mutex.state, and the one word there that is no role. */
enum {
  /* The owner has it from one that died while it held it, and has not called sw_mutex_consistent.
   * Without a role: it is free, and the next owner has it from a dead one. */
  SW_MUTEX_INHERITED = 0x80,
  SW_MUTEX_POISONED = 0xff, /* given back without that: no participant can lock it any more */
  /* Beside the role in the upper half: some waiter may sleep, so an unlock has to look for it. */
  SW_MUTEX_WAITED = 0x80
};

/* Zeroes are a mutex that is free. 8-byte aligned. */
typedef struct sw_mutex {
  /* bits 0-31: the owner's role, zero when it is free; bits 32-63: the role of a waiter that has
   * waited for long, to which the next unlock gives it; and SW_MUTEX_WAITED */
  uint64_t state;
  uint64_t waiters; /* bit i: endpoint i waits, or has waited and not cleared its bit yet */
} sw_mutex;

/* A mutex in a block of its own, which is one for good: see SW_KIND_FREE_MUTEX. */
typedef struct sw_mutex_object {
  sw_mutex mutex;
  /* counts how often it was freed: a name of an earlier one does not lead here */
  uint32_t generation;
  uint32_t place; /* in the registry: see sw_registry_add */
  uint32_t unused[2];
} sw_mutex_object;

#define SW_MUTEX_STRUCTS(X) X(sw_mutex) X(sw_mutex_object)

#define SW_MUTEX_FIELDS(X)       \
  X(sw_mutex, state)             \
  X(sw_mutex, waiters)           \
  X(sw_mutex_object, generation) \
  X(sw_mutex_object, place)

#endif
