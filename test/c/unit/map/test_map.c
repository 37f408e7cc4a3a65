/* The map in one thread: against a plain array, and at its edges. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "map_helper.h"

enum { KEYS = 400, STEPS = 200000 };

static void sets_gets_and_deletes(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, SMALL_REGION, (sw_map_options){0});
  assert_int_equal(map_put(&s.m, 1, 10), 1);
  assert_int_equal(map_put(&s.m, 1, 11), 2);
  assert_true(map_get(&s.m, 1) == 11);
  assert_true(map_get(&s.m, 2) != map_get(&s.m, 2));
  assert_int_equal(sw_map_size(&s.m), 1);
  assert_int_equal(map_delete(&s.m, 2), 0);
  assert_int_equal(map_delete(&s.m, 1), 1);
  assert_int_equal(map_delete(&s.m, 1), 0);
  assert_int_equal(sw_map_size(&s.m), 0);
  assert_int_equal(sw_map_check(&s.m), SW_OK);
  map_scene_close(&s);
}

static void zero_and_nan_are_keys_as_in_javascript(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, SMALL_REGION, (sw_map_options){0});
  map_put(&s.m, -0.0, 1);
  assert_true(map_get(&s.m, 0) == 1);
  double nan = __builtin_nan(""), other;
  uint64_t bits = 0xfff8000000000123u;
  memcpy(&other, &bits, 8);
  map_put(&s.m, nan, 2);
  assert_int_equal(map_put(&s.m, other, 3), 2);
  assert_true(map_get(&s.m, nan) == 3);
  map_put(&s.m, 5, nan);
  assert_true(sw_map_get_number(&s.m, 5) != 5 && s.m.status == SW_MAP_NUMBER);
  map_scene_close(&s);
}

static void keys_of_all_kinds_are_whole(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, SMALL_REGION, (sw_map_options){0});
  map_text(&s.m, "", "empty", SW_MAP_SET);
  map_text(&s.m, "a", "one", SW_MAP_SET);
  map_text(&s.m, "sixteen letters!", "sixteen", SW_MAP_SET);
  map_text(&s.m, "sixteen letters!?", "seventeen", SW_MAP_SET);
  map_expect_text(&s.m, "", "empty");
  map_expect_text(&s.m, "a", "one");
  map_expect_text(&s.m, "sixteen letters!", "sixteen");
  map_expect_text(&s.m, "sixteen letters!?", "seventeen");
  map_expect_text(&s.m, "sixteen letters", NULL);
  char value[8];
  assert_int_equal(sw_map_get(&s.m, SW_MAP_BYTES, "a", 1, value, 8), 0);
  assert_int_equal(sw_map_get(&s.m, SW_MAP_BIGINT, "a\0\0\0\0\0\0\0", 8, value, 8), 0);
  assert_int_equal(sw_map_get(&s.m, SW_MAP_NULL, "", 0, value, 8), SW_EINVAL);
  assert_int_equal(sw_map_get(&s.m, SW_MAP_BYTES, value, SW_MAP_KEY_MOST + 1, value, 8), SW_ERANGE);
  assert_int_equal(sw_map_get(&s.m, SW_MAP_STRING, "a", 1, value, 2), SW_ERANGE);
  assert_int_equal(s.m.length, 3);
  assert_int_equal(sw_map_check(&s.m), SW_OK);
  map_scene_close(&s);
}

static void modes_say_when_to_put(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, SMALL_REGION, (sw_map_options){0});
  assert_int_equal(map_text(&s.m, "k", "1", SW_MAP_REPLACE), 0);
  map_expect_text(&s.m, "k", NULL);
  assert_int_equal(map_text(&s.m, "k", "1", SW_MAP_INSERT), 1);
  assert_int_equal(map_text(&s.m, "k", "2", SW_MAP_INSERT), 0);
  map_expect_text(&s.m, "k", "1");
  assert_int_equal(map_text(&s.m, "k", "3", SW_MAP_REPLACE), 2);
  assert_int_equal(sw_map_replace_if(&s.m, SW_MAP_STRING, "k", 1, SW_MAP_STRING, "1", 1, SW_MAP_STRING, "4", 1), 0);
  assert_int_equal(sw_map_replace_if(&s.m, SW_MAP_STRING, "k", 1, SW_MAP_BYTES, "3", 1, SW_MAP_STRING, "4", 1), 0);
  assert_int_equal(sw_map_replace_if(&s.m, SW_MAP_STRING, "k", 1, SW_MAP_STRING, "3", 1, SW_MAP_STRING, "4", 1), 1);
  map_expect_text(&s.m, "k", "4");
  assert_int_equal(sw_map_replace_if(&s.m, SW_MAP_STRING, "k", 1, SW_MAP_STRING, "4", 1, 0, NULL, 0), 1);
  map_expect_text(&s.m, "k", NULL);
  assert_int_equal(sw_map_put(&s.m, SW_MAP_STRING, "k", 1, SW_MAP_VIEW + 1, "", 0, SW_MAP_SET), SW_EINVAL);
  assert_int_equal(sw_map_put(&s.m, SW_MAP_STRING, "k", 1, SW_MAP_NUMBER, "", 0, SW_MAP_SET), SW_EINVAL);
  assert_int_equal(sw_map_put(&s.m, SW_MAP_STRING, "k", 1, SW_MAP_NULL, "", 0, 9), SW_EINVAL);
  map_scene_close(&s);
}

static void sums(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, SMALL_REGION, (sw_map_options){.flags = SW_MAP_F64});
  assert_true(sw_map_add_number(&s.m, 7, 1.5) == 1.5);
  assert_true(sw_map_add_number(&s.m, 7, 1) == 2.5);
  assert_true(sw_map_add(&s.m, SW_MAP_STRING, "s", 1, -1) == -1);
  map_text(&s.m, "t", "text", SW_MAP_SET);
  double none = sw_map_add(&s.m, SW_MAP_STRING, "t", 1, 1);
  assert_true(none != none && s.m.status == SW_EINVAL);
  map_scene_close(&s);
  map_scene_open(&s, SMALL_REGION, (sw_map_options){.flags = SW_MAP_U32});
  assert_true(sw_map_add_number(&s.m, 7, -1) == 4294967295.0);
  assert_true(sw_map_add_number(&s.m, 7, 2) == 1);
  map_scene_close(&s);
  map_scene_open(&s, SMALL_REGION, (sw_map_options){.flags = SW_MAP_I64});
  int64_t amount = INT64_MAX;
  assert_int_equal(sw_map_add_integer(&s.m, SW_MAP_STRING, "s", 1, &amount), 1);
  amount = 2;
  assert_int_equal(sw_map_add_integer(&s.m, SW_MAP_STRING, "s", 1, &amount), 2);
  assert_true(amount == INT64_MIN + 1);
  map_scene_close(&s);
}

static void a_change_of_a_value_allocates_nothing(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, SMALL_REGION, (sw_map_options){.flags = SW_MAP_F64});
  for (int i = 0; i < 100; i++) map_put(&s.m, i, i);
  for (int i = 0; i < 100; i++) sw_map_add_number(&s.m, i, 1);
  uint64_t blocks = heap_stats(&s.heap.h).blocks;
  for (int i = 0; i < 10000; i++) {
    sw_map_add_number(&s.m, i % 100, 1);
    assert_int_equal(heap_stats(&s.heap.h).blocks, blocks);
  }
  map_scene_close(&s);
}

/* Random operations on few keys, so that buckets fill and empty; and on many, so that it grows. */
static void random_steps(uint32_t keys, uint32_t steps, uint64_t bytes) {
  map_scene s;
  heap_scene_open(&s.heap, bytes);
  uint64_t before = heap_stats(&s.heap.h).blocks;
  heap_scene_close(&s.heap);
  map_scene_open(&s, bytes, (sw_map_options){0});
  double *expected = calloc(keys, sizeof(*expected));
  uint64_t random = 88172645463325252u;
  uint32_t size = 0;
  for (uint32_t i = 0; i < steps; i++) {
    uint32_t key = random_next(&random) % keys;
    switch (random_next(&random) % 4) {
      case 0:
      case 1:
        assert_int_equal(map_put(&s.m, key, i + 1), expected[key] != 0 ? 2 : 1);
        size += expected[key] == 0;
        expected[key] = i + 1;
        break;
      case 2:
        assert_int_equal(map_delete(&s.m, key), expected[key] != 0);
        size -= expected[key] != 0;
        expected[key] = 0;
        break;
      default: {
        double value = map_get(&s.m, key);
        assert_true(expected[key] == 0 ? value != value : value == expected[key]);
      }
    }
    assert_int_equal(sw_map_size(&s.m), size);
  }
  for (uint32_t key = 0; key < keys; key++) {
    double value = map_get(&s.m, key);
    assert_true(expected[key] == 0 ? value != value : value == expected[key]);
  }
  assert_int_equal(sw_map_check(&s.m), SW_OK);
  assert_int_equal(sw_map_size(&s.m), size);
  assert_int_equal(sw_heap_check(&s.heap.h), SW_OK);
  /* one more is the control block, which stays, and the registry's first block */
  map_free_all(&s, before + 2);
  free(expected);
  map_scene_close(&s);
}

