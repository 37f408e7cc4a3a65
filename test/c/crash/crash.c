#include "crash.h"

#include <signal.h>

/* ---- dying ---- */

static notes *armed; /* of this process */

void swi_crash_point(void) {
  if (armed == NULL) return;
  uint32_t count = sw_fetch_add_acq_rel(&armed->points, 1) + 1;
  if (count != armed->kill_at) return;
  armed->died_at = sw_prim_now();
  kill(getpid(), SIGKILL);
  for (;;) pause(); /* the signal is for the process: another thread may be the one that takes it */
}

/* The linker puts this between the core and the system: one more moment to die, between the bump of
 * the doorbell and the wake. */
int __real_sw_prim_futex_wake(uint32_t *word);
int __wrap_sw_prim_futex_wake(uint32_t *word);
int __wrap_sw_prim_futex_wake(uint32_t *word) {
  swi_crash_point();
  return __real_sw_prim_futex_wake(word);
}

void crash_arm(notes *n, uint32_t k) {
  n->points = 0;
  n->kill_at = k;
  armed = n;
}

void crash_disarm(void) { armed = NULL; }

void crash_must(int holds, const char *condition, const char *file, int line) {
  if (holds) return;
  fprintf(stderr, "%s:%d: the child finds: not %s\n", file, line, condition);
  _exit(1);
}

bool crash_reap(pid_t child) {
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) assert_int_equal(WTERMSIG(status), SIGKILL);
  else assert_int_equal(status, 0);
  return WIFSIGNALED(status);
}

void *crash_shared(size_t bytes) {
  void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(at, MAP_FAILED);
  return at;
}

/* ---- messages ---- */

int put(sw_producer *p, uint32_t n) {
  void *room = sw_producer_reserve(p, length_of(n), 0);
  if (room == NULL) return p->status;
  pattern_fill(room, length_of(n), n);
  return sw_producer_commit(p, length_of(n));
}

int is_message(const scene *s, const sw_slice *slice, uint32_t n) {
  return slice->length == length_of(n) && pattern_holds(s->r.base + slice->offset, slice->length, n);
}

/* ---- parts of cases ---- */

int crash_claim(const region *r) {
  uint64_t start = sw_prim_process_start(sw_prim_pid());
  return sw_endpoint_claim(r->base, sw_prim_pid(), (uint32_t)start, (uint32_t)(start >> 32));
}

void crash_join(sw_heap *h, const region *r, notes *n) {
  int index = crash_claim(r);
  MUST(index >= 0);
  MUST(sw_heap_open(h, r->base, r->size, SW_HEAP_AT, (uint32_t)index) == SW_OK);
  n->role = h->role;
}

void child_claims(scene *s) {
  int index = crash_claim(&s->r);
  MUST(index >= 0);
  s->notes->index = (uint32_t)index;
  s->notes->role = sw_endpoint_role(s->r.base, (uint32_t)index);
}

void somebody_dies(scene *s, void (*with)(const region *r)) { reap(run_child(with, &s->r)); }

uint32_t reclaim(scene *s) {
  int index = crash_claim(&s->r);
  assert_int_equal(index, s->notes->index);
  /* nor is it mistaken for its successor */
  assert_false(sw_endpoint_role_alive(s->r.base, s->notes->role));
  return (uint32_t)index;
}

/* ---- one death ---- */

static void wait_until_set(uint32_t *word) {
  uint64_t end = sw_prim_now() + TOO_LATE_NS;
  while (sw_load_acquire(word) == 0 && sw_prim_now() < end) sw_prim_futex_wait(word, 0, PATROL_NS);
}

static void set(uint32_t *word) {
  sw_store_release(word, 1);
  sw_prim_futex_wake(word);
}

static void be_the_child(const crash_case *what, scene *s, uint32_t k) {
  what->prelude(s);
  set(&s->notes->ready);
  wait_until_set(&s->notes->parked);
  crash_arm(s->notes, k);
  what->act(s);
  crash_disarm();
  s->notes->died_at = sw_prim_now();
  _exit(0);
}

static int child_exists(const scene *s) {
  if (s->notes->role != 0) return sw_endpoint_role_alive(s->r.base, s->notes->role);
  return sw_prim_process_alive((uint32_t)s->child, 0, 0); /* it had no endpoint to be known by */
}

/* Sleep as a participant does. It stays armed from slice to slice, so that the child meets the same
 * words in every round. Returns how long the child had been dead before it was noticed. */
static uint64_t sleep_until_alone(const crash_case *what, scene *s) {
  wait_until_set(&s->notes->ready);
  uint32_t *doorbell = sw_endpoint_doorbell(s->r.base, s->own);
  uint32_t ticket = sw_endpoint_arm(s->r.base, s->own, SW_SLEEP_FUTEX);
  if (what->park != NULL) what->park(s);
  set(&s->notes->parked);
  uint64_t end = sw_prim_now() + 5 * (uint64_t)TOO_LATE_NS;
  do {
    assert_true(sw_prim_now() < end);
    sw_prim_futex_wait(doorbell, ticket, PATROL_NS);
    s->woken |= sw_load_acquire(doorbell) != ticket;
    ticket = sw_load_acquire(doorbell);
  } while (child_exists(s));
  uint64_t noticed = sw_prim_now();
  sw_endpoint_disarm(s->r.base, s->own);
  return noticed - s->notes->died_at;
}

/* Was the child killed? */
static bool wait_for_death(const scene *s) {
  bool killed = crash_reap(s->child);
  if (s->notes->role != 0) assert_false(sw_endpoint_role_alive(s->r.base, s->notes->role));
  return killed;
}

static uint32_t total_cases, total_points, total_woken;
static uint64_t slowest_of_all;

static int die_once(const crash_case *what, const setting *at, notes *n, uint32_t k, uint64_t *slowest) {
  memset(n, 0, sizeof(*n));
  scene s = {.at = at, .notes = n, .r = region_new_shared(CAPACITY, CAPACITY)};
  s.ring = &region_channel(&s.r)->rings[SW_RENDERER];
  s.ring->head = s.ring->tail = at->position;
  s.own = region_claim(&s.r);
  if (what->before != NULL) what->before(&s);
  s.child = fork();
  assert_true(s.child >= 0);
  if (s.child == 0) be_the_child(what, &s, k);
  uint64_t took = sleep_until_alone(what, &s);
  if (took > *slowest) *slowest = took;
  assert_true(took < TOO_LATE_NS);
  int killed = wait_for_death(&s);
  what->after(&s);
  total_woken += (uint32_t)s.woken;
  region_free_shared(&s.r);
  return killed;
}

void crash_sweep(const crash_case *what, const setting *at) {
  notes *n = crash_shared(sizeof(*n));
  uint64_t slowest = 0;
  uint32_t k = 1, woken = total_woken;
  if (total_cases++ == 0) printf("%-40s %-22s %6s %6s %9s\n", "operation", "ring", "points", "woken", "noticed");
  while (die_once(what, at, n, k, &slowest)) k++;
  assert_int_equal(n->points, k - 1);
  printf("%-40s %-22s %6u %6u %6.1f ms\n", what->name, at->name, k - 1, total_woken - woken, (double)slowest / 1e6);
  fflush(stdout);
  total_points += k - 1;
  if (slowest > slowest_of_all) slowest_of_all = slowest;
  munmap(n, sizeof(*n));
}

void crash_summary(void) {
  printf("%u cases, %u crash points, all survived; the slowest death was noticed after %.1f ms\n", total_cases,
         total_points, (double)slowest_of_all / 1e6);
}
