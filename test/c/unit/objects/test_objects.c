/* The root directory and the registry: names that come and go, two handles that do the same at
 * once, lies in their words, and what a participant that ends leaves. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "../heap/heap_helper.h"

#include "sabway/directory.h"
#include "sabway/mutex.h"
#include "sabway/registry.h"

static sw_directory *directory(const region *r) { return (sw_directory *)(void *)(r->base + SW_DIRECTORY_AT); }

static int add(sw_heap *h, const char *name, uint32_t object, sw_found *found) {
  sw_found given = {SW_KIND_MEMORY, object, 0};
  return sw_directory_add(h, name, (uint32_t)strlen(name), &given, found);
}

static int find(sw_heap *h, const char *name, sw_found *found) {
  return sw_directory_find(h, name, (uint32_t)strlen(name), found);
}

static int drop(sw_heap *h, const char *name, uint32_t object) {
  return sw_directory_remove(h, name, (uint32_t)strlen(name), object);
}

static void a_name_stands_for_the_first_object(void **state) {
  (void)state;
  heap_scene s;
  sw_found found = {0, 0, 0};
  heap_scene_open(&s, SMALL_REGION);
  assert_int_equal(find(&s.h, "x", &found), 0);
  uint32_t a = heap_get(&s.h, 16), b = heap_get(&s.h, 16);
  assert_int_equal(add(&s.h, "x", a, &found), 1);
  assert_int_equal(found.object, a);
  assert_int_equal(add(&s.h, "x", b, &found), 0);
  assert_int_equal(found.object, a);
  assert_int_equal(find(&s.h, "x", &found), 1);
  assert_int_equal(found.kind, SW_KIND_MEMORY);
  assert_int_equal(found.object, a);
  assert_int_equal(find(&s.h, "y", &found), 0);
  assert_int_equal(find(&s.h, "", &found), 0);
  assert_int_equal(drop(&s.h, "x", b), 0);
  assert_int_equal(drop(&s.h, "x", a), 1);
  assert_int_equal(drop(&s.h, "x", 0), 0);
  assert_int_equal(find(&s.h, "x", &found), 0);
  assert_int_equal(sw_directory_check(&s.h), SW_OK);
  heap_scene_close(&s);
}

static void a_name_has_up_to_255_bytes_of_any_kind(void **state) {
  (void)state;
  heap_scene s;
  sw_found found, given = {SW_KIND_MEMORY, 16, 0};
  uint8_t name[SW_NAME_MOST + 1], read[SW_NAME_MOST];
  heap_scene_open(&s, SMALL_REGION);
  for (uint32_t i = 0; i <= SW_NAME_MOST; i++) name[i] = (uint8_t)(i * 7);
  assert_int_equal(sw_directory_add(&s.h, name, SW_NAME_MOST, &given, &found), 1);
  assert_int_equal(sw_directory_add(&s.h, name, SW_NAME_MOST - 1, &given, &found), 1);
  assert_int_equal(sw_directory_add(&s.h, name, SW_NAME_MOST + 1, &given, &found), SW_ERANGE);
  assert_int_equal(sw_directory_find(&s.h, name, SW_NAME_MOST + 1, &found), SW_ERANGE);
  assert_int_equal(sw_directory_remove(&s.h, name, SW_NAME_MOST + 1, 0), SW_ERANGE);
  uint32_t cursor = 0, length, seen = 0;
  while (sw_directory_next(&s.h, &cursor, &found, read, &length) == 1) {
    assert_memory_equal(read, name, length);
    seen += length;
  }
  assert_int_equal(seen, 2 * SW_NAME_MOST - 1);
  heap_scene_close(&s);
}

/* More names than a table of any size has slots for at first, and their slots used again. */
static void names_come_and_go(void **state) {
  (void)state;
  enum { NAMES = 700, ROUNDS = 6 };
  heap_scene s;
  sw_found found;
  char name[16];
  heap_scene_open(&s, MIDDLE_REGION);
  for (uint32_t round = 0; round < ROUNDS; round++) {
    for (uint32_t i = 0; i < NAMES; i++) {
      snprintf(name, sizeof(name), "%u of %u", i, round);
      assert_int_equal(add(&s.h, name, 16 * (i + 1), &found), 1);
    }
    assert_int_equal(sw_directory_check(&s.h), SW_OK);
    for (uint32_t i = 0; i < NAMES; i++) {
      snprintf(name, sizeof(name), "%u of %u", i, round);
      assert_int_equal(find(&s.h, name, &found), 1);
      assert_int_equal(found.object, 16 * (i + 1));
      assert_int_equal(drop(&s.h, name, 0), 1);
    }
  }
  uint32_t cursor = 0, length;
  uint8_t read[SW_NAME_MOST];
  assert_int_equal(sw_directory_next(&s.h, &cursor, &found, read, &length), 0);
  assert_int_equal(directory(&s.r)->retired, 0);
  assert_int_equal(heap_stats(&s.h).blocks, 1); /* the table */
  assert_int_equal(sw_heap_check(&s.h), SW_OK);
  heap_scene_close(&s);
}

