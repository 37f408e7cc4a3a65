/* The root directory: an open hash table in a block of the heap, under a robust mutex.
 *
 *   slot                        state      next
 *   0                           empty      add -> named
 *   offset of an entry          named      remove -> deleted
 *   SW_SLOT_DELETED             deleted    growth -> not in the new table
 *
 * An entry is written before its offset is stored in a slot and never changes after that, so each
 * change of the directory is one store: of the slot, or of `table` when it grows. What a crash
 * leaves, in add: an entry that no slot has, or a slot that `used` does not count; in remove: an
 * entry that no slot has; in growth: a new table that nothing refers to, or the old one, which
 * `retired` names. So the next holder of the mutex counts the slots and goes on.
 *
 * The mutex orders all reads behind the stores of its earlier holders, so all of them are relaxed.
 * Two stores are release only for the order in which a crash leaves the words: an entry before its
 * slot, a new table before `table`.
 *
 * Hostile participants write here, too: offsets, lengths and slots are bounded by the region before
 * use, and a search ends after as many steps as there are slots. */
#include "sabway/directory.h"

#include <stddef.h>

#include "base/peer.h"
#include "sabway/channel.h"
#include "sabway/mutex.h"
#include "sabway/object.h"

enum { FIRST_SLOTS = 16 };

/* The table as it was read once. */
typedef struct view {
  sw_directory_table *table;
  uint32_t slots;
} view;

static sw_directory *directory_of(const sw_heap *heap) {
  return (sw_directory *)(void *)(heap->base + SW_DIRECTORY_AT);
}

static uint64_t end_of(const sw_heap *heap) { return heap->begin + (uint64_t)heap->count * SW_HEAP_PAGE; }

/* Are `bytes` from `at` on among the heap's pages? */
static bool is_inside(const sw_heap *heap, uint32_t at, uint64_t bytes) {
  uint64_t end = end_of(heap);
  return at >= heap->begin && at % SW_HEAP_UNIT == 0 && bytes <= end && at <= end - bytes;
}

static int open_table(const sw_heap *heap, view *v) {
  uint32_t at = sw_peer_load_relaxed(&directory_of(heap)->table);
  *v = (view){NULL, 0};
  if (at == 0) return SW_OK;
  if (!is_inside(heap, at, sizeof(sw_directory_table))) return SW_ECORRUPT;
  v->table = (sw_directory_table *)(void *)(heap->base + at);
  v->slots = sw_peer_load_relaxed(&v->table->slots);
  bool possible = v->slots >= FIRST_SLOTS && (v->slots & (v->slots - 1)) == 0;
  if (!possible || !is_inside(heap, at, sizeof(sw_directory_table) + (uint64_t)v->slots * 4)) return SW_ECORRUPT;
  return SW_OK;
}

static uint32_t slot_at(const view *v, uint32_t i) { return sw_peer_load_relaxed(&v->table->slot[i & (v->slots - 1)]); }

/* The entry at that offset, or NULL when none can be there. *length: of its name, which is read
 * once. */
static sw_directory_entry *entry_at(const sw_heap *heap, uint32_t at, uint32_t *length) {
  if (!is_inside(heap, at, sizeof(sw_directory_entry))) return NULL;
  sw_directory_entry *entry = (sw_directory_entry *)(void *)(heap->base + at);
  *length = sw_peer_load_relaxed(&entry->length);
  bool fits = *length <= SW_NAME_MOST && is_inside(heap, at, sizeof(sw_directory_entry) + *length);
  return fits ? entry : NULL;
}

static uint32_t hash_of(const uint8_t *name, uint32_t length) {
  uint32_t hash = 2166136261u;
  for (uint32_t i = 0; i < length; i++) hash = (hash ^ name[i]) * 16777619u;
  return hash ^ hash >> 15; /* FNV-1a leaves its low bits weak */
}

static bool is_named(const sw_directory_entry *entry, uint32_t hash, const uint8_t *name, uint32_t length) {
  if (sw_peer_load_relaxed(&entry->hash) != hash) return false;
  const volatile uint8_t *own = entry->name;
  for (uint32_t i = 0; i < length; i++) {
    if (own[i] != name[i]) return false;
  }
  return true;
}

