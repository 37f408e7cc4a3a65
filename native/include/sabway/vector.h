/* A vector in a heap: an array of numbers, or of elements of several numbers, that any participant
 * extends, shortens, reads and writes.
 *
 *   uint32_t at = sw_vector_new(&heap, SW_COMPONENT_F64, 1, 0), generation;
 *   sw_object_type(&heap, at, &generation);
 *   double value = 0.5;
 *   while ((status = sw_vector_push(&heap, at, generation, &value)) == SW_EBUSY) continue;
 *   ...
 *   if (sw_vector_get(&heap, at, generation, 0, &value) == 1) ...
 *
 * Elements lie in segments, each as large as all before it, so that none moves when the vector
 * grows: sw_vector_locate gives the place of one, which is its own until the vector is freed.
 *
 * Those that change the length or move elements have the vector's lock, and find it taken:
 * SW_EBUSY, to be tried again. Readers take no lock, and neither do writes of elements of one
 * component in their place. When the holder of the lock dies, the next one ends what it was about.
 * */
#ifndef SABWAY_VECTOR_H
#define SABWAY_VECTOR_H

#include "heap.h"
#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a component; 0: there is no such type. */
static inline uint32_t sw_component_bytes(uint32_t type) {
  return type >> 4 <= 3 && (type & 15) <= 2 ? (uint32_t)1 << (type >> 4) : 0;
}

/* Make a vector whose elements have so many components of that type (enum sw_component), with room
 * for `capacity` of them, which is rounded up to a power of two (0: the usual room). Returns its
 * offset, or 0 with h->status, as sw_object_new and sw_heap_alloc. Errors also: SW_ERANGE: an
 * element would have no component, or more than SW_VECTOR_WIDEST bytes, or there would be too many;
 * SW_EINVAL: no such type. */
uint32_t sw_vector_new(sw_heap *h, uint32_t type, uint32_t components, uint32_t capacity);

/* How many elements are there, at the moment. Any thread, wait-free. */
uint32_t sw_vector_length(const sw_heap *h, uint32_t at);

/* Append the element at `from`: to all others it is there at one moment. A crash inside appends it
 * or does not, and leaks one segment at most. Errors: SW_EBUSY; SW_ERANGE: there are
 * SW_VECTOR_MOST; SW_ECORRUPT; as sw_heap_alloc and sw_object_check. */
int sw_vector_push(sw_heap *h, uint32_t at, uint32_t generation, const void *from);

/* Append many at once: lock the vector and make room for `count` more, which the caller writes to
 * their places from index sw_vector_length on; then let all see them. The second call is for the
 * participant that made the first, and got SW_OK. Errors: as sw_vector_push. */
int sw_vector_begin_push(sw_heap *h, uint32_t at, uint32_t generation, uint32_t count);
void sw_vector_end_push(sw_heap *h, uint32_t at, uint32_t count);

/* Take the last element away, and copy it to `to`: 1, or 0 when there is none. A crash inside
 * takes it away or does not. Errors: SW_EBUSY, SW_ECORRUPT; as sw_object_check. */
int sw_vector_pop(sw_heap *h, uint32_t at, uint32_t generation, void *to);

/* Take an element away, and move those behind it by one: 1, or 0 when it is not there. A reader
 * that looks meanwhile may find an element in its old place, its new one, or both; what others
 * write meanwhile to those that are moved may be lost. A crash inside is made good by the next
 * participant that locks the vector. Errors: SW_EBUSY, SW_ECORRUPT; as sw_object_check. */
int sw_vector_delete(sw_heap *h, uint32_t at, uint32_t generation, uint32_t index);

/* Take all elements away. What they were in stays the vector's. Errors: SW_EBUSY, SW_ECORRUPT; as
 * sw_object_check. */
int sw_vector_clear(sw_heap *h, uint32_t at, uint32_t generation);

/* Copy an element to `to`: 1, or 0 when it is not there. One of several components is never
 * half an old and half a new one; to see to that, it may lock the vector. When it returns anything
 * but 1, what `to` has means nothing. Errors: SW_EBUSY, SW_ECORRUPT; as sw_object_check. */
int sw_vector_get(sw_heap *h, uint32_t at, uint32_t generation, uint32_t index, void *to);

/* Write an element that is there: 1, or 0 when it is not. Of several components: locks the vector.
 * Errors: SW_EBUSY, SW_ECORRUPT; as sw_object_check. */
int sw_vector_set(sw_heap *h, uint32_t at, uint32_t generation, uint32_t index, const void *from);

/* The offset of an element's bytes, or 0 when it is not there. Any thread, wait-free. */
uint32_t sw_vector_locate(const sw_heap *h, uint32_t at, uint32_t generation, uint32_t index);

/* Free the vector and its segments. Calls of others are SW_EFREED from then on, but what they do to
 * bytes that they have located is not caught. A crash inside leaks what was not freed yet. Errors:
 * SW_EBUSY; as sw_object_check. */
int sw_vector_free(sw_heap *h, uint32_t at, uint32_t generation);

/* Are its words such as participants write, and its segments blocks that are large enough? Locks
 * the vector. Errors: SW_EBUSY, SW_ECORRUPT; as sw_object_check. */
int sw_vector_check(sw_heap *h, uint32_t at, uint32_t generation);

#ifdef __cplusplus
}
#endif
#endif