/* ---- at once ---- */

enum { NAMERS = 4, SHARED_NAMES = 500 };

typedef struct namer {
  region *r;
  uint32_t endpoint, got[SHARED_NAMES], won;
  int failed;
} namer;

static void name_them(void *context) {
  namer *n = context;
  sw_heap h;
  char name[16];
  n->failed = sw_heap_open(&h, n->r->base, n->r->size, SW_HEAP_AT, n->endpoint) != SW_OK;
  for (uint32_t i = 0; i < SHARED_NAMES && !n->failed; i++) {
    uint32_t own = sw_heap_alloc_wait(&h, 16, 16, -1);
    sw_found found;
    int status;
    snprintf(name, sizeof(name), "name %u", i);
    while ((status = add(&h, name, own, &found)) == SW_EBUSY) sw_prim_yield();
    n->got[i] = found.object;
    n->won += status == 1;
    n->failed = status < 0 || (status == 0 && sw_heap_free(&h, own) != SW_OK);
  }
  sw_heap_close(&h);
}

static void several_at_once_get_one_object_for_each_name(void **state) {
  (void)state;
  region r = heap_region(MIDDLE_REGION);
  static namer namers[NAMERS];
  sw_prim_thread threads[NAMERS];
  for (int i = 0; i < NAMERS; i++) {
    namers[i] = (namer){.r = &r, .endpoint = region_claim(&r)};
    assert_int_equal(sw_prim_thread_start(&threads[i], "namer", name_them, &namers[i]), SW_OK);
  }
  for (int i = 0; i < NAMERS; i++) sw_prim_thread_join(&threads[i]);
  uint32_t won = 0;
  for (int i = 0; i < NAMERS; i++) {
    assert_false(namers[i].failed);
    assert_memory_equal(namers[i].got, namers[0].got, sizeof(namers[0].got));
    won += namers[i].won;
  }
  assert_int_equal(won, SHARED_NAMES);
  sw_heap h;
  heap_open(&h, &r);
  assert_int_equal(sw_directory_check(&h), SW_OK);
  assert_int_equal(sw_heap_check(&h), SW_OK);
  assert_int_equal(heap_stats(&h).blocks, 2 * SHARED_NAMES + 1); /* objects, entries, the table */
  heap_region_free(&r);
}

/* ---- lies ---- */

static void a_lie_is_an_error_and_no_crash(void **state) {
  (void)state;
  heap_scene s;
  sw_found found;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t object = heap_get(&s.h, 16);
  assert_int_equal(add(&s.h, "x", object, &found), 1);
  sw_directory *d = directory(&s.r);
  uint32_t table = d->table;
  sw_directory_table *t = (sw_directory_table *)(void *)(s.r.base + table);
  static const uint32_t LIES[] = {1, 16, 17, 0xfffffff0u, 0xffffffffu, 0x80000000u, SW_HEAP_AT, SMALL_REGION - 16};
  for (size_t i = 0; i < sizeof(LIES) / sizeof(*LIES); i++) {
    d->table = LIES[i];
    assert_int_not_equal(find(&s.h, "x", &found), 1);
    assert_true(sw_directory_check(&s.h) <= SW_OK);
    d->table = table;
    uint32_t slots = t->slots;
    t->slots = LIES[i];
    int status = find(&s.h, "x", &found);
    assert_true(status == SW_ECORRUPT || LIES[i] == slots);
    t->slots = slots;
  }
  for (uint32_t k = 0; k < t->slots; k++) {
    uint32_t slot = t->slot[k];
    for (size_t i = 1; i < sizeof(LIES) / sizeof(*LIES); i++) {
      t->slot[k] = LIES[i];
      int status = find(&s.h, "x", &found);
      assert_true(status == 1 || status == 0 || status == SW_ECORRUPT);
      assert_true(sw_directory_check(&s.h) <= SW_OK);
    }
    t->slot[k] = slot;
  }
  /* A table that says it is full, and one in which no slot is left. */
  t->used = 0xffffffffu;
  assert_int_equal(add(&s.h, "y", object, &found), 1);
  assert_int_equal(sw_directory_check(&s.h), SW_OK);
  t = (sw_directory_table *)(void *)(s.r.base + d->table);
  for (uint32_t k = 0; k < t->slots; k++) {
    if (t->slot[k] == 0) t->slot[k] = SW_SLOT_DELETED;
  }
  assert_int_equal(find(&s.h, "z", &found), 0);
  assert_int_equal(find(&s.h, "y", &found), 1);
  heap_scene_close(&s);
}

