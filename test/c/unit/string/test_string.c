/* Strings: texts of all lengths, replaced, compared, and refused behind their end; and what a
 * million replacements leave. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "../heap/heap_helper.h"

#include <pthread.h>

#include "sabway/mutex.h"
#include "sabway/string.h"

typedef struct scene {
  heap_scene s;
  uint32_t at, generation;
} scene;

static void open_string(scene *c, uint64_t size) {
  heap_scene_open(&c->s, size);
  c->at = sw_string_new(&c->s.h);
  assert_int_not_equal(c->at, 0);
  assert_int_equal(sw_object_type(&c->s.h, c->at, &c->generation), SW_TYPE_STRING);
}

static sw_object *object_of(const scene *c) { return (sw_object *)(void *)(c->s.r.base + c->at); }

static void put(scene *c, const void *bytes, uint32_t length) {
  assert_int_equal(sw_string_set(&c->s.h, c->at, c->generation, bytes, length), SW_OK);
  assert_int_equal(sw_string_check(&c->s.h, c->at, c->generation), SW_OK);
}

/* Returns its version. */
static uint32_t expect(const scene *c, const void *bytes, uint32_t length) {
  static uint8_t found[1 << 20];
  memset(found, 0xee, length + 1);
  sw_string_content content;
  assert_int_equal(sw_string_get(&c->s.h, c->at, c->generation, found, length, &content), SW_OK);
  assert_int_equal(content.length, length);
  assert_memory_equal(found, bytes, length);
  assert_int_equal(found[length], 0xee);
  return content.version;
}

static void a_text_of_any_length_comes_back(void **state) {
  (void)state;
  scene c;
  open_string(&c, SMALL_REGION);
  expect(&c, "", 0);
  static uint8_t bytes[70000];
  for (uint32_t i = 0; i < sizeof(bytes); i++) bytes[i] = (uint8_t)(i * 7 + i / 256);
  for (uint32_t length = 1; length < 100; length++) {
    put(&c, bytes + length, length);
    expect(&c, bytes + length, length);
  }
  uint32_t lengths[] = {4091, 4092, 4093, 8188, 8189, 65536, sizeof(bytes), 1, 0};
  for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    put(&c, bytes, lengths[i]);
    expect(&c, bytes, lengths[i]);
  }
  assert_int_equal(heap_stats(&c.s.h).blocks, 1 + 1); /* the control block, and the registry's */
  heap_scene_close(&c.s);
}

static void too_little_room_is_told_with_the_length(void **state) {
  (void)state;
  scene c;
  open_string(&c, SMALL_REGION);
  put(&c, "hello", 5);
  char room[4];
  sw_string_content content;
  assert_int_equal(sw_string_get(&c.s.h, c.at, c.generation, room, 4, &content), SW_ETOOBIG);
  assert_int_equal(content.length, 5);
  heap_scene_close(&c.s);
}

static void a_replacement_needs_the_version_that_it_compares(void **state) {
  (void)state;
  scene c;
  open_string(&c, SMALL_REGION);
  uint32_t first = expect(&c, "", 0);
  assert_int_equal(sw_string_compare_set(&c.s.h, c.at, c.generation, first, "one", 3), 1);
  uint32_t second = expect(&c, "one", 3);
  assert_int_not_equal(first, second);
  uint64_t blocks = heap_stats(&c.s.h).blocks;
  assert_int_equal(sw_string_compare_set(&c.s.h, c.at, c.generation, first, "two", 3), 0);
  assert_int_equal(expect(&c, "one", 3), second);
  assert_int_equal(heap_stats(&c.s.h).blocks, blocks);
  put(&c, "one", 3); /* the same text is another version */
  assert_int_not_equal(expect(&c, "one", 3), second);
  uint32_t block = sw_string_alloc(&c.s.h, 3);
  assert_int_equal(sw_string_compare_replace(&c.s.h, c.at, c.generation, second, block), 0);
  assert_int_equal(sw_heap_free(&c.s.h, block), SW_OK);
  assert_int_equal(sw_string_alloc(&c.s.h, 0), 0);
  assert_int_equal(c.s.h.status, SW_ERANGE);
  assert_int_equal(sw_string_alloc(&c.s.h, UINT32_MAX - 3), 0);
  assert_int_equal(c.s.h.status, SW_ERANGE);
  heap_scene_close(&c.s);
}

