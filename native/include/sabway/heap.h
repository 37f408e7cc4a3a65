/* A heap in a region: any participant allocates and frees blocks, which the others reach by their
 * offset. Blocks are aligned to 16 bytes. See native/core/heap/heap.c for how it works.
 *
 *   sw_heap heap;
 *   sw_heap_open(&heap, base, size, endpoint);
 *   uint32_t at = sw_heap_alloc(&heap, 100);
 *   if (at == 0) ... heap.status says why ...
 *   sw_heap_free(&heap, at);
 *   sw_heap_close(&heap); */
#ifndef SABWAY_HEAP_H
#define SABWAY_HEAP_H

#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A participant's handle of the heap: private, for one thread. Its fields are the heap's own but
 * for `status`: why the last call that returned 0 did. */
typedef struct sw_heap {
  void *base;
  uint64_t size;
  int32_t status;
  uint32_t role;
} sw_heap;

#ifdef __cplusplus
}
#endif
#endif