/* ---- the registry ---- */

static void objects_are_walked_once_each(void **state) {
  (void)state;
  enum { OBJECTS = 1000 };
  heap_scene s;
  heap_scene_open(&s, MIDDLE_REGION);
  static uint32_t objects[OBJECTS];
  for (int round = 0; round < 3; round++) {
    for (uint32_t i = 0; i < OBJECTS; i++) {
      objects[i] = heap_get(&s.h, 16);
      assert_int_equal(sw_registry_add(&s.h, objects[i], SW_KIND_MUTEX, NULL), SW_OK);
    }
    sw_registry_cursor cursor = {0};
    uint32_t seen = 0;
    for (uint32_t entry; (entry = sw_registry_next(s.r.base, s.r.size, &cursor)) != 0; seen++) {
      assert_int_equal(entry & SW_KIND_MASK, SW_KIND_MUTEX);
    }
    assert_int_equal(seen, OBJECTS);
    for (uint32_t i = 0; i < OBJECTS; i++) {
      assert_int_equal(sw_registry_remove(s.r.base, s.r.size, objects[i], SW_KIND_CHANNEL), 0);
      assert_int_equal(sw_registry_remove(s.r.base, s.r.size, objects[i], SW_KIND_MUTEX), 1);
      assert_int_equal(sw_registry_remove(s.r.base, s.r.size, objects[i], SW_KIND_MUTEX), 0);
      assert_int_equal(sw_heap_free(&s.h, objects[i]), SW_OK);
    }
    cursor = (sw_registry_cursor){0};
    assert_int_equal(sw_registry_next(s.r.base, s.r.size, &cursor), 0);
    /* Vacant slots are taken again: the blocks of the first round are all there are. */
    assert_int_equal(heap_stats(&s.h).blocks, (OBJECTS + SW_REGISTRY_SLOTS - 1) / SW_REGISTRY_SLOTS);
  }
  heap_scene_close(&s);
}

/* The block of an object whose words others may still exchange stays one of its kind. */
static void a_retired_object_is_used_again(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  uint8_t *base = s.r.base;
  uint32_t a = heap_get(&s.h, 16), b = heap_get(&s.h, 16), place;
  assert_int_equal(sw_registry_add(&s.h, a, SW_KIND_MUTEX, NULL), SW_OK);
  assert_int_equal(sw_registry_add(&s.h, b, SW_KIND_MUTEX, &place), SW_OK);
  uint32_t wrong[] = {0, place, place - 4, 16, 2, UINT32_MAX, UINT32_MAX - 3};
  for (uint32_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    assert_int_equal(sw_registry_reuse(&s.h, SW_KIND_FREE_MUTEX, SW_KIND_MUTEX), 0);
    assert_int_equal(sw_registry_retire(&s.h, b, SW_KIND_MUTEX, SW_KIND_FREE_MUTEX, wrong[i]), 1);
    assert_int_equal(sw_registry_retire(&s.h, b, SW_KIND_MUTEX, SW_KIND_FREE_MUTEX, wrong[i]), 0);
    assert_int_equal(sw_registry_retire(&s.h, 0, SW_KIND_MUTEX, SW_KIND_FREE_MUTEX, wrong[i]), 0);
    assert_int_equal(sw_registry_reuse(&s.h, SW_KIND_FREE_CHANNEL, SW_KIND_CHANNEL), 0);
    assert_int_equal(sw_registry_reuse(&s.h, SW_KIND_FREE_MUTEX, SW_KIND_MUTEX), b);
  }
  assert_int_equal(sw_registry_reuse(&s.h, SW_KIND_FREE_MUTEX, SW_KIND_MUTEX), 0);
  assert_int_equal(sw_registry_remove(base, s.r.size, 0, SW_KIND_MUTEX), 0);
  assert_int_equal(sw_registry_remove(base, s.r.size, b, SW_KIND_MUTEX), 1);
  assert_int_equal(sw_registry_remove(base, s.r.size, a, SW_KIND_MUTEX), 1);
  heap_scene_close(&s);
}

