/* Burial: what is done in every object of a region when a participant ends.
 *
 *   1  its roles and waits end: in the channel that the region was carved for, and in each object of
 *      the registry, and the participants are woken that may have waited for it
 *   2  its endpoint is released (sw_endpoint_release_role), which counts the epoch up
 *
 * Any participant that notices the end begins with 1; each step names the claim by its role word, so
 * it does nothing when another has done it, or when the endpoint has its next owner. One that dies
 * on the way leaves the rest for the next: until 2 is done the role still names a claim, and others
 * notice that its owner is dead. */
#include <stddef.h>

#include "base/peer.h"
#include "core/region/endpoint.h"
#include "sabway/channel.h"
#include "sabway/endpoint.h"
#include "sabway/mutex.h"
#include "sabway/region.h"
#include "sabway/registry.h"
#include "sabway/role.h"

/* The mutex of that entry, or NULL when none can be there. */
static sw_mutex *mutex_at(const void *base, uint64_t size, uint32_t at) {
  if (at < SW_HEAP_AT || at % 16 != 0 || at > size - sizeof(sw_mutex)) return NULL;
  return (sw_mutex *)(void *)((uint8_t *)base + at);
}

/* Does it hold a role of the channel? A wake costs system calls, and most channels are others'. */
static bool has_role(const void *base, uint64_t size, uint32_t channel, uint32_t role) {
  for (uint32_t i = 0; i < SW_ROLES; i++) {
    if (sw_channel_role(base, size, channel, i) == role) return true;
  }
  return false;
}

void sw_region_evict_role(void *base, uint64_t size, uint32_t role) {
  if (swi_endpoint_named(base, role) == NULL) return;
  uint32_t root = sw_region_channel(base, size);
  if (root != 0) sw_channel_evict_role(base, size, root, role);
  uint64_t cursor = 0;
  for (uint32_t entry; (entry = sw_registry_next(base, size, &cursor)) != 0;) {
    uint32_t at = entry & ~(uint32_t)SW_KIND_MASK, kind = entry & SW_KIND_MASK;
    if (kind == SW_KIND_CHANNEL && has_role(base, size, at, role)) sw_channel_evict_role(base, size, at, role);
    sw_mutex *mutex = kind == SW_KIND_MUTEX ? mutex_at(base, size, at) : NULL;
    if (mutex != NULL) sw_mutex_evict(base, mutex, role);
  }
}

void sw_region_evict(void *base, uint64_t size, uint32_t index) {
  sw_region_evict_role(base, size, sw_endpoint_role(base, index));
}
