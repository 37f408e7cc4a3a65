/* Blocking: threads of two processes share one mutex, sleep for it, run out of time, are handed it,
 * and are told of a death. Nothing here asserts how long something took. */
#include "../process/process.h"

#include <signal.h>

#include "sabway/mutex.h"
#include "sabway/role.h"

enum { THREADS = 4, ROUNDS = 20000 };

typedef struct shared {
  sw_mutex mutex;
  uint32_t count, inside, wrong; /* protected by it */
  /* shared words: threads that are there, and how many begin together */
  uint32_t ready, wanted;
} shared;

static region r;
static shared *s;

static int begin(void **state) {
  (void)state;
  r = region_new_shared(4096, 4096);
  s = (shared *)(void *)(r.base + SW_INSTANCES_AT);
  return 0;
}

static int end(void **state) {
  (void)state;
  assert_int_equal(sw_mutex_check(&s->mutex), SW_OK);
  region_free_shared(&r);
  return 0;
}

static uint32_t claim(void) {
  uint32_t index = region_claim(&r);
  sw_endpoint_set_skills(r.base, index, SW_WAKES_FUTEX);
  return index;
}

typedef struct thread {
  sw_prim_thread thread;
  uint32_t endpoint, rounds;
  int64_t timeout_ns;
  int status;
} thread;

static int lock(uint32_t endpoint, int64_t timeout_ns) {
  return sw_mutex_lock(r.base, &s->mutex, endpoint, timeout_ns);
}
/* Without the hint that an unlock has to look for waiters. */
static uint64_t state_now(void) { return sw_load64_relaxed(&s->mutex.state) & ~((uint64_t)SW_MUTEX_WAITED << 32); }
static int unlock(uint32_t endpoint) { return sw_mutex_unlock(r.base, &s->mutex, endpoint); }

/* Not atomic: only the mutex keeps others out. */
static void count_once(void) {
  if (s->inside != 0) s->wrong++;
  s->inside = 1;
  s->count++;
  if (s->count % 32 == 0) sw_prim_yield(); /* so that others come and find it locked */
  s->inside = 0;
}

static void counts(void *argument) {
  thread *t = argument;
  sw_fetch_add_acq_rel(&s->ready, 1);
  while (sw_load_acquire(&s->ready) < sw_load_acquire(&s->wanted)) sw_prim_yield();
  for (uint32_t done = 0; done < t->rounds && t->status == SW_OK;) {
    int status = lock(t->endpoint, t->timeout_ns);
    if (status == SW_ETIMEDOUT) continue;
    t->status = status;
    if (status != SW_OK) break;
    count_once();
    done++;
    t->status = unlock(t->endpoint);
  }
}

static void start(thread *t, uint32_t rounds, int64_t timeout_ns) {
  *t = (thread){.endpoint = claim(), .rounds = rounds, .timeout_ns = timeout_ns};
  assert_int_equal(sw_prim_thread_start(&t->thread, "counts", counts, t), SW_OK);
}

static int join(thread *t) {
  assert_int_equal(sw_prim_thread_join(&t->thread), SW_OK);
  return t->status;
}

static void count_together(int64_t timeout_ns, uint32_t threads, uint32_t rounds) {
  thread t[THREADS];
  for (uint32_t i = 0; i < threads; i++) start(&t[i], rounds, timeout_ns);
  for (uint32_t i = 0; i < threads; i++) assert_int_equal(join(&t[i]), SW_OK);
}

static void all_counted(uint32_t count) {
  assert_int_equal(s->count, count);
  assert_int_equal(s->wrong, 0);
  assert_int_equal(state_now(), 0);
  assert_int_equal(s->mutex.waiters, 0);
}

static void threads_of_one_process(void **state) {
  (void)state;
  s->wanted = THREADS;
  count_together(-1, THREADS, ROUNDS);
  all_counted(THREADS * ROUNDS);
}

/* Time-outs that pass all the time cost no thread a wake. */
static void short_of_time(void **state) {
  (void)state;
  s->wanted = THREADS;
  count_together(30000, THREADS, ROUNDS / 10);
  all_counted(THREADS * ROUNDS / 10);
}

static void half_of_them(const region *shared_region) {
  (void)shared_region;
  count_together(-1, THREADS / 2, ROUNDS);
}

static void threads_of_two_processes(void **state) {
  (void)state;
  s->wanted = THREADS;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    half_of_them(&r);
    _exit(0);
  }
  half_of_them(&r);
  reap(child);
  all_counted(THREADS * ROUNDS);
}

