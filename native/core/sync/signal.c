/* Events, conditions, once, and spin locks: one word each.
 *
 *   event           state   next
 *   0               reset   set -> 1 [Z2]
 *   1               set     reset -> 0; a waiter of an automatic one: -> 0 [Z2]
 *
 *   condition: member[endpoint]            next
 *   0               does not wait          enlist -> role
 *   role            waits                  notify: -> role | FLAG [Z3], one for each notification
 *                                          leave -> 0
 *   role | FLAG     notified               try -> 0, which is its answer
 *                                          leave, burial -> 0, and the next one is notified
 *
 *   once            state                  next
 *   0               not done               begin -> role [Z4]
 *   role            is being done          end -> DONE [Z4], or 0; role dead: begin -> role
 *   DONE            for good
 *
 *   spin lock       state                  next
 *   0               free                   lock -> role [Z5]
 *   role            held                   unlock -> 0 [Z5]; role dead: lock -> role
 *
 * A condition's notification is an exchange of the waiter's own word, so each goes to one waiter,
 * and one that finds itself notified when it leaves passes it on. A waits bit alone would not do:
 * two notifications in a row would ring the same waiter.
 *
 * Ordering edges: each exchange pairs with the next one of its word, or with the load that finds
 * what it wrote: what was written before [Z2], [Z3], [Z4] and [Z5] is seen behind them.
 *
 * What a crash leaves: of a runner of once, or the holder of a spin lock, its role, which the next
 * one finds dead; of an automatic event's waiter behind [Z2], an event that is reset. */
#include "core/region/doorbell.h"
#include "core/sync/sync.h"

/* ---- events ---- */

int sw_event_set(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_EVENT, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_EVENT, generation);
  sw_exchange_acq_rel(&o->state, 1); /* [Z2] */
  if (sw_peer_load_relaxed(&o->options) == SW_SYNC_AUTO) swi_waits_ring_one(h->base, &o->head.waits[0], h->endpoint);
  else swi_waits_ring_all(h->base, &o->head.waits[0]);
  return SW_OK;
}

int sw_event_reset(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_EVENT, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_EVENT, generation);
  sw_exchange_acq_rel(&o->state, 0); /* [Z2] */
  return SW_OK;
}

int sw_event_try(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_EVENT, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_EVENT, generation);
  if (sw_peer_load_acquire(&o->state) != 1) return SW_EBUSY; /* [Z2] */
  if (sw_peer_load_relaxed(&o->options) != SW_SYNC_AUTO) return SW_OK;
  return swi_sync_change(&o->state, 1, 0) ? SW_OK : SW_EBUSY;
}

/* ---- conditions ---- */

int sw_condition_enlist(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_CONDITION, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_CONDITION, generation);
  uint32_t *own = &o->member[h->endpoint % SW_ENDPOINTS], word = sw_peer_load_relaxed(own);
  /* what an earlier owner has left is gone: burial of the endpoint comes first */
  if (word != (h->role | SW_SYNC_FLAG)) sw_compare_exchange_acq_rel(own, &word, h->role);
  swi_waits_begin(&o->head.waits[0], h->endpoint);
  return SW_OK;
}

int sw_condition_try(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_CONDITION, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_CONDITION, generation);
  uint32_t *own = &o->member[h->endpoint % SW_ENDPOINTS], flagged = h->role | SW_SYNC_FLAG;
  if (sw_peer_load_relaxed(own) != flagged) return SW_EBUSY; /* the exchange orders */
  return swi_sync_change(own, flagged, 0) ? SW_OK : SW_EBUSY;
}

/* Notify one waiter behind that endpoint, or all: how many. */
static uint32_t notify(void *base, sw_sync *o, uint32_t endpoint, bool all) {
  uint32_t notified = 0;
  /* no fence: those that the mutex, or the dead one's or leaver's word, does not order before this
   * look for themselves */
  uint64_t waits = sw_peer_load64_relaxed(&o->head.waits[0]);
  for (uint32_t i = 1; i <= SW_ENDPOINTS && waits != 0; i++) {
    uint32_t index = (endpoint + i) % SW_ENDPOINTS;
    if ((waits >> index & 1) == 0) continue;
    uint32_t role = sw_peer_load_relaxed(&o->member[index]);
    if (role == 0 || sw_role_index(role) != index || !swi_endpoint_lives(base, endpoint, role)) continue;
    if (!swi_sync_change(&o->member[index], role, role | SW_SYNC_FLAG)) continue; /* [Z3] */
    sw_fence_handshake(); /* as [F7]: the word, then whether its owner is armed */
    swi_doorbell_ring_slot(base, role, SW_READY_MUTEXES);
    notified++;
    if (!all) break;
  }
  return notified;
}

void swi_condition_pass_on(void *base, sw_sync *o, uint32_t endpoint) { notify(base, o, endpoint, false); }

int sw_condition_leave(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_CONDITION, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_CONDITION, generation);
  swi_waits_end(&o->head.waits[0], h->endpoint);
  uint32_t word = sw_exchange_acq_rel(&o->member[h->endpoint % SW_ENDPOINTS], 0);
  if (word == (h->role | SW_SYNC_FLAG)) notify(h->base, o, h->endpoint, false);
  return SW_OK;
}

int sw_condition_notify(sw_heap *h, uint32_t at, uint32_t generation, uint32_t all) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_CONDITION, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_CONDITION, generation);
  return (int)notify(h->base, o, h->endpoint, all != 0);
}

/* ---- once ---- */

int sw_once_begin(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_ONCE, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_ONCE, generation);
  uint32_t state = sw_peer_load_acquire(&o->state); /* [Z4] */
  for (int tries = 0; tries < SWI_TRIES; tries++) {
    if (state == (uint32_t)SW_ONCE_DONE) return 1;
    if (state == h->role) return SW_ESTATE;
    if (state != 0 && swi_sync_lives(h, state)) return SW_EBUSY;
    bool died = state != 0;
    /* [Z4] */
    if (sw_compare_exchange_acq_rel(&o->state, &state, h->role)) return died ? SW_EOWNERDEAD : SW_OK;
  }
  return SW_EBUSY;
}

int sw_once_end(sw_heap *h, uint32_t at, uint32_t generation, uint32_t done) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_ONCE, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_ONCE, generation);
  uint32_t next = done != 0 ? (uint32_t)SW_ONCE_DONE : 0;
  if (!swi_sync_change(&o->state, h->role, next)) return SW_ESTATE; /* [Z4] */
  swi_waits_ring_all(h->base, &o->head.waits[0]);
  return SW_OK;
}

/* ---- spin locks ---- */

int sw_spin_try_lock(sw_heap *h, uint32_t at, uint32_t generation, uint32_t closely) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_SPIN_LOCK, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_SPIN_LOCK, generation);
  uint32_t holder = sw_peer_load_acquire(&o->state); /* [Z5], and the claim of the role */
  /* a load first: those that spin share the line until it changes */
  /* [Z5] */
  if (holder == 0 && sw_compare_exchange_acq_rel(&o->state, &holder, h->role)) return SW_OK;
  if (holder == h->role) return SW_ESTATE;
  if (closely == 0 || holder == 0 || swi_sync_lives(h, holder)) return SW_EBUSY;
  return swi_sync_change(&o->state, holder, h->role) ? SW_EOWNERDEAD : SW_EBUSY;
}

int sw_spin_unlock(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_SPIN_LOCK, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_SPIN_LOCK, generation);
  return swi_sync_change(&o->state, h->role, 0) ? SW_OK : SW_ESTATE;
}
