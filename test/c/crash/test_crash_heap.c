/* Death at each shared access of the heap's calls. What may be lost is the block in hand: the
 * survivor counts the blocks, finds the heap in order, frees what is left, and then every page is
 * free again. */
#include <signal.h>

#include "../unit/heap/heap_helper.h"
#include "crash.h"

enum { BEFORE = 40 };

typedef struct heap_case {
  const char *name;
  void (*prelude)(void);
  void (*act)(void);
  uint32_t least, most; /* blocks there are afterwards */
} heap_case;

static region shared;
static sw_heap mine, *child; /* the survivor's handle; the one of the process that dies */
static sw_heap of_child;
static notes *told;
static uint32_t *board; /* offsets, shared */

/* ---- what the child does ---- */

static void get(uint32_t i, uint32_t bytes) {
  board[i] = sw_heap_alloc(child, bytes);
  MUST(board[i] != 0);
}
static void nothing(void) {}
static void one_small(void) { get(0, 100); }
static void one_run(void) { get(0, 3 * SW_HEAP_PAGE); }
static void full_slab(void) {
  for (uint32_t i = 0; i < 8; i++) get(i, 1024);
}
/* The survivor has freed all of a full slab: the next block collects them. */
static void freed_slab(void) {
  full_slab();
  sw_heap other;
  MUST(sw_heap_open(&other, shared.base, shared.size, SW_HEAP_AT, mine.endpoint) == SW_OK);
  for (uint32_t i = 0; i < 8; i++) MUST(sw_heap_free(&other, board[i]) == SW_OK);
}
static void get_small(void) { get(BEFORE, 100); }
static void get_1024(void) { get(BEFORE, 1024); }
static void get_run(void) { get(BEFORE, 3 * SW_HEAP_PAGE); }
static void get_aligned(void) { MUST(sw_heap_alloc_aligned(child, 20000, 65536) != 0); }
static void put_first(void) { MUST(sw_heap_free(child, board[0]) == SW_OK); }
static void put_slab(void) {
  for (uint32_t i = 0; i < 8; i++) MUST(sw_heap_free(child, board[i]) == SW_OK);
  get(BEFORE, 900); /* of the same class: the empty slab is the present one */
}
static void two_slabs(void) {
  for (uint32_t i = 0; i < 16; i++) get(i, 1024);
}
static void put_two_slabs(void) {
  for (uint32_t i = 0; i < 16; i++) MUST(sw_heap_free(child, board[i]) == SW_OK);
}
static void change(uint32_t bytes) {
  board[BEFORE] = sw_heap_realloc(child, board[0], bytes);
  MUST(board[BEFORE] != 0);
}
static void change_to_larger(void) { change(1000); }
static void change_to_run(void) { change(2 * SW_HEAP_PAGE); }
static void run_grows(void) { change(5 * SW_HEAP_PAGE); }
static void run_shrinks(void) { change(SW_HEAP_PAGE); }
static void run_becomes_small(void) { change(50); }
static void run_and_wall(void) {
  one_run();
  get(1, SW_HEAP_PAGE);
}
static void trims(void) { sw_heap_trim(child); }
static void closes(void) { sw_heap_close(child); }
static void opens(void) { MUST(sw_heap_open(child, shared.base, shared.size, SW_HEAP_AT, child->endpoint) == SW_OK); }
/* The survivor's block, which the child frees, in a slab of the survivor. */
static void put_of_other(void) { MUST(sw_heap_free(child, board[BEFORE + 1]) == SW_OK); }

