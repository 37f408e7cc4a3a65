/* What all locks and signals have in common: making, freeing, waiting, burial.
 *
 * The words that decide are in sw_sync.state and sw_sync.member, and each change of them is one
 * exchange or store; signal.c, semaphore.c, rwlock.c, barrier.c and group.c have their states. The
 * waits words say which waiters are to be rung behind it.
 *
 * What a crash leaves: an exchange done or not, and waiters that were not rung; burial takes what
 * names the dead one out of the words, and then rings all waiters.
 *
 * A wait that begins while its object is freed may set its bit in the next object of the block. It
 * is taken back when the wait ends, and the next waiter is rung: a wake-up for nothing, at worst.
 * An rwlock's writer may leave its bit among the waiters of that object's lock until its endpoint
 * has another owner, and be rung there in place of one that then waits for its patrol.
 *
 * Hostile participants write here, too: a role that names none is taken for a dead one, whatever
 * wrote it there, and every loop over a word ends. */
#include "core/sync/sync.h"

#include "core/objects/burial.h"
#include "core/region/doorbell.h"
#include "sabway/mutex.h"

/* ---- making ---- */

static bool fits(uint32_t type, uint32_t limit, uint32_t initial) {
  if (type == SW_TYPE_SEMAPHORE) return limit != 0 && limit <= INT32_MAX && initial <= limit;
  if (type == SW_TYPE_BARRIER) return limit - 1 < SW_ENDPOINTS && initial == 0;
  return limit == 0 && initial <= (type == SW_TYPE_EVENT);
}

uint32_t sw_sync_new(sw_heap *h, uint32_t type, uint32_t limit, uint32_t initial, uint32_t options) {
  uint32_t allowed = type == SW_TYPE_EVENT                                   ? SW_SYNC_AUTO
                     : type == SW_TYPE_BARRIER || type == SW_TYPE_WAIT_GROUP ? SW_SYNC_LEAVE
                                                                             : 0;
  h->status = SW_EINVAL;
  if (swi_family_kind(type) != SW_KIND_SYNC || (options & ~allowed) != 0) return 0;
  h->status = SW_ERANGE;
  if (!fits(type, limit, initial)) return 0;
  uint32_t at = sw_object_new(h, type);
  if (at == 0) return 0;
  /* no other participant knows of it */
  sw_sync *o = (sw_sync *)(void *)(h->base + at);
  sw_store_relaxed(&o->limit, limit);
  sw_store_relaxed(&o->options, options);
  bool counts = type == SW_TYPE_EVENT || limit > SW_ENDPOINTS;
  if (counts) sw_store_relaxed(&o->state, initial);
  if (type != SW_TYPE_SEMAPHORE || counts) return at;
  for (uint32_t i = initial; i < limit; i++) sw_store_relaxed(&o->member[i], (uint32_t)SW_PERMIT_ABSENT);
  return at;
}

int sw_sync_free(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation) {
  if (swi_family_kind(type) != SW_KIND_SYNC) return SW_EKIND;
  int status = sw_object_begin_free(h, at, type, generation);
  if (status != SW_OK) return status;
  sw_sync *o = (sw_sync *)(void *)(h->base + at);
  for (uint32_t i = 0; i < 2; i++) swi_waits_ring_all(h->base, &o->head.waits[i]);
  swi_waits_ring_all(h->base, &o->head.object.lock.waiters);
  sw_object_end_free(h, at);
  return SW_OK;
}

/* ---- waiting ---- */

/* A writer of an rwlock waits for the lock among writers until it has that. */
static bool waits_for_lock(const sw_heap *h, const sw_sync *o, uint32_t type, uint32_t which) {
  return type == SW_TYPE_RWLOCK && which == 0 && sw_mutex_holder(&o->head.object.lock) != h->role;
}

int sw_sync_begin_wait(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, uint32_t which) {
  sw_sync *o = swi_sync_at(h, at, type, generation);
  if (o == NULL) return swi_sync_why(h, at, type, generation);
  swi_waits_begin(&o->head.waits[which & 1], h->endpoint);
  if (waits_for_lock(h, o, type, which)) sw_mutex_begin_wait(h->base, &o->head.object.lock, h->endpoint);
  return SW_OK;
}

