/* Death at every shared access of the robust mutex. The survivor gets it, whether the dead one was
 * evicted or not, and is told when that one died with it; a survivor that sleeps for it is woken by
 * the eviction. */
#include "crash.h"
#include "sabway/mutex.h"

/* setting.fill: 1 when the dead one is evicted */
static const setting EVICTED = {"evicted", 0, 1, 0}, UNNOTICED = {"not evicted", 0, 0, 0};

static sw_mutex *mutex(const scene *s) { return (sw_mutex *)(void *)(s->r.base + SW_INSTANCES_AT); }

static int try_it(const scene *s, uint32_t endpoint) { return sw_mutex_try_lock(s->r.base, mutex(s), endpoint); }
static int unlock_it(const scene *s, uint32_t endpoint) { return sw_mutex_unlock(s->r.base, mutex(s), endpoint); }

/* ---- survivor ---- */

/* The mutex can be locked by the next, whatever the dead one left of it. */
static void lock_and_unlock(const scene *s, int may_be_poisoned) {
  int status = sw_mutex_lock(s->r.base, mutex(s), s->own, TOO_LATE_NS);
  if (status == SW_EPOISONED && may_be_poisoned) return;
  assert_true(status == SW_OK || status == SW_EOWNERDEAD);
  if (status == SW_EOWNERDEAD) assert_int_equal(sw_mutex_consistent(s->r.base, mutex(s), s->own), SW_OK);
  assert_int_equal(unlock_it(s, s->own), SW_OK);
  assert_int_equal(mutex(s)->state & ~((uint64_t)SW_MUTEX_WAITED << 32), 0);
}

static void after_all(scene *s, int may_be_poisoned) {
  assert_int_equal(sw_mutex_check(mutex(s)), SW_OK);
  if (s->at->fill != 0) {
    sw_mutex_evict(s->r.base, mutex(s), s->notes->role);
    assert_int_not_equal(sw_mutex_holder(mutex(s)), s->notes->role);
  }
  lock_and_unlock(s, may_be_poisoned);
  lock_and_unlock(s, may_be_poisoned);
  /* The next claim of the dead one's endpoint is no holder by it. */
  if (s->notes->index == 2) assert_int_equal(region_claim(&s->r), 1);
  uint32_t index = reclaim(s);
  sw_mutex_evict_endpoint(s->r.base, mutex(s), index);
  assert_int_equal(mutex(s)->waiters >> index & 1, 0);
  assert_true(try_it(s, index) == SW_OK || may_be_poisoned);
  assert_int_equal(sw_mutex_check(mutex(s)), SW_OK);
}

static void after(scene *s) { after_all(s, 0); }
static void after_poison(scene *s) { after_all(s, 1); }

/* The survivor waits for it, and has not slept when it was evicted. */
static void after_waiting(scene *s) {
  if (s->at->fill != 0) {
    uint32_t ticket = sw_endpoint_arm(s->r.base, s->own, SW_SLEEP_FUTEX);
    int status = try_it(s, s->own);
    if (status == SW_EBUSY) {
      sw_mutex_evict(s->r.base, mutex(s), s->notes->role);
      assert_int_not_equal(*sw_endpoint_doorbell(s->r.base, s->own), ticket);
    } else if (status == SW_EOWNERDEAD) {
      assert_int_equal(sw_mutex_consistent(s->r.base, mutex(s), s->own), SW_OK);
      assert_int_equal(unlock_it(s, s->own), SW_OK);
    } else {
      assert_int_equal(status, SW_OK);
      assert_int_equal(unlock_it(s, s->own), SW_OK);
    }
    sw_endpoint_disarm(s->r.base, s->own);
  }
  sw_mutex_end_wait(s->r.base, mutex(s), s->own);
  after(s);
}

/* The survivor holds it: the death of a waiter changes nothing. */
static void after_held(scene *s) {
  assert_int_equal(sw_mutex_holder(mutex(s)), sw_endpoint_role(s->r.base, s->own));
  assert_int_equal(unlock_it(s, s->own), SW_OK);
  assert_int_not_equal(sw_mutex_holder(mutex(s)), sw_endpoint_role(s->r.base, s->own));
  after(s);
}

static void hold(scene *s) { assert_int_equal(try_it(s, s->own), SW_OK); }

static void dies_holding(const region *r) {
  sw_mutex *m = (sw_mutex *)(void *)(r->base + SW_INSTANCES_AT);
  sw_mutex_try_lock(r->base, m, region_claim(r));
}

/* Endpoint 1 is dead and holds it; the child has endpoint 2. */
static void before_dead(scene *s) { somebody_dies(s, dies_holding); }

