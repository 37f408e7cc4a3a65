/* Burial: what is done in every object of a region when a participant ends.
 *
 *   1  its roles and waits end: in the channel that the region was carved for, in each object of
 *      the registry, and in the locks of the directory and the heap; and the participants that may
 *      have waited for it are woken
 *   2  its endpoint is released (sw_endpoint_release_role), which counts the epoch up
 *   3  the next owner of the endpoint does 1 for all earlier claims, before it takes a role or
 *      waits
 *
 * Any participant that notices the end begins with 1; each step names the claim by its role word,
 * so it does nothing when another has done it, or when the endpoint has its next owner. One that
 * dies on the way leaves the rest for the next: until 2 is done the role still names a claim, and
 * others notice that its owner is dead. An endpoint whose owner is dead may also be claimed anew
 * without 1 and 2; and the bits of waiters, which do not say whose claim they are of, wait for 3.
 * */
#include <stddef.h>

#include "base/peer.h"
#include "core/objects/burial.h"
#include "core/objects/lock.h"
#include "core/region/endpoint.h"
#include "core/region/waits.h"
#include "sabway/channel.h"
#include "sabway/endpoint.h"
#include "sabway/mutex.h"
#include "sabway/region.h"
#include "sabway/registry.h"
#include "sabway/role.h"

/* The mutex of that entry, or NULL when none can be there. */
static sw_mutex *mutex_at(const void *base, uint64_t size, uint32_t at) {
  if (at < SW_HEAP_AT || at % 16 != 0 || size < sizeof(sw_mutex) || at > size - sizeof(sw_mutex)) return NULL;
  return (sw_mutex *)(void *)((uint8_t *)base + at);
}

/* The roles that it holds in the channel. A wake costs system calls, and most channels are others'.
 * The caller itself is not woken: it may be a thread that the host is tearing down, whose wait in
 * V8 must not be touched any more (nodejs/node#56236). */
static void evict_from_channel(void *base, uint64_t size, uint32_t channel, const swi_dead *who) {
  for (uint32_t i = 0; i < SW_ROLES; i++) {
    uint32_t role = sw_channel_role(base, size, channel, i);
    if (!swi_is_dead(who, role)) continue;
    if (who->all_claims && role == who->role) sw_channel_evict(base, size, channel, sw_role_index(role));
    else sw_channel_evict_role(base, size, channel, role);
  }
}

static void evict_from_mutex(void *base, sw_mutex *mutex, const swi_dead *who) {
  if (mutex == NULL) return;
  if (who->all_claims) sw_mutex_evict_endpoint(base, mutex, sw_role_index(who->role));
  else sw_mutex_evict(base, mutex, who->role);
}

/* What each family does itself comes first: what that gives back is there when the waiters look. */
static void evict_from_block(void *base, uint64_t size, uint32_t kind, uint32_t at, const swi_dead *who) {
  uint32_t bytes = kind == SW_KIND_SYNC    ? SW_SYNC_BYTES
                   : kind == SW_KIND_QUEUE ? SW_QUEUE_BYTES
                   : kind == SW_KIND_CAST  ? SW_CAST_BYTES
                                           : SW_POOL_BYTES;
  if (at < SW_HEAP_AT || at % 16 != 0 || size < bytes || at > size - bytes) return;
  sw_waitable *block = (sw_waitable *)(void *)((uint8_t *)base + at);
  evict_from_mutex(base, &block->object.lock, who);
  switch (kind) {
    case SW_KIND_SYNC:
      swi_sync_bury(base, size, at, who);
      break;
    case SW_KIND_QUEUE:
      swi_queue_bury(base, size, at, who);
      break;
    case SW_KIND_CAST: /* a family of one type */
      swi_broadcast_bury(base, size, at, who);
      break;
    case SW_KIND_POOL:
      swi_pool_bury(base, size, at, who);
      break;
    default:
      break;
  }
  for (uint32_t i = 0; i < 2; i++) swi_waits_bury(base, &block->waits[i], sw_role_index(who->role), who->all_claims);
}

static void evict(void *base, uint64_t size, const swi_dead *who) {
  uint32_t root = sw_region_channel(base, size), heap = sw_region_heap(base, size);
  if (root != 0) {
    evict_from_channel(base, size, root, who);
    /* also one that waits there without a role, unless it is the caller */
    if (!who->all_claims) sw_channel_evict_role(base, size, root, who->role);
  }
  if (heap == 0) return;
  evict_from_mutex(base, mutex_at(base, size, heap + offsetof(sw_heap_control, lock)), who);
  evict_from_mutex(base, &((sw_directory *)(void *)((uint8_t *)base + SW_DIRECTORY_AT))->lock, who);
  sw_registry_cursor cursor = {0};
  for (uint32_t entry; (entry = sw_registry_next(base, size, &cursor)) != 0;) {
    uint32_t at = entry & ~(uint32_t)SW_KIND_MASK, kind = entry & SW_KIND_MASK;
    if (kind == SW_KIND_CHANNEL) evict_from_channel(base, size, at, who);
    if (kind == SW_KIND_SYNC || kind == SW_KIND_QUEUE || kind == SW_KIND_CAST || kind == SW_KIND_POOL)
      evict_from_block(base, size, kind, at, who);
    if (kind == SW_KIND_MUTEX || kind == SW_KIND_OBJECT) evict_from_mutex(base, mutex_at(base, size, at), who);
  }
}

void sw_region_evict_role(void *base, uint64_t size, uint32_t role) {
  if (swi_endpoint_named(base, role) != NULL) evict(base, size, &(swi_dead){role, false});
}

void sw_region_evict(void *base, uint64_t size, uint32_t index) {
  evict(base, size, &(swi_dead){sw_endpoint_role(base, index), true});
}
