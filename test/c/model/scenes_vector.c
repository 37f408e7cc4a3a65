/* Vectors: what is pushed is there as a whole or not at all, growth in the middle or not; no
 * reader sees an element that is not there yet, or half of one; and what a holder of the lock dies
 * in the next one ends.
 *
 * Thread n is process n + 1, endpoint n. */
#include <string.h>

#include "base/peer.h"
#include "sabway/mutex.h"
#include "sabway/vector.h"
#include "scenes.h"

static struct {
  sw_heap heap[3];
  uint32_t at, generation;
  uint32_t done; /* bits: the threads that ran to their end */
  int status[3];
} g;

static uint8_t *base(void) { return model_region(); }

/* A vector of that many elements: 100, 101 and so on, in each component. */
static void setup(uint32_t type, uint32_t components, uint32_t capacity, uint32_t length) {
  world_empty();
  memset(&g, 0, sizeof(g));
  model_snapshot(&g, sizeof(g));
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  model_check(sw_heap_format(base(), SW_HEAP_AT, REGION_BYTES) == SW_OK);
  for (uint32_t i = 0; i < 3; i++) {
    model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
    model_check(sw_heap_open(&g.heap[i], base(), REGION_BYTES, SW_HEAP_AT, i) == SW_OK);
    g.heap[i].shares = 0; /* slabs have owners, as in a large heap */
    uint32_t block = sw_heap_alloc(&g.heap[i], 16);
    model_check(block != 0 && sw_heap_free(&g.heap[i], block) == SW_OK);
  }
  g.at = sw_vector_new(&g.heap[2], type, components, capacity);
  model_check(g.at != 0 && sw_object_type(&g.heap[2], g.at, &g.generation) == SW_TYPE_VECTOR);
  for (uint32_t i = 0; i < length; i++) {
    uint32_t element[4] = {100 + i, 100 + i, 100 + i, 100 + i};
    model_check(sw_vector_push(&g.heap[2], g.at, g.generation, element) == SW_OK);
  }
  model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT); /* finish writes, too */
}
static void setup_growing(void) { setup(SW_COMPONENT_U32, 1, 1, 1); }
static void setup_one(void) { setup(SW_COMPONENT_U32, 1, 2, 1); }
static void setup_three(void) { setup(SW_COMPONENT_U32, 1, 4, 3); }
static void setup_wide(void) { setup(SW_COMPONENT_U32, 3, 2, 1); }
static void setup_wider(void) { setup(SW_COMPONENT_U64, 2, 2, 1); }

static void push(int thread, uint32_t value) {
  uint32_t element[4] = {value, value, value, value};
  g.status[thread] = sw_vector_push(&g.heap[thread], g.at, g.generation, element);
  model_check(g.status[thread] == SW_OK || g.status[thread] == SW_EBUSY);
}
static void push_0(void) { push(0, 200), g.done |= 1; }
static void push_1(void) { push(1, 201), g.done |= 2; }

/* The element: 0 when it is not there. */
static uint32_t get(int thread, uint32_t index) {
  uint32_t element[4] = {0};
  int status = sw_vector_get(&g.heap[thread], g.at, g.generation, index, element);
  model_check(status == 0 || status == 1 || status == SW_EBUSY);
  return status == 1 ? element[0] : 0;
}

static void read_second(void) {
  uint32_t value = get(1, 1);
  model_check(value == 0 || value == 200);
  if (value != 0) model_check(sw_vector_length(&g.heap[1], g.at) == 2);
  model_mark(value == 0 ? FIRST : SECOND);
}

