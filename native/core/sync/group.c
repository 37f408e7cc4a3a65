/* Wait groups.
 *
 *   member[part]    state                          next
 *   0               none, or done                  add -> OPEN
 *   OPEN            to be done, and not claimed    claim -> role; done -> 0 [T2]
 *   role            claimed                        done -> 0 [T2]
 *                                                  role dead: -> BROKEN, or 0 (SW_SYNC_LEAVE)
 *   BROKEN          its claimer has ended          mend -> 0
 *
 * More parts than there are words are counted in `state`, and not claimed. All is done when every
 * word and the count are zero.
 *
 * Ordering edge: [T2] pairs with the load by which a waiter finds the part done: what was written
 * before is seen behind it. The fence of the ring behind [T2] lets the last of several that are
 * done at once find all others done: it rings.
 *
 * What a crash leaves: a claimed part, which the next look before a sleep, or burial, finds; or all
 * done and waiters not rung, until burial. */
#include "core/sync/sync.h"

#define OPEN   ((uint32_t)SW_PART_OPEN)
#define BROKEN ((uint32_t)SW_PART_BROKEN)

/* Parts whose claimers are dead. */
static void look_for_dead(sw_heap *h, sw_sync *o) {
  bool leaves = (sw_peer_load_relaxed(&o->options) & SW_SYNC_LEAVE) != 0, found = false;
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    uint32_t word = sw_peer_load_acquire(&o->member[i]); /* [T2], and the claim of the role */
    if (word == 0 || word >= BROKEN || swi_sync_lives(h, word)) continue;
    found = swi_sync_change(&o->member[i], word, leaves ? 0 : BROKEN) || found;
  }
  if (found) swi_waits_ring_all(h->base, &o->head.waits[0]);
}

static bool change_count(sw_sync *o, uint32_t by) {
  uint32_t state = sw_peer_load_relaxed(&o->state);
  for (int tries = 0; tries < SWI_TRIES; tries++) {
    uint64_t next = (uint64_t)state + by;
    if (by == (uint32_t)-1 ? state == 0 : next > INT32_MAX) return false;
    if (sw_compare_exchange_acq_rel(&o->state, &state, (uint32_t)next)) return true; /* [T2] */
  }
  return false;
}

int sw_group_add(sw_heap *h, uint32_t at, uint32_t generation, uint32_t parts) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_WAIT_GROUP, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_WAIT_GROUP, generation);
  if (parts > INT32_MAX) return SW_ERANGE;
  for (uint32_t i = 0; i < SW_ENDPOINTS && parts != 0; i++) parts -= swi_sync_change(&o->member[i], 0, OPEN);
  return parts == 0 || change_count(o, parts) ? SW_OK : SW_ERANGE;
}

/* Exchange the first part that is `from`. */
static bool change_one(sw_sync *o, uint32_t from, uint32_t to) {
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    uint32_t word = sw_peer_load_relaxed(&o->member[i]);
    /* [T2] */
    if (word == from && sw_compare_exchange_acq_rel(&o->member[i], &word, to)) return true;
  }
  return false;
}

int sw_group_claim(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_WAIT_GROUP, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_WAIT_GROUP, generation);
  return change_one(o, OPEN, h->role) ? SW_OK : SW_EBUSY;
}

static int look(const sw_sync *o) {
  bool busy = sw_peer_load_acquire(&o->state) != 0; /* [T2] */
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    uint32_t word = sw_peer_load_acquire(&o->member[i]); /* [T2] */
    if (word == BROKEN) return SW_EBROKEN;
    busy = busy || word != 0;
  }
  return busy ? SW_EBUSY : SW_OK;
}

int sw_group_done(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_WAIT_GROUP, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_WAIT_GROUP, generation);
  if (!change_one(o, h->role, 0) && !change_one(o, OPEN, 0) && !change_count(o, (uint32_t)-1)) return SW_ESTATE;
  sw_fence_handshake();
  if (look(o) != SW_EBUSY) swi_waits_ring_all(h->base, &o->head.waits[0]);
  return SW_OK;
}

int sw_group_try(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_WAIT_GROUP, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_WAIT_GROUP, generation);
  int status = look(o);
  if (status != SW_EBUSY || !swi_sync_waits(h, o)) return status;
  /* behind the arming of the endpoint: this finds a death, or its burial ends the sleep */
  look_for_dead(h, o);
  return look(o);
}

int sw_group_mend(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_WAIT_GROUP, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_WAIT_GROUP, generation);
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) swi_sync_change(&o->member[i], BROKEN, 0);
  swi_waits_ring_all(h->base, &o->head.waits[0]);
  return SW_OK;
}

int sw_group_left(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_WAIT_GROUP, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_WAIT_GROUP, generation);
  uint32_t left = sw_peer_load_relaxed(&o->state);
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) left += sw_peer_load_relaxed(&o->member[i]) != 0;
  return (int)(left & INT32_MAX);
}
