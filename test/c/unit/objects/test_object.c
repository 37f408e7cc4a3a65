/* Control blocks of containers: made, freed and used again, told apart by type and generation, and
 * found by name while they are there. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "../heap/heap_helper.h"

#include "sabway/directory.h"
#include "sabway/mutex.h"
#include "sabway/object.h"
#include "sabway/registry.h"

static sw_object *object_at(const heap_scene *s, uint32_t at) { return (sw_object *)(void *)(s->r.base + at); }

static uint32_t make(heap_scene *s, uint32_t type, uint32_t *generation) {
  uint32_t at = sw_object_new(&s->h, type);
  assert_int_not_equal(at, 0);
  assert_int_equal(at % SW_LINE, 0);
  assert_int_equal(sw_object_type(&s->h, at, generation), type);
  assert_int_not_equal(*generation, 0);
  return at;
}

static void drop(heap_scene *s, uint32_t at, uint32_t type, uint32_t generation) {
  assert_int_equal(sw_object_begin_free(&s->h, at, type, generation), SW_OK);
  assert_int_equal(sw_object_begin_free(&s->h, at, type, generation), SW_EFREED);
  sw_object_end_free(&s->h, at);
}

static void an_object_is_told_from_others(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t generation;
  uint32_t at = make(&s, SW_TYPE_LIST, &generation);
  assert_int_equal(sw_object_check(&s.h, at, SW_TYPE_LIST, generation), SW_OK);
  assert_int_equal(sw_object_check(&s.h, at, SW_TYPE_MAP, generation), SW_EKIND);
  assert_int_equal(sw_object_check(&s.h, at, SW_TYPE_LIST, generation + 1), SW_EFREED);
  uint32_t bad[] = {0, 8, at + 8, 1, s.h.begin - 16, (uint32_t)s.r.size - 16, (uint32_t)s.r.size, UINT32_MAX - 15};
  for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_int_equal(sw_object_check(&s.h, bad[i], SW_TYPE_LIST, generation), SW_EWILD);
    assert_int_equal(sw_object_begin_free(&s.h, bad[i], SW_TYPE_LIST, generation), SW_EWILD);
    assert_int_equal(sw_object_type(&s.h, bad[i], &generation), 0);
  }
  heap_scene_close(&s);
}

static void a_block_is_used_again_and_keeps_its_version(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t first, second;
  uint32_t at = make(&s, SW_TYPE_LIST, &first);
  uint64_t root = object_at(&s, at)->root;
  assert_int_equal((uint32_t)root, 0);
  object_at(&s, at)->root = root + ((uint64_t)5 << 32) + 77;
  for (uint32_t i = sizeof(sw_object); i < SW_OBJECT_BYTES; i++) s.r.base[at + i] = (uint8_t)i;
  sw_mutex_try_lock(s.r.base, &object_at(&s, at)->lock, s.h.endpoint);
  drop(&s, at, SW_TYPE_LIST, first);
  assert_int_equal(sw_object_check(&s.h, at, SW_TYPE_LIST, first), SW_EFREED);
  assert_int_equal(sw_object_type(&s.h, at, &second), 0);
  assert_int_equal(make(&s, SW_TYPE_STRING, &second), at);
  assert_int_not_equal(second, first);
  assert_int_equal((uint32_t)object_at(&s, at)->root, 0);
  assert_int_equal(object_at(&s, at)->root >> 32, (root >> 32) + 6);
  for (uint32_t i = sizeof(sw_object); i < SW_OBJECT_BYTES; i++) assert_int_equal(s.r.base[at + i], 0);
  assert_int_equal(sw_mutex_holder(&object_at(&s, at)->lock), 0);
  assert_int_equal(sw_object_check(&s.h, at, SW_TYPE_LIST, first), SW_EFREED);
  /* one that a participant frees and never ends is no object, and is not handed out */
  assert_int_equal(sw_object_begin_free(&s.h, at, SW_TYPE_STRING, second), SW_OK);
  assert_int_equal(sw_object_check(&s.h, at, SW_TYPE_STRING, second), SW_EFREED);
  assert_int_not_equal(make(&s, SW_TYPE_STRING, &second), at);
  heap_scene_close(&s);
}

static void a_name_goes_with_its_object(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t first, second;
  uint32_t at = make(&s, SW_TYPE_MAP, &first);
  sw_found found, given = {SW_KIND_OBJECT, at, first}, late = {SW_KIND_OBJECT, at, first + 1};
  assert_int_equal(sw_directory_add(&s.h, "x", 1, &late, &found), SW_EFREED);
  assert_int_equal(sw_directory_add(&s.h, "x", 1, &given, &found), 1);
  assert_int_equal(sw_directory_find(&s.h, "x", 1, &found), 1);
  assert_int_equal(found.kind, SW_KIND_OBJECT);
  assert_int_equal(found.object, at);
  assert_int_equal(found.generation, first);
  drop(&s, at, SW_TYPE_MAP, first);
  assert_int_equal(sw_directory_find(&s.h, "x", 1, &found), 0);
  assert_int_equal(sw_directory_add(&s.h, "y", 1, &given, &found), SW_EFREED);
  assert_int_equal(make(&s, SW_TYPE_MAP, &second), at);
  assert_int_equal(sw_directory_find(&s.h, "x", 1, &found), 0);
  heap_scene_close(&s);
}

static void the_lock_of_a_dead_holder_is_inherited(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t generation, dead = region_claim(&s.r);
  sw_mutex *lock = &object_at(&s, make(&s, SW_TYPE_VECTOR, &generation))->lock;
  assert_int_equal(sw_mutex_try_lock(s.r.base, lock, dead), SW_OK);
  sw_region_evict_role(s.r.base, s.r.size, sw_endpoint_role(s.r.base, dead));
  assert_int_equal(sw_mutex_try_lock(s.r.base, lock, s.h.endpoint), SW_EOWNERDEAD);
  heap_scene_close(&s);
}

static void a_full_heap_is_told(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t made = 0;
  while (sw_object_new(&s.h, SW_TYPE_MAP) != 0) made++;
  assert_int_equal(s.h.status, SW_EHEAPFULL);
  assert_true(made > 1000);
  assert_int_equal(sw_heap_check(&s.h), SW_OK);
  heap_scene_close(&s);
}

TESTS(TEST(an_object_is_told_from_others), TEST(a_block_is_used_again_and_keeps_its_version),
      TEST(a_name_goes_with_its_object), TEST(the_lock_of_a_dead_holder_is_inherited), TEST(a_full_heap_is_told));