static void random_operations_are_those_of_an_array(void **state) {
  (void)state;
  random_steps(20, STEPS, SMALL_REGION);
  random_steps(KEYS, STEPS, SMALL_REGION);
  random_steps(20000, STEPS, MIDDLE_REGION);
}

static void all_entries_are_walked_once(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, MIDDLE_REGION, (sw_map_options){0});
  uint8_t *seen = calloc(20000, 1);
  for (uint32_t count = 0; count < 20000; count++) {
    map_put(&s.m, count, count);
    if (count % 1999 != 0) continue;
    memset(seen, 0, 20000);
    sw_map_cursor cursor = {0, 0, 0, 0};
    _Alignas(8) uint8_t out[4096];
    uint32_t entries = 0;
    for (int bytes; (bytes = sw_map_next(&s.m, &cursor, out, sizeof(out))) != 0;) {
      assert_true(bytes > 0 && bytes % 32 == 0);
      for (int at = 0; at < bytes; at += 32) {
        double key;
        memcpy(&key, out + at + 16, 8);
        assert_int_equal(seen[(int)key]++, 0);
        entries++;
      }
    }
    assert_int_equal(entries, count + 1);
  }
  free(seen);
  map_scene_close(&s);
}

/* Entries that are there all the time are seen once, though the map grows during the walk. */
static void a_walk_goes_on_while_the_map_grows(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, MIDDLE_REGION, (sw_map_options){0});
  uint8_t seen[1000] = {0};
  for (int i = 0; i < 1000; i++) map_put(&s.m, i, i);
  sw_map_cursor cursor = {0, 0, 0, 0};
  _Alignas(8) uint8_t out[512];
  int more = 1000;
  for (int bytes; (bytes = sw_map_next(&s.m, &cursor, out, sizeof(out))) != 0;) {
    assert_true(bytes > 0);
    for (int at = 0; at < bytes; at += 32) {
      double key;
      memcpy(&key, out + at + 16, 8);
      if (key < 1000) assert_int_equal(seen[(int)key]++, 0);
    }
    for (int i = 0; i < 200 && more < 12000; i++) map_put(&s.m, more++, 0);
  }
  for (int i = 0; i < 1000; i++) assert_int_equal(seen[i], 1);
  assert_int_equal(sw_map_size(&s.m), more);
  map_scene_close(&s);
}

