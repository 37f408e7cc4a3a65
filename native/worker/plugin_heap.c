/* The calls of sabway_heap: those of the core, which say SW_EBUSY, until they have an answer. */
#include "plugin_heap.h"

#include <stdbool.h>
#include <string.h>

#include "prim/prim.h"
#include "sabway/directory.h"
#include "sabway/mutex.h"
#include "sabway/region.h"
#include "sabway/registry.h"

_Static_assert((int)SABWAY_KIND_MEMORY == (int)SW_KIND_MEMORY, "a plugin's kinds are those of the directory");
_Static_assert((int)SABWAY_KIND_MUTEX == (int)SW_KIND_MUTEX, "a plugin's kinds are those of the directory");

/* NOLINTNEXTLINE(performance-no-int-to-ptr): the host struct has a number, for any plugin's compiler */
static swi_plugin_heap *of(sabway_host *host) { return (swi_plugin_heap *)(uintptr_t)host->heap; }

static uint32_t allocate(sabway_host *host, uint32_t bytes, uint32_t align) {
  return sw_heap_alloc_wait(&of(host)->handle, bytes, align < SW_HEAP_UNIT ? SW_HEAP_UNIT : align, -1);
}

static int release(sabway_host *host, uint32_t at) { return sw_heap_free(&of(host)->handle, at); }

static uint32_t usable(sabway_host *host, uint32_t at) { return sw_heap_usable(&of(host)->handle, at); }

/* The directory is locked for some microseconds at a time. */
static int find(sabway_host *host, const char *name, uint32_t *kind, uint32_t *object) {
  sw_found found = {0, 0, 0};
  int status;
  while ((status = sw_directory_find(&of(host)->handle, name, (uint32_t)strlen(name), &found)) == SW_EBUSY)
    sw_prim_yield();
  *kind = found.kind;
  *object = found.object;
  return status;
}

static int give_name(sabway_host *host, const char *name, uint32_t kind, uint32_t object) {
  sw_found given = {kind, object, 0}, found;
  int status;
  while ((status = sw_directory_add(&of(host)->handle, name, (uint32_t)strlen(name), &given, &found)) == SW_EBUSY)
    sw_prim_yield();
  return status;
}

/* NULL: there is no block of a mutex's size. */
static sw_mutex *mutex_at(sabway_host *host, uint32_t at) {
  if (at % SW_HEAP_UNIT != 0 || usable(host, at) < sizeof(sw_mutex)) return NULL;
  return (sw_mutex *)(void *)(of(host)->calls.base + at);
}

static int lock(sabway_host *host, uint32_t mutex, int64_t timeout_ns) {
  sw_mutex *m = mutex_at(host, mutex);
  return m == NULL ? SW_EWILD : sw_mutex_lock(of(host)->calls.base, m, of(host)->handle.endpoint, timeout_ns);
}

static int consistent(sabway_host *host, uint32_t mutex) {
  sw_mutex *m = mutex_at(host, mutex);
  return m == NULL ? SW_EWILD : sw_mutex_consistent(of(host)->calls.base, m, of(host)->handle.endpoint);
}

static int unlock(sabway_host *host, uint32_t mutex) {
  sw_mutex *m = mutex_at(host, mutex);
  return m == NULL ? SW_EWILD : sw_mutex_unlock(of(host)->calls.base, m, of(host)->handle.endpoint);
}

void swi_plugin_heap_open(swi_plugin_heap *heap, sabway_host *host, const sw_place *place, uint32_t endpoint) {
  host->heap = NULL;
  uint32_t at = sw_region_heap(place->base, place->size);
  if (at == 0 || sw_heap_open(&heap->handle, place->base, place->size, at, endpoint) != SW_OK) return;
  heap->calls = (sabway_heap){.base = place->base,
                              .size = place->size,
                              .allocate = allocate,
                              .free = release,
                              .usable = usable,
                              .find = find,
                              .name = give_name,
                              .lock = lock,
                              .consistent = consistent,
                              .unlock = unlock};
  host->heap = &heap->calls;
}

/* Mutexes that the plugin has not unlocked are for the next one, which is told: the endpoint lives
 * on until JavaScript hears of the end, and a thread that waits for a mutex hears nothing. */
static void give_up_mutexes(swi_plugin_heap *heap) {
  const sabway_heap *region = &heap->calls;
  sw_registry_cursor cursor = {0};
  for (uint32_t entry; (entry = sw_registry_next(region->base, region->size, &cursor)) != 0;) {
    uint32_t at = entry & ~(uint32_t)SW_KIND_MASK;
    bool is_mutex = (entry & SW_KIND_MASK) == SW_KIND_MUTEX && sw_heap_usable(&heap->handle, at) >= sizeof(sw_mutex);
    if (is_mutex) sw_mutex_evict(region->base, (sw_mutex *)(void *)(region->base + at), heap->handle.role);
  }
}

void swi_plugin_heap_close(sabway_host *host) {
  if (host->heap == NULL) return;
  give_up_mutexes(of(host));
  sw_heap_close(&of(host)->handle);
  host->heap = NULL;
}
