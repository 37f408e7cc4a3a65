/* Locks that many readers or one writer hold.
 *
 * Writers have the object's robust mutex, one at a time, and then hold off readers by `state`:
 *
 *   state      more      state of the lock                        next
 *   0          0         no writer; readers by member[endpoint]   a writer with the mutex -> waits
 *   role       0         the writer waits for readers             none left: -> writes
 *                                                                 it leaves, or dies: -> no writer
 *   role       role      it writes                                end -> no writer
 *                                                                 it dies: -> broken
 *   dead role  dead role broken: readers get SW_EOWNERDEAD        a writer with the mutex -> waits,
 *                                                                 with `more` as it is
 *   POISONED   any       poisoned                                 none
 *
 *   a reader                             a writer, which has the mutex
 *     member[own] := role                  state := role
 *     fence                   [Z7]         fence                     [Z7]
 *     state is 0? it reads                 all members 0? it writes
 *     else member[own] := 0
 *
 * Either the reader sees the writer, or the writer the reader. `more` tells a writer that died
 * while it wrote from one that only waited: that one has broken nothing, although it held the
 * mutex.
 *
 * Ordering edges:
 *   [Z7] the fences between the own word and the look at the other's, which pair with each other
 *   [Z8] the end of a read pairs with the load by which the writer finds it over
 *   [Z9] the end of a write pairs with the load by which a reader finds no writer
 *
 * What a crash leaves: of a reader its role, which the writer or burial clears; of a writer the
 * mutex, which is inherited, and `state`, by which readers find it dead. */
#include "core/sync/sync.h"
#include "sabway/mutex.h"

static uint32_t *own_of(const sw_heap *h, sw_sync *o) { return &o->member[h->endpoint % SW_ENDPOINTS]; }

static bool is_inherited(const sw_sync *o) {
  return (sw_peer_load64_relaxed(&o->head.object.lock.state) & SW_MUTEX_INHERITED) != 0;
}

/* ---- reading ---- */

/* There is a writer, or was one. SW_OK: it only waited, and is dead. */
__attribute__((noinline)) static int read_slowly(const sw_heap *h, sw_sync *o, uint32_t writer) {
  if (writer == SW_RWLOCK_POISONED) return SW_EPOISONED;
  if (writer == h->role) return SW_ESTATE;
  if (swi_sync_lives(h, writer)) return SW_EBUSY;
  if (sw_peer_load_relaxed(&o->more) != 0) return SW_EOWNERDEAD; /* its last word */
  return swi_sync_change(&o->state, writer, 0) ? SW_OK : SW_EBUSY;
}

/* A writer came first: the caller has read nothing. */
__attribute__((noinline)) static int give_way(const sw_heap *h, sw_sync *o) {
  sw_store_relaxed(own_of(h, o), 0);
  swi_waits_ring_all(h->base, &o->head.waits[0]); /* the writer may have seen it */
  return SW_EBUSY;
}

int sw_rwlock_try_read(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_RWLOCK, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_RWLOCK, generation);
  uint32_t *own = own_of(h, o);
  if (sw_peer_load_relaxed(own) == h->role) return SW_ESTATE;
  uint32_t writer = sw_peer_load_acquire(&o->state); /* its claim of the role, too */
  int status = writer == 0 ? SW_OK : read_slowly(h, o, writer);
  if (status != SW_OK) return status;
  sw_exchange_acq_rel(own, h->role);
  sw_fence_behind_exchange();                             /* [Z7] */
  if (sw_peer_load_acquire(&o->state) == 0) return SW_OK; /* [Z9] */
  return give_way(h, o);
}

int sw_rwlock_end_read(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_RWLOCK, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_RWLOCK, generation);
  if (sw_peer_load_relaxed(own_of(h, o)) != h->role) return SW_ESTATE;
  sw_exchange_acq_rel(own_of(h, o), 0); /* [Z8] */
  const uint64_t *waits = &o->head.waits[0];
  if (swi_waits_any(waits)) swi_waits_ring_all(h->base, waits);
  return SW_OK;
}