static void clear_takes_all(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, MIDDLE_REGION, (sw_map_options){0});
  for (int i = 0; i < 5000; i++) map_put(&s.m, i, i);
  assert_int_equal(sw_map_clear(&s.m), SW_OK);
  assert_int_equal(sw_map_size(&s.m), 0);
  for (int i = 0; i < 5000; i++) assert_int_equal(map_delete(&s.m, i), 0);
  assert_int_equal(map_put(&s.m, 3, 4), 1);
  map_scene_close(&s);
}

static void a_freed_map_is_told_from_the_next(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, SMALL_REGION, (sw_map_options){0});
  map_put(&s.m, 1, 1);
  uint64_t blocks = heap_stats(&s.heap.h).blocks;
  assert_int_equal(sw_map_free(&s.heap.h, s.at, 0), SW_OK);
  assert_int_equal(sw_map_free(&s.heap.h, s.at, 1), SW_EFREED);
  assert_int_equal(map_put(&s.m, 1, 1), SW_EFREED);
  double none = sw_map_get_number(&s.m, 1);
  assert_true(none != none && s.m.status == SW_EFREED);
  sw_map_options options = {.seed = 1};
  assert_int_equal(sw_map_new(&s.heap.h, &options), s.at);
  assert_int_equal(map_put(&s.m, 1, 1), SW_EFREED);
  assert_int_equal(sw_map_clear(&s.m), SW_EFREED);
  sw_map_handle next;
  assert_int_equal(sw_map_open(&next, &s.heap.h, s.at, 1), SW_EFREED);
  assert_int_equal(sw_map_open(&next, &s.heap.h, s.at, 0), SW_OK);
  assert_int_equal(map_put(&next, 1, 1), 1);
  assert_int_equal(heap_stats(&s.heap.h).blocks, blocks);
  map_scene_close(&s);
}