/* Looks are short, and come to every block in turn. */
static void all_retired_objects_are_used_again(void **state) {
  (void)state;
  enum { OBJECTS = 3000, RETIRED = 1500 };
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  static uint32_t places[OBJECTS + 1];
  for (uint32_t i = 1; i <= OBJECTS; i++)
    assert_int_equal(sw_registry_add(&s.h, i * 16, SW_KIND_MUTEX, &places[i]), SW_OK);
  for (uint32_t i = 1; i <= RETIRED; i++)
    assert_int_equal(sw_registry_retire(&s.h, i * 16, SW_KIND_MUTEX, SW_KIND_FREE_MUTEX, places[i]), 1);
  uint32_t again = 0;
  for (uint32_t calls = 0; again < RETIRED && calls < 2 * RETIRED; calls++)
    again += sw_registry_reuse(&s.h, SW_KIND_FREE_MUTEX, SW_KIND_MUTEX) != 0;
  assert_int_equal(again, RETIRED);
  heap_scene_close(&s);
}

static void a_registry_of_lies_is_walked_to_an_end(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  sw_registry *registry = (sw_registry *)(void *)(s.r.base + SW_REGISTRY_AT);
  uint32_t mutex = heap_get(&s.h, 16);
  assert_int_equal(sw_registry_add(&s.h, mutex, SW_KIND_MUTEX, NULL), SW_OK);
  uint32_t first = registry->first;
  sw_registry_block *block = (sw_registry_block *)(void *)(s.r.base + first);
  block->next = first; /* a circle */
  sw_registry_cursor cursor = {0};
  uint32_t entries = 0;
  while (sw_registry_next(s.r.base, s.r.size, &cursor) != 0) entries++;
  assert_true(entries <= 3); /* a circle is noticed, but not at once */
  assert_int_equal(sw_registry_remove(s.r.base, s.r.size, 32, SW_KIND_MUTEX), 0);
  for (uint32_t i = 1; i < SW_REGISTRY_SLOTS; i++) block->slot[i] = mutex | SW_KIND_MUTEX;
  assert_int_equal(sw_registry_add(&s.h, mutex, SW_KIND_MUTEX, NULL), SW_ECORRUPT);
  for (uint32_t i = 1; i < SW_REGISTRY_SLOTS; i++) block->slot[i] = 0;
  static const uint32_t LIES[] = {1, 16, 0xfffffff0u, SMALL_REGION - 16, 0x80000001u};
  for (size_t i = 0; i < sizeof(LIES) / sizeof(*LIES); i++) {
    registry->first = LIES[i];
    registry->hint = LIES[i];
    cursor = (sw_registry_cursor){0};
    assert_int_equal(sw_registry_next(s.r.base, s.r.size, &cursor), 0);
    assert_int_equal(sw_registry_add(&s.h, mutex, SW_KIND_MUTEX, NULL), SW_ECORRUPT);
    registry->first = first;
    block->next = 0;
    block->slot[1] = LIES[i] & ~(uint32_t)SW_KIND_MASK;
    for (uint32_t kind = 0; kind <= SW_KIND_MASK; kind++) {
      block->slot[1] = (LIES[i] & ~(uint32_t)SW_KIND_MASK) | kind;
      sw_region_evict(s.r.base, s.r.size, s.h.endpoint);
    }
  }
  heap_scene_close(&s);
}

/* ---- burial ---- */