static const heap_case CASES[] = {
    {"allocate small, new slab", nothing, get_small, 0, 1},
    {"allocate small", one_small, get_small, 1, 2},
    {"allocate small, slab is full", full_slab, get_1024, 8, 9},
    {"allocate small, others have freed", freed_slab, get_1024, 0, 1},
    {"allocate a run", nothing, get_run, 0, 1},
    {"allocate an aligned run", one_small, get_aligned, 1, 2},
    {"free small", one_small, put_first, 0, 1},
    {"free of another's slab", one_small, put_of_other, 1, 1},
    {"free a run", one_run, put_first, 0, 1},
    {"free a run between runs", run_and_wall, put_first, 1, 2},
    {"free all of a slab", full_slab, put_slab, 0, 8},
    {"free all of two slabs", two_slabs, put_two_slabs, 0, 16},
    {"reallocate small to small", one_small, change_to_larger, 1, 2},
    {"reallocate small to a run", one_small, change_to_run, 1, 2},
    {"reallocate, in place, larger", one_run, run_grows, 1, 1},
    {"reallocate, moved, larger", run_and_wall, run_grows, 2, 3},
    {"reallocate, in place, smaller", one_run, run_shrinks, 1, 1},
    {"reallocate a run to small", one_run, run_becomes_small, 1, 2},
    {"trim", full_slab, trims, 8, 8},
    {"close", full_slab, closes, 8, 8},
    {"close, empty slabs", freed_slab, closes, 0, 0},
    {"open", full_slab, opens, 8, 8},
};

static void be_the_child(const heap_case *what, uint32_t k) {
  child = &of_child;
  crash_join(child, &shared, told);
  what->prelude();
  crash_arm(told, k);
  what->act();
  crash_disarm();
  _exit(0);
}

/* Everything is found, can be freed, and leaves a heap as on its first day. */
static void all_comes_back(void) {
  sw_heap_cursor cursor = {0, 0};
  sw_heap_block block;
  while (sw_heap_walk(&mine, &cursor, &block) == 1) assert_int_equal(sw_heap_free(&mine, block.at), SW_OK);
  uint32_t all[200], n = 0;
  for (uint32_t i = 0; i < 200; i++) all[n++] = heap_get(&mine, 1 + i * 5); /* adopts */
  for (uint32_t i = 0; i < n; i++) {
    for (uint32_t k = 0; k < i; k++) assert_int_not_equal(all[i], all[k]);
    assert_int_equal(sw_heap_free(&mine, all[i]), SW_OK);
  }
  sw_heap_trim(&mine);
  assert_int_equal(sw_heap_check(&mine), SW_OK);
  /* also those of the dead one, which no participant has evicted: the system is asked */
  heap_get(&mine, mine.count * SW_HEAP_PAGE);
}

/* 1 when the child was killed. */
static int die_once(const heap_case *what, uint64_t size, uint32_t k) {
  memset(told, 0, sizeof(*told));
  memset(board, 0, 4 * (BEFORE + 2));
  shared = heap_region(size);
  heap_open(&mine, &shared);
  board[BEFORE + 1] = heap_get(&mine, 300);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) be_the_child(what, k);
  bool killed = crash_reap(pid);
  assert_false(sw_endpoint_role_alive(shared.base, told->role));
  assert_int_equal(sw_heap_open(&mine, shared.base, shared.size, SW_HEAP_AT, mine.endpoint), SW_OK);
  assert_int_equal(sw_heap_check(&mine), SW_OK);
  uint64_t blocks = heap_stats(&mine).blocks;
  int other_is_freed = sw_heap_usable(&mine, board[BEFORE + 1]) == 0;
  uint64_t own = blocks - (other_is_freed ? 0 : 1);
  if (own < what->least || own > what->most) {
    fail_msg("%s, death %u: %u blocks, not %u to %u", what->name, k, (uint32_t)own, what->least, what->most);
  }
  if (what->act != put_of_other) assert_false(other_is_freed);
  all_comes_back();
  heap_region_free(&shared);
  return killed;
}

static uint32_t total;

static void sweep(uint64_t size) {
  for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
    uint32_t k = 1;
    while (die_once(&CASES[i], size, k)) k++;
    printf("%-40s %8u KiB %6u points\n", CASES[i].name, (uint32_t)(size / 1024), k - 1);
    fflush(stdout);
    total += k - 1;
  }
}

static void a_death_anywhere_loses_the_block_in_hand(void **state) {
  (void)state;
  told = crash_shared(sizeof(*told));
  board = crash_shared(4096);
  sweep(SMALL_REGION);
  sweep(16 << 20);
  printf("%u crash points, all survived\n", total);
}

TESTS(TEST(a_death_anywhere_loses_the_block_in_hand));