/* Without room for a larger table the buckets hold more. */
static void a_full_heap_is_told_and_nothing_is_lost(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, SMALL_REGION, (sw_map_options){0});
  uint32_t count = 0;
  int status;
  while ((status = map_put(&s.m, count, count)) == 1) count++;
  assert_int_equal(status, SW_EHEAPFULL);
  assert_true(count > 10000);
  assert_int_equal(sw_map_size(&s.m), count);
  for (uint32_t i = 0; i < count; i++) assert_true(map_get(&s.m, i) == i);
  assert_int_equal(sw_map_check(&s.m), SW_OK);
  assert_int_equal(sw_map_clear(&s.m), SW_OK);
  assert_int_equal(map_put(&s.m, 1, 2), 1);
  map_scene_close(&s);
}

/* One bucket for all: blocks that say how many there are. */
static void a_crowded_bucket_is_right(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, SMALL_REGION, (sw_map_options){0});
  sw_map_handle *m = &s.m;
  m->until = UINT32_MAX; /* it does not grow */
  uint32_t added[40], count = 0;
  for (uint32_t key = 0; count < 40; key++) {
    if ((swi_key_number(m, key).hash & 15) != 3) continue;
    added[count] = key;
    /* the crowd would make it grow: keep it busy */
    m->until = UINT32_MAX;
    assert_int_equal(map_put(m, key, count), 1);
    for (uint32_t i = 0; i <= count; i++) assert_true(map_get(m, added[i]) == i);
    count++;
  }
  for (uint32_t i = 0; i < 40; i += 2) assert_int_equal(map_delete(m, added[i]), 1);
  for (uint32_t i = 0; i < 40; i++) {
    double value = map_get(m, added[i]);
    assert_true(i % 2 == 0 ? value != value : value == i);
  }
  assert_int_equal(sw_map_check(m), SW_OK);
  map_scene_close(&s);
}

static void the_least_used_make_room(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, SMALL_REGION, (sw_map_options){.flags = SW_MAP_LRU, .most = 100});
  for (int i = 0; i < 100; i++) assert_int_equal(map_put(&s.m, i, i), 1);
  for (int i = 0; i < 20; i++) map_get(&s.m, i);
  for (int i = 100; i < 160; i++) {
    map_put(&s.m, i, i);
    assert_int_equal(sw_map_size(&s.m), 100);
  }
  int kept = 0;
  for (int i = 0; i < 20; i++) kept += map_get(&s.m, i) == i;
  assert_true(kept >= 17);
  for (int i = 0; i < 10000; i++) map_put(&s.m, i, i);
  assert_int_equal(sw_map_size(&s.m), 100);
  assert_int_equal(sw_map_check(&s.m), SW_OK);
  map_scene_close(&s);
}

static void entries_expire(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, SMALL_REGION, (sw_map_options){.flags = SW_MAP_TTL});
  s.m.now = 1000;
  s.m.expires = 1500;
  for (int i = 0; i < 1000; i++) map_put(&s.m, i, i);
  s.m.expires = 0;
  map_put(&s.m, 5000, 1);
  s.m.now = 1499;
  assert_true(map_get(&s.m, 7) == 7);
  s.m.now = 1500;
  assert_true(map_get(&s.m, 7) != 7);
  assert_true(map_get(&s.m, 5000) == 1);
  assert_int_equal(map_delete(&s.m, 7), 0);
  assert_int_equal(map_text(&s.m, "a", "b", SW_MAP_REPLACE), 0);
  double key = 8, value = 9;
  assert_int_equal(sw_map_put(&s.m, SW_MAP_NUMBER, &key, 8, SW_MAP_NUMBER, &value, 8, SW_MAP_REPLACE), 0);
  assert_int_equal(sw_map_put(&s.m, SW_MAP_NUMBER, &key, 8, SW_MAP_NUMBER, &value, 8, SW_MAP_INSERT), 1);
  assert_true(map_get(&s.m, 8) == 9);
  sw_map_cursor cursor = {0, 0, 0, 0};
  _Alignas(8) uint8_t out[65536];
  assert_int_equal(sw_map_next(&s.m, &cursor, out, sizeof(out)), 64);
  assert_true(sw_map_prune(&s.m) > 900);
  assert_int_equal(sw_map_size(&s.m), 2);
  assert_int_equal(sw_map_prune(&s.m), 0);
  assert_int_equal(sw_map_check(&s.m), SW_OK);
  /* without a call for it they go as others come */
  s.m.expires = 2000;
  for (int i = 0; i < 1000; i++) map_put(&s.m, i, i);
  s.m.now = 2000;
  s.m.expires = 3000;
  for (int i = 1000; i < 3000; i++) map_put(&s.m, i, i);
  assert_true(sw_map_size(&s.m) < 2100);
  map_scene_close(&s);
}

