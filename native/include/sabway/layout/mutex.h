/* A robust mutex: two words that decide, and the set of those that wait. */
#ifndef SABWAY_LAYOUT_MUTEX_H
#define SABWAY_LAYOUT_MUTEX_H

#include "region.h"

/* Bits beside a role in sw_mutex.owner, and the one word that is no role. */
enum {
  /* the owner has it from one that died while it held it, and has not called sw_mutex_consistent */
  SW_MUTEX_INHERITED = 0x80,
  SW_MUTEX_POISONED = 0xff /* given back without that: no participant can lock it any more */
};

/* Zeroes are a mutex that is free. 8-byte aligned. */
typedef struct sw_mutex {
  uint32_t owner;   /* the holder's role; zero is free */
  uint32_t handoff; /* the role of a waiter that has waited long: the next unlock gives it to that */
  uint64_t waiters; /* bit i: endpoint i waits, or has waited and not cleared its bit yet */
} sw_mutex;

#define SW_MUTEX_STRUCTS(X) X(sw_mutex)

#define SW_MUTEX_FIELDS(X) \
  X(sw_mutex, owner)       \
  X(sw_mutex, handoff)     \
  X(sw_mutex, waiters)

#endif
