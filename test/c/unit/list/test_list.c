/* Lists: every size of element against an array of this process, readers that others overtake, what
 * the next holder of the lock makes good, and threads. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "../heap/heap_helper.h"

#include <pthread.h>

#include "sabway/list.h"
#include "sabway/mutex.h"

typedef struct scene {
  heap_scene s;
  uint32_t at, generation;
} scene;

static void make(scene *c, uint32_t type, uint32_t components) {
  c->at = sw_list_new(&c->s.h, type, components);
  assert_int_not_equal(c->at, 0);
  assert_int_equal(sw_object_type(&c->s.h, c->at, &c->generation), SW_TYPE_LIST);
}

static void open_list(scene *c, uint64_t size, uint32_t type, uint32_t components) {
  heap_scene_open(&c->s, size);
  make(c, type, components);
}

static sw_list *list_of(const scene *c) { return (sw_list *)(void *)(c->s.r.base + c->at); }
static sw_node *node_of(const scene *c, uint32_t at) { return (sw_node *)(void *)(c->s.r.base + at); }
static int insert(scene *c, const void *from) { return sw_list_insert(&c->s.h, c->at, c->generation, from); }
static int check(scene *c) { return sw_list_check(&c->s.h, c->at, c->generation); }

static void insert_numbers(scene *c, uint32_t first, uint32_t behind) {
  for (uint32_t i = first; i < behind; i++) assert_int_equal(insert(c, &i), SW_OK);
}

/* ---- against an array ---- */

enum { MOST = 300, WIDEST = 64 };

typedef struct listed {
  uint32_t node, number;
  uint8_t bytes[WIDEST];
} listed;

static uint32_t next(uint32_t *seed) {
  *seed = *seed * 1664525 + 1013904223;
  return *seed >> 8;
}

/* All of it, read with that much room at a time. */
static uint32_t read_all(scene *c, listed *found, uint32_t size, uint32_t room) {
  uint32_t stride = 8 + (size + 7) / 8 * 8, count = 0;
  static uint8_t to[4096];
  sw_list_cursor cursor = {0};
  int nodes;
  while ((nodes = sw_list_read(&c->s.h, c->at, c->generation, &cursor, to, room)) > 0) {
    assert_true((uint32_t)nodes <= room / stride);
    for (int i = 0; i < nodes; i++) {
      memcpy(&found[count].node, to + (uint32_t)i * stride, 8);
      memcpy(found[count++].bytes, to + (uint32_t)i * stride + 8, size);
    }
  }
  assert_int_equal(nodes, 0);
  assert_int_equal(cursor.index, count);
  return count;
}

static void compare(scene *c, listed *array, uint32_t length, uint32_t size, uint32_t room) {
  static listed found[MOST];
  assert_int_equal(check(c), SW_OK);
  assert_int_equal(read_all(c, found, size, room), length);
  for (uint32_t i = 0; i < length; i++) {
    assert_memory_equal(found[i].bytes, array[i].bytes, size);
    array[i].node = found[i].node;
    array[i].number = found[i].number;
  }
}

