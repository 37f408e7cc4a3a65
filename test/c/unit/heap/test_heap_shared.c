/* Several participants: random operations of four threads in two processes against a reference,
 * frees by others, and processes that are killed while they allocate.
 *
 * The reference is outside of the region: a word for each unit of the heap, which says whether it
 * is in a block; and a board of slots, each of which has a block or none, and a lock. The holder of
 * a slot may free its block, whatever participant allocated it. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap_helper.h"

enum { SLOTS = 1024, PATTERN = 64 };

typedef struct slot {
  uint32_t busy;
  uint32_t at, bytes, seed;
} slot;

typedef struct board {
  slot slots[SLOTS];
  uint32_t faults; /* found by children */
  uint32_t stop, ready;
  uint32_t done;    /* operations */
  uint32_t full;    /* of them refused because the heap was full */
  uint32_t large;   /* so many of 64 allocations are */
  uint32_t units[]; /* a word per unit */
} board;

static region shared;
static board *b;

#define FAULT(condition)                                                  \
  do {                                                                    \
    if (!(condition) && sw_fetch_add_acq_rel(&b->faults, 1) < 10) {       \
      fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #condition); \
    }                                                                     \
  } while (0)

static void board_open(uint64_t size) {
  shared = heap_region(size);
  uint64_t bytes = sizeof(board) + size / SW_HEAP_UNIT * 4;
  b = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_ptr_not_equal(b, MAP_FAILED);
}

static void board_close(void) {
  munmap(b, sizeof(board) + shared.size / SW_HEAP_UNIT * 4);
  heap_region_free(&shared);
}

/* The units of a block change from free to used, or back. */
static void mark(uint32_t at, uint32_t bytes, uint32_t used) {
  for (uint32_t unit = at / SW_HEAP_UNIT; unit < (at + bytes) / SW_HEAP_UNIT; unit++) {
    FAULT(sw_exchange_acq_rel(&b->units[unit], used) != used);
  }
}

static uint32_t touched(uint32_t bytes) { return bytes < PATTERN ? bytes : PATTERN; }

static void take(sw_heap *h, slot *s, uint64_t *random) {
  uint32_t kind = random_next(random) % 64;
  uint32_t bytes = 1 + random_next(random) % (kind < b->large ? 60000 : kind < 8 ? 5000 : 300);
  uint32_t at = kind % 4 == 1 ? sw_heap_alloc_wait(h, bytes, 64, -1) : sw_heap_alloc_wait(h, bytes, 1, -1);
  if (at == 0) {
    FAULT(h->status == SW_EHEAPFULL);
    sw_fetch_add_acq_rel(&b->full, 1);
    return;
  }
  FAULT(at % (kind % 4 == 1 ? 64 : 16) == 0);
  uint32_t usable = sw_heap_usable(h, at);
  FAULT(usable >= bytes);
  mark(at, usable, 1);
  s->seed = random_next(random);
  pattern_fill(shared.base + at, touched(bytes), s->seed);
  s->bytes = bytes;
  sw_store_relaxed(&s->at, at);
}

static void change(sw_heap *h, slot *s, uint64_t *random) {
  FAULT(pattern_holds(shared.base + s->at, touched(s->bytes), s->seed));
  uint32_t at = s->at, usable = sw_heap_usable(h, at);
  FAULT(usable >= s->bytes);
  if (random_next(random) % 8 != 0) {
    mark(at, usable, 0);
    sw_store_relaxed(&s->at, 0);
    FAULT(sw_heap_free(h, at) == SW_OK);
    return;
  }
  uint32_t bytes = 1 + random_next(random) % 20000;
  mark(at, usable, 0);
  uint32_t moved = sw_heap_realloc_wait(h, at, bytes, -1);
  if (moved == 0) FAULT(h->status == SW_EHEAPFULL);
  if (moved == 0) moved = at, bytes = s->bytes;
  mark(moved, sw_heap_usable(h, moved), 1);
  FAULT(pattern_holds(shared.base + moved, touched(bytes < s->bytes ? bytes : s->bytes), s->seed));
  pattern_fill(shared.base + moved, touched(bytes), s->seed);
  s->bytes = bytes;
  sw_store_relaxed(&s->at, moved);
}

static void operate(sw_heap *h, uint64_t *random) {
  slot *s = &b->slots[random_next(random) % SLOTS];
  if (sw_exchange_acq_rel(&s->busy, 1) != 0) return;
  if (s->at == 0) take(h, s, random);
  else change(h, s, random);
  sw_store_release(&s->busy, 0);
  sw_fetch_add_acq_rel(&b->done, 1);
}

/* A thread sanitizer sees no order that another process has made: its threads are all of one. */
#if defined(__SANITIZE_THREAD__)
#define ONE_PROCESS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ONE_PROCESS 1
#endif
#endif
#ifndef ONE_PROCESS
#define ONE_PROCESS 0
#endif
#ifdef TEST_ASAN
enum { EACH = 50000, DEATHS = 20 };
#else
enum { EACH = ONE_PROCESS ? 50000 : 250000, DEATHS = ONE_PROCESS ? 10 : 60 };
#endif