static uint32_t *second_place(void) {
  sw_vector *vector = (sw_vector *)(void *)(base() + g.at);
  sw_vector_table *table = (sw_vector_table *)(void *)(base() + vector->table);
  return (uint32_t *)(void *)(base() + sw_peer_load_relaxed(&table->segment[1]));
}
/* In its place, behind a look at the length. */
static void read_in_place(void) {
  if (sw_vector_length(&g.heap[1], g.at) != 2) return;
  model_mark(SECOND);
  model_check(sw_peer_load_relaxed(second_place()) == 200);
}
static void read_beside(void) {
  if (sw_vector_length(&g.heap[1], g.at) != 2) return;
  model_mark(SECOND);
  sw_vector *vector = (sw_vector *)(void *)(base() + g.at);
  uint8_t *first = base() + vector->table + sizeof(sw_vector_table);
  model_check(sw_peer_load_relaxed((const uint32_t *)(const void *)(first + 4)) == 200);
}
static void locate_and_read(void) {
  uint32_t place = sw_vector_locate(&g.heap[1], g.at, g.generation, 1);
  if (place == 0) return;
  model_mark(SECOND);
  model_check(sw_peer_load_relaxed((const uint32_t *)(const void *)(base() + place)) == 200);
}
/* It is there as soon as it can be written. */
static void set_second(void) {
  uint32_t element = 201;
  int status = sw_vector_set(&g.heap[1], g.at, g.generation, 1, &element);
  model_check(status == 0 || status == 1);
  model_mark(status == 1 ? SECOND : FIRST);
}
static void push_at_once(void) {
  model_check(sw_vector_begin_push(&g.heap[0], g.at, g.generation, 1) == SW_OK);
  sw_store_relaxed(second_place(), 200);
  sw_vector_end_push(&g.heap[0], g.at, 1);
}

static void whole(void) { model_check(sw_vector_check(&g.heap[2], g.at, g.generation) == SW_OK); }

static void one_or_two(void) {
  whole();
  uint32_t length = sw_vector_length(&g.heap[2], g.at);
  model_check(length == ((g.done & 1) != 0 ? 2 : length == 2 ? 2 : 1));
  model_check(get(2, 0) == 100 && get(2, 1) == (length == 2 ? 200 : 0));
}

static void both_or_busy(void) {
  whole();
  uint32_t length = sw_vector_length(&g.heap[2], g.at), pushed = 0;
  for (int i = 0; i < 2; i++) pushed += g.status[i] == SW_OK;
  model_check(pushed != 0 && length == 1 + pushed);
  for (uint32_t i = 1; i < length; i++) model_check(get(2, i) == 200 || get(2, i) == 201);
  if (length == 3) model_check(get(2, 1) != get(2, 2));
  model_mark(length == 3 ? BOTH : get(2, 1) == 200 ? FIRST : SECOND);
}

/* The next element comes to the place of the one that is popped: a reader that sees it sees that it
 * is there. */
static void pop_and_push(void) {
  uint32_t element;
  model_check(sw_vector_pop(&g.heap[0], g.at, g.generation, &element) == 1 && element == 100);
  push(0, 200);
}
static void read_first(void) {
  uint32_t value = get(1, 0);
  model_check(value == 0 || value == 100 || value == 200);
  if (value == 200) model_check(sw_vector_length(&g.heap[1], g.at) == 1);
  model_mark(value == 0 ? REFUSED : value == 100 ? FIRST : SECOND);
}

static void set_wide(void) {
  uint32_t element[4] = {200, 200, 200, 200};
  int status = sw_vector_set(&g.heap[0], g.at, g.generation, 0, element);
  model_check(status == 1 || status == SW_EBUSY);
  g.done |= status == 1;
}
static void read_wide(int thread) {
  uint32_t element[4];
  int status = sw_vector_get(&g.heap[thread], g.at, g.generation, 0, element);
  model_check(status == 1 || status == SW_EBUSY);
  if (status != 1) return;
  model_check(element[0] == element[1] && element[0] == element[2] && (element[0] == 100 || element[0] == 200));
  if ((g.done & 1) != 0) model_check(thread != 2 || element[0] == 200);
  model_mark(element[0] == 100 ? FIRST : SECOND);
}
static void read_wide_1(void) { read_wide(1); }
static void wide_is_whole(void) {
  whole();
  read_wide(2);
}

static void delete_first(void) {
  int status = sw_vector_delete(&g.heap[0], g.at, g.generation, 0);
  model_check(status == 1 || status == SW_EBUSY);
  g.done |= status == 1;
}
static void read_while_deleting(void) {
  uint32_t value = get(1, 1);
  model_check(value == 101 || value == 102);
  model_mark(value == 101 ? FIRST : SECOND);
}
static void deleted_or_not(void) {
  whole();
  uint32_t length = sw_vector_length(&g.heap[2], g.at), first = 103 - length;
  model_check(length == 2 || (length == 3 && (g.done & 1) == 0));
  for (uint32_t i = 0; i < length; i++) model_check(get(2, i) == first + i);
  model_mark(length == 2 ? BOTH : REFUSED);
}