static void park_without_request(scene *s) {
  sw_mutex_begin_wait(s->r.base, mutex(s), s->own);
  assert_int_equal(try_it(s, s->own), SW_EBUSY);
}
static void park_waiting(scene *s) {
  sw_mutex_request_handoff(s->r.base, mutex(s), s->own);
  park_without_request(s);
}
/* A dead one has it, and the survivor does not take it. */
static void park_for_a_dead_one(scene *s) { sw_mutex_begin_wait(s->r.base, mutex(s), s->own); }

/* ---- child ---- */

static void prelude_holding(scene *s) {
  child_claims(s);
  MUST(try_it(s, s->notes->index) == SW_OK);
}

static void prelude_second(scene *s) {
  sw_endpoint *e = (sw_endpoint *)(void *)(s->r.base + SW_HEADER_BYTES) + 1;
  sw_endpoint dead = *e;
  s->dead = sw_endpoint_role(s->r.base, 1);
  e->pid = sw_prim_pid(); /* so that the claim passes it over */
  e->start_low = 0;
  child_claims(s);
  MUST(s->notes->index == 2);
  *e = dead;
}

static void prelude_inherited(scene *s) {
  prelude_second(s);
  MUST(try_it(s, s->notes->index) == SW_EOWNERDEAD);
}

static void prelude_waiting(scene *s) {
  child_claims(s);
  sw_mutex_begin_wait(s->r.base, mutex(s), s->notes->index);
  sw_mutex_request_handoff(s->r.base, mutex(s), s->notes->index);
}

static void try_once(scene *s) { MUST(try_it(s, s->notes->index) == SW_OK); }
static void try_dead(scene *s) { MUST(try_it(s, s->notes->index) == SW_EOWNERDEAD); }
static void try_held(scene *s) { MUST(try_it(s, s->notes->index) == SW_EBUSY); }
static void unlock(scene *s) { MUST(unlock_it(s, s->notes->index) == SW_OK); }
static void unlock_unmended(scene *s) { MUST(unlock_it(s, s->notes->index) == SW_EPOISONED); }
static void consistent(scene *s) { MUST(sw_mutex_consistent(s->r.base, mutex(s), s->notes->index) == SW_OK); }
static void begin_wait(scene *s) { sw_mutex_begin_wait(s->r.base, mutex(s), s->notes->index); }
static void end_wait(scene *s) { sw_mutex_end_wait(s->r.base, mutex(s), s->notes->index); }
static void ask(scene *s) { sw_mutex_request_handoff(s->r.base, mutex(s), s->notes->index); }
static void evict(scene *s) { sw_mutex_evict(s->r.base, mutex(s), s->dead); }
static void evict_own(scene *s) {
  /* as the next owner of an endpoint whose last one held it */
  sw_mutex_evict_endpoint(s->r.base, mutex(s), s->notes->index);
}
static void lock_unlock(scene *s) {
  MUST(sw_mutex_lock(s->r.base, mutex(s), s->notes->index, -1) == SW_OK);
  unlock(s);
}
static void lock_in_vain(scene *s) { MUST(sw_mutex_lock(s->r.base, mutex(s), s->notes->index, 1) == SW_ETIMEDOUT); }

static const crash_case CASES[] = {
    {"sw_mutex_try_lock", NULL, child_claims, NULL, try_once, after},
    {"sw_mutex_try_lock, held", hold, child_claims, NULL, try_held, after_held},
    {"sw_mutex_try_lock of a dead one's", before_dead, prelude_second, NULL, try_dead, after},
    {"sw_mutex_unlock", NULL, prelude_holding, NULL, unlock, after},
    {"sw_mutex_unlock for a waiter", NULL, prelude_holding, park_without_request, unlock, after_waiting},
    {"sw_mutex_unlock, hand-off", NULL, prelude_holding, park_waiting, unlock, after_waiting},
    {"sw_mutex_unlock without consistent", before_dead, prelude_inherited, park_waiting, unlock_unmended, after_poison},
    {"sw_mutex_consistent", before_dead, prelude_inherited, NULL, consistent, after},
    {"sw_mutex_begin_wait", hold, child_claims, NULL, begin_wait, after_held},
    {"sw_mutex_request_handoff", hold, child_claims, NULL, ask, after_held},
    {"sw_mutex_end_wait", hold, prelude_waiting, NULL, end_wait, after_held},
    {"sw_mutex_evict_endpoint", NULL, prelude_holding, park_without_request, evict_own, after_waiting},
    {"sw_mutex_evict", before_dead, prelude_second, park_for_a_dead_one, evict, after_waiting},
    {"sw_mutex_lock, sw_mutex_unlock", NULL, child_claims, NULL, lock_unlock, after},
    {"sw_mutex_lock, out of time", hold, child_claims, NULL, lock_in_vain, after_held},
};

static void holders_and_waiters_die(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof(CASES) / sizeof(*CASES); c++) {
    crash_sweep(&CASES[c], &EVICTED);
    crash_sweep(&CASES[c], &UNNOTICED);
  }
  crash_summary();
}

TESTS(TEST(holders_and_waiters_die));