/* What the handle says of time is for maps with SW_MAP_TTL. */
static void entries_of_other_maps_stay(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, SMALL_REGION, (sw_map_options){0});
  s.m.now = 1000;
  s.m.expires = 1;
  for (int i = 0; i < 1000; i++) map_put(&s.m, i, i);
  assert_int_equal(map_text(&s.m, "key", "value", SW_MAP_SET), 1);
  for (int i = 0; i < 1000; i++) assert_true(map_get(&s.m, i) == i);
  char out[8];
  assert_int_equal(sw_map_get(&s.m, SW_MAP_STRING, "key", 3, out, sizeof(out)), SW_MAP_STRING);
  assert_int_equal(sw_map_prune(&s.m), 0);
  assert_int_equal(sw_map_size(&s.m), 1001);
  assert_int_equal(sw_map_check(&s.m), SW_OK);
  map_scene_close(&s);
}

static void blocks_are_all_that_it_owns(void **state) {
  (void)state;
  map_scene s;
  map_scene_open(&s, MIDDLE_REGION, (sw_map_options){0});
  for (int i = 0; i < 3000; i++) map_put(&s.m, i, i);
  sw_map_close(&s.m);
  uint64_t bytes = sw_heap_marks_bytes(&s.heap.h);
  void *marks = calloc(1, (size_t)bytes);
  uint32_t out[2000];
  sw_map_block_cursor cursor = {0, 0, 0};
  for (int count; (count = sw_map_blocks(&s.heap.h, s.at, &cursor, out, 2000)) > 0;) {
    for (int i = 0; i < count; i++) assert_true(sw_heap_mark(&s.heap.h, marks, out[i]) >= 0);
  }
  sw_heap_cursor walk = {0, 0};
  sw_heap_block block;
  int missing = 0;
  while (sw_heap_walk(&s.heap.h, &walk, &block) == 1) missing += sw_heap_mark(&s.heap.h, marks, block.at) == 1;
  assert_int_equal(missing, 2); /* the control block, and the registry's */
  free(marks);
  map_scene_close(&s);
}

static void wrong_options_are_refused(void **state) {
  (void)state;
  map_scene s;
  heap_scene_open(&s.heap, SMALL_REGION);
  assert_int_equal(sw_map_new(&s.heap.h, &(sw_map_options){.flags = 1024}), 0);
  assert_int_equal(s.heap.h.status, SW_EINVAL);
  assert_int_equal(sw_map_new(&s.heap.h, &(sw_map_options){.flags = SW_MAP_LRU}), 0);
  assert_int_equal(sw_map_new(&s.heap.h, &(sw_map_options){.capacity = 1 << 30}), 0);
  assert_int_equal(s.heap.h.status, SW_EHEAPFULL);
  assert_int_equal(sw_map_open(&s.m, &s.heap.h, s.heap.h.begin + 48, 0), SW_EFREED);
  assert_int_equal(sw_map_open(&s.m, &s.heap.h, 16, 0), SW_EWILD);
  map_scene_close(&s);
}

TESTS(TEST(sets_gets_and_deletes), TEST(zero_and_nan_are_keys_as_in_javascript), TEST(keys_of_all_kinds_are_whole),
      TEST(modes_say_when_to_put), TEST(sums), TEST(a_change_of_a_value_allocates_nothing),
      TEST(random_operations_are_those_of_an_array), TEST(all_entries_are_walked_once),
      TEST(a_walk_goes_on_while_the_map_grows), TEST(clear_takes_all), TEST(a_freed_map_is_told_from_the_next),
      TEST(a_full_heap_is_told_and_nothing_is_lost), TEST(a_crowded_bucket_is_right), TEST(the_least_used_make_room),
      TEST(entries_expire), TEST(entries_of_other_maps_stay), TEST(blocks_are_all_that_it_owns),
      TEST(wrong_options_are_refused));