static uint32_t operations;

static void *participant(void *argument) {
  uint64_t random = (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15 + 1;
  int index = sw_endpoint_claim(shared.base, sw_prim_pid(), 0, 0);
  sw_heap h;
  FAULT(index >= 0 && sw_heap_open(&h, shared.base, shared.size, SW_HEAP_AT, (uint32_t)index) == SW_OK);
  for (uint32_t i = 0; i < operations; i++) operate(&h, &random);
  sw_heap_close(&h);
  sw_endpoint_release(shared.base, (uint32_t)index);
  return NULL;
}

static void run_threads(uintptr_t count, uintptr_t seed) {
  pthread_t threads[4];
  for (uintptr_t i = 0; i < count; i++) pthread_create(&threads[i], NULL, participant, (void *)(seed + i));
  for (uintptr_t i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

static uint32_t blocks_on_board(void) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < SLOTS; i++) count += b->slots[i].at != 0;
  return count;
}

static void nothing_is_lost(void) {
  sw_heap h;
  heap_open(&h, &shared);
  assert_int_equal(sw_heap_check(&h), SW_OK);
  assert_int_equal(heap_stats(&h).blocks, blocks_on_board());
  for (uint32_t i = 0; i < SLOTS; i++) {
    if (b->slots[i].at != 0) assert_int_equal(sw_heap_free(&h, b->slots[i].at), SW_OK);
  }
  sw_heap_trim(&h);
  assert_int_equal(sw_heap_check(&h), SW_OK);
  assert_int_equal(heap_stats(&h).blocks, 0);
  assert_int_equal(heap_stats(&h).pages_bytes, 0);
}

static void random_operations(uint64_t size, uint32_t each, bool until_full) {
  board_open(size);
  operations = each;
  b->large = until_full ? 8 : 1;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    if (!ONE_PROCESS) run_threads(2, 1);
    _exit(0);
  }
  run_threads(ONE_PROCESS ? 4 : 2, 11);
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(b->faults, 0);
  assert_true(b->done > each);
  assert_int_equal(b->full != 0, until_full);
  nothing_is_lost();
  board_close();
}

static void a_million_operations_of_four_threads(void **state) {
  (void)state;
  random_operations(MIDDLE_REGION, EACH, false);
}

static void the_same_where_the_heap_is_often_full(void **state) {
  (void)state;
  random_operations(SMALL_REGION, EACH / 2, true);
}

/* ---- frees by others ---- */

static void blocks_that_others_free_come_back(void **state) {
  (void)state;
  static const uint64_t SIZES[] = {SMALL_REGION, MIDDLE_REGION};
  for (int i = 0; i < 2; i++) {
    region r = heap_region(SIZES[i]);
    sw_heap owner, other;
    heap_open(&owner, &r);
    heap_open(&other, &r);
    uint64_t pages = 0;
    for (uint32_t round = 0; round < 50; round++) {
      uint32_t found[600];
      for (uint32_t k = 0; k < 600; k++) found[k] = heap_get(&owner, 80);
      for (uint32_t k = 0; k < 600; k++) {
        assert_int_equal(sw_heap_free(&other, found[k]), SW_OK);
        assert_int_equal(sw_heap_free(&other, found[k]), SW_EDOUBLEFREE);
        assert_int_equal(sw_heap_free(&owner, found[k]), SW_EDOUBLEFREE);
        assert_int_equal(sw_heap_usable(&owner, found[k]), 0);
      }
      if (round == 0) pages = heap_stats(&owner).pages_bytes;
      assert_true(heap_stats(&owner).pages_bytes <= pages);
      assert_int_equal(heap_stats(&owner).blocks, 0);
      assert_int_equal(sw_heap_check(&owner), SW_OK);
    }
    sw_heap_trim(&owner);
    assert_int_equal(heap_stats(&owner).pages_bytes, 0);
    heap_region_free(&r);
  }
}

static void figures_are_by_owner(void **state) {
  (void)state;
  region r = heap_region(MIDDLE_REGION);
  sw_heap a, c;
  heap_open(&a, &r);
  heap_open(&c, &r);
  heap_get(&a, 16);
  heap_get(&a, 20000);
  uint32_t at = heap_get(&c, 1000);
  sw_heap_stats stats = heap_stats(&a);
  assert_int_equal(stats.by_owner[a.endpoint], 16 + 3 * SW_HEAP_PAGE);
  assert_int_equal(stats.by_owner[c.endpoint], 1024);
  sw_heap_close(&c);
  stats = heap_stats(&a);
  assert_int_equal(stats.by_owner[c.endpoint], 0);
  assert_int_equal(stats.by_owner[SW_ENDPOINTS], 1024);
  assert_int_equal(sw_heap_free(&a, at), SW_OK);
  heap_region_free(&r);
}

