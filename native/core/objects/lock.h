/* The lock of a control block, where nothing is in the way: without a call, since what a container
 * does behind it is a few instructions; and with calls, which the caller turns to where that
 * fails. */
#ifndef SABWAY_CORE_OBJECTS_LOCK_H
#define SABWAY_CORE_OBJECTS_LOCK_H

#include "base/peer.h"
#include "sabway/mutex.h"
#include "sabway/object.h"
#include "sabway/registry.h"

#define SWI_INLINE static inline __attribute__((always_inline))

/* The caller ends a wait for an object of that type, which was freed: its bit may be in the next
 * object of the block, where a slow `begin` has set it. There it would be rung in another's place.
 * Takes the bit back, and rings the next waiter of that object. */
void swi_object_end_stray_wait(sw_heap *h, uint32_t at, uint32_t type, uint32_t which);

/* Families of control blocks, by calculation: the core has no tables. */
SWI_INLINE uint32_t swi_family_kind(uint32_t type) {
  return type < SW_TYPE_SYNC_FIRST    ? SW_KIND_OBJECT
         : type < SW_TYPE_QUEUE_FIRST ? SW_KIND_SYNC
         : type < SW_TYPE_CAST_FIRST  ? SW_KIND_QUEUE
         : type < SW_TYPE_POOL_FIRST  ? SW_KIND_CAST
                                      : SW_KIND_POOL;
}
/* The kind that a block of a family has while it is free. */
SWI_INLINE uint32_t swi_family_free_kind(uint32_t kind) { return kind + 1; }
SWI_INLINE uint32_t swi_family_bytes(uint32_t type) {
  return type < SW_TYPE_SYNC_FIRST    ? SW_OBJECT_BYTES
         : type < SW_TYPE_QUEUE_FIRST ? SW_SYNC_BYTES
         : type < SW_TYPE_CAST_FIRST  ? SW_QUEUE_BYTES
         : type < SW_TYPE_POOL_FIRST  ? SW_CAST_BYTES
                                      : SW_POOL_BYTES;
}

/* The control block at that offset, if an object of that type and generation is there; else NULL,
 * and sw_object_check says why. */
SWI_INLINE sw_object *swi_object_at(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation) {
  uint32_t bytes = h->count * SW_HEAP_PAGE;
  if (at - h->begin > bytes - swi_family_bytes(type) || at % SW_HEAP_UNIT != 0) return NULL;
  sw_object *object = (sw_object *)(void *)(h->base + at);
  uint64_t life = sw_peer_load64_acquire(&object->life);
  return life == ((uint64_t)generation << 32 | type) ? object : NULL;
}

SWI_INLINE bool swi_object_unlock(const sw_heap *h, sw_object *object) {
  uint64_t state = h->role;
  return sw_compare_exchange64_acq_rel(&object->lock.state, &state, 0);
}

/* Lock the object: it is free, and there. */
SWI_INLINE sw_object *swi_object_lock(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation) {
  sw_object *object = swi_object_at(h, at, type, generation);
  uint64_t state = 0;
  if (object == NULL || !sw_compare_exchange64_acq_rel(&object->lock.state, &state, h->role)) return NULL;
  /* it may have become the lock of the next object */
  if (swi_object_at(h, at, type, generation) != NULL) return object;
  if (!swi_object_unlock(h, object)) sw_mutex_unlock(h->base, &object->lock, h->endpoint);
  return NULL;
}

/* Where that has failed: SW_OK or SW_EOWNERDEAD, and the object is locked; or why it is not:
 * SW_EBUSY: a living participant holds it; SW_ECORRUPT: the lock is the caller's already, or was
 * poisoned, which no container does; those of sw_object_check. */
int swi_object_lock_slowly(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation);

#endif
