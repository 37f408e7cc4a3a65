/* Vectors: every shape against an array of this process, what the next holder of the lock makes
 * good, and threads. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "../heap/heap_helper.h"

#include <pthread.h>

#include "sabway/mutex.h"
#include "sabway/vector.h"

typedef struct scene {
  heap_scene s;
  uint32_t at, generation;
} scene;

static void make(scene *c, uint32_t type, uint32_t components, uint32_t capacity) {
  c->at = sw_vector_new(&c->s.h, type, components, capacity);
  assert_int_not_equal(c->at, 0);
  assert_int_equal(sw_object_type(&c->s.h, c->at, &c->generation), SW_TYPE_VECTOR);
}

static void open_vector(scene *c, uint64_t size, uint32_t type, uint32_t components, uint32_t capacity) {
  heap_scene_open(&c->s, size);
  make(c, type, components, capacity);
}

static sw_vector *vector_of(const scene *c) { return (sw_vector *)(void *)(c->s.r.base + c->at); }
static int push(scene *c, const void *from) { return sw_vector_push(&c->s.h, c->at, c->generation, from); }
static int pop(scene *c, void *to) { return sw_vector_pop(&c->s.h, c->at, c->generation, to); }
static int get(scene *c, uint32_t i, void *to) { return sw_vector_get(&c->s.h, c->at, c->generation, i, to); }
static int set(scene *c, uint32_t i, const void *from) { return sw_vector_set(&c->s.h, c->at, c->generation, i, from); }
static int drop(scene *c, uint32_t i) { return sw_vector_delete(&c->s.h, c->at, c->generation, i); }
static int check(scene *c) { return sw_vector_check(&c->s.h, c->at, c->generation); }

/* ---- against an array ---- */

enum { MOST = 700, WIDEST = 64 };

static uint32_t next(uint32_t *seed) {
  *seed = *seed * 1664525 + 1013904223;
  return *seed >> 8;
}

static void compare(scene *c, uint8_t (*array)[WIDEST], uint32_t length, uint32_t size) {
  uint8_t found[WIDEST + 1];
  assert_int_equal(check(c), SW_OK);
  assert_int_equal(sw_vector_length(&c->s.h, c->at), length);
  for (uint32_t i = 0; i < length; i++) {
    found[size] = 0xee;
    assert_int_equal(get(c, i, found), 1);
    assert_memory_equal(found, array[i], size);
    assert_int_equal(found[size], 0xee);
    uint32_t at = sw_vector_locate(&c->s.h, c->at, c->generation, i);
    assert_memory_equal(c->s.r.base + at, array[i], size);
  }
  assert_int_equal(get(c, length, found), 0);
  assert_int_equal(set(c, length, found), 0);
  assert_int_equal(drop(c, length), 0);
  assert_int_equal(sw_vector_locate(&c->s.h, c->at, c->generation, length), 0);
}

static void fill_random(uint8_t *element, uint32_t size, uint32_t *seed) {
  for (uint32_t i = 0; i < size; i++) element[i] = (uint8_t)next(seed);
}

static void like_an_array(scene *c, uint32_t size, uint32_t turns, uint32_t seed) {
  static uint8_t array[MOST][WIDEST];
  uint32_t length = 0;
  uint8_t element[WIDEST];
  for (uint32_t turn = 0; turn < turns; turn++) {
    uint32_t what = next(&seed) % 16, i = length == 0 ? 0 : next(&seed) % length;
    fill_random(element, size, &seed);
    if (what < 8 && length < MOST) {
      assert_int_equal(push(c, element), SW_OK);
      memcpy(array[length++], element, size);
    } else if (what < 11) {
      assert_int_equal(pop(c, element), length != 0);
      if (length != 0) assert_memory_equal(element, array[--length], size);
    } else if (what < 13) {
      assert_int_equal(drop(c, i), length != 0);
      if (length != 0) memmove(array[i], array[i + 1], (size_t)(--length - i) * WIDEST);
    } else if (what < 15) {
      assert_int_equal(set(c, i, element), length != 0);
      if (length != 0) memcpy(array[i], element, size);
    } else if (next(&seed) % 64 == 0) {
      assert_int_equal(sw_vector_clear(&c->s.h, c->at, c->generation), SW_OK);
      length = 0;
    } else {
      uint32_t count = next(&seed) % 100;
      if (length + count > MOST) continue;
      assert_int_equal(sw_vector_begin_push(&c->s.h, c->at, c->generation, count), SW_OK);
      /* it has the lock */
      assert_int_equal(sw_vector_begin_push(&c->s.h, c->at, c->generation, 1), SW_ECORRUPT);
      assert_int_equal(sw_vector_length(&c->s.h, c->at), length);
      vector_of(c)->length += count; /* to find their places */
      for (uint32_t k = 0; k < count; k++) {
        fill_random(array[length + k], size, &seed);
        uint32_t at = sw_vector_locate(&c->s.h, c->at, c->generation, length + k);
        memcpy(c->s.r.base + at, array[length + k], size);
      }
      vector_of(c)->length -= count;
      sw_vector_end_push(&c->s.h, c->at, count);
      length += count;
    }
    if (turn % 64 == 0) compare(c, array, length, size);
  }
  compare(c, array, length, size);
}

