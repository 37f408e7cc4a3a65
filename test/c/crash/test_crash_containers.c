/* Death at each shared access of the calls of strings, vectors and lists. The survivor finds what
 * was there before the call or what is there behind it, can go on, and of the heap one block at
 * most is lost, or what the call was to free. */
#include <signal.h>

#include "../unit/heap/heap_helper.h"
#include "crash.h"
#include "sabway/list.h"
#include "sabway/string.h"
#include "sabway/vector.h"

enum { ROOM = 64 };

typedef struct container_case {
  const char *name;
  void (*make)(void); /* the survivor, before there is a child */
  void (*act)(void);  /* the child */
  /* Behind the death: what is there, as a number; and the two that may be. */
  uint32_t (*look)(void);
  uint32_t before, after;
  uint32_t lost;   /* blocks at most, of what the call was to free */
  uint32_t gained; /* blocks that are there behind it */
} container_case;

static region shared;
static sw_heap mine, of_child;
static notes *told;
static uint32_t at, generation;

static void opened(uint32_t type) {
  assert_int_not_equal(at, 0);
  assert_int_equal(sw_object_type(&mine, at, &generation), type);
}

/* ---- strings ---- */

static void make_string(void) {
  at = sw_string_new(&mine);
  opened(SW_TYPE_STRING);
  assert_int_equal(sw_string_set(&mine, at, generation, "before, in 22 letters.", 22), SW_OK);
}
static void set_string(void) {
  MUST(sw_string_set(&of_child, at, generation, "after, and 24 letters ..", 24) == SW_OK);
}
static void empty_string(void) { MUST(sw_string_set(&of_child, at, generation, "", 0) == SW_OK); }
static void free_string(void) { MUST(sw_string_free(&of_child, at, generation) == SW_OK); }
static void read_string(void) {
  MUST(sw_string_begin_read(&of_child, at, generation) == SW_OK);
  sw_string_end_read(&of_child, at);
}
/* Its length, and it can be replaced. SW_EFREED: 99. */
static uint32_t look_string(void) {
  char text[ROOM];
  sw_string_content content;
  int status = sw_string_get(&mine, at, generation, text, ROOM, &content);
  if (status == SW_EFREED) return 99;
  assert_int_equal(status, SW_OK);
  if (content.length == 22) assert_memory_equal(text, "before, in 22 letters.", 22);
  if (content.length == 24) assert_memory_equal(text, "after, and 24 letters ..", 24);
  assert_int_equal(sw_string_check(&mine, at, generation), SW_OK);
  uint32_t length = content.length;
  assert_int_equal(sw_string_set(&mine, at, generation, "x", 1), SW_OK);
  assert_int_equal(sw_string_set(&mine, at, generation, text, length), SW_OK);
  return length;
}

/* ---- vectors: of three components, which are all the same ---- */

