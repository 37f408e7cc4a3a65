/* The root directory of a region: names for objects of its heap, which participants of any process
 * and language find by them.
 *
 *   sw_found found;
 *   int status = sw_directory_find(&heap, "frames", 6, &found);
 *   if (status == 1 && found.kind == SW_KIND_MEMORY) ... found.object is its offset ...
 *
 * Names are any bytes, at most SW_NAME_MOST, and told apart byte by byte. All functions take the
 * directory's mutex for the length of the call and never sleep: SW_EBUSY means that a living
 * participant holds it, or the heap's, and the caller tries again. A crash inside leaves the
 * directory as it was before or as it is after the call, and at most one block of the heap that
 * nothing refers to. The name of a channel or a mutex goes with it when that is freed. Errors of
 * all: SW_EBUSY, SW_ECORRUPT, SW_ERANGE (the length of the name). */
#ifndef SABWAY_DIRECTORY_H
#define SABWAY_DIRECTORY_H

#include "heap.h"
#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a name stands for. */
typedef struct sw_found {
  uint32_t kind;       /* enum sw_kind */
  uint32_t object;     /* offset */
  uint32_t generation; /* of a channel, or of a control block; zero of all else */
} sw_found;

/* Returns 1 with `found`, or 0 when there is no such name. */
int sw_directory_find(sw_heap *heap, const void *name, uint32_t length, sw_found *found);

/* Give an object a name, when it is free: 1. Else `found` is what has the name: 0. Of several
 * callers that do so at once, one gets 1. Errors: also those of sw_heap_alloc;
 * SW_ECLOSED, SW_EFREED: it is a channel, or a container, that was freed, or not of that generation
 * (zero: of any). */
int sw_directory_add(sw_heap *heap, const void *name, uint32_t length, const sw_found *object, sw_found *found);

/* Take the name away, if it stands for `object` still (zero: for whatever it does): 1, else 0. The
 * object stays. */
int sw_directory_remove(sw_heap *heap, const void *name, uint32_t length, uint32_t object);

/* The names one after the other: the entry behind the one at `*cursor`, which is 0 at first.
 * Returns
 * 1 with the entry copied out, the name to `name`, which has SW_NAME_MOST bytes, or 0 at the end.
 * A name that is there all the time is found at least once; a directory that grows meanwhile begins
 * anew. */
int sw_directory_next(sw_heap *heap, uint32_t *cursor, sw_found *found, void *name, uint32_t *length);

/* Walk its invariants: SW_OK or SW_ECORRUPT. */
int sw_directory_check(sw_heap *heap);

#ifdef __cplusplus
}
#endif
#endif