int sw_sync_end_wait(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, uint32_t which) {
  sw_sync *o = swi_sync_at(h, at, type, generation);
  if (o == NULL) {
    int why = swi_sync_why(h, at, type, generation);
    if (why == SW_EFREED) swi_object_end_stray_wait(h, at, type, which);
    return why;
  }
  uint64_t *waits = &o->head.waits[which & 1];
  swi_waits_end(waits, h->endpoint);
  if (type == SW_TYPE_RWLOCK && which == 0) swi_rwlock_end_wait(h, o);
  /* the others ring all at once */
  bool left = type == SW_TYPE_EVENT       ? sw_peer_load_relaxed(&o->state) == 1 && o->options == SW_SYNC_AUTO
              : type == SW_TYPE_SEMAPHORE ? swi_semaphore_has_one(o)
                                          : false;
  if (left) swi_waits_ring_one(h->base, waits, h->endpoint);
  return SW_OK;
}

/* ---- burial ---- */

/* Zero in place of each word that names the dead one; `flagged`: beside SW_SYNC_FLAG, too. Returns
 * whether a flagged one was among them. */
static bool clear(sw_sync *o, const swi_dead *dead, uint32_t to, bool flagged) {
  bool found = false;
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    uint32_t word = sw_peer_load_relaxed(&o->member[i]);
    bool flag = flagged && (word & SW_SYNC_FLAG) != 0;
    if (word == 0 || word >= (uint32_t)SW_PART_BROKEN) continue;
    if (!swi_is_dead(dead, flag ? word & ~(uint32_t)SW_SYNC_FLAG : word)) continue;
    if (sw_compare_exchange_acq_rel(&o->member[i], &word, to)) found = found || flag; /* [Z1] */
  }
  return found;
}

void swi_sync_bury(void *base, uint64_t size, uint32_t at, const swi_dead *dead) {
  (void)size;
  sw_sync *o = (sw_sync *)(void *)((uint8_t *)base + at);
  uint32_t state = sw_peer_load_relaxed(&o->state);
  switch ((uint32_t)sw_peer_load64_acquire(&o->head.object.life)) {
    case SW_TYPE_SEMAPHORE:
      clear(o, dead, 0, false);
      break;
    case SW_TYPE_CONDITION:
      if (clear(o, dead, 0, true)) swi_condition_pass_on(base, o, sw_role_index(dead->role));
      break;
    case SW_TYPE_RWLOCK:
      clear(o, dead, 0, false);
      /* one that only waited has left nothing broken */
      if (swi_is_dead(dead, state) && sw_peer_load_relaxed(&o->more) == 0) swi_sync_change(&o->state, state, 0);
      break;
    case SW_TYPE_WAIT_GROUP: {
      bool leaves = (sw_peer_load_relaxed(&o->options) & SW_SYNC_LEAVE) != 0;
      clear(o, dead, leaves ? 0 : (uint32_t)SW_PART_BROKEN, false);
      break;
    }
    default:
      break; /* the next one finds its role, and that it is dead */
  }
}

/* ---- for tools ---- */

int sw_sync_check(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation) {
  const sw_sync *o = swi_sync_at(h, at, type, generation);
  if (o == NULL) return swi_sync_why(h, at, type, generation);
  uint32_t state = sw_peer_load_relaxed(&o->state), limit = sw_peer_load_relaxed(&o->limit);
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    uint32_t word = sw_peer_load_relaxed(&o->member[i]);
    if (word >= (uint32_t)SW_PART_BROKEN) continue;
    if (!sw_role_is_possible(word & ~(uint32_t)SW_SYNC_FLAG)) return SW_ECORRUPT;
  }
  if (!fits(type, limit, 0)) return SW_ECORRUPT;
  if (type == SW_TYPE_EVENT && state > 1) return SW_ECORRUPT;
  if (type == SW_TYPE_SEMAPHORE && state > limit) return SW_ECORRUPT;
  if (type == SW_TYPE_SPIN_LOCK && !sw_role_is_possible(state)) return SW_ECORRUPT;
  return sw_mutex_check(&o->head.object.lock);
}