static void like_an_array(scene *c, uint32_t size, uint32_t turns, uint32_t seed) {
  static listed array[MOST + 1];
  uint32_t length = 0, least = 8 + (size + 7) / 8 * 8;
  for (uint32_t turn = 0; turn < turns; turn++) {
    uint32_t what = next(&seed) % 16, i = length == 0 ? 0 : next(&seed) % length;
    uint8_t bytes[WIDEST], taken[WIDEST];
    for (uint32_t k = 0; k < size; k++) bytes[k] = (uint8_t)next(&seed);
    if (what < 9 && length < MOST) {
      assert_int_equal(insert(c, bytes), SW_OK);
      memcpy(array[length].bytes, bytes, size);
      array[length++].node = 0;
    } else if (what < 12) {
      assert_int_equal(sw_list_delete_index(&c->s.h, c->at, c->generation, i, taken), length != 0);
      if (length == 0) continue;
      assert_memory_equal(taken, array[i].bytes, size);
      memmove(&array[i], &array[i + 1], sizeof(listed) * (--length - i));
    } else if (what < 15) {
      compare(c, array, length, size, least * (1 + next(&seed) % 5));
      if (length == 0) continue;
      if (what == 12) {
        uint32_t node = array[i].node;
        assert_int_equal(sw_list_set(&c->s.h, c->at, c->generation, &node, array[i].number, bytes), 1);
        memcpy(array[i].bytes, bytes, size);
        if (node == array[i].node) continue;
        assert_int_equal(sw_list_delete(&c->s.h, c->at, c->generation, array[i].node, array[i].number), 0);
      } else {
        listed gone = array[i];
        assert_int_equal(sw_list_delete(&c->s.h, c->at, c->generation, gone.node, gone.number + 1), 0);
        assert_int_equal(sw_list_delete(&c->s.h, c->at, c->generation, gone.node, gone.number), 1);
        assert_int_equal(sw_list_delete(&c->s.h, c->at, c->generation, gone.node, gone.number), 0);
        assert_int_equal(sw_list_set(&c->s.h, c->at, c->generation, &gone.node, gone.number, bytes), 0);
        memmove(&array[i], &array[i + 1], sizeof(listed) * (--length - i));
      }
    } else if (next(&seed) % 32 == 0) {
      assert_int_equal(sw_list_clear(&c->s.h, c->at, c->generation), SW_OK);
      length = 0;
      assert_int_equal(heap_stats(&c->s.h).blocks, 1 + 1);
    }
  }
  compare(c, array, length, size, 4096);
  assert_int_equal(sw_list_delete_index(&c->s.h, c->at, c->generation, length, NULL), 0);
  assert_int_equal(sw_list_delete_index(&c->s.h, c->at, c->generation, UINT32_MAX, NULL), 0);
}

static void every_size_is_like_an_array(void **state) {
  (void)state;
  static const struct {
    uint32_t type, components, size;
  } rows[] = {
      {SW_COMPONENT_U8, 1, 1},  {SW_COMPONENT_U8_CLAMPED, 3, 3}, {SW_COMPONENT_I16, 1, 2},  {SW_COMPONENT_U32, 1, 4},
      {SW_COMPONENT_U16, 3, 6}, {SW_COMPONENT_F64, 1, 8},        {SW_COMPONENT_F32, 3, 12}, {SW_COMPONENT_I64, 8, 64},
  };
  scene c;
  heap_scene_open(&c.s, MIDDLE_REGION);
  for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    make(&c, rows[i].type, rows[i].components);
    like_an_array(&c, rows[i].size, 3000, i);
    assert_int_equal(sw_list_free(&c.s.h, c.at, c.generation), SW_OK);
    assert_int_equal(heap_stats(&c.s.h).blocks, 1 + 1); /* the control block, and the registry's */
  }
  assert_int_equal(sw_heap_check(&c.s.h), SW_OK);
  heap_scene_close(&c.s);
}

static void elements_that_cannot_be_are_refused(void **state) {
  (void)state;
  scene c;
  open_list(&c, SMALL_REGION, SW_COMPONENT_F64, 64);
  static const uint32_t rows[][3] = {{3, 1, (uint32_t)SW_EINVAL},
                                     {SW_COMPONENT_F64, 0, (uint32_t)SW_ERANGE},
                                     {SW_COMPONENT_F64, 65, (uint32_t)SW_ERANGE},
                                     {SW_COMPONENT_U8, 513, (uint32_t)SW_ERANGE}};
  for (uint32_t i = 0; i < 4; i++) {
    assert_int_equal(sw_list_new(&c.s.h, rows[i][0], rows[i][1]), 0);
    assert_int_equal(c.s.h.status, (int)rows[i][2]);
  }
  double element[64] = {1};
  assert_int_equal(insert(&c, element), SW_OK);
  sw_list_cursor cursor = {0};
  uint8_t to[520];
  assert_int_equal(sw_list_read(&c.s.h, c.at, c.generation, &cursor, to, 519), SW_ERANGE);
  assert_int_equal(sw_list_read(&c.s.h, c.at, c.generation, &cursor, to, 520), 1);
  assert_int_equal(sw_list_read(&c.s.h, c.at, c.generation, &cursor, to, 520), 0);
  heap_scene_close(&c.s);
}