static void time_runs_out(void **state) {
  (void)state;
  uint32_t a = claim(), b = claim();
  assert_int_equal(lock(a, -1), SW_OK);
  assert_int_equal(lock(a, -1), SW_ESTATE);
  assert_int_equal(lock(b, 0), SW_ETIMEDOUT);
  assert_int_equal(lock(b, 1), SW_ETIMEDOUT);
  assert_int_equal(lock(b, 3000000), SW_ETIMEDOUT); /* long enough to ask for a hand-off */
  assert_int_equal(s->mutex.waiters, 0);
  assert_int_equal(state_now(), sw_endpoint_role(r.base, a));
  assert_int_equal(unlock(a), SW_OK);
  assert_int_equal(lock(b, 0), SW_OK);
  assert_int_equal(unlock(b), SW_OK);
  assert_int_equal(lock(b, INT64_MAX), SW_OK);
  assert_int_equal(unlock(b), SW_OK);
}

/* A waiter that has waited for 1 ms is handed it, although another takes it again at once. */
static void handed_over(void **state) {
  (void)state;
  uint32_t a = claim();
  thread t;
  assert_int_equal(lock(a, -1), SW_OK);
  start(&t, 1, -1);
  EVENTUALLY(state_now() >> 32 == sw_endpoint_role(r.base, t.endpoint));
  assert_int_equal(unlock(a), SW_OK);
  int status = sw_mutex_try_lock(r.base, &s->mutex, a);
  if (status == SW_OK) assert_int_equal(unlock(a), SW_OK); /* it was through already */
  else assert_int_equal(status, SW_EBUSY);
  assert_int_equal(join(&t), SW_OK);
  all_counted(1);
}

/* ---- death ---- */

static void locks_and_dies(const region *shared_region) {
  (void)shared_region;
  if (lock(claim(), -1) != SW_OK) _exit(1);
}

static void holder_is_dead(void **state) {
  (void)state;
  reap(run_child(locks_and_dies, &r));
  uint32_t a = claim();
  assert_int_equal(a, 0); /* the dead one's endpoint, claimed anew */
  assert_int_equal(lock(a, -1), SW_EOWNERDEAD);
  assert_int_equal(sw_mutex_consistent(r.base, &s->mutex, a), SW_OK);
  assert_int_equal(unlock(a), SW_OK);
  all_counted(0);
}

/* The waiter sleeps when the holder dies: its patrol finds it. */
static void holder_dies_meanwhile(void **state) {
  (void)state;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    if (lock(claim(), -1) != SW_OK) _exit(1);
    sw_store_release(&s->ready, 1);
    for (;;) pause();
  }
  EVENTUALLY(sw_load_acquire(&s->ready) == 1);
  thread t;
  start(&t, 1, -1);
  EVENTUALLY(sw_load64_relaxed(&s->mutex.waiters) != 0);
  kill(child, SIGKILL);
  reap(child);
  assert_int_equal(join(&t), SW_EOWNERDEAD);
  assert_int_equal(sw_mutex_holder(&s->mutex), sw_endpoint_role(r.base, t.endpoint));
  assert_int_equal(unlock(t.endpoint), SW_EPOISONED);
  assert_int_equal(lock(t.endpoint, -1), SW_EPOISONED);
}

/* All that wait for what is poisoned are told. */
static void poisoned_meanwhile(void **state) {
  (void)state;
  reap(run_child(locks_and_dies, &r));
  uint32_t a = claim();
  assert_int_equal(lock(a, -1), SW_EOWNERDEAD);
  thread t[3];
  for (int i = 0; i < 3; i++) start(&t[i], 1, -1);
  EVENTUALLY(__builtin_popcountll(sw_load64_relaxed(&s->mutex.waiters)) == 3);
  assert_int_equal(unlock(a), SW_EPOISONED);
  for (int i = 0; i < 3; i++) assert_int_equal(join(&t[i]), SW_EPOISONED);
  assert_int_equal(s->mutex.waiters, 0);
}

#define TEST_LOCK(name) cmocka_unit_test_setup_teardown(name, begin, end)

TESTS(TEST_LOCK(threads_of_one_process), TEST_LOCK(short_of_time), TEST_LOCK(threads_of_two_processes),
      TEST_LOCK(time_runs_out), TEST_LOCK(handed_over), TEST_LOCK(holder_is_dead), TEST_LOCK(holder_dies_meanwhile),
      TEST_LOCK(poisoned_meanwhile));