/* Does a caller name an object of the kind with its generation? It is not zero then. */
static bool has_generation(uint32_t kind) { return kind == SW_KIND_CHANNEL || kind == SW_KIND_OBJECT; }

/* Of an object whose block stays one of its kind when it is freed; zero of all others. */
static uint32_t generation_of(sw_heap *heap, uint32_t kind, uint32_t object) {
  uint32_t generation = 0;
  if (kind == SW_KIND_CHANNEL) return sw_channel_generation(heap->base, end_of(heap), object);
  if (kind == SW_KIND_OBJECT) return sw_object_type(heap, object, &generation) == 0 ? 0 : generation;
  if (kind != SW_KIND_MUTEX || object % SW_HEAP_UNIT != 0 || sw_heap_usable(heap, object) < sizeof(sw_mutex_object))
    return 0;
  return sw_peer_load_relaxed(&((const sw_mutex_object *)(void *)(heap->base + object))->generation);
}

/* What the entry stands for. False: that was freed, so the name stands for nothing. */
static bool read_entry(sw_heap *heap, const sw_directory_entry *entry, sw_found *found) {
  found->kind = sw_peer_load_relaxed(&entry->kind);
  found->object = sw_peer_load_relaxed(&entry->object);
  uint32_t named = sw_peer_load_relaxed(&entry->generation);
  bool counts = has_generation(found->kind);
  found->generation = counts ? named : 0;
  return (!counts || named != 0) && generation_of(heap, found->kind, found->object) == named;
}

/* ---- the lock ---- */

static void count_used(const view *v) {
  uint32_t used = 0;
  for (uint32_t i = 0; i < v->slots; i++) used += slot_at(v, i) != 0;
  if (v->table != NULL) sw_store_relaxed(&v->table->used, used);
}

static void unlock(const sw_heap *heap) { sw_mutex_unlock(heap->base, &directory_of(heap)->lock, heap->endpoint); }

/* Free the table that growth has replaced. SW_EBUSY: not yet, because the heap is locked. */
static int free_retired(sw_heap *heap) {
  sw_directory *directory = directory_of(heap);
  uint32_t at = sw_peer_load_relaxed(&directory->retired);
  if (at == 0) return SW_OK;
  /* a crash has left it so, in growth: the table is still in use */
  bool in_use = at == sw_peer_load_relaxed(&directory->table);
  if (!in_use && sw_heap_free(heap, at) == SW_EBUSY) return SW_EBUSY;
  sw_store_relaxed(&directory->retired, 0);
  return SW_OK;
}

/* Lock, and see the table. On an error it is not locked. */
static int lock(const sw_heap *heap, view *v) {
  sw_mutex *mutex = &directory_of(heap)->lock;
  uint32_t endpoint = heap->endpoint;
  int taken = sw_mutex_try_lock(heap->base, mutex, endpoint);
  if (taken == SW_EPOISONED) return SW_ECORRUPT;
  if (taken != SW_OK && taken != SW_EOWNERDEAD) return taken;
  int status = open_table(heap, v);
  if (taken == SW_EOWNERDEAD) {
    if (status == SW_OK) count_used(v);
    sw_mutex_consistent(heap->base, mutex, endpoint);
  }
  if (status != SW_OK) unlock(heap);
  return status;
}

/* ---- search ---- */

/* The slot that has the name, its entry in `*entry`; or the one to put it in, which has none. */
static int search(const sw_heap *heap, const view *v, uint32_t hash, const uint8_t *name, uint32_t length,
                  uint32_t *slot, sw_directory_entry **entry) {
  uint32_t vacant = v->slots;
  *entry = NULL;
  for (uint32_t step = 0; step < v->slots; step++) {
    uint32_t i = (hash + step) & (v->slots - 1);
    uint32_t at = slot_at(v, i);
    if (at == 0 || at == SW_SLOT_DELETED) {
      if (vacant == v->slots) vacant = i;
      if (at == 0) break;
      continue;
    }
    uint32_t bytes;
    sw_directory_entry *found = entry_at(heap, at, &bytes);
    if (found == NULL) return SW_ECORRUPT;
    if (bytes != length || !is_named(found, hash, name, length)) continue;
    *entry = found;
    *slot = i;
    return SW_OK;
  }
  *slot = vacant;
  return SW_OK;
}