static void a_freed_list_is_refused(void **state) {
  (void)state;
  scene c;
  open_list(&c, SMALL_REGION, SW_COMPONENT_U32, 1);
  insert_numbers(&c, 0, 10);
  assert_int_equal(sw_list_free(&c.s.h, c.at, c.generation), SW_OK);
  assert_int_equal(heap_stats(&c.s.h).blocks, 1 + 1);
  uint32_t element = 7, node = 16;
  for (int again = 0; again < 2; again++) {
    uint8_t to[64];
    sw_list_cursor cursor = {0};
    assert_int_equal(insert(&c, &element), SW_EFREED);
    assert_int_equal(sw_list_read(&c.s.h, c.at, c.generation, &cursor, to, 64), SW_EFREED);
    assert_int_equal(sw_list_delete(&c.s.h, c.at, c.generation, node, 1), SW_EFREED);
    assert_int_equal(sw_list_delete_index(&c.s.h, c.at, c.generation, 0, to), SW_EFREED);
    assert_int_equal(sw_list_set(&c.s.h, c.at, c.generation, &node, 1, &element), SW_EFREED);
    assert_int_equal(sw_list_clear(&c.s.h, c.at, c.generation), SW_EFREED);
    assert_int_equal(sw_list_free(&c.s.h, c.at, c.generation), SW_EFREED);
    assert_int_equal(check(&c), SW_EFREED);
    if (again == 0) assert_int_equal(sw_list_new(&c.s.h, SW_COMPONENT_U32, 1), c.at);
  }
  heap_scene_close(&c.s);
}

/* ---- readers ---- */

static uint32_t read_one(scene *c, sw_list_cursor *cursor) {
  uint32_t to[4];
  int nodes = sw_list_read(&c->s.h, c->at, c->generation, cursor, to, sizeof(to));
  assert_true(nodes == 0 || nodes == 1);
  return nodes == 0 ? UINT32_MAX : to[2];
}

static void drop(scene *c, uint32_t index) {
  assert_int_equal(sw_list_delete_index(&c->s.h, c->at, c->generation, index, NULL), 1);
}

static void a_reader_goes_on_behind_what_it_has_read(void **state) {
  (void)state;
  scene c;
  open_list(&c, SMALL_REGION, SW_COMPONENT_U32, 1);
  insert_numbers(&c, 0, 6);
  sw_list_cursor cursor = {0};
  assert_int_equal(read_one(&c, &cursor), 0);
  assert_int_equal(read_one(&c, &cursor), 1);
  drop(&c, 1); /* the one that it stands at */
  assert_int_equal(read_one(&c, &cursor), 2);
  drop(&c, 0); /* before it */
  drop(&c, 1); /* behind it */
  assert_int_equal(read_one(&c, &cursor), 4);
  assert_int_equal(read_one(&c, &cursor), 5);
  assert_int_equal(read_one(&c, &cursor), UINT32_MAX);
  insert_numbers(&c, 6, 7);
  assert_int_equal(read_one(&c, &cursor), 6);
  assert_int_equal(sw_list_clear(&c.s.h, c.at, c.generation), SW_OK);
  assert_int_equal(read_one(&c, &cursor), UINT32_MAX);
  insert_numbers(&c, 7, 8);
  assert_int_equal(read_one(&c, &cursor), 7);
  assert_int_equal(cursor.index, 7);
  heap_scene_close(&c.s);
}

static void numbers_begin_again_when_they_are_used_up(void **state) {
  (void)state;
  scene c;
  open_list(&c, SMALL_REGION, SW_COMPONENT_U32, 1);
  list_of(&c)->last = UINT32_MAX - 3;
  insert_numbers(&c, 0, 3);
  assert_int_equal(list_of(&c)->last, UINT32_MAX);
  sw_list_cursor cursor = {0};
  assert_int_equal(read_one(&c, &cursor), 0);
  assert_int_equal(read_one(&c, &cursor), 1);
  insert_numbers(&c, 3, 5);
  assert_int_equal(list_of(&c)->last, 5);
  assert_int_equal(check(&c), SW_OK);
  for (uint32_t i = 2; i < 5; i++) assert_int_equal(read_one(&c, &cursor), i); /* by its index */
  assert_int_equal(read_one(&c, &cursor), UINT32_MAX);
  heap_scene_close(&c.s);
}

