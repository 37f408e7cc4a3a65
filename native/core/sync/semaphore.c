/* Semaphores.
 *
 *   member[permit]   state          next
 *   0                to be had      acquire -> role [Z6]
 *   role             held           release -> 0 [Z6], consume -> ABSENT
 *                                   role dead: acquire -> role; burial -> 0
 *   ABSENT           not there      post -> 0 [Z6]
 *
 * With a `limit` above 64 `state` counts those that are to be had, and names no holder.
 *
 * Ordering edge: [Z6] the exchange by which a permit comes back, or is posted, pairs with the one
 * by which it is taken: what was written before the one is seen behind the other.
 *
 * What a crash leaves: a permit of a dead holder, which the next one takes; or a free permit and a
 * waiter that was not rung, until burial. */
#include "core/sync/sync.h"

#define ABSENT ((uint32_t)SW_PERMIT_ABSENT)

/* Each call reads it once: what decides whether there are words is also what bounds the walk. */
static uint32_t limit_of(const sw_sync *o) { return sw_peer_load_relaxed(&o->limit); }
static bool counts(uint32_t limit) { return limit > SW_ENDPOINTS; }

bool swi_semaphore_has_one(const sw_sync *o) {
  uint32_t most = limit_of(o);
  if (counts(most)) return sw_peer_load_relaxed(&o->state) != 0;
  for (uint32_t i = 0; i < most; i++) {
    if (sw_peer_load_relaxed(&o->member[i]) == 0) return true;
  }
  return false;
}

/* Change the count by one: false, when it is `end` already. */
static bool count(sw_sync *o, uint32_t by, uint32_t end) {
  uint32_t state = sw_peer_load_relaxed(&o->state);
  for (int tries = 0; tries < SWI_TRIES && state != end; tries++) {
    if (sw_compare_exchange_acq_rel(&o->state, &state, state + by)) return true; /* [Z6] */
  }
  return false;
}

int sw_semaphore_try_acquire(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_SEMAPHORE, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_SEMAPHORE, generation);
  uint32_t most = limit_of(o);
  if (counts(most)) return count(o, (uint32_t)-1, 0) ? SW_PERMIT_COUNTED : SW_EBUSY;
  /* each begins at another place, so that few exchanges fail */
  for (uint32_t i = 0, at_first = h->endpoint; i < most; i++) {
    uint32_t permit = (at_first + i) % most, seen = sw_peer_load_relaxed(&o->member[permit]);
    /* [Z6] */
    if (seen == 0 && sw_compare_exchange_acq_rel(&o->member[permit], &seen, h->role)) return (int)permit;
  }
  for (uint32_t permit = 0; permit < most; permit++) {
    uint32_t seen = sw_peer_load_acquire(&o->member[permit]); /* [Z6], and the claim of the role */
    if (seen == ABSENT || (seen != 0 && swi_sync_lives(h, seen))) continue;
    /* [Z6] */
    if (sw_compare_exchange_acq_rel(&o->member[permit], &seen, h->role)) return (int)permit;
  }
  return SW_EBUSY;
}

static int give(sw_heap *h, uint32_t at, uint32_t generation, uint32_t permit, uint32_t to) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_SEMAPHORE, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_SEMAPHORE, generation);
  uint32_t most = limit_of(o);
  if (counts(most)) {
    if (permit != SW_PERMIT_COUNTED) return SW_ERANGE;
    if (to == ABSENT) return SW_OK;
    if (!count(o, 1, most)) return SW_ESTATE;
  } else {
    if (permit >= most) return SW_ERANGE;
    if (!swi_sync_change(&o->member[permit], h->role, to)) return SW_ESTATE; /* [Z6] */
  }
  if (to == 0) swi_waits_ring_one(h->base, &o->head.waits[0], h->endpoint);
  return SW_OK;
}

int sw_semaphore_release(sw_heap *h, uint32_t at, uint32_t generation, uint32_t permit) {
  return give(h, at, generation, permit, 0);
}

int sw_semaphore_consume(sw_heap *h, uint32_t at, uint32_t generation, uint32_t permit) {
  return give(h, at, generation, permit, ABSENT);
}

static bool post(sw_sync *o) {
  uint32_t most = limit_of(o);
  if (counts(most)) return count(o, 1, most);
  for (uint32_t permit = 0; permit < most; permit++) {
    uint32_t seen = sw_peer_load_relaxed(&o->member[permit]);
    /* [Z6] */
    if (seen == ABSENT && sw_compare_exchange_acq_rel(&o->member[permit], &seen, 0)) return true;
  }
  return false;
}

int sw_semaphore_post(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_SEMAPHORE, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_SEMAPHORE, generation);
  if (!post(o)) return SW_ERANGE;
  swi_waits_ring_one(h->base, &o->head.waits[0], h->endpoint);
  return SW_OK;
}

int sw_semaphore_available(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_SEMAPHORE, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_SEMAPHORE, generation);
  uint32_t most = limit_of(o);
  if (counts(most)) return (int)(sw_peer_load_relaxed(&o->state) & INT32_MAX);
  int found = 0;
  for (uint32_t i = 0; i < most; i++) found += sw_peer_load_relaxed(&o->member[i]) == 0;
  return found;
}
