/* Control blocks.
 *
 *   life (type)      state                next
 *   0                free                 new: store -> there, and the generation counts up (by
 *                                         the caller that the registry's exchange gave the block)
 *   type             there                begin_free: compare-exchange -> dying
 *   type | DYING     being freed          end_free: store -> free
 *
 * Ordering edges:
 *   [J1] the exchange of begin_free, and the acquire load of `life` in sw_object_check: a
 *        participant that sees an object there sees what its maker wrote, as the maker hands its
 *        offset on behind the release store of `life`.
 *   [J2] the release store of `root`, and the acquire load of it by an operation that exchanges it:
 *        the operation loads `root` first and calls sw_object_check then, so one that has loaded
 *        the next object's root finds its own object gone.
 *
 * The registry's exchange [L1] orders sw_object_end_free before the next sw_object_new of the
 * block. */
#include "sabway/object.h"

#include "base/peer.h"
#include "core/objects/lock.h"
#include "core/region/waits.h"
#include "sabway/registry.h"

static uint64_t size_of(const sw_heap *h) { return h->begin + (uint64_t)h->count * SW_HEAP_PAGE; }

static uint64_t life_of(uint32_t generation, uint32_t type) { return (uint64_t)generation << 32 | type; }
static uint32_t generation_of(uint64_t life) { return (uint32_t)(life >> 32); }
static uint32_t type_of(uint64_t life) { return (uint32_t)life; }

/* The control block of so many bytes at that offset, or NULL when none can be there. */
static sw_object *block_of(const sw_heap *h, uint32_t at, uint32_t bytes) {
  if (at < h->begin || at % SW_HEAP_UNIT != 0 || at > size_of(h) - bytes) return NULL;
  return (sw_object *)(void *)(h->base + at);
}

/* Of any family: its head is there, and as much as the smallest have. */
static sw_object *block_at(const sw_heap *h, uint32_t at) { return block_of(h, at, SW_OBJECT_BYTES); }

/* A control block that no other participant has, registered: 0 with h->status. */
static uint32_t new_block(sw_heap *h, uint32_t kind, uint32_t bytes) {
  uint32_t at = sw_heap_alloc_aligned(h, bytes, SW_LINE);
  if (at == 0) return 0;
  __builtin_memset(h->base + at, 0, bytes);
  uint32_t place = 0;
  int status = sw_registry_add(h, at, kind, &place);
  sw_store_relaxed(&((sw_object *)(void *)(h->base + at))->place, place);
  if (status == SW_OK) return at;
  sw_heap_free(h, at);
  h->status = status;
  return 0;
}

uint32_t sw_object_new(sw_heap *h, uint32_t type) {
  uint32_t kind = swi_family_kind(type), bytes = swi_family_bytes(type);
  uint32_t at = sw_registry_reuse(h, swi_family_free_kind(kind), kind);
  bool again = at != 0;
  if (!again) at = new_block(h, kind, bytes);
  if (at == 0) return 0;
  sw_object *object = block_of(h, at, bytes);
  if (object == NULL) {
    h->status = SW_ECORRUPT;
    return 0;
  }
  uint64_t root = sw_peer_load64_relaxed(&object->root);
  sw_store64_release(&object->root, ((root >> 32) + 1) << 32); /* [J2] */
  if (again) sw_store64_relaxed(&object->lock.state, 0);
  if (again && kind != SW_KIND_POOL) { /* where cells go on to count their lives */
    uint64_t *words = (uint64_t *)(void *)(object + 1);
    for (uint32_t i = 0; i < (bytes - sizeof(sw_object)) / 8; i++) sw_store64_relaxed(&words[i], 0);
  }
  uint32_t generation = generation_of(sw_peer_load64_relaxed(&object->life)) + 1;
  sw_store64_release(&object->life, life_of(generation == 0 ? 1 : generation, type)); /* [J1] */
  return at;
}

