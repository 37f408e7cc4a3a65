/* An endpoint, and what its words say about sleeping and waking. */
#ifndef SABWAY_LAYOUT_ENDPOINT_H
#define SABWAY_LAYOUT_ENDPOINT_H

#include "region.h"

/* How an endpoint sleeps, and so how it is woken: bits 0-1 of sw_endpoint.sleeping; bit 2:
 * SW_SLEEP_QUIET. */
enum sw_sleep {
  SW_AWAKE = 0,
  SW_SLEEP_FUTEX = 1,  /* a thread in native code, parked on the doorbell word */
  SW_SLEEP_LOOP = 2,   /* a JavaScript event loop, woken through its threadsafe function */
  SW_SLEEP_ATOMICS = 3 /* a JavaScript thread in Atomics.wait or waitAsync on the doorbell word */
};

/* Beside one of those: messages do not end this sleep; room, the end of a stream and a death do.
 * For an owner that only watches the other side, or waits for room, and takes no messages
 * meanwhile: it is rung for none of them. */
enum { SW_SLEEP_QUIET = 4 };

/* What the owner of an endpoint can do for others: bits of sw_endpoint.skills. A native thread
 * cannot wake a thread in Atomics.wait, JavaScript without the addon none on a futex; JavaScript
 * with the addon wakes both, and passes on what those two cannot. Every waker reaches an event
 * loop. */
enum {
  SW_WAKES_FUTEX = 1,
  SW_WAKES_ATOMICS = 2,
  SW_RELAYS = 4, /* asks for the others: its event loop serves requests */
  SW_STAYS = 8,  /* its thread does not end before the process does */
  /* holds the Web Lock that lock_low and lock_high name: when that is free, the owner has ended */
  SW_LOCKED = 16,
  /* sees such locks: its doorbell is rung when a role is taken, or a lock is held */
  SW_WATCHES = 32,
  /* the code that asked for the lock has run to its end: the lock will be held soon */
  SW_YIELDED = 64
};

/* One participant: a thread of a process. pid is the claim word: zero is free, and its highest bit
 * is set while a claim is being made. */
typedef struct sw_endpoint {
  uint32_t pid;
  uint32_t start_low; /* start time of that process, so that a reused pid is not taken for it */
  uint32_t start_high;
  uint32_t epoch;  /* counts the claims of this endpoint */
  uint32_t skills; /* SW_WAKES_FUTEX and others; zero until the owner has told */
  /* random, and the name of a Web Lock that the owner has asked for; zero when it has not */
  uint32_t lock_low;
  uint32_t lock_high;
  uint32_t heard; /* the doorbell's value when the owner of a lock last looked at it */
  uint8_t unused0[SW_LINE - 32];
  uint32_t doorbell; /* counts rings; the word a sleeper waits on */
  uint8_t unused1[SW_LINE - 4];
  /* enum sw_sleep, SW_SLEEP_QUIET; in bits 3-31 the doorbell's value when it was armed */
  uint32_t sleeping;
  /* a relay shall wake this endpoint: bit 0, and the doorbell's value in bits 1-31 */
  uint32_t request;
  uint8_t unused2[SW_LINE - 8];
} sw_endpoint;

#define SW_ENDPOINT_STRUCTS(X) X(sw_endpoint)

#define SW_ENDPOINT_FIELDS(X) \
  X(sw_endpoint, pid)         \
  X(sw_endpoint, start_low)   \
  X(sw_endpoint, start_high)  \
  X(sw_endpoint, epoch)       \
  X(sw_endpoint, skills)      \
  X(sw_endpoint, lock_low)    \
  X(sw_endpoint, lock_high)   \
  X(sw_endpoint, heard)       \
  X(sw_endpoint, doorbell)    \
  X(sw_endpoint, sleeping)    \
  X(sw_endpoint, request)

#ifndef __cplusplus
_Static_assert(sizeof(sw_endpoint) == 3 * SW_LINE, "each hot word of an endpoint has its own lines");
_Static_assert(SW_HEADER_BYTES + SW_ENDPOINTS * sizeof(sw_endpoint) <= SW_INSTANCES_AT,
               "endpoints end before the instances");
#endif

#endif
