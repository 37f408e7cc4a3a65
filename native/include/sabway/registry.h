/* The registry of a region: the objects of its heap that have words which name participants, and
 * what is done with all of them when a participant ends.
 *
 * An object is added before a participant can take a role in it, and removed before it is freed. */
#ifndef SABWAY_REGISTRY_H
#define SABWAY_REGISTRY_H

#include "heap.h"
#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Add the object of that kind (enum sw_kind) at `object`. `place`, when it is not NULL: where the
 * object's slot is, which makes retiring and removing it quick. Any thread, lock-free. A crash
 * inside leaves it added or not, and at most one block of the heap that nothing refers to. Errors:
 * those of sw_heap_alloc; SW_ECROWDED: there is no room for more objects; SW_ECORRUPT. */
int sw_registry_add(sw_heap *heap, uint32_t object, uint32_t kind, uint32_t *place);

/* Remove it. Returns 1, or 0 when it is not there. Any thread, lock-free. */
int sw_registry_remove(void *base, uint64_t size, uint32_t object, uint32_t kind);

/* Change the kind of the object at `object`, which has that place (zero: it is searched for), from
 * `from` to `to`. Returns 1, or 0 when it is not there with that kind. Of several callers that want
 * the same change, one makes it. Any thread, lock-free.
 *
 * This is how an object is freed whose words others may still exchange: a participant that evicts a
 * dead one has read the registry, and may come to the object much later. So its block stays one of
 * its kind for good: it is retired, and used again for the next object of that kind. */
int sw_registry_retire(sw_heap *heap, uint32_t object, uint32_t from, uint32_t to, uint32_t place);

/* Change the kind of any object of the kind `from` to `to`. Returns its offset, or 0 when none was
 * found. It looks at the one which this handle has retired last, and in the next four blocks of the
 * registry, so that it takes as long with a million objects as with a thousand; later calls come to
 * the others. Any thread, lock-free. */
uint32_t sw_registry_reuse(sw_heap *heap, uint32_t from, uint32_t to);

/* Where a walk along the registry is: all zero at first. The fields are registry.c's. */
typedef struct sw_registry_cursor {
  uint32_t passed, block, mark, slot;
} sw_registry_cursor;

/* The objects one after the other: the one behind `*cursor`. Returns the object's offset with its
 * kind in the bits of SW_KIND_MASK, or 0 at the end. Any thread, with a cursor of its own;
 * wait-free. */
uint32_t sw_registry_next(const void *base, uint64_t size, sw_registry_cursor *cursor);

/* Take the participant that `role` names out of every object, because it has ended or is to be
 * replaced, and wake those that may have waited for it: see sw_channel_evict_role and
 * sw_mutex_evict. Its endpoint stays claimed. Any thread, lock-free; each step may be done twice,
 * so a crash inside leaves the rest for the next caller. */
void sw_region_evict_role(void *base, uint64_t size, uint32_t role);

/* The same for every claim of the caller's own endpoint: before it gives the endpoint back, and
 * right behind a claim, before it takes a role or waits, because an earlier owner may have left
 * something (the bits by which it waited for mutexes are cleared by this call only). */
void sw_region_evict(void *base, uint64_t size, uint32_t index);

#ifdef __cplusplus
}
#endif
#endif