int sw_object_check(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation) {
  const sw_object *object = block_of(h, at, swi_family_bytes(type));
  if (object == NULL) return SW_EWILD;
  uint64_t life = sw_peer_load64_acquire(&object->life); /* [J1] */
  if (life == life_of(generation, type)) return SW_OK;
  bool gone = generation_of(life) != generation || type_of(life) == 0 || (type_of(life) & SW_OBJECT_DYING) != 0;
  return gone ? SW_EFREED : SW_EKIND;
}

uint32_t sw_object_type(const sw_heap *h, uint32_t at, uint32_t *generation) {
  const sw_object *object = block_at(h, at);
  if (object == NULL) return 0;
  uint64_t life = sw_peer_load64_acquire(&object->life); /* [J1] */
  *generation = generation_of(life);
  return (type_of(life) & SW_OBJECT_DYING) != 0 ? 0 : type_of(life);
}

int swi_object_lock_slowly(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation) {
  int status = sw_object_check(h, at, type, generation);
  if (status != SW_OK) return status;
  sw_mutex *lock = &block_at(h, at)->lock;
  int locked = sw_mutex_try_lock(h->base, lock, h->endpoint);
  if (locked != SW_OK && locked != SW_EOWNERDEAD) return locked == SW_EBUSY ? SW_EBUSY : SW_ECORRUPT;
  /* it may have become the lock of the next object, whose own participants mend what is broken */
  status = sw_object_check(h, at, type, generation);
  if (status == SW_OK) return locked;
  if (locked == SW_EOWNERDEAD) sw_mutex_consistent(h->base, lock, h->endpoint);
  sw_mutex_unlock(h->base, lock, h->endpoint);
  return status;
}

int sw_object_begin_free(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation) {
  int status = sw_object_check(h, at, type, generation);
  if (status != SW_OK) return status;
  uint64_t life = life_of(generation, type);
  uint64_t dying = life_of(generation, type | SW_OBJECT_DYING);
  bool first = sw_compare_exchange64_acq_rel(&block_at(h, at)->life, &life, dying); /* [J1] */
  return first ? SW_OK : SW_EFREED;
}

void sw_object_end_free(sw_heap *h, uint32_t at) {
  sw_object *object = block_at(h, at);
  if (object == NULL) return;
  uint64_t life = sw_peer_load64_relaxed(&object->life);
  uint32_t generation = generation_of(life), kind = swi_family_kind(type_of(life) & ~(uint32_t)SW_OBJECT_DYING);
  sw_store64_release(&object->life, life_of(generation, 0));
  uint32_t place = sw_peer_load_relaxed(&object->place);
  sw_registry_retire(h, at, kind, swi_family_free_kind(kind), place);
}

/* Is it a control block of that family, in use or free? It stays one for good. */
static bool is_block_of(const sw_heap *h, const sw_object *object, uint32_t at, uint32_t kind) {
  uint32_t place = sw_peer_load_relaxed(&object->place);
  if (place < h->begin || place % 4 != 0 || place > size_of(h) - 4) return false;
  uint32_t entry = sw_peer_load_relaxed((const uint32_t *)(const void *)(h->base + place));
  return entry == (at | kind) || entry == (at | swi_family_free_kind(kind));
}

void swi_object_end_stray_wait(sw_heap *h, uint32_t at, uint32_t type, uint32_t which) {
  sw_waitable *object = (sw_waitable *)(void *)block_of(h, at, swi_family_bytes(type));
  if (object == NULL || !is_block_of(h, &object->object, at, swi_family_kind(type))) return;
  uint64_t *waits = &object->waits[which & 1], own = UINT64_C(1) << h->endpoint % SW_ENDPOINTS;
  if ((sw_peer_load64_relaxed(waits) & own) == 0) return; /* which no other sets */
  swi_waits_end(waits, h->endpoint);
  swi_waits_ring_one(h->base, waits, h->endpoint);
}