/* ---- the lock is held ---- */

static void a_held_lock_delays_no_free(void **state) {
  (void)state;
  region r = heap_region(MIDDLE_REGION);
  sw_heap a, c;
  heap_open(&a, &r);
  heap_open(&c, &r);
  uint32_t found[2 * SW_HEAP_GIVEN];
  for (uint32_t i = 0; i < 2 * SW_HEAP_GIVEN; i++) found[i] = heap_get(&a, 8192);
  assert_int_equal(swi_runs_lock(&c), SW_OK);
  assert_int_equal(sw_heap_alloc(&a, 8192), 0);
  assert_int_equal(a.status, SW_EBUSY);
  assert_int_equal(sw_heap_alloc(&a, 8), 0);
  assert_int_equal(a.status, SW_EBUSY);
  assert_int_equal(sw_heap_check(&a), SW_EBUSY);
  assert_int_equal(sw_heap_trim(&a), 0);
  assert_int_equal(a.status, SW_EBUSY);
  assert_int_equal(sw_heap_alloc_wait(&a, 8192, 1, 1000000), 0);
  assert_int_equal(a.status, SW_ETIMEDOUT);
  for (uint32_t i = 0; i < 2 * SW_HEAP_GIVEN; i++) {
    assert_int_equal(sw_heap_free(&a, found[i]), SW_OK);
    assert_int_equal(sw_heap_free(&a, found[i]), SW_EDOUBLEFREE);
  }
  assert_int_equal(heap_stats(&a).blocks, 0);
  swi_runs_unlock(&c);
  heap_get(&a, 8192); /* its lock takes them all back */
  assert_int_equal(heap_stats(&a).pages_bytes, SW_HEAP_PAGE);
  assert_int_equal(sw_heap_check(&a), SW_OK);
  heap_region_free(&r);
}

/* ---- deaths ---- */

static void be_killed(uintptr_t seed) {
  uint64_t random = seed * 0x9e3779b97f4a7c15 + 7;
  uint64_t start = sw_prim_process_start(sw_prim_pid());
  int index = sw_endpoint_claim(shared.base, sw_prim_pid(), (uint32_t)start, (uint32_t)(start >> 32));
  sw_heap h;
  FAULT(index >= 0 && sw_heap_open(&h, shared.base, shared.size, SW_HEAP_AT, (uint32_t)index) == SW_OK);
  sw_store_release(&b->ready, 1);
  for (;;) operate(&h, &random);
}

/* The slot that the dead one was busy with may or may not have a block now: at most that leaks. */
static uint32_t slots_in_hand(void) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < SLOTS; i++) {
    if (b->slots[i].busy == 0) continue;
    count++;
    b->slots[i].busy = 0;
    b->slots[i].at = 0;
  }
  return count;
}

static void a_death_leaks_the_block_in_hand(uint64_t size) {
  board_open(size);
  sw_heap h;
  heap_open(&h, &shared);
  uint64_t random = 4;
  uint32_t leaked = 0;
  for (uintptr_t i = 0; i < DEATHS; i++) {
    sw_store_release(&b->ready, 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) be_killed(i);
    EVENTUALLY(sw_load_acquire(&b->ready) == 1);
    uint64_t until = sw_prim_now() + random_next(&random) % 3000000;
    while (sw_prim_now() < until) continue;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(b->faults, 0);
    uint32_t in_hand = slots_in_hand();
    assert_int_equal(sw_heap_check(&h), SW_OK);
    uint64_t blocks = heap_stats(&h).blocks, known = blocks_on_board() + leaked;
    /* realloc has two blocks in hand: the old one counts as the slot's */
    assert_in_range(blocks, known, known + 2 * in_hand);
    leaked += (uint32_t)(blocks - known);
    /* what the dead one marked and did not own yet, or owned no more */
    memset(b->units, 0, shared.size / SW_HEAP_UNIT * 4);
    for (uint32_t k = 0; k < SLOTS; k++) {
      if (b->slots[k].at != 0) mark(b->slots[k].at, sw_heap_usable(&h, b->slots[k].at), 1);
    }
    for (int k = 0; k < 300; k++) operate(&h, &random);
    assert_int_equal(b->faults, 0);
    assert_int_equal(sw_heap_check(&h), SW_OK);
  }
  board_close();
}

static void a_killed_owner(void **state) {
  (void)state;
  a_death_leaks_the_block_in_hand(MIDDLE_REGION);
}

static void a_killed_sharer(void **state) {
  (void)state;
  a_death_leaks_the_block_in_hand(SMALL_REGION);
}

TESTS(TEST(a_million_operations_of_four_threads), TEST(the_same_where_the_heap_is_often_full),
      TEST(blocks_that_others_free_come_back), TEST(figures_are_by_owner), TEST(a_held_lock_delays_no_free),
      TEST(a_killed_owner), TEST(a_killed_sharer));