/* ---- what a crash leaves ---- */

static void die_with_the_lock(scene *c, const sw_heap *other) {
  sw_mutex *lock = &list_of(c)->object.lock;
  assert_int_equal(sw_mutex_try_lock(c->s.r.base, lock, other->endpoint), SW_OK);
  uint32_t element = 0;
  assert_int_equal(insert(c, &element), SW_EBUSY);
  assert_int_equal(sw_list_free(&c->s.h, c->at, c->generation), SW_EBUSY);
  sw_endpoint_release_role(c->s.r.base, sw_endpoint_role(c->s.r.base, other->endpoint));
}

static void what_follows_from_the_nodes_is_made_anew(void **state) {
  (void)state;
  scene c;
  sw_heap other;
  open_list(&c, SMALL_REGION, SW_COMPONENT_U32, 1);
  insert_numbers(&c, 0, 5);
  heap_open(&other, &c.s.r);
  die_with_the_lock(&c, &other);
  sw_list *list = list_of(&c);
  uint32_t version = list->version, second = node_of(&c, list->head)->next;
  node_of(&c, second)->previous = 0;
  list->tail = list->head;
  list->count = 1;
  list->last = 2;
  assert_int_equal(check(&c), SW_OK);
  assert_int_equal(list->count, 5);
  assert_int_equal(list->last, 5);
  assert_int_not_equal(list->version, version); /* readers look anew */
  insert_numbers(&c, 5, 6);
  sw_list_cursor cursor = {0};
  for (uint32_t i = 0; i < 6; i++) assert_int_equal(read_one(&c, &cursor), i);
  heap_scene_close(&c.s);
}

static void a_clearing_is_ended_or_has_not_begun(void **state) {
  (void)state;
  for (int begun = 0; begun <= 1; begun++) {
    scene c;
    sw_heap other;
    open_list(&c, SMALL_REGION, SW_COMPONENT_U32, 1);
    insert_numbers(&c, 0, 5);
    heap_open(&other, &c.s.r);
    die_with_the_lock(&c, &other);
    list_of(&c)->garbage = list_of(&c)->head;
    if (begun) list_of(&c)->head = 0;
    assert_int_equal(check(&c), SW_OK);
    sw_list_cursor cursor = {0};
    assert_int_equal(read_one(&c, &cursor), begun ? UINT32_MAX : 0);
    assert_int_equal(heap_stats(&c.s.h).blocks, 1 + 1 + (begun ? 0 : 5));
    heap_scene_close(&c.s);
  }
}

static void words_that_cannot_be_are_corrupt(void **state) {
  (void)state;
  scene c;
  open_list(&c, SMALL_REGION, SW_COMPONENT_U32, 1);
  insert_numbers(&c, 0, 5);
  sw_list *list = list_of(&c), good = *list;
  uint32_t bad[] = {8, list->head + 4, (uint32_t)c.s.r.size, UINT32_MAX - 15}, element = 1, to[4];
  for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    sw_list_cursor cursor = {0};
    list->head = bad[i];
    assert_int_equal(sw_list_read(&c.s.h, c.at, c.generation, &cursor, to, sizeof(to)), SW_ECORRUPT);
    assert_int_equal(sw_list_delete_index(&c.s.h, c.at, c.generation, 0, NULL), SW_ECORRUPT);
    assert_int_equal(check(&c), SW_ECORRUPT);
    list->head = good.head;
    list->tail = bad[i];
    assert_int_equal(insert(&c, &element), SW_ECORRUPT);
    assert_int_equal(sw_list_delete_index(&c.s.h, c.at, c.generation, 4, NULL), SW_ECORRUPT);
    list->tail = good.tail;
    assert_int_equal(sw_list_delete(&c.s.h, c.at, c.generation, bad[i], 1), 0);
  }
  uint32_t shapes[] = {0, 0x40 | 1 << 16, SW_COMPONENT_F64 | 65 << 16};
  for (uint32_t i = 0; i < 3; i++) {
    list->shape = shapes[i];
    assert_int_equal(insert(&c, &element), SW_ECORRUPT);
  }
  list->shape = good.shape;
  /* a circle: each call ends */
  node_of(&c, good.tail)->next = good.head;
  assert_int_equal(check(&c), SW_ECORRUPT);
  sw_list_cursor cursor = {0};
  for (int i = 0; i < 7; i++) read_one(&c, &cursor);
  list->version++;
  assert_int_not_equal(sw_list_read(&c.s.h, c.at, c.generation, &cursor, to, sizeof(to)), 0);
  assert_int_equal(sw_list_clear(&c.s.h, c.at, c.generation), SW_OK);
  heap_scene_close(&c.s);
}

