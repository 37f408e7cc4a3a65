/* Several participants: four threads of two processes change a map at once, each with keys of its
 * own, which are as in an array of its own, and counters of all; and processes that are killed. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "map_helper.h"

enum { THREADS = 2, STEPS = 60000, KEYS = 500, COUNTERS = 10, KEPT = 200 };

static region shared;
static uint32_t at;

/* Found by other threads and processes. */
static struct board {
  uint32_t faults, ready;
  uint32_t added[COUNTERS];
} * board;

#define FAULT(condition)                                                  \
  do {                                                                    \
    if (!(condition) && sw_fetch_add_acq_rel(&board->faults, 1) < 10) {   \
      fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #condition); \
    }                                                                     \
  } while (0)

typedef struct worker {
  sw_heap h;
  sw_map_handle m;
  uint64_t random;
  uint32_t mark;
  double expected[KEYS]; /* 0: there is none */
} worker;

static uint32_t claim(void) {
  uint64_t start = sw_prim_process_start(sw_prim_pid());
  return (uint32_t)sw_endpoint_claim(shared.base, sw_prim_pid(), (uint32_t)start, (uint32_t)(start >> 32));
}

/* While the heap is locked for a new slab, a call is to be tried again. */
static int put_again(worker *w, double key, double value) {
  int status;
  while ((status = sw_map_put_number(&w->m, key, value)) == SW_EBUSY) continue;
  return status;
}

static int delete_again(worker *w, double key) {
  int status;
  while ((status = sw_map_delete(&w->m, SW_MAP_NUMBER, &key, 8)) == SW_EBUSY) continue;
  return status;
}

static void one_step(worker *w, uint32_t i) {
  uint32_t k = random_next(&w->random) % KEYS;
  double key = 1000 * (w->mark + 1) + k, value;
  switch (random_next(&w->random) % 5) {
    case 0:
      FAULT(delete_again(w, key) == (w->expected[k] != 0));
      w->expected[k] = 0;
      break;
    case 1:
      value = sw_map_get_number(&w->m, key);
      FAULT(w->expected[k] == 0 ? value != value && w->m.status == 0 : value == w->expected[k]);
      break;
    case 2:
      k %= COUNTERS;
      for (value = sw_map_add_number(&w->m, k, 1); value != value; value = sw_map_add_number(&w->m, k, 1)) {
        FAULT(w->m.status == SW_EBUSY);
      }
      sw_fetch_add_acq_rel(&board->added[k], 1);
      break;
    case 3:
      value = sw_map_get_number(&w->m, -1.0 - k % KEPT);
      FAULT(value == k % KEPT);
      break;
    default:
      FAULT(put_again(w, key, i + 1) == (w->expected[k] != 0 ? 2 : 1));
      w->expected[k] = i + 1;
  }
}

static void *work(void *argument) {
  worker *w = calloc(1, sizeof(*w));
  w->mark = (uint32_t)(uintptr_t)argument;
  w->random = w->mark * 7919 + 1;
  FAULT(sw_heap_open(&w->h, shared.base, shared.size, SW_HEAP_AT, claim()) == SW_OK);
  FAULT(sw_map_open(&w->m, &w->h, at, 0) == SW_OK);
  for (uint32_t i = 0; i < STEPS; i++) one_step(w, i);
  for (uint32_t k = 0; k < KEYS; k++) {
    double value = sw_map_get_number(&w->m, 1000 * (w->mark + 1) + k);
    FAULT(w->expected[k] == 0 ? value != value : value == w->expected[k]);
    if (value == value) FAULT(delete_again(w, 1000 * (w->mark + 1) + k) == 1);
  }
  sw_map_close(&w->m);
  sw_heap_close(&w->h);
  free(w);
  return NULL;
}

static void run_threads(uint32_t mark) {
  pthread_t threads[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)(mark + i));
  for (uint32_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

static void open_all(map_scene *s) {
  shared = heap_region(MIDDLE_REGION);
  board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(board, MAP_FAILED);
  s->heap.r = shared;
  heap_open(&s->heap.h, &shared);
  at = s->at = sw_map_new(&s->heap.h, &(sw_map_options){.seed = 99});
  assert_int_equal(sw_map_open(&s->m, &s->heap.h, at, 0), SW_OK);
  for (uint32_t i = 0; i < KEPT; i++) assert_int_equal(map_put(&s->m, -1.0 - i, i), 1);
}

static void close_all(void) {
  munmap(board, sizeof(*board));
  heap_region_free(&shared);
}

static void four_threads_of_two_processes(void **state) {
  (void)state;
  map_scene s;
  open_all(&s);
  pid_t child = fork();
  if (child == 0) {
    run_threads(THREADS);
    _exit(0);
  }
  run_threads(0);
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(board->faults, 0);
  for (uint32_t i = 0; i < COUNTERS; i++) assert_true(map_get(&s.m, i) == board->added[i]);
  assert_int_equal(sw_map_size(&s.m), COUNTERS + KEPT);
  assert_int_equal(sw_map_check(&s.m), SW_OK);
  close_all();
}

static void killed_processes_leave_it_whole(void **state) {
  (void)state;
  map_scene s;
  open_all(&s);
  for (uint32_t round = 0; round < 20; round++) {
    pid_t children[2];
    for (uint32_t i = 0; i < 2; i++) {
      children[i] = fork();
      if (children[i] != 0) continue;
      sw_fetch_add_acq_rel(&board->ready, 1);
      for (;;) work((void *)(uintptr_t)(2 * round + i));
    }
    EVENTUALLY(sw_load_acquire(&board->ready) == 2 * (round + 1));
    sleep_ms(1 + round % 5);
    for (uint32_t i = 0; i < 1000; i++) assert_true(map_put(&s.m, -1000.0 - i, round + i) > 0);
    for (uint32_t i = 0; i < 2; i++) {
      kill(children[i], SIGKILL);
      assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
    }
    for (uint32_t i = 0; i < KEPT; i++) assert_true(map_get(&s.m, -1.0 - i) == i);
    for (uint32_t i = 0; i < 1000; i++) assert_true(map_get(&s.m, -1000.0 - i) == round + i);
    assert_int_equal(sw_map_check(&s.m), SW_OK);
    assert_int_equal(sw_heap_check(&s.heap.h), SW_OK);
  }
  assert_int_equal(board->faults, 0);
  close_all();
}

TESTS(TEST(four_threads_of_two_processes), TEST(killed_processes_leave_it_whole));