static void every_shape_is_like_an_array(void **state) {
  (void)state;
  scene c;
  heap_scene_open(&c.s, MIDDLE_REGION);
  for (uint32_t type = 0; type <= SW_COMPONENT_F64; type++) {
    uint32_t bytes = sw_component_bytes(type);
    assert_int_equal(bytes, (type & 15) > 2 ? 0 : type < 16 ? 1 : type < 32 ? 2 : type < 48 ? 4 : 8);
    if (bytes == 0) continue;
    for (uint32_t components = 1; components <= 8; components += components == 3 ? 5 : 1) {
      uint32_t capacity = type * components % 3 == 0 ? 0 : type * components % 7 + 1;
      make(&c, type, components, capacity);
      like_an_array(&c, bytes * components, 2000, type * 8 + components);
      assert_int_equal(sw_vector_free(&c.s.h, c.at, c.generation), SW_OK);
      /* the control block, and the registry's */
      assert_int_equal(heap_stats(&c.s.h).blocks, 1 + 1);
    }
  }
  assert_int_equal(sw_heap_check(&c.s.h), SW_OK);
  heap_scene_close(&c.s);
}

static void shapes_that_cannot_be_are_refused(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  static const struct {
    uint32_t type, components, capacity;
    int status;
  } rows[] = {
      {3, 1, 0, SW_EINVAL},
      {0x40, 1, 0, SW_EINVAL},
      {255, 1, 0, SW_EINVAL},
      {SW_COMPONENT_F64, 0, 0, SW_ERANGE},
      {SW_COMPONENT_F64, 65, 0, SW_ERANGE},
      {SW_COMPONENT_U8, 513, 0, SW_ERANGE},
      {SW_COMPONENT_U8, UINT32_MAX, 0, SW_ERANGE},
      {SW_COMPONENT_U8, 1, UINT32_MAX, SW_ERANGE},
      {SW_COMPONENT_U64, 1, 1u << 30, SW_EHEAPFULL},
      {SW_COMPONENT_U8, 1, 1u << 24, SW_EHEAPFULL},
  };
  for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    assert_int_equal(sw_vector_new(&s.h, rows[i].type, rows[i].components, rows[i].capacity), 0);
    assert_int_equal(s.h.status, rows[i].status);
  }
  assert_int_equal(heap_stats(&s.h).blocks, 0);
  scene c = {.s = s};
  make(&c, SW_COMPONENT_F64, 64, 3); /* the widest there is */
  assert_int_equal(check(&c), SW_OK);
  assert_int_equal(vector_of(&c)->shape, SW_COMPONENT_F64 | 2 << 8 | 64 << 16);
  heap_scene_close(&s);
}

static void places_stay_when_it_grows(void **state) {
  (void)state;
  scene c;
  open_vector(&c, SMALL_REGION, SW_COMPONENT_U32, 1, 1);
  enum { COUNT = 1000 };
  uint32_t places[COUNT];
  for (uint32_t i = 0; i < COUNT; i++) {
    assert_int_equal(push(&c, &i), SW_OK);
    places[i] = sw_vector_locate(&c.s.h, c.at, c.generation, i);
  }
  for (uint32_t i = 0; i < COUNT; i++) {
    assert_int_equal(sw_vector_locate(&c.s.h, c.at, c.generation, i), places[i]);
    assert_int_equal(*(uint32_t *)(void *)(c.s.r.base + places[i]), i);
  }
  heap_scene_close(&c.s);
}