/* ---- growth ---- */

/* A table of twice the living names' size or more, in place of the present one. */
static int grow(sw_heap *heap, view *v) {
  sw_directory *directory = directory_of(heap);
  if (free_retired(heap) != SW_OK) return SW_EBUSY;
  uint32_t living = 0, slots = FIRST_SLOTS;
  for (uint32_t i = 0; i < v->slots; i++) living += slot_at(v, i) > SW_SLOT_DELETED;
  while (slots < 3 * (living + 1)) slots *= 2;
  uint32_t at = sw_heap_alloc(heap, (uint32_t)sizeof(sw_directory_table) + slots * 4);
  if (at == 0) return heap->status;
  view next = {(sw_directory_table *)(void *)(heap->base + at), slots};
  sw_store_relaxed(&next.table->slots, slots);
  for (uint32_t i = 0; i < slots; i++) sw_store_relaxed(&next.table->slot[i], 0);
  for (uint32_t i = 0; i < v->slots; i++) {
    uint32_t entry = slot_at(v, i), k, bytes;
    if (entry <= SW_SLOT_DELETED) continue;
    sw_directory_entry *moved = entry_at(heap, entry, &bytes);
    if (moved == NULL) return SW_ECORRUPT;
    uint32_t hash = sw_peer_load_relaxed(&moved->hash);
    for (k = hash; slot_at(&next, k) != 0; k++) {
      if (k - hash == slots) return SW_ECORRUPT; /* a hostile peer has filled it */
    }
    sw_store_relaxed(&next.table->slot[k & (slots - 1)], entry);
  }
  sw_store_relaxed(&next.table->used, living);
  sw_store_relaxed(&directory->retired, sw_peer_load_relaxed(&directory->table));
  /* release: a crash must not leave it without the slots and `retired` */
  sw_store_release(&directory->table, at);
  *v = next;
  free_retired(heap); /* or the next growth does */
  return SW_OK;
}

/* ---- calls ---- */

int sw_directory_find(sw_heap *heap, const void *name, uint32_t length, sw_found *found) {
  if (length > SW_NAME_MOST) return SW_ERANGE;
  view v;
  int status = lock(heap, &v);
  if (status != SW_OK) return status;
  uint32_t slot;
  sw_directory_entry *entry;
  status = search(heap, &v, hash_of(name, length), name, length, &slot, &entry);
  if (status == SW_OK && entry != NULL) status = read_entry(heap, entry, found);
  unlock(heap);
  return status;
}

static int add(sw_heap *heap, view *v, const uint8_t *name, uint32_t length, const sw_found *object, sw_found *found) {
  uint32_t hash = hash_of(name, length), slot;
  sw_directory_entry *entry;
  int status = search(heap, v, hash, name, length, &slot, &entry);
  if (status != SW_OK) return status;
  if (entry != NULL && read_entry(heap, entry, found)) return 0;
  /* a freed object's */
  uint32_t before = entry == NULL ? 0 : (uint32_t)((uint8_t *)entry - heap->base);
  uint32_t generation = generation_of(heap, object->kind, object->object);
  bool counts = has_generation(object->kind);
  if (counts && (generation == 0 || (object->generation != 0 && object->generation != generation)))
    return object->kind == SW_KIND_CHANNEL ? SW_ECLOSED : SW_EFREED;
  if (before != 0) {
    /* its slot is used again */
  } else if (v->table == NULL || sw_peer_load_relaxed(&v->table->used) >= v->slots / 4 * 3) {
    status = grow(heap, v);
    if (status == SW_OK) status = search(heap, v, hash, name, length, &slot, &entry);
    if (status != SW_OK) return status;
  }
  if (slot >= v->slots) return SW_ECORRUPT; /* `used` has lied */
  uint32_t at = sw_heap_alloc(heap, (uint32_t)sizeof(sw_directory_entry) + length);
  if (at == 0) return heap->status;
  entry = (sw_directory_entry *)(void *)(heap->base + at);
  sw_store_relaxed(&entry->kind, object->kind);
  sw_store_relaxed(&entry->object, object->object);
  sw_store_relaxed(&entry->hash, hash);
  sw_store_relaxed(&entry->length, length);
  sw_store_relaxed(&entry->generation, generation);
  for (uint32_t i = 0; i < length; i++) entry->name[i] = name[i];
  bool fresh = slot_at(v, slot) == 0;
  /* release: a crash must not leave it without the entry */
  sw_store_release(&v->table->slot[slot], at);
  if (fresh) sw_store_relaxed(&v->table->used, sw_peer_load_relaxed(&v->table->used) + 1);
  if (before != 0) sw_heap_free(heap, before);
  *found = *object;
  found->generation = counts ? generation : 0;
  return 1;
}

