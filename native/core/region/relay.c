/* Relays: event loops that wake a sleeper which its waker has no means to reach (see SW_RELAYS in
 * layout.h).
 *
 * The waker leaves a request on the sleeper's endpoint and rings a relay, whether that sleeps or
 * not. The relay looks for requests, wakes the sleepers, and takes each request back last.
 *
 *   request                      state    next
 *   0                            none     waker: -> asked
 *   doorbell's value << 1 | 1    asked    relay: wakes, compare-exchange -> none
 *                                         waker: -> asked, for a later ring
 *
 * What a crash leaves:
 *   the waker, before it rings a relay    a request that the next relay to look finds
 *   the relay, before it takes it back    the same: the sleeper may be woken twice
 *
 * Ordering edges:
 *   [Q1] the relay's doorbell pairs with [Q2], its load of it in sw_endpoint_arm: a relay that does
 *        not sleep sees the request.
 *   [Q3] fence pairs with [Q4]: request, then look for relays; become or cease to be a relay, then
 *        look for requests. */
#include "core/region/relay.h"

#include "base/peer.h"
#include "core/region/endpoint.h"
#include "prim/prim.h"
#include "sabway/endpoint.h"

/* The endpoint `index`, or NULL to end a scan: endpoints are claimed from the lowest index up, so
 * behind the first one that was never claimed none has been. */
static sw_endpoint *claimed_once(const void *base, uint32_t index) {
  sw_endpoint *e = swi_endpoint_at(base, index);
  return sw_peer_load_relaxed(&e->pid) == 0 && sw_peer_load_relaxed(&e->epoch) == 0 ? NULL : e;
}

static bool relays(const sw_endpoint *e) { return (sw_peer_load_acquire(&e->skills) & SW_RELAYS) != 0; }

static void ring_one(void *base, const sw_endpoint *sleeper) {
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    sw_endpoint *relay = claimed_once(base, i);
    if (relay == NULL) return;
    if (relay == sleeper || !relays(relay)) continue;
    sw_fetch_add_acq_rel(&relay->doorbell, 1); /* [Q1] */
    if (sw_prim_wake(&relay->doorbell, SW_SLEEP_LOOP)) return;
  }
}

void swi_relay_ask(void *base, sw_endpoint *e, uint32_t rings) {
  sw_store_release(&e->request, rings << 1 | 1);
  sw_fence_handshake(); /* [Q3] */
  ring_one(base, e);
}

void sw_endpoint_set_skills(void *base, uint32_t index, uint32_t skills) {
  sw_store_release(&swi_endpoint_at(base, index)->skills, skills);
  sw_fence_handshake(); /* [Q4] */
}

int sw_relay_serve(void *base) {
  int left = 0;
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    sw_endpoint *e = claimed_once(base, i);
    if (e == NULL) break;
    uint32_t request = sw_peer_load_acquire(&e->request);
    if (request == 0) continue;
    /* Both, because the sleeper may be of either kind: reached means that this thread has the means
     * for both. */
    bool atomics = sw_prim_wake(&e->doorbell, SW_SLEEP_ATOMICS);
    bool futex = sw_prim_wake(&e->doorbell, SW_SLEEP_FUTEX);
    if (atomics && futex) {
      sw_compare_exchange_acq_rel(&e->request, &request, 0);
    } else {
      left++;
      ring_one(base, e);
    }
  }
  return left;
}

/* The wake path through relays: one that stays is enough for a sleep without a limit. */
static uint32_t by_relay(const void *base, uint32_t own) {
  uint32_t reach = SW_REACH_NONE | SW_REACH_FRAGILE;
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    const sw_endpoint *e = claimed_once(base, i);
    if (e == NULL) break;
    uint32_t skills = sw_peer_load_relaxed(&e->skills);
    if (i == own || (skills & SW_RELAYS) == 0) continue;
    if ((skills & SW_STAYS) != 0) return SW_REACH_RELAY;
    reach = SW_REACH_RELAY | SW_REACH_FRAGILE;
  }
  return reach;
}

uint32_t sw_endpoint_wake_path(const void *base, uint32_t index, uint32_t role, uint32_t how) {
  const sw_endpoint *own = swi_endpoint_at(base, index), *peer = swi_endpoint_named(base, role);
  uint32_t needed = how == SW_SLEEP_FUTEX     ? SW_WAKES_FUTEX
                    : how == SW_SLEEP_ATOMICS ? SW_WAKES_ATOMICS
                                              : SW_WAKES_FUTEX | SW_WAKES_ATOMICS;
  uint32_t skills = peer == NULL ? 0 : sw_peer_load_acquire(&peer->skills);
  if ((skills & needed) == 0) {
    uint32_t reach = by_relay(base, index);
    /* skills 0: no peer yet, or one that has not told */
    return skills == 0 ? reach & SW_REACH_FRAGILE : reach;
  }
  /* A thread without the addon does not know its process. It is always in this one. */
  if ((skills & SW_WAKES_FUTEX) == 0) return SW_REACH_DIRECT;
  uint32_t pid = sw_peer_load_relaxed(&own->pid);
  bool near = pid == sw_peer_load_relaxed(&peer->pid) || (sw_peer_load_relaxed(&own->skills) & SW_WAKES_FUTEX) == 0;
  return near ? SW_REACH_DIRECT : SW_REACH_FRAGILE;
}