/* Of a participant that ends, every mutex that it held is for the next one, and that is told. */
static void what_a_dead_one_held_is_given_to_the_next(void **state) {
  (void)state;
  enum { MUTEXES = 300 };
  heap_scene s;
  heap_scene_open(&s, MIDDLE_REGION);
  uint32_t dead = region_claim(&s.r), own = s.h.endpoint;
  uint32_t role = sw_endpoint_role(s.r.base, dead);
  static sw_mutex *mutexes[MUTEXES];
  for (uint32_t i = 0; i < MUTEXES; i++) {
    uint32_t at = heap_get(&s.h, sizeof(sw_mutex));
    mutexes[i] = (sw_mutex *)(void *)(s.r.base + at);
    memset(mutexes[i], 0, sizeof(sw_mutex));
    assert_int_equal(sw_registry_add(&s.h, at, SW_KIND_MUTEX, NULL), SW_OK);
    if (i % 2 == 0) assert_int_equal(sw_mutex_try_lock(s.r.base, mutexes[i], dead), SW_OK);
    else sw_mutex_begin_wait(s.r.base, mutexes[i], dead);
  }
  /* Twice, as when two participants notice it. */
  for (int i = 0; i < 2; i++) sw_region_evict_role(s.r.base, s.r.size, role);
  assert_int_equal(sw_endpoint_release_role(s.r.base, role), 1);
  assert_int_equal(sw_endpoint_release_role(s.r.base, role), 0);
  assert_int_equal(region_claim(&s.r), dead); /* the next claim of it holds and waits for nothing */
  sw_region_evict(s.r.base, s.r.size, dead);
  for (uint32_t i = 0; i < MUTEXES; i++) {
    assert_int_equal(mutexes[i]->waiters, 0);
    assert_int_equal(sw_mutex_try_lock(s.r.base, mutexes[i], own), i % 2 == 0 ? SW_EOWNERDEAD : SW_OK);
  }
  /* What comes late must not touch the endpoint's next owner, nor another one's. */
  sw_region_evict_role(s.r.base, s.r.size, role);
  assert_int_equal(sw_mutex_holder(mutexes[1]), sw_endpoint_role(s.r.base, own));
  heap_scene_close(&s);
}

/* The locks that are in every region are in no registry. */
static void the_locks_of_heap_and_directory_are_given_to_the_next(void **state) {
  (void)state;
  heap_scene s;
  sw_found found;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t dead = region_claim(&s.r), own = s.h.endpoint;
  sw_mutex *locks[] = {&directory(&s.r)->lock, (sw_mutex *)(void *)(s.r.base + sw_heap_lock_at(&s.h))};
  for (int by_role = 0; by_role < 2; by_role++) {
    for (int i = 0; i < 2; i++) {
      assert_int_equal(sw_mutex_try_lock(s.r.base, locks[i], dead), SW_OK);
      sw_mutex_begin_wait(s.r.base, locks[i], own);
    }
    uint32_t ticket = sw_endpoint_arm(s.r.base, own, SW_SLEEP_FUTEX);
    if (by_role != 0) sw_region_evict_role(s.r.base, s.r.size, sw_endpoint_role(s.r.base, dead));
    else sw_region_evict(s.r.base, s.r.size, dead);
    assert_int_not_equal(*sw_endpoint_doorbell(s.r.base, own), ticket);
    sw_endpoint_disarm(s.r.base, own);
    for (int i = 0; i < 2; i++) {
      assert_int_equal(sw_mutex_holder(locks[i]), 0);
      sw_mutex_end_wait(s.r.base, locks[i], own);
    }
    uint32_t block = heap_get(&s.h, 3 * SW_HEAP_PAGE);
    assert_int_equal(add(&s.h, "x", block, &found), 1);
    assert_int_equal(drop(&s.h, "x", block), 1);
    assert_int_equal(sw_heap_free(&s.h, block), SW_OK);
    assert_int_equal(sw_heap_check(&s.h), SW_OK);
  }
  heap_scene_close(&s);
}

TESTS(TEST(a_name_stands_for_the_first_object), TEST(a_name_has_up_to_255_bytes_of_any_kind), TEST(names_come_and_go),
      TEST(several_at_once_get_one_object_for_each_name), TEST(a_lie_is_an_error_and_no_crash),
      TEST(objects_are_walked_once_each), TEST(a_retired_object_is_used_again),
      TEST(all_retired_objects_are_used_again), TEST(a_registry_of_lies_is_walked_to_an_end),
      TEST(what_a_dead_one_held_is_given_to_the_next), TEST(the_locks_of_heap_and_directory_are_given_to_the_next));
