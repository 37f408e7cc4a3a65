/* Waits words: which endpoints wait for something that an object has, one bit for each.
 *
 *   a waiter                                      a waker
 *     try; nothing there                            publish what is waited for
 *     swi_waits_begin: own bit := 1                 swi_waits_ring_one, or _ring_all
 *     sw_endpoint_arm
 *     try once more; nothing: sleep, and again
 *   in the end, with it or without:
 *     swi_waits_end: own bit := 0
 *     is there still something? then swi_waits_ring_one: it may be what another waits for
 *
 * The word is a u64 of the object, zero at first. See waits.c for why no wake is lost. */
#ifndef SABWAY_CORE_WAITS_H
#define SABWAY_CORE_WAITS_H

#include "base/peer.h"
#include "sabway/layout.h"

/* Set the caller's bit, before it arms its endpoint. Its own endpoint; wait-free. A crash behind it
 * leaves a bit that wakers pass over, and that the endpoint's next owner clears. */
void swi_waits_begin(uint64_t *waits, uint32_t endpoint);

/* Clear the caller's bit, and pass a fence: so the look behind it, whether there is something for
 * another waiter, sees what the caller was rung for. That look, and the ring that follows from it,
 * are the caller's to do. Its own endpoint; wait-free. */
void swi_waits_end(uint64_t *waits, uint32_t endpoint);

/* Pass a fence, and ring the first waiter behind that endpoint, in the order of their numbers,
 * whose participant lives. The caller has published what is waited for. Returns whether one was
 * rung. Any thread; lock-free; without waiters a fence and a load, else a system call when the
 * waiter sleeps, and perhaps one that asks whether it lives. A crash inside may leave it not rung:
 * burial rings all. */
bool swi_waits_ring_one(void *base, const uint64_t *waits, uint32_t behind);

/* Pass a fence, and see whether there is a waiter: for a caller that has published what is waited
 * for by an exchange, and rings by one of the others only then. */
static inline bool swi_waits_any(const uint64_t *waits) {
  sw_fence_behind_exchange(); /* [F7] */
  return sw_peer_load64_relaxed(waits) != 0;
}

/* Pass a fence, and ring that participant: what it waits for was done for it. Else as above. */
void swi_waits_ring_role(void *base, uint32_t role);

/* As swi_waits_ring_one, for all waiters. */
void swi_waits_ring_all(void *base, const uint64_t *waits);

/* Burial: the same, unless `endpoint` is one whose own claims are over: then its bit is cleared,
 * and others are rung if it was set, since what it was rung for may be theirs. */
void swi_waits_bury(void *base, uint64_t *waits, uint32_t endpoint, bool all_claims);

#endif
