/* A mutex in a block of the heap that has nothing else: what JavaScript's Mutex is. Others may
 * stand in any memory of the region, see mutex.h; only these are taken from participants that end,
 * and wake those that wait then. */
#ifndef SABWAY_MUTEX_OBJECT_H
#define SABWAY_MUTEX_OBJECT_H

#include "heap.h"
#include "mutex.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Make a mutex, which is free. Returns the offset of a sw_mutex_object, or 0 with h->status. Any
 * thread, lock-free. A crash inside leaks at most the block, and one of the
 * registry, when that grows. Errors: those of sw_heap_alloc and
 * sw_registry_add. */
uint32_t sw_mutex_new(sw_heap *heap);

/* Free it, when no participant uses it any more: its names go, and the next mutex has its block.
 * Any thread, lock-free. Errors: SW_EDOUBLEFREE: there is no mutex any more; SW_EWILD: no block of
 * its size is there. */
int sw_mutex_free(sw_heap *heap, uint32_t at);

#ifdef __cplusplus
}
#endif
#endif