static void a_freed_string_is_refused_and_leaves_nothing(void **state) {
  (void)state;
  scene c;
  open_string(&c, SMALL_REGION);
  put(&c, "hello", 5);
  uint32_t version = expect(&c, "hello", 5), generation = c.generation;
  assert_int_equal(sw_string_free(&c.s.h, c.at, generation), SW_OK);
  assert_int_equal(heap_stats(&c.s.h).blocks, 1 + 1);
  for (int again = 0; again < 2; again++) {
    char room[8];
    sw_string_content content;
    assert_int_equal(sw_string_free(&c.s.h, c.at, generation), SW_EFREED);
    assert_int_equal(sw_string_get(&c.s.h, c.at, generation, room, 8, &content), SW_EFREED);
    assert_int_equal(sw_string_set(&c.s.h, c.at, generation, "x", 1), SW_EFREED);
    assert_int_equal(sw_string_compare_set(&c.s.h, c.at, generation, version, "x", 1), SW_EFREED);
    assert_int_equal(sw_string_replace(&c.s.h, c.at, generation, 0), SW_EFREED);
    assert_int_equal(sw_string_begin_read(&c.s.h, c.at, generation), SW_EFREED);
    assert_int_equal(sw_string_check(&c.s.h, c.at, generation), SW_EFREED);
    /* the next one has its place, and is another */
    if (again == 0) assert_int_equal(sw_string_new(&c.s.h), c.at);
  }
  assert_int_equal(sw_object_type(&c.s.h, c.at, &c.generation), SW_TYPE_STRING);
  assert_int_not_equal(expect(&c, "", 0), version);
  assert_int_equal(sw_string_set(&c.s.h, 8, c.generation, "x", 1), SW_EWILD);
  heap_scene_close(&c.s);
}

static void writers_are_locked_out_for_a_reader(void **state) {
  (void)state;
  scene c;
  open_string(&c, SMALL_REGION);
  put(&c, "hello", 5);
  sw_heap other;
  heap_open(&other, &c.s.r);
  assert_int_equal(sw_string_begin_read(&c.s.h, c.at, c.generation), SW_OK);
  assert_int_equal(sw_string_begin_read(&other, c.at, c.generation), SW_EBUSY);
  uint64_t blocks = heap_stats(&c.s.h).blocks;
  assert_int_equal(sw_string_set(&other, c.at, c.generation, "x", 1), SW_EBUSY);
  assert_int_equal(heap_stats(&c.s.h).blocks, blocks);
  expect(&c, "hello", 5);
  sw_string_end_read(&c.s.h, c.at);
  assert_int_equal(sw_string_set(&other, c.at, c.generation, "x", 1), SW_OK);
  expect(&c, "x", 1);
  /* of a reader that has died, the next writer takes the lock */
  assert_int_equal(sw_string_begin_read(&c.s.h, c.at, c.generation), SW_OK);
  sw_endpoint_release_role(c.s.r.base, sw_endpoint_role(c.s.r.base, c.s.h.endpoint));
  assert_int_equal(sw_string_set(&other, c.at, c.generation, "y", 1), SW_OK);
  assert_int_equal(sw_mutex_holder(&object_of(&c)->lock), 0);
  heap_scene_close(&c.s);
}

