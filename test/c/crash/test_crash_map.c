/* Death at each shared access of the map's calls. The survivor finds each entry as it was or as the
 * dead one's change made it, goes on, and finds no more blocks lost than the guarantee says. */
#include <signal.h>

#include "../unit/map/map_helper.h"
#include "crash.h"

enum { KEYS = 12, NEW_KEY = 1000, LOST = 8 };

typedef struct map_case {
  const char *name;
  sw_map_options options;
  uint32_t keys; /* 0 to keys - 1 are there before, each with its number + 1 */
  void (*act)(void);
  double changed; /* the key that may be another one afterwards; -1: none; -2: any may be gone */
  double value;   /* which it has then; NaN: none */
} map_case;

static region shared;
static sw_heap mine;
static uint32_t at; /* of the map */
static sw_map_handle *child;
static sw_heap of_child;
static notes *told;

/* ---- what the child does ---- */

static void puts_new(void) { MUST(sw_map_put_number(child, NEW_KEY, 7) == 1); }
static void replaces(void) { MUST(sw_map_put_number(child, 3, 70) == 2); }
static void replaces_twice(void) {
  MUST(sw_map_put_number(child, 3, 60) == 2);
  MUST(sw_map_put_number(child, 3, 70) == 2);
}
static void deletes(void) {
  double key = 3;
  MUST(sw_map_delete(child, SW_MAP_NUMBER, &key, 8) == 1);
}
static void adds(void) { MUST(sw_map_add_number(child, 3, 66) == 70); }
static void reads(void) { MUST(sw_map_get_number(child, 3) == 4); }
static void clears(void) { MUST(sw_map_clear(child) == SW_OK); }
static void prunes(void) {
  child->now = 1e9;
  MUST(sw_map_prune(child) == KEYS);
}
static void frees(void) { MUST(sw_map_free(child->heap, at, 0) == SW_OK); }
static void makes(void) { MUST(sw_map_new(child->heap, &(sw_map_options){.seed = 5}) != 0); }
/* The table is full: this begins to grow, and the next ones move buckets. */
static void grows(void) {
  child->until = 1;
  MUST(sw_map_put_number(child, NEW_KEY, 7) == 1);
  for (int i = 0; i < 3; i++) MUST(sw_map_put_number(child, NEW_KEY, 7) == 2);
}

static const map_case CASES[] = {
    {"put", {0}, 0, puts_new, NEW_KEY, 7},
    {"put beside others", {0}, KEYS, puts_new, NEW_KEY, 7},
    {"replace", {0}, 6, replaces, 3, 70},
    {"replace beside others", {0}, KEYS, replaces, 3, 70},
    {"replace twice", {0}, KEYS, replaces_twice, 3, 70},
    {"delete", {0}, 6, deletes, 3, 0},
    {"delete beside others", {0}, KEYS, deletes, 3, 0},
    {"add", {.flags = SW_MAP_F64}, KEYS, adds, 3, 70},
    {"read", {0}, KEYS, reads, -1, 0},
    {"read, marking", {.flags = SW_MAP_LRU, .most = 100}, KEYS, reads, -1, 0},
    {"grow", {0}, KEYS, grows, NEW_KEY, 7},
    {"grow, marking", {.flags = SW_MAP_LRU, .most = 100}, KEYS, grows, NEW_KEY, 7},
    {"put, and make room", {.flags = SW_MAP_LRU, .most = KEYS}, KEYS, puts_new, -2, 0},
    {"clear", {0}, KEYS, clears, -2, 0},
    {"prune", {.flags = SW_MAP_TTL}, KEYS, prunes, -2, 0},
    {"free", {0}, KEYS, frees, -3, 0},
    {"new", {0}, KEYS, makes, -1, 0},
};

static void be_the_child(const map_case *what, uint32_t k) {
  crash_join(&of_child, &shared, told);
  sw_map_handle m;
  MUST(sw_map_open(&m, &of_child, at, 0) == SW_OK);
  m.until = 1000;
  child = &m;
  crash_arm(told, k);
  what->act();
  crash_disarm();
  _exit(0);
}

/* ---- what the survivor finds ---- */