/* ---- writing ---- */

static bool has_readers(const sw_heap *h, sw_sync *o) {
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    uint32_t reader = sw_peer_load_acquire(&o->member[i]); /* [Z8] */
    if (reader == 0) continue;
    if (swi_sync_lives(h, reader)) return true;
    swi_sync_change(&o->member[i], reader, 0);
  }
  return false;
}

/* A writer that has the mutex, and does not write, leaves. */
static void give_up(sw_heap *h, sw_sync *o) {
  sw_mutex *mutex = &o->head.object.lock;
  uint32_t broken = sw_peer_load_relaxed(&o->more);
  swi_sync_change(&o->state, h->role, broken); /* to readers it is as it was before */
  swi_waits_ring_all(h->base, &o->head.waits[1]);
  /* the next writer is told of the dead one, too */
  if (is_inherited(o)) sw_mutex_evict(h->base, mutex, h->role);
  else sw_mutex_unlock(h->base, mutex, h->endpoint);
}

void swi_rwlock_end_wait(sw_heap *h, sw_sync *o) {
  sw_mutex *mutex = &o->head.object.lock;
  sw_mutex_end_wait(h->base, mutex, h->endpoint);
  if (sw_mutex_holder(mutex) == h->role && sw_peer_load_relaxed(&o->more) != h->role) give_up(h, o);
}

int sw_rwlock_try_write(sw_heap *h, uint32_t at, uint32_t generation, uint32_t patient) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_RWLOCK, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_RWLOCK, generation);
  sw_mutex *mutex = &o->head.object.lock;
  if (sw_peer_load_relaxed(own_of(h, o)) == h->role) return SW_ESTATE;
  bool waited = sw_mutex_holder(mutex) == h->role;
  if (waited && sw_peer_load_relaxed(&o->more) == h->role) return SW_ESTATE;
  if (!waited) {
    int status = sw_mutex_try_lock(h->base, mutex, h->endpoint);
    if (status != SW_OK && status != SW_EOWNERDEAD) return status;
    if (sw_object_check(h, at, SW_TYPE_RWLOCK, generation) != SW_OK) { /* it is the next object's */
      sw_mutex_consistent(h->base, mutex, h->endpoint);
      sw_mutex_unlock(h->base, mutex, h->endpoint);
      return SW_EFREED;
    }
    if (status == SW_EOWNERDEAD && sw_peer_load_relaxed(&o->more) == 0)
      sw_mutex_consistent(h->base, mutex, h->endpoint);
    sw_store_release(&o->state, h->role); /* and the claim of the role */
  }
  sw_fence_handshake(); /* [Z7] */
  if (has_readers(h, o)) {
    if (patient == 0) give_up(h, o);
    return SW_EBUSY;
  }
  sw_store_relaxed(&o->more, h->role);
  return is_inherited(o) ? SW_EOWNERDEAD : SW_OK;
}

int sw_rwlock_consistent(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_RWLOCK, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_RWLOCK, generation);
  if (sw_peer_load_relaxed(&o->more) != h->role) return SW_ESTATE;
  return sw_mutex_consistent(h->base, &o->head.object.lock, h->endpoint);
}

int sw_rwlock_end_write(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_RWLOCK, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_RWLOCK, generation);
  if (sw_mutex_holder(&o->head.object.lock) != h->role || sw_peer_load_relaxed(&o->more) != h->role) return SW_ESTATE;
  bool poison = is_inherited(o);
  if (!poison) sw_store_relaxed(&o->more, 0);
  sw_store_release(&o->state, poison ? SW_RWLOCK_POISONED : 0); /* [Z9] */
  swi_waits_ring_all(h->base, &o->head.waits[1]);
  return sw_mutex_unlock(h->base, &o->head.object.lock, h->endpoint);
}
