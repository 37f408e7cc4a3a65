/* Locks and signals: what their files share. */
#ifndef SABWAY_CORE_SYNC_H
#define SABWAY_CORE_SYNC_H

#include "base/peer.h"
#include "core/objects/lock.h"
#include "core/region/endpoint.h"
#include "core/region/waits.h"
#include "sabway/role.h"
#include "sabway/sync.h"

/* How often an exchange is tried again because the word has changed: honest participants change it
 * now and then, and a peer that goes on doing so is hostile. */
enum { SWI_TRIES = 256 };

/* The object, or NULL: swi_sync_why says why. */
SWI_INLINE sw_sync *swi_sync_at(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation) {
  return (sw_sync *)(void *)swi_object_at(h, at, type, generation);
}
static inline int swi_sync_why(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation) {
  int status = sw_object_check(h, at, type, generation);
  return status == SW_OK ? SW_EFREED : status; /* it was being freed a moment ago */
}

static inline bool swi_sync_lives(const sw_heap *h, uint32_t role) {
  return role == h->role || swi_endpoint_lives(h->base, h->endpoint, role);
}

/* Compare-exchange of one word whose expected value is not needed again. */
static inline bool swi_sync_change(uint32_t *word, uint32_t from, uint32_t to) {
  return sw_compare_exchange_acq_rel(word, &from, to); /* [Z3], and of others */
}

/* Has the caller declared itself a waiter? Only then a look asks whether members live. */
static inline bool swi_sync_waits(const sw_heap *h, const sw_sync *o) {
  return (sw_peer_load64_relaxed(&o->head.waits[0]) >> h->endpoint % SW_ENDPOINTS & 1) != 0;
}

/* What the types do before a sleep, when a wait ends, and at a burial. */
void swi_rwlock_end_wait(sw_heap *h, sw_sync *o);
void swi_condition_pass_on(void *base, sw_sync *o, uint32_t endpoint);
bool swi_semaphore_has_one(const sw_sync *o);

#endif