/* Another participant has the lock from the dead one, and a third reads. */
static void take_over(void) {
  int status = sw_vector_check(&g.heap[1], g.at, g.generation);
  model_check(status == SW_OK || status == SW_EBUSY);
}
static void read_while_mended(void) {
  uint32_t value = get(2, 1);
  model_check(value == 101 || value == 102);
}

/* Of one that pushes and one that frees, the first gets in or is refused. */
static void free_it(void) {
  int status = sw_vector_free(&g.heap[0], g.at, g.generation);
  model_check(status == SW_OK || status == SW_EBUSY);
  g.status[0] = status;
}
static void push_or_not(void) {
  uint32_t element = 201;
  g.status[1] = sw_vector_push(&g.heap[1], g.at, g.generation, &element);
  model_check(g.status[1] == SW_OK || g.status[1] == SW_EBUSY || g.status[1] == SW_EFREED);
  model_mark(g.status[1] == SW_EFREED ? REFUSED : FIRST);
}
static void nothing_is_left(void) {
  if (g.status[0] != SW_OK) return;
  sw_heap_stats stats;
  sw_heap_stats_of(&g.heap[2], &stats);
  model_check(stats.blocks == 2); /* the control block and the registry's */
}

const model_scenario scenes_vector[] = {{.name = "vector: one pushes into a new segment, and may die; one reads",
                                         .setup = setup_growing,
                                         .threads = {push_0, read_second},
                                         .finish = one_or_two,
                                         .mortal = 1,
                                         .marks = FIRST | SECOND},
                                        {.name = "vector: one pushes into a new segment, one reads it in its place",
                                         .setup = setup_growing,
                                         .threads = {push_0, read_in_place},
                                         .finish = whole,
                                         .marks = SECOND},
                                        {.name = "vector: one pushes, one reads it in its place",
                                         .setup = setup_one,
                                         .threads = {push_0, read_beside},
                                         .finish = whole,
                                         .marks = SECOND},
                                        {.name = "vector: one pushes into a new segment, one locates it",
                                         .setup = setup_growing,
                                         .threads = {push_at_once, locate_and_read},
                                         .finish = whole,
                                         .marks = SECOND},
                                        {.name = "vector: one pushes into a new segment, one writes it",
                                         .setup = setup_growing,
                                         .threads = {push_0, set_second},
                                         .finish = whole,
                                         .marks = FIRST | SECOND},
                                        {.name = "vector: two push",
                                         .setup = setup_growing,
                                         .threads = {push_0, push_1},
                                         .finish = both_or_busy,
                                         .sc = true,
                                         .marks = BOTH},
                                        {.name = "vector: one pops and pushes, one reads",
                                         .setup = setup_one,
                                         .threads = {pop_and_push, read_first},
                                         .finish = whole,
                                         .sc = true,
                                         .marks = FIRST | SECOND | REFUSED},
                                        {.name = "vector: one writes three components, and may die; one reads",
                                         .setup = setup_wide,
                                         .threads = {set_wide, read_wide_1},
                                         .finish = wide_is_whole,
                                         .mortal = 1,
                                         .marks = FIRST | SECOND},
                                        {.name = "vector: one writes two components of 8 bytes, and may die; one reads",
                                         .setup = setup_wider,
                                         .threads = {set_wide, read_wide_1},
                                         .finish = wide_is_whole,
                                         .mortal = 1,
                                         .marks = FIRST | SECOND},
                                        {.name = "vector: one deletes, and may die; one takes over, one reads",
                                         .setup = setup_three,
                                         .threads = {delete_first, take_over, read_while_mended},
                                         .finish = deleted_or_not,
                                         .large = true,
                                         .mortal = 1,
                                         .marks = BOTH | REFUSED},
                                        {.name = "vector: one deletes, and may die; one reads",
                                         .setup = setup_three,
                                         .threads = {delete_first, read_while_deleting},
                                         .finish = deleted_or_not,
                                         .mortal = 1,
                                         .marks = FIRST | SECOND | BOTH | REFUSED},
                                        {.name = "vector: one frees, one pushes",
                                         .setup = setup_one,
                                         .threads = {free_it, push_or_not},
                                         .finish = nothing_is_left,
                                         .marks = FIRST | REFUSED},
                                        {.name = NULL}};