/* Blocks that nothing leads to. */
static uint32_t lost_blocks(void) {
  void *marks = calloc(1, (size_t)sw_heap_marks_bytes(&mine));
  uint32_t out[SW_MAP_BUCKET_MOST + 3], lost = 0;
  sw_map_block_cursor cursor = {0, 0, 0};
  for (int count; (count = sw_map_blocks(&mine, at, &cursor, out, SW_MAP_BUCKET_MOST + 3)) > 0;) {
    for (int i = 0; i < count; i++) sw_heap_mark(&mine, marks, out[i]);
  }
  sw_heap_cursor walk = {0, 0};
  sw_heap_block block;
  while (sw_heap_walk(&mine, &walk, &block) == 1) lost += sw_heap_mark(&mine, marks, block.at) == 1;
  free(marks);
  return lost - 2; /* the control block, and the registry's */
}

static void check_entries(sw_map_handle *m, const map_case *what) {
  uint32_t there = 0;
  for (uint32_t key = 0; key < what->keys; key++) {
    double value = map_get(m, key);
    there += value == value;
    if (what->changed == -2) assert_true(value != value || value == key + 1);
    else if (what->changed != key) assert_true(value == key + 1);
    else if (what->value == 0) assert_true(value != value || value == key + 1);
    else assert_true(value == what->value || value == key + 1 || (what->act == replaces_twice && value == 60));
  }
  double added = map_get(m, NEW_KEY);
  there += added == added;
  assert_true(added != added || added == 7);
  /* what has expired counts until it is removed */
  if ((what->options.flags & SW_MAP_TTL) == 0) assert_int_equal(sw_map_size(m), there);
}

static void goes_on(sw_map_handle *m) {
  for (uint32_t key = 0; key < 100; key++) assert_true(map_put(m, key, key + 5) > 0);
  for (uint32_t key = 0; key < 100; key++) {
    double value = map_get(m, key);
    assert_true(value == key + 5 || (m->most != 0 && value != value));
  }
  for (uint32_t key = 0; key < 50; key++) assert_true(map_delete(m, key) == 1 || m->most != 0);
  assert_int_equal(sw_map_check(m), SW_OK);
}

/* 1 when the child was killed. */
static int die_once(const map_case *what, uint32_t k) {
  memset(told, 0, sizeof(*told));
  shared = heap_region(SMALL_REGION);
  heap_open(&mine, &shared);
  sw_map_options options = what->options;
  options.seed = 77;
  at = sw_map_new(&mine, &options);
  sw_map_handle m;
  assert_int_equal(sw_map_open(&m, &mine, at, 0), SW_OK);
  if ((options.flags & SW_MAP_TTL) != 0) m.expires = 1000;
  for (uint32_t key = 0; key < what->keys; key++) assert_int_equal(map_put(&m, key, key + 1), 1);
  m.expires = 0;
  sw_map_close(&m);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) be_the_child(what, k);
  bool killed = crash_reap(pid);
  if (what->changed == -3) { /* freed, or not, or half of it: no call breaks */
    double value = sw_map_get_number(&m, 3);
    assert_true(value == 4 || m.status == SW_EFREED);
    assert_int_equal(sw_heap_check(&mine), SW_OK);
    sw_map_options again = {.seed = 3};
    uint32_t next = sw_map_new(&mine, &again);
    assert_int_equal(sw_map_open(&m, &mine, next, 0), SW_OK);
    goes_on(&m);
  } else {
    assert_int_equal(sw_map_open(&m, &mine, at, 0), SW_OK);
    uint32_t lost = lost_blocks(), most = what->act == makes || what->act == clears ? KEYS + LOST : LOST;
    if (lost > most) fail_msg("%s, death %u: %u blocks lost", what->name, k, lost);
    assert_int_equal(sw_map_check(&m), SW_OK);
    check_entries(&m, what);
    goes_on(&m);
    sw_map_close(&m);
    assert_int_equal(sw_heap_check(&mine), SW_OK);
    assert_int_equal(sw_map_free(&mine, at, 0), SW_OK);
    assert_true(heap_stats(&mine).blocks <= most + 3);
  }
  heap_region_free(&shared);
  return killed;
}

static void a_death_anywhere_leaves_the_map_whole(void **state) {
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

TESTS(TEST(a_death_anywhere_leaves_the_map_whole));