static void a_root_that_leads_nowhere_is_corrupt(void **state) {
  (void)state;
  scene c;
  open_string(&c, SMALL_REGION);
  put(&c, "hello", 5);
  uint64_t root = object_of(&c)->root;
  sw_text *text = (sw_text *)(void *)(c.s.r.base + (uint32_t)root);
  uint32_t bad[] = {8, c.s.h.begin - 16, (uint32_t)root + 4, (uint32_t)c.s.r.size, UINT32_MAX - 15};
  char room[8];
  sw_string_content content;
  for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    object_of(&c)->root = root >> 32 << 32 | bad[i];
    assert_int_equal(sw_string_get(&c.s.h, c.at, c.generation, room, 8, &content), SW_ECORRUPT);
    assert_int_equal(sw_string_check(&c.s.h, c.at, c.generation), SW_ECORRUPT);
  }
  object_of(&c)->root = root;
  uint32_t lengths[] = {0, 13, (uint32_t)c.s.r.size, UINT32_MAX};
  for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    text->length = lengths[i];
    assert_int_equal(sw_string_check(&c.s.h, c.at, c.generation), SW_ECORRUPT);
  }
  assert_int_equal(sw_string_get(&c.s.h, c.at, c.generation, room, 8, &content), SW_ECORRUPT);
  heap_scene_close(&c.s);
}

/* ---- four threads ---- */

enum { THREADS = 4, TURNS = 100000, LONGEST = 200 };

typedef struct worker {
  scene *c;
  uint32_t number, won;
} worker;

/* Texts whose bytes are all their length's: one that is torn has two. */
static void *replace_and_read(void *argument) {
  worker *w = argument;
  sw_heap h;
  heap_open(&h, &w->c->s.r);
  uint8_t bytes[LONGEST], found[LONGEST];
  uint32_t seed = w->number + 1, last = 0;
  for (uint32_t turn = 0; turn < TURNS; turn++) {
    seed = seed * 1664525 + 1013904223;
    uint32_t length = 1 + (seed >> 8) % (LONGEST - 1);
    sw_string_content content;
    int status;
    do status = sw_string_get(&h, w->c->at, w->c->generation, found, LONGEST, &content);
    while (status == SW_EBUSY);
    assert_int_equal(status, SW_OK);
    for (uint32_t i = 0; i < content.length; i++) assert_int_equal(found[i], content.length);
    assert_true(turn == 0 || (int32_t)(content.version - last) >= 0);
    last = content.version;
    if (seed >> 31 != 0) continue;
    memset(bytes, (int)length, length);
    do status = sw_string_compare_set(&h, w->c->at, w->c->generation, content.version, bytes, length);
    while (status == SW_EBUSY);
    assert_true(status == 0 || status == 1);
    w->won += (uint32_t)status;
  }
  sw_heap_close(&h);
  return NULL;
}

static void threads_see_whole_texts_in_their_order(void **state) {
  (void)state;
  scene c;
  open_string(&c, MIDDLE_REGION);
  uint32_t before = expect(&c, "", 0), won = 0;
  worker workers[THREADS];
  pthread_t threads[THREADS];
  for (uint32_t i = 0; i < THREADS; i++) {
    workers[i] = (worker){&c, i, 0};
    assert_int_equal(pthread_create(&threads[i], NULL, replace_and_read, &workers[i]), 0);
  }
  for (uint32_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL), won += workers[i].won;
  /* each version was made by the one that was told so */
  assert_int_equal((uint32_t)(object_of(&c)->root >> 32) - before, won);
  assert_int_equal(sw_string_check(&c.s.h, c.at, c.generation), SW_OK);
  assert_int_equal(sw_string_free(&c.s.h, c.at, c.generation), SW_OK);
  assert_int_equal(heap_stats(&c.s.h).blocks, 1 + 1);
  assert_int_equal(sw_heap_check(&c.s.h), SW_OK);
  heap_scene_close(&c.s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_text_of_any_length_comes_back),
      cmocka_unit_test(too_little_room_is_told_with_the_length),
      cmocka_unit_test(a_replacement_needs_the_version_that_it_compares),
      cmocka_unit_test(a_freed_string_is_refused_and_leaves_nothing),
      cmocka_unit_test(writers_are_locked_out_for_a_reader),
      cmocka_unit_test(a_root_that_leads_nowhere_is_corrupt),
      cmocka_unit_test(threads_see_whole_texts_in_their_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