static void make_vector_of(uint32_t capacity, uint32_t length) {
  at = sw_vector_new(&mine, SW_COMPONENT_U32, 3, capacity);
  opened(SW_TYPE_VECTOR);
  for (uint32_t i = 1; i <= length; i++) {
    uint32_t element[3] = {i, i, i};
    assert_int_equal(sw_vector_push(&mine, at, generation, element), SW_OK);
  }
}
static void make_vector(void) { make_vector_of(8, 5); }
static void make_full_vector(void) { make_vector_of(4, 4); }
static void push_vector(void) {
  uint32_t element[3] = {6, 6, 6};
  MUST(sw_vector_push(&of_child, at, generation, element) == SW_OK);
}
static void push_many(void) {
  MUST(sw_vector_begin_push(&of_child, at, generation, 20) == SW_OK);
  sw_vector *vector = (sw_vector *)(void *)(of_child.base + at);
  vector->length += 20; /* to find their places */
  uint32_t places[20];
  for (uint32_t i = 0; i < 20; i++) places[i] = sw_vector_locate(&of_child, at, generation, 4 + i);
  vector->length -= 20;
  for (uint32_t i = 0; i < 20; i++) {
    uint32_t element[3] = {6, 6, 6};
    memcpy(of_child.base + places[i], element, 12);
  }
  sw_vector_end_push(&of_child, at, 20);
}
static void pop_vector(void) {
  uint32_t element[3];
  MUST(sw_vector_pop(&of_child, at, generation, element) == 1);
}
static void delete_vector(void) { MUST(sw_vector_delete(&of_child, at, generation, 1) == 1); }
static void set_vector(void) {
  uint32_t element[3] = {9, 9, 9};
  MUST(sw_vector_set(&of_child, at, generation, 2, element) == 1);
}
static void clear_vector(void) { MUST(sw_vector_clear(&of_child, at, generation) == SW_OK); }
static void free_vector(void) { MUST(sw_vector_free(&of_child, at, generation) == SW_OK); }
/* Its elements as digits (of many, the first five and the length). */
static uint32_t look_vector(void) {
  int status = sw_vector_check(&mine, at, generation);
  if (status == SW_EFREED) return 99;
  assert_int_equal(status, SW_OK);
  uint32_t length = sw_vector_length(&mine, at), all = 0, element[3];
  for (uint32_t i = 0; i < length; i++) {
    assert_int_equal(sw_vector_get(&mine, at, generation, i, element), 1);
    assert_true(element[0] == element[1] && element[1] == element[2]);
    if (i < 6) all = 10 * all + element[0];
  }
  assert_int_equal(sw_vector_push(&mine, at, generation, element), SW_OK);
  assert_int_equal(sw_vector_pop(&mine, at, generation, element), 1);
  return length > 6 ? length : all;
}

/* ---- lists ---- */

static uint32_t first_node, first_number;

static void make_list(void) {
  at = sw_list_new(&mine, SW_COMPONENT_U32, 1);
  opened(SW_TYPE_LIST);
  for (uint32_t i = 1; i <= 4; i++) assert_int_equal(sw_list_insert(&mine, at, generation, &i), SW_OK);
  sw_list_cursor cursor = {0};
  uint32_t entry[4];
  for (int i = 0; i < 2; i++) assert_int_equal(sw_list_read(&mine, at, generation, &cursor, entry, sizeof(entry)), 1);
  first_node = entry[0]; /* the second one */
  first_number = entry[1];
}
static void make_old_list(void) {
  make_list();
  sw_list *list = (sw_list *)(void *)(mine.base + at);
  list->last = UINT32_MAX;
}
static void insert_list(void) {
  uint32_t element = 5;
  MUST(sw_list_insert(&of_child, at, generation, &element) == SW_OK);
}
static void delete_list(void) { MUST(sw_list_delete(&of_child, at, generation, first_node, first_number) == 1); }
static void delete_last(void) { MUST(sw_list_delete_index(&of_child, at, generation, 3, NULL) == 1); }
static void set_list(void) {
  uint32_t element = 9, node = first_node;
  MUST(sw_list_set(&of_child, at, generation, &node, first_number, &element) == 1);
}
static void clear_list(void) { MUST(sw_list_clear(&of_child, at, generation) == SW_OK); }
static void free_list(void) { MUST(sw_list_free(&of_child, at, generation) == SW_OK); }
/* Its elements as digits. */
static uint32_t look_list(void) {
  int status = sw_list_check(&mine, at, generation);
  if (status == SW_EFREED) return 99;
  assert_int_equal(status, SW_OK);
  sw_list_cursor cursor = {0};
  uint32_t all = 0, entry[4], element = 8, count = 0;
  while (sw_list_read(&mine, at, generation, &cursor, entry, sizeof(entry)) == 1) {
    all = 10 * all + entry[2];
    count++;
  }
  assert_int_equal(sw_list_insert(&mine, at, generation, &element), SW_OK);
  assert_int_equal(sw_list_read(&mine, at, generation, &cursor, entry, sizeof(entry)), 1);
  assert_int_equal(entry[2], 8);
  assert_int_equal(sw_list_delete_index(&mine, at, generation, count, &element), 1);
  assert_int_equal(sw_list_check(&mine, at, generation), SW_OK);
  return all;
}

