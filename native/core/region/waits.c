/* Waits words.
 *
 *   bit i   state               next
 *   0       does not wait       the owner of endpoint i: begin -> waits
 *   1       waits, or did       the owner: end -> does not wait
 *                               its next owner, in burial -> does not wait
 *
 * Only the owner of an endpoint changes its bit. A waker that cleared the bit of another would take
 * it from a waiter that has looked in vain, and set it anew, between the waker's look and its
 * clearing; and it cannot tell the bit of a dead owner from that of the next one.
 *
 *   a waiter                             a waker
 *     bit := 1                             publish
 *     arm, which ends with [F1]            fence                               [F7]
 *     try once more                        the word: the next bit that is set
 *     sleep                                ring: marks, then looks whether armed
 *
 *   a waiter that leaves                 the same waker
 *     bit := 0
 *     fence                     [F8]
 *     look for what is left
 *
 * Either the waiter's try sees what was published, or the waker sees the bit, and then whether the
 * endpoint is armed. A waker rings one waiter for one thing. That waiter takes it, or finds it
 * taken by a faster one, or leaves: then either the waker saw the bit cleared and rang another, or
 * the look behind [F8] sees the thing and the leaver rings the next. Two wakers may ring the same
 * waiter for two things; it takes one, leaves, and rings the next for the other.
 *
 * Ordering edges:
 *   [F7] the fence between publishing and the look at the word, pairs with [F1] in
 *        sw_endpoint_arm: bit and arm, then look for work; publish, then look for the bit.
 *   [F8] the fence between clearing the own bit and the look for what is left, pairs with [F7].
 *
 * What a crash leaves:
 *   of a waiter             its bit, which wakers pass over once its process is gone, and which the
 *                           next owner of the endpoint clears
 *   of a waker, before it rings, or of a waiter that was rung
 *                           a waiter that sleeps beside what it waits for, until burial rings all,
 *                           or its patrol looks */
#include "core/region/waits.h"

#include "base/peer.h"
#include "core/region/doorbell.h"
#include "core/region/endpoint.h"
#include "sabway/endpoint.h"

static uint64_t bit_of(uint32_t index) { return UINT64_C(1) << index % SW_ENDPOINTS; }

void swi_waits_begin(uint64_t *waits, uint32_t endpoint) {
  if ((sw_peer_load64_relaxed(waits) & bit_of(endpoint)) != 0) return; /* which no other changes */
  sw_fetch_or64_acq_rel(waits, bit_of(endpoint));
}

void swi_waits_end(uint64_t *waits, uint32_t endpoint) {
  sw_fetch_and64_acq_rel(waits, ~bit_of(endpoint));
  sw_fence_handshake(); /* [F8] */
}

static void ring(void *base, uint32_t role) { swi_doorbell_ring_slot(base, role, SW_READY_MUTEXES); }

bool swi_waits_ring_one(void *base, const uint64_t *waits, uint32_t behind) {
  sw_fence_handshake(); /* [F7] */
  uint64_t word = sw_peer_load64_relaxed(waits);
  for (uint32_t i = 1; i <= SW_ENDPOINTS && word != 0; i++) {
    uint32_t index = (behind + i) % SW_ENDPOINTS;
    if ((word & bit_of(index)) == 0) continue;
    uint32_t role = sw_endpoint_role(base, index);
    if (!swi_endpoint_lives(base, behind, role)) continue;
    /* One that is not armed is awake, and looks before it sleeps. */
    ring(base, role);
    return true;
  }
  return false;
}

void swi_waits_ring_role(void *base, uint32_t role) {
  sw_fence_handshake(); /* [F7] */
  ring(base, role);
}

void swi_waits_ring_all(void *base, const uint64_t *waits) {
  sw_fence_handshake(); /* [F7] */
  uint64_t word = sw_peer_load64_relaxed(waits);
  for (; word != 0; word &= word - 1) ring(base, sw_endpoint_role(base, (uint32_t)__builtin_ctzll(word)));
}

void swi_waits_bury(void *base, uint64_t *waits, uint32_t endpoint, bool all_claims) {
  if (all_claims) {
    if ((sw_peer_load64_relaxed(waits) & bit_of(endpoint)) == 0) return;
    sw_fetch_and64_acq_rel(waits, ~bit_of(endpoint));
  }
  swi_waits_ring_all(base, waits);
}
