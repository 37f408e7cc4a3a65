/* A list in a heap: elements in the order of their insertion, which any participant inserts at the
 * end, takes out anywhere, and reads.
 *
 *   uint32_t at = sw_list_new(&heap, SW_COMPONENT_U32, 1), generation;
 *   sw_object_type(&heap, at, &generation);
 *   uint32_t value = 5;
 *   while ((status = sw_list_insert(&heap, at, generation, &value)) == SW_EBUSY) continue;
 *   ...
 *   sw_list_cursor cursor = {0};
 *   uint32_t room[64];
 *   int nodes;
 *   while ((nodes = sw_list_read(&heap, at, generation, &cursor, room, sizeof(room))) > 0)
 *     for (int i = 0; i < nodes; i++) ... room[4 * i + 2] ...
 *
 * Those that change the list have its lock, and find it taken: SW_EBUSY, to be tried again. Each
 * change is one store, so there is nothing half done when a holder of the lock dies; what follows
 * from the nodes the next one makes anew. Readers take no lock. They see each element that is in
 * the list all the time once, in order, and of those that come and go meanwhile some. */
#ifndef SABWAY_LIST_H
#define SABWAY_LIST_H

#include "heap.h"
#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Make a list whose elements have so many components of that type (enum sw_component). Returns its
 * offset, or 0 with h->status, as sw_object_new. Errors also: SW_ERANGE: an element would have no
 * component, or more than SW_VECTOR_WIDEST bytes; SW_EINVAL: no such type. */
uint32_t sw_list_new(sw_heap *h, uint32_t type, uint32_t components);

/* Append the element at `from`. A crash inside inserts it or does not, and then leaks its node.
 * Errors: SW_EBUSY, SW_ECORRUPT; as sw_heap_alloc and sw_object_check. */
int sw_list_insert(sw_heap *h, uint32_t at, uint32_t generation, const void *from);

/* Copy the nodes behind the cursor to `to`, each as a sw_list_entry and its element, as many as
 * there are and have place in `room` bytes; and move the cursor. Returns how many, 0 at the end. To
 * go on, it may lock the list when that is changed all the time. Errors: SW_ERANGE: there is no
 * room for one; SW_EBUSY, SW_ECORRUPT; as sw_object_check. */
int sw_list_read(sw_heap *h, uint32_t at, uint32_t generation, sw_list_cursor *cursor, void *to, uint32_t room);

/* Take out a node that was read: 1, or 0 when it is not there any more. A crash inside leaks the
 * node at most. Errors: SW_EBUSY, SW_ECORRUPT; as sw_object_check. */
int sw_list_delete(sw_heap *h, uint32_t at, uint32_t generation, uint32_t node, uint32_t number);

/* Take out the element with that index, and copy it to `to`, which may be NULL: 1, or 0 when there
 * is none. Otherwise as sw_list_delete. */
int sw_list_delete_index(sw_heap *h, uint32_t at, uint32_t generation, uint32_t index, void *to);

/* Put another element in the place of a node that was read: 1, or 0 when it is not there any more.
 * Readers see the one or the other. The node is another from then on, with the same number, and
 * `*node` is it. A crash inside leaks one of the two. Errors: as sw_list_insert. */
int sw_list_set(sw_heap *h, uint32_t at, uint32_t generation, uint32_t *node, uint32_t number, const void *from);

/* Take out all elements, at one moment. A crash inside leaves it to the next holder of the lock to
 * free the nodes, and leaks one at most. Errors: SW_EBUSY, SW_ECORRUPT; as sw_object_check. */
int sw_list_clear(sw_heap *h, uint32_t at, uint32_t generation);

/* Free the list and its nodes. Calls of others are SW_EFREED from then on. A crash inside leaks
 * what was not freed yet. Errors: SW_EBUSY; as sw_object_check. */
int sw_list_free(sw_heap *h, uint32_t at, uint32_t generation);

/* Are its words and nodes such as participants write? Locks the list. Errors: SW_EBUSY,
 * SW_ECORRUPT; as sw_object_check. */
int sw_list_check(sw_heap *h, uint32_t at, uint32_t generation);

#ifdef __cplusplus
}
#endif
#endif