/* `lost`: a call that frees leaks what it had not freed when it died. */
static const container_case CASES[] = {
    {"string: set", make_string, set_string, look_string, 22, 24, 0, 0},
    {"string: set to nothing", make_string, empty_string, look_string, 22, 0, 0, (uint32_t)-1},
    {"string: lock the writers out", make_string, read_string, look_string, 22, 22, 0, 0},
    {"string: free", make_string, free_string, look_string, 22, 99, 1, (uint32_t)-1},
    {"vector: push", make_vector, push_vector, look_vector, 12345, 123456, 0, 0},
    {"vector: push, new segment", make_full_vector, push_vector, look_vector, 1234, 12346, 0, 1},
    {"vector: push many", make_full_vector, push_many, look_vector, 1234, 24, 0, 3},
    {"vector: pop", make_vector, pop_vector, look_vector, 12345, 1234, 0, 0},
    {"vector: delete", make_vector, delete_vector, look_vector, 12345, 1345, 0, 0},
    {"vector: set", make_vector, set_vector, look_vector, 12345, 12945, 0, 0},
    {"vector: clear", make_vector, clear_vector, look_vector, 12345, 0, 0, 0},
    {"vector: free", make_full_vector, free_vector, look_vector, 1234, 99, 1, (uint32_t)-1},
    {"list: insert", make_list, insert_list, look_list, 1234, 12345, 0, 1},
    {"list: insert, numbers begin again", make_old_list, insert_list, look_list, 1234, 12345, 0, 1},
    {"list: delete", make_list, delete_list, look_list, 1234, 134, 0, (uint32_t)-1},
    {"list: delete the last", make_list, delete_last, look_list, 1234, 123, 0, (uint32_t)-1},
    {"list: set", make_list, set_list, look_list, 1234, 1934, 0, 0},
    {"list: clear", make_list, clear_list, look_list, 1234, 0, 0, (uint32_t)-4},
    {"list: free", make_list, free_list, look_list, 1234, 99, 4, (uint32_t)-4},
};

static void be_the_child(const container_case *what, uint32_t k) {
  crash_join(&of_child, &shared, told);
  crash_arm(told, k);
  what->act();
  crash_disarm();
  _exit(0);
}

/* 1 when the child was killed. */
static int die_once(const container_case *what, uint32_t k) {
  memset(told, 0, sizeof(*told));
  shared = heap_region(SMALL_REGION);
  heap_open(&mine, &shared);
  what->make();
  uint64_t blocks = heap_stats(&mine).blocks;
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) be_the_child(what, k);
  bool killed = crash_reap(pid);
  uint32_t found = what->look();
  if (found != what->before && found != what->after)
    fail_msg("%s, death %u: %u is there, not %u or %u", what->name, k, found, what->before, what->after);
  if (!killed) assert_int_equal(found, what->after);
  uint64_t now = heap_stats(&mine).blocks,
           right = blocks + (uint64_t)(int32_t)(found == what->after ? what->gained : 0);
  uint32_t most = !killed ? 0 : found == 99 ? what->lost : 0;
  /* what a call allocates before its decision may be there without it, and be used by the next */
  uint64_t made = found == what->before && (int32_t)what->gained > 0 ? what->gained : 0;
  if (killed && most == 0) most = 1;
  if (now < right || now > right + most + made)
    fail_msg("%s, death %u: %u blocks, not %u to %u", what->name, k, (uint32_t)now, (uint32_t)right,
             (uint32_t)(right + most + made));
  assert_int_equal(sw_heap_check(&mine), SW_OK);
  if (found != 99) {
    int freed = what->make == make_string                                   ? sw_string_free(&mine, at, generation)
                : sw_object_type(&mine, at, &(uint32_t){0}) == SW_TYPE_LIST ? sw_list_free(&mine, at, generation)
                                                                            : sw_vector_free(&mine, at, generation);
    assert_int_equal(freed, SW_OK);
  }
  heap_region_free(&shared);
  return killed;
}

static void a_death_anywhere_leaves_the_one_or_the_other(void **state) {
  (void)state;
  told = crash_shared(sizeof(*told));
  uint32_t total = 0;
  for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
    uint32_t k = 1;
    while (die_once(&CASES[i], k)) k++;
    printf("%-40s %6u points\n", CASES[i].name, k - 1);
    fflush(stdout);
    total += k - 1;
  }
  printf("%u crash points, all survived\n", total);
}

TESTS(TEST(a_death_anywhere_leaves_the_one_or_the_other));
