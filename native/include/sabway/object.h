/* Objects of the heap that have a control block: what containers, locks, queues and pools share. A
 * type's own functions (sabway/map.h and so on) call these.
 *
 * A control block is one for good: an object that is freed leaves it to the next one of its family.
 * In the directory all of them are of the kind SW_KIND_OBJECT, and sw_object_type tells which.
 * So a participant that comes late finds words with their old meaning there, and the generation
 * tells it that the object is another. */
#ifndef SABWAY_OBJECT_H
#define SABWAY_OBJECT_H

#include "error.h"
#include "heap.h"
#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Make the control block of an object of that type (enum sw_type). Returns its offset, or 0 with
 * h->status. The bytes behind the head are zero, `root` has a version and nothing else; no other
 * participant knows of it. Lock-free. A crash inside leaks at most the block, and one of the
 * registry, when that grows. Errors: those of
 * sw_heap_alloc and sw_registry_add. */
uint32_t sw_object_new(sw_heap *h, uint32_t type);

/* Is an object of that type and generation there? An operation that exchanges `root` loads that by
 * acquire, calls this behind it, and then exchanges: so it never changes the next object in that
 * block. Any thread, wait-free. Errors: SW_EWILD: no
 * control block can be there; SW_EFREED: it was freed, or is being freed; SW_EKIND: it is of
 * another type. */
int sw_object_check(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation);

/* The type of the object that is there now, with its generation: 0 when there is none. */
uint32_t sw_object_type(const sw_heap *h, uint32_t at, uint32_t *generation);

/* Begin to free the object: from now on sw_object_check refuses it. Of several callers one gets
 * SW_OK, and then frees what the object owns and calls sw_object_end_free. A crash between the two
 * leaks the control block and what was not freed yet. Errors: as sw_object_check. */
int sw_object_begin_free(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation);

/* Give the control block to the next object. For the caller of sw_object_begin_free, once. */
void sw_object_end_free(sw_heap *h, uint32_t at);

#ifdef __cplusplus
}
#endif
#endif
