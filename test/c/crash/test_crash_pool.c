/* Death at each shared access of the calls of pools. The survivor can acquire every cell, each once
 * (what the dead one held comes back, without another word), and release it; of the heap one block
 * at most is lost, or what the call was to free. */
#include <signal.h>

#include "../unit/heap/heap_helper.h"
#include "crash.h"
#include "sabway/object.h"
#include "sabway/pool.h"
#include "sabway/registry.h"

enum { MOST = 70, HELD = 3 };

typedef struct pool_case {
  const char *name;
  uint32_t bytes, initial;
  void (*act)(void); /* the child */
  int frees;         /* it frees the pool */
  uint32_t lost;     /* blocks at most, of what the call was to make or free */
} pool_case;

static region shared;
static sw_heap mine, of_child;
static notes *told;
static uint32_t at, generation;
static sw_pool_item held[HELD], offered;

static int acquire(sw_heap *h, sw_pool_item *item) { return sw_pool_acquire(h, at, generation, item); }
static int release(sw_heap *h, const sw_pool_item *item) {
  return sw_pool_release(h, at, generation, item->index, item->life);
}

static void acquire_one(void) {
  sw_pool_item item;
  MUST(acquire(&of_child, &item) == SW_OK);
}
static void acquire_and_release(void) {
  sw_pool_item item;
  MUST(acquire(&of_child, &item) == SW_OK);
  MUST(release(&of_child, &item) == SW_OK);
}
static void take_one(void) {
  sw_pool_item item;
  MUST(sw_pool_take(&of_child, at, generation, offered.index, offered.life, mine.role, &item) == SW_OK);
}
static void shrink(void) { MUST(sw_pool_shrink(&of_child, at, generation, 0) > 0); }
static void wait_for_one(void) {
  MUST(sw_pool_begin_wait(&of_child, at, generation) == SW_OK);
  MUST(sw_pool_end_wait(&of_child, at, generation) == SW_OK);
}
static void free_pool(void) { MUST(sw_pool_free(&of_child, at, generation) == SW_OK); }
static void make_another(void) {
  uint32_t other = sw_pool_new(&of_child, 32, 4, 10, SW_POOL_GROWTH);
  MUST(other != 0);
}

static const pool_case CASES[] = {
    {"pool: acquire", 16, 10, acquire_one, 0, 0},
    {"pool: acquire a cell without a block", 0, 0, acquire_one, 0, 0},
    {"pool: acquire, and make a block", 16, 4, acquire_one, 0, 1},
    {"pool: acquire and release", 16, 10, acquire_and_release, 0, 0},
    {"pool: take", 16, 10, take_one, 0, 0},
    {"pool: shrink", 16, 8, shrink, 0, 1},
    {"pool: wait", 16, 10, wait_for_one, 0, 0},
    {"pool: free", 16, 5, free_pool, 1, 5},
    {"pool: make another", 16, 10, make_another, 0, 5},
};

static void be_the_child(const pool_case *what, uint32_t k) {
  crash_join(&of_child, &shared, told);
  crash_arm(told, k);
  what->act();
  crash_disarm();
  _exit(0);
}

/* Every cell, once. `own`: what this one holds already. */
static void acquire_the_rest(uint32_t own) {
  uint8_t seen[MOST] = {0};
  sw_pool_item item[MOST];
  for (uint32_t i = 0; i < own; i++) seen[held[i].index] = 1;
  for (uint32_t i = own; i < MOST; i++) {
    assert_int_equal(acquire(&mine, &item[i]), SW_OK);
    assert_in_range(item[i].index, 0, MOST - 1);
    assert_int_equal(seen[item[i].index]++, 0);
  }
  assert_int_equal(acquire(&mine, &item[0]), SW_EPOOLEMPTY);
  assert_int_equal(sw_pool_check(&mine, at, generation), SW_OK);
  for (uint32_t i = own; i < MOST; i++) assert_int_equal(release(&mine, &item[i]), SW_OK);
}

/* 1 when the child was killed. */
static int die_once(const pool_case *what, uint32_t k, int buried) {
  memset(told, 0, sizeof(*told));
  shared = heap_region(SMALL_REGION);
  heap_open(&mine, &shared);
  uint64_t before = heap_stats(&mine).blocks;
  at = sw_pool_new(&mine, what->bytes, what->initial, MOST, 2 * SW_POOL_GROWTH);
  assert_int_equal(sw_object_type(&mine, at, &generation), SW_TYPE_POOL);
  for (uint32_t i = 0; i < HELD; i++) assert_int_equal(acquire(&mine, &held[i]), SW_OK);
  assert_int_equal(acquire(&mine, &offered), SW_OK);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) be_the_child(what, k);
  bool killed = crash_reap(pid);
  if (buried) sw_region_evict_role(shared.base, shared.size, told->role);
  uint32_t now = 0;
  int is_there = sw_object_type(&mine, at, &now) == SW_TYPE_POOL && now == generation;
  assert_true(is_there || what->frees);
  if (is_there) {
    int given_back = release(&mine, &offered);
    if (what->act != take_one) assert_int_equal(given_back, SW_OK);
    acquire_the_rest(HELD);
    for (uint32_t i = 0; i < HELD; i++) assert_int_equal(release(&mine, &held[i]), SW_OK);
    assert_int_equal(sw_pool_free(&mine, at, generation), SW_OK);
  }
  assert_int_equal(sw_heap_check(&mine), SW_OK);
  /* of the registry, the control block and a chunk, which serve the next; one that was made */
  uint64_t blocks = heap_stats(&mine).blocks, right = before + 3 + (what->act == make_another ? 5 : 0);
  if (blocks > right + (killed ? 1 + what->lost : 0))
    fail_msg("%s, death %u: %u blocks, at most %u are right", what->name, k, (uint32_t)blocks, (uint32_t)right);
  heap_region_free(&shared);
  return killed;
}

static void a_death_anywhere_loses_no_cell(void **state) {
  (void)state;
  told = crash_shared(sizeof(*told));
  uint32_t total = 0;
  for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
    uint32_t k = 1;
    /* every death is buried, or found by the next acquire alone, by turns */
    while (die_once(&CASES[i], k, (int)(k / 2 % 2))) k++;
    printf("%-40s %6u points\n", CASES[i].name, k - 1);
    fflush(stdout);
    total += k - 1;
  }
  printf("%u crash points, all survived\n", total);
}

TESTS(TEST(a_death_anywhere_loses_no_cell));
