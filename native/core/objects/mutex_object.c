/* Mutexes in blocks of their own. Such a block is one for mutexes for good: a participant that
 * evicts a dead one may come to it long after it was freed. */
#include "sabway/mutex_object.h"

#include "base/peer.h"
#include "sabway/registry.h"

static sw_mutex_object *object_at(const sw_heap *heap, uint32_t at) {
  return (sw_mutex_object *)(void *)(heap->base + at);
}

uint32_t sw_mutex_new(sw_heap *heap) {
  uint32_t at = sw_registry_reuse(heap, SW_KIND_FREE_MUTEX, SW_KIND_MUTEX), place = 0;
  if (at != 0 && sw_heap_usable(heap, at) < sizeof(sw_mutex_object)) {
    heap->status = SW_ECORRUPT;
    return 0;
  }
  if (at != 0) {
    sw_store64_relaxed(&object_at(heap, at)->mutex.state, 0);
    sw_store64_relaxed(&object_at(heap, at)->mutex.waiters, 0);
    return at;
  }
  at = sw_heap_alloc(heap, (uint32_t)sizeof(sw_mutex_object));
  if (at == 0) return 0;
  __builtin_memset(object_at(heap, at), 0, sizeof(sw_mutex_object));
  int status = sw_registry_add(heap, at, SW_KIND_MUTEX, &place);
  sw_store_relaxed(&object_at(heap, at)->place, place);
  if (status == SW_OK) return at;
  sw_heap_free(heap, at);
  heap->status = status;
  return 0;
}

int sw_mutex_free(sw_heap *heap, uint32_t at) {
  if (at % SW_HEAP_UNIT != 0 || sw_heap_usable(heap, at) < sizeof(sw_mutex_object)) return SW_EWILD;
  sw_mutex_object *object = object_at(heap, at);
  /* First, so that no name of this one leads to the next, which another participant may make at
   * once. */
  sw_fetch_add_acq_rel(&object->generation, 1);
  uint32_t place = sw_peer_load_relaxed(&object->place);
  return sw_registry_retire(heap, at, SW_KIND_MUTEX, SW_KIND_FREE_MUTEX, place) == 1 ? SW_OK : SW_EDOUBLEFREE;
}