/* ---- threads ---- */

enum { THREADS = 4, TURNS = 30000 };

typedef struct worker {
  scene *c;
  uint32_t number;
} worker;

/* Elements of three words: the thread, a count, and their sum. Those of one thread are in order. */
static void check_entries(const uint32_t *to, int nodes, uint32_t *last) {
  for (int i = 0; i < nodes; i++) {
    const uint32_t *entry = to + 6 * i, *data = entry + 2;
    assert_true(data[0] < THREADS && data[2] == data[0] + data[1]);
    assert_true(data[1] > last[data[0]]);
    last[data[0]] = data[1];
  }
}

static void *change_at_random(void *argument) {
  worker *w = argument;
  sw_heap h;
  heap_open(&h, &w->c->s.r);
  uint32_t seed = w->number + 1, at = w->c->at, generation = w->c->generation, count = 0;
  for (uint32_t turn = 0; turn < TURNS; turn++) {
    uint32_t what = next(&seed) % 16, to[60], last[THREADS] = {0};
    int status;
    if (what < 6) {
      uint32_t data[3] = {w->number, ++count, w->number + count};
      while ((status = sw_list_insert(&h, at, generation, data)) == SW_EBUSY) continue;
    } else if (what < 11) {
      status = sw_list_delete_index(&h, at, generation, next(&seed) % 20, NULL);
    } else {
      sw_list_cursor cursor = {0};
      for (int batch = 0; batch < 3; batch++) {
        status = sw_list_read(&h, at, generation, &cursor, to, sizeof(to));
        check_entries(to, status, last);
        if (status <= 0) break;
      }
      if (status > 0 && what == 15) status = sw_list_delete(&h, at, generation, to[0], to[1]);
    }
    assert_true(status >= 0 || status == SW_EBUSY);
  }
  sw_heap_close(&h);
  return NULL;
}

static void readers_see_whole_elements_in_order(void **state) {
  (void)state;
  scene c;
  open_list(&c, MIDDLE_REGION, SW_COMPONENT_U32, 3);
  worker workers[THREADS];
  pthread_t threads[THREADS];
  for (uint32_t i = 0; i < THREADS; i++) {
    workers[i] = (worker){&c, i};
    assert_int_equal(pthread_create(&threads[i], NULL, change_at_random, &workers[i]), 0);
  }
  for (uint32_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  assert_int_equal(check(&c), SW_OK);
  assert_int_equal(heap_stats(&c.s.h).blocks, 1 + 1 + list_of(&c)->count);
  assert_int_equal(sw_list_free(&c.s.h, c.at, c.generation), SW_OK);
  assert_int_equal(heap_stats(&c.s.h).blocks, 1 + 1);
  heap_scene_close(&c.s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_size_is_like_an_array),
      cmocka_unit_test(elements_that_cannot_be_are_refused),
      cmocka_unit_test(a_freed_list_is_refused),
      cmocka_unit_test(a_reader_goes_on_behind_what_it_has_read),
      cmocka_unit_test(numbers_begin_again_when_they_are_used_up),
      cmocka_unit_test(what_follows_from_the_nodes_is_made_anew),
      cmocka_unit_test(a_clearing_is_ended_or_has_not_begun),
      cmocka_unit_test(words_that_cannot_be_are_corrupt),
      cmocka_unit_test(readers_see_whole_elements_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