int sw_directory_add(sw_heap *heap, const void *name, uint32_t length, const sw_found *object, sw_found *found) {
  if (length > SW_NAME_MOST) return SW_ERANGE;
  view v;
  int status = lock(heap, &v);
  if (status != SW_OK) return status;
  status = add(heap, &v, name, length, object, found);
  unlock(heap);
  return status;
}

int sw_directory_remove(sw_heap *heap, const void *name, uint32_t length, uint32_t object) {
  if (length > SW_NAME_MOST) return SW_ERANGE;
  view v;
  int status = lock(heap, &v);
  if (status != SW_OK) return status;
  uint32_t slot;
  sw_directory_entry *entry;
  status = search(heap, &v, hash_of(name, length), name, length, &slot, &entry);
  sw_found found = {0};
  bool there = status == SW_OK && entry != NULL, stands = there && read_entry(heap, entry, &found);
  bool is_it = there && (object == 0 || found.object == object);
  if (is_it) {
    sw_store_relaxed(&v.table->slot[slot], SW_SLOT_DELETED);
    status = stands;
  }
  unlock(heap);
  if (is_it) sw_heap_free(heap, (uint32_t)((uint8_t *)entry - heap->base));
  return status;
}

/* A cursor is the next slot's number, and above it which size the table has: 5 bits. */
enum { CURSOR_BITS = 27 };

int sw_directory_next(sw_heap *heap, uint32_t *cursor, sw_found *found, void *name, uint32_t *length) {
  view v;
  int status = lock(heap, &v);
  if (status != SW_OK) return status;
  uint32_t size = 0;
  while (size < CURSOR_BITS && v.slots >> size > 1) size++;
  uint32_t i = *cursor >> CURSOR_BITS == size ? *cursor & ((1u << CURSOR_BITS) - 1) : 0;
  for (; i < v.slots && status == SW_OK; i++) {
    uint32_t at = slot_at(&v, i);
    if (at <= SW_SLOT_DELETED) continue;
    sw_directory_entry *entry = entry_at(heap, at, length);
    if (entry == NULL) {
      status = SW_ECORRUPT;
      break;
    }
    if (!read_entry(heap, entry, found)) continue;
    const volatile uint8_t *from = entry->name;
    for (uint32_t k = 0; k < *length; k++) ((uint8_t *)name)[k] = from[k];
    status = 1;
  }
  unlock(heap);
  *cursor = size << CURSOR_BITS | i;
  return status;
}

int sw_directory_check(sw_heap *heap) {
  view v;
  int status = lock(heap, &v);
  if (status != SW_OK) return status;
  uint32_t used = 0;
  for (uint32_t i = 0; i < v.slots && status == SW_OK; i++) {
    uint32_t at = slot_at(&v, i), slot, length;
    used += at != 0;
    if (at <= SW_SLOT_DELETED) continue;
    sw_directory_entry *entry = entry_at(heap, at, &length), *found;
    if (entry == NULL) {
      status = SW_ECORRUPT;
      break;
    }
    uint8_t name[SW_NAME_MOST + 1];
    const volatile uint8_t *from = entry->name;
    for (uint32_t k = 0; k < length; k++) name[k] = from[k];
    uint32_t hash = hash_of(name, length);
    status = search(heap, &v, hash, name, length, &slot, &found);
    if (status == SW_OK && (found != entry || slot != i)) status = SW_ECORRUPT;
  }
  if (status == SW_OK && v.table != NULL && used != sw_peer_load_relaxed(&v.table->used)) status = SW_ECORRUPT;
  unlock(heap);
  return status;
}