static void a_full_heap_changes_nothing(void **state) {
  (void)state;
  scene c;
  open_vector(&c, SMALL_REGION, SW_COMPONENT_U64, 8, 0);
  uint64_t element[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  int status;
  uint32_t count = 0;
  while ((status = push(&c, element)) == SW_OK) count++;
  assert_int_equal(status, SW_EHEAPFULL);
  assert_int_equal(sw_vector_length(&c.s.h, c.at), count);
  assert_int_equal(sw_vector_begin_push(&c.s.h, c.at, c.generation, 1), SW_EHEAPFULL);
  assert_int_equal(sw_vector_begin_push(&c.s.h, c.at, c.generation, SW_VECTOR_MOST), SW_ERANGE);
  assert_int_equal(sw_vector_begin_push(&c.s.h, c.at, c.generation, UINT32_MAX), SW_ERANGE);
  assert_int_equal(pop(&c, element), 1);
  assert_int_equal(push(&c, element), SW_OK);
  assert_int_equal(check(&c), SW_OK);
  heap_scene_close(&c.s);
}

static void a_freed_vector_is_refused(void **state) {
  (void)state;
  scene c;
  open_vector(&c, SMALL_REGION, SW_COMPONENT_U32, 1, 0);
  uint32_t element = 7;
  push(&c, &element);
  assert_int_equal(sw_vector_free(&c.s.h, c.at, c.generation), SW_OK);
  for (int again = 0; again < 2; again++) {
    assert_int_equal(push(&c, &element), SW_EFREED);
    assert_int_equal(pop(&c, &element), SW_EFREED);
    assert_int_equal(get(&c, 0, &element), SW_EFREED);
    assert_int_equal(set(&c, 0, &element), SW_EFREED);
    assert_int_equal(drop(&c, 0), SW_EFREED);
    assert_int_equal(check(&c), SW_EFREED);
    assert_int_equal(sw_vector_clear(&c.s.h, c.at, c.generation), SW_EFREED);
    assert_int_equal(sw_vector_begin_push(&c.s.h, c.at, c.generation, 1), SW_EFREED);
    assert_int_equal(sw_vector_free(&c.s.h, c.at, c.generation), SW_EFREED);
    assert_int_equal(sw_vector_locate(&c.s.h, c.at, c.generation, 0), 0);
    assert_int_equal(element, 7);
    if (again == 0) assert_int_equal(sw_vector_new(&c.s.h, SW_COMPONENT_U32, 1, 0), c.at);
  }
  heap_scene_close(&c.s);
}

/* ---- what a crash leaves ---- */

/* Elements 0 to 9, and a participant that has the lock and is no more. */
static void open_with_a_dead_holder(scene *c, sw_heap *other, uint32_t components) {
  open_vector(c, SMALL_REGION, SW_COMPONENT_U32, components, 2);
  uint32_t element[4];
  for (uint32_t i = 0; i < 10; i++) {
    for (uint32_t k = 0; k < 4; k++) element[k] = i;
    assert_int_equal(push(c, element), SW_OK);
  }
  heap_open(other, &c->s.r);
  sw_mutex *lock = &vector_of(c)->object.lock;
  assert_int_equal(sw_mutex_try_lock(c->s.r.base, lock, other->endpoint), SW_OK);
  assert_int_equal(push(c, element), SW_EBUSY);
  assert_int_equal(sw_vector_free(&c->s.h, c->at, c->generation), SW_EBUSY);
  sw_endpoint_release_role(c->s.r.base, sw_endpoint_role(c->s.r.base, other->endpoint));
}

static void a_deletion_is_ended_by_the_next_holder(void **state) {
  (void)state;
  /* it dies behind having moved so many of the elements 4 to 9, and before or behind telling so */
  for (uint32_t moved = 0; moved <= 6; moved++) {
    for (uint32_t told = moved == 0 ? 0 : moved - 1; told <= moved; told++) {
      scene c;
      sw_heap other;
      open_with_a_dead_holder(&c, &other, 1);
      sw_vector *v = vector_of(&c);
      v->until = 9;
      v->moving = 1 + 3 + told;
      v->version |= 1;
      for (uint32_t i = 3; i < 3 + moved; i++) {
        uint32_t *place = (uint32_t *)(void *)(c.s.r.base + sw_vector_locate(&c.s.h, c.at, c.generation, i));
        *place = i + 1;
      }
      if (moved == 6) v->length = 9;
      assert_int_equal(check(&c), SW_OK);
      assert_int_equal(sw_vector_length(&c.s.h, c.at), 9);
      for (uint32_t i = 0; i < 9; i++) {
        uint32_t element;
        assert_int_equal(get(&c, i, &element), 1);
        assert_int_equal(element, i < 3 ? i : i + 1);
      }
      heap_scene_close(&c.s);
    }
  }
}

static void an_element_that_is_half_written_is_written_by_the_next_holder(void **state) {
  (void)state;
  for (uint32_t words = 0; words <= 3; words++) {
    scene c;
    sw_heap other;
    open_with_a_dead_holder(&c, &other, 3);
    sw_vector *v = vector_of(&c);
    uint32_t *spare = (uint32_t *)(void *)(c.s.r.base + v->table + sizeof(sw_vector_table));
    uint32_t *place = (uint32_t *)(void *)(c.s.r.base + sw_vector_locate(&c.s.h, c.at, c.generation, 5));
    for (uint32_t i = 0; i < 3; i++) spare[i] = 100 + i;
    for (uint32_t i = 0; i < words; i++) place[i] = 100 + i;
    v->until = 5;
    v->moving = (uint32_t)SW_VECTOR_WRITING;
    v->version |= 1;
    uint32_t element[3];
    assert_int_equal(get(&c, 5, element), 1); /* which takes the lock */
    assert_int_equal(element[0], 100);
    assert_int_equal(element[2], 102);
    assert_int_equal(check(&c), SW_OK);
    assert_int_equal(get(&c, 4, element), 1);
    assert_int_equal(element[2], 4);
    heap_scene_close(&c.s);
  }
}

static void a_push_that_was_not_ended_is_none(void **state) {
  (void)state;
  scene c;
  sw_heap other;
  open_with_a_dead_holder(&c, &other, 1);
  uint32_t element = 55;
  assert_int_equal(push(&c, &element), SW_OK);
  assert_int_equal(sw_vector_length(&c.s.h, c.at), 11);
  assert_int_equal(check(&c), SW_OK);
  heap_scene_close(&c.s);
}

static void words_that_cannot_be_are_corrupt(void **state) {
  (void)state;
  scene c;
  open_vector(&c, SMALL_REGION, SW_COMPONENT_U32, 1, 2);
  for (uint32_t i = 0; i < 10; i++) assert_int_equal(push(&c, &i), SW_OK);
  sw_vector *v = vector_of(&c), good = *v;
  uint32_t shapes[] = {0, 3 | 1 << 16, SW_COMPONENT_F64 | 65 << 16, SW_COMPONENT_U32 | 31 << 8 | 1 << 16,
                       SW_COMPONENT_U32 | 24 << 8 | 1 << 16};
  uint32_t element;
  for (uint32_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
    v->shape = shapes[i];
    assert_int_equal(get(&c, 0, &element), SW_ECORRUPT);
    assert_int_equal(check(&c), SW_ECORRUPT);
  }
  v->shape = good.shape;
  uint32_t tables[] = {0, 8, good.table + 4, (uint32_t)c.s.r.size, UINT32_MAX - 15};
  for (uint32_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
    v->table = tables[i];
    assert_int_equal(push(&c, &element), SW_ECORRUPT);
  }
  v->table = good.table;
  uint32_t *segment = ((sw_vector_table *)(void *)(c.s.r.base + good.table))->segment;
  uint32_t at = segment[2];
  for (uint32_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
    segment[2] = tables[i];
    assert_int_equal(get(&c, 5, &element), SW_ECORRUPT);
    assert_int_equal(check(&c), SW_ECORRUPT);
    assert_int_equal(drop(&c, 0), SW_ECORRUPT);
  }
  segment[2] = at;
  v->length = UINT32_MAX;
  assert_int_equal(push(&c, &element), SW_ERANGE);
  assert_int_equal(pop(&c, &element), SW_ECORRUPT);
  assert_int_equal(drop(&c, 0), SW_ECORRUPT);
  assert_int_equal(check(&c), SW_ECORRUPT);
  assert_int_equal(get(&c, UINT32_MAX - 1, &element), SW_ECORRUPT);
  heap_scene_close(&c.s);
}

/* ---- threads ---- */

enum { THREADS = 4, TURNS = 40000 };

typedef struct worker {
  scene *c;
  uint32_t number;
} worker;

static void in_threads(scene *c, void *(*run)(void *)) {
  worker workers[THREADS];
  pthread_t threads[THREADS];
  for (uint32_t i = 0; i < THREADS; i++) {
    workers[i] = (worker){c, i};
    assert_int_equal(pthread_create(&threads[i], NULL, run, &workers[i]), 0);
  }
  for (uint32_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

static void *push_many(void *argument) {
  worker *w = argument;
  sw_heap h;
  heap_open(&h, &w->c->s.r);
  uint32_t seen = 0;
  for (uint32_t turn = 0; turn < TURNS; turn++) {
    uint32_t element = w->number << 24 | turn;
    int status;
    while ((status = sw_vector_push(&h, w->c->at, w->c->generation, &element)) == SW_EBUSY) continue;
    assert_int_equal(status, SW_OK);
    uint32_t length = sw_vector_length(&h, w->c->at);
    assert_true(length > seen);
    seen = length;
    assert_int_equal(sw_vector_get(&h, w->c->at, w->c->generation, length - 1, &element), 1);
    assert_true(element >> 24 < THREADS && (element & 0xffffff) < TURNS);
  }
  sw_heap_close(&h);
  return NULL;
}

static void elements_of_all_threads_are_there_once_and_in_their_order(void **state) {
  (void)state;
  scene c;
  open_vector(&c, MIDDLE_REGION, SW_COMPONENT_U32, 1, 1);
  in_threads(&c, push_many);
  assert_int_equal(check(&c), SW_OK);
  assert_int_equal(sw_vector_length(&c.s.h, c.at), THREADS * TURNS);
  uint32_t expected[THREADS] = {0};
  for (uint32_t i = 0; i < THREADS * TURNS; i++) {
    uint32_t element;
    assert_int_equal(get(&c, i, &element), 1);
    assert_int_equal(expected[element >> 24]++, element & 0xffffff);
  }
  heap_scene_close(&c.s);
}

/* Elements of three words, which are the same in each: one that is torn has two. */
static void *change_at_random(void *argument) {
  worker *w = argument;
  sw_heap h;
  heap_open(&h, &w->c->s.r);
  uint32_t seed = w->number + 1, at = w->c->at, generation = w->c->generation;
  for (uint32_t turn = 0; turn < TURNS; turn++) {
    uint32_t element[3], value = next(&seed), length = sw_vector_length(&h, at), what = value % 8;
    element[0] = element[1] = element[2] = value;
    int status = what < 2   ? sw_vector_push(&h, at, generation, element)
                 : what < 3 ? sw_vector_pop(&h, at, generation, element)
                 : what < 4 ? sw_vector_delete(&h, at, generation, length == 0 ? 0 : value / 8 % length)
                 : what < 6 ? sw_vector_set(&h, at, generation, length == 0 ? 0 : value / 8 % length, element)
                            : sw_vector_get(&h, at, generation, length == 0 ? 0 : value / 8 % length, element);
    assert_true(status == SW_OK || status == 1 || status == SW_EBUSY);
    /* without an element, what is there is of a try that came to nothing */
    if (status == 1) assert_true(element[0] == element[1] && element[1] == element[2]);
  }
  sw_heap_close(&h);
  return NULL;
}

static void no_element_is_torn(void **state) {
  (void)state;
  scene c;
  open_vector(&c, MIDDLE_REGION, SW_COMPONENT_U32, 3, 4);
  in_threads(&c, change_at_random);
  assert_int_equal(check(&c), SW_OK);
  assert_int_equal(sw_vector_free(&c.s.h, c.at, c.generation), SW_OK);
  assert_int_equal(heap_stats(&c.s.h).blocks, 1 + 1);
  heap_scene_close(&c.s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_shape_is_like_an_array),
      cmocka_unit_test(shapes_that_cannot_be_are_refused),
      cmocka_unit_test(places_stay_when_it_grows),
      cmocka_unit_test(a_full_heap_changes_nothing),
      cmocka_unit_test(a_freed_vector_is_refused),
      cmocka_unit_test(a_deletion_is_ended_by_the_next_holder),
      cmocka_unit_test(an_element_that_is_half_written_is_written_by_the_next_holder),
      cmocka_unit_test(a_push_that_was_not_ended_is_none),
      cmocka_unit_test(words_that_cannot_be_are_corrupt),
      cmocka_unit_test(elements_of_all_threads_are_there_once_and_in_their_order),
      cmocka_unit_test(no_element_is_torn),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
