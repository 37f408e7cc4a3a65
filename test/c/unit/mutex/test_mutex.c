/* The robust mutex, step by step: which state each call leaves, and what it says. */
#include "sabway/mutex.h"

#include "../helper.h"
#include "sabway/role.h"

static region r;
static sw_mutex *m;
static uint32_t a, b, c; /* endpoints of this process */

static int begin(void **state) {
  (void)state;
  r = region_new(4096, 4096);
  m = (sw_mutex *)(void *)(r.base + SW_INSTANCES_AT);
  a = region_claim(&r);
  b = region_claim(&r);
  c = region_claim(&r);
  return 0;
}

static int end(void **state) {
  (void)state;
  assert_int_equal(sw_mutex_check(m), SW_OK);
  region_free(&r);
  return 0;
}

static uint32_t role(uint32_t endpoint) { return sw_endpoint_role(r.base, endpoint); }
static uint64_t bit(uint32_t endpoint) { return UINT64_C(1) << endpoint; }
static int try(uint32_t endpoint) { return sw_mutex_try_lock(r.base, m, endpoint); }
static int unlock(uint32_t endpoint) { return sw_mutex_unlock(r.base, m, endpoint); }
static int consistent(uint32_t endpoint) { return sw_mutex_consistent(r.base, m, endpoint); }
static void begin_wait(uint32_t endpoint) { sw_mutex_begin_wait(r.base, m, endpoint); }
static void end_wait(uint32_t endpoint) { sw_mutex_end_wait(r.base, m, endpoint); }
static void ask(uint32_t endpoint) { sw_mutex_request_handoff(r.base, m, endpoint); }
static void evict(uint32_t of) { sw_mutex_evict(r.base, m, of); }
static uint32_t holder(void) { return sw_mutex_holder(m); }

/* Without the hint that an unlock has to look for waiters. */
static uint64_t state_of(void) { return m->state & ~((uint64_t)SW_MUTEX_WAITED << 32); }
static int is_waited(void) { return m->state != state_of(); }

/* As it does before it sleeps, but for the second look. */
static void lie_down(uint32_t endpoint) {
  begin_wait(endpoint);
  sw_endpoint_arm(r.base, endpoint, SW_SLEEP_FUTEX);
}
static void fall_asleep(uint32_t endpoint) {
  lie_down(endpoint);
  assert_int_equal(try(endpoint), SW_EBUSY);
}
static int sleeps(uint32_t endpoint) { return sw_endpoint_is_armed(r.base, endpoint); }

/* Its claim is over, and its roles name a participant that has ended. */
static void ends(uint32_t endpoint) { sw_endpoint_release(r.base, endpoint); }

static void one_at_a_time(void **state) {
  (void)state;
  assert_int_equal(holder(), 0);
  assert_int_equal(try(a), SW_OK);
  assert_int_equal(holder(), role(a));
  assert_int_equal(try(b), SW_EBUSY);
  assert_int_equal(try(a), SW_ESTATE);
  assert_int_equal(unlock(b), SW_ESTATE);
  assert_int_equal(consistent(a), SW_ESTATE);
  assert_int_equal(unlock(a), SW_OK);
  assert_int_equal(unlock(a), SW_ESTATE);
  assert_int_equal(try(b), SW_OK);
  assert_int_equal(state_of(), role(b));
  assert_int_equal(unlock(b), SW_OK);
  assert_int_equal(state_of(), 0);
}

/* Each unlock wakes the next one behind it, and only that. */
static void wakes_one_in_turn(void **state) {
  (void)state;
  assert_int_equal(try(b), SW_OK);
  fall_asleep(a);
  fall_asleep(c);
  assert_int_equal(unlock(b), SW_OK);
  assert_true(sleeps(a));
  assert_false(sleeps(c));
  assert_int_equal(try(c), SW_OK);
  end_wait(c);
  assert_int_equal(m->waiters, bit(a));
  assert_true(sleeps(a)); /* the mutex is not free */
  assert_int_equal(unlock(c), SW_OK);
  assert_false(sleeps(a));
  end_wait(a);
  assert_int_equal(m->waiters, 0);
}

/* An unlock looks for waiters where one has slept, until it finds none. */
static void looks_where_one_has_slept(void **state) {
  (void)state;
  assert_int_equal(try(a), SW_OK);
  assert_int_equal(try(b), SW_EBUSY); /* does not wait */
  assert_false(is_waited());
  fall_asleep(b);
  assert_true(is_waited());
  fall_asleep(c);
  assert_int_equal(unlock(a), SW_OK);
  assert_true(is_waited());
  assert_int_equal(try(b), SW_OK);
  end_wait(b);
  assert_true(is_waited());
  assert_int_equal(unlock(b), SW_OK);
  assert_false(sleeps(c));
  assert_int_equal(try(c), SW_OK);
  end_wait(c);
  assert_int_equal(unlock(c), SW_OK);
  assert_int_equal(m->state, 0);
}

/* A wake for one that leaves goes to the next. */
static void passes_the_wake_on(void **state) {
  (void)state;
  assert_int_equal(try(a), SW_OK);
  fall_asleep(b);
  fall_asleep(c);
  assert_int_equal(unlock(a), SW_OK);
  assert_false(sleeps(b));
  assert_true(sleeps(c));
  end_wait(b);
  assert_false(sleeps(c));
  assert_int_equal(m->waiters, bit(c));
}

static void all_bits_are_endpoints(void **state) {
  (void)state;
  while (region_claim(&r) != SW_ENDPOINTS - 1) {
  }
  assert_int_equal(try(0), SW_OK);
  fall_asleep(SW_ENDPOINTS - 1);
  assert_int_equal(m->waiters, UINT64_C(1) << 63);
  assert_int_equal(unlock(0), SW_OK);
  assert_false(sleeps(SW_ENDPOINTS - 1));
  end_wait(SW_ENDPOINTS - 1);
  assert_int_equal(m->waiters, 0);
  assert_int_equal(try(SW_ENDPOINTS - 1), SW_OK);
  assert_int_equal(unlock(SW_ENDPOINTS - 1), SW_OK);
}

static void passes_over_what_is_gone(void **state) {
  (void)state;
  assert_int_equal(try(a), SW_OK);
  fall_asleep(b);
  fall_asleep(c);
  begin_wait(40); /* an endpoint that was never claimed */
  ends(b);
  assert_int_equal(unlock(a), SW_OK);
  /* b left: its bit may be the next owner of its endpoint. */
  assert_int_equal(m->waiters, bit(b) | bit(c) | bit(40));
  assert_false(sleeps(c));
  end_wait(c);
  assert_int_equal(m->waiters, bit(b) | bit(40));
  m->waiters = 0;
}

/* ---- hand-off ---- */

static void handed_to_the_one_that_asked(void **state) {
  (void)state;
  ask(b); /* of a free one: there is nothing to ask for */
  assert_int_equal(state_of(), 0);
  assert_int_equal(try(a), SW_OK);
  ask(a); /* nor for its holder */
  assert_int_equal(state_of(), role(a));
  fall_asleep(b);
  fall_asleep(c);
  ask(c);
  ask(b); /* the first that asks has it */
  assert_int_equal(state_of(), (uint64_t)role(c) << 32 | role(a));
  assert_int_equal(holder(), role(a));
  assert_int_equal(unlock(a), SW_OK);
  assert_false(sleeps(c));
  assert_true(sleeps(b));
  assert_int_equal(try(a), SW_EBUSY);
  assert_int_equal(try(b), SW_EBUSY);
  assert_int_equal(holder(), role(c));
  assert_int_equal(try(c), SW_OK);
  assert_int_equal(state_of(), role(c));
  end_wait(c);
  assert_int_equal(try(c), SW_ESTATE);
  assert_int_equal(unlock(c), SW_OK);
  assert_false(sleeps(b));
}

static void handed_to_one_that_leaves(void **state) {
  (void)state;
  assert_int_equal(try(a), SW_OK);
  fall_asleep(b);
  fall_asleep(c);
  ask(b);
  end_wait(b); /* before */
  assert_int_equal(state_of(), role(a));
  fall_asleep(b);
  ask(b);
  assert_int_equal(unlock(a), SW_OK);
  assert_true(sleeps(c));
  end_wait(b); /* behind */
  assert_int_equal(state_of(), 0);
  assert_false(sleeps(c));
}

/* It had it before it knew, and gives it back. */
static void handed_and_unlocked(void **state) {
  (void)state;
  assert_int_equal(try(a), SW_OK);
  begin_wait(b);
  ask(b);
  assert_int_equal(unlock(a), SW_OK);
  assert_int_equal(unlock(b), SW_OK);
  assert_int_equal(state_of(), 0);
  end_wait(b);
}

static void request_of_one_that_is_gone(void **state) {
  (void)state;
  assert_int_equal(try(a), SW_OK);
  fall_asleep(b);
  fall_asleep(c);
  ask(b);
  ends(b);
  ask(c); /* in its place */
  assert_int_equal(state_of() >> 32, role(c));
  ends(c);
  uint64_t left = m->waiters;
  assert_int_equal(unlock(a), SW_OK);
  assert_int_equal(state_of(), 0);
  assert_int_equal(m->waiters, left);
  m->waiters = 0;
}

/* What was handed to one that died before it took it was left in order. */
static void handed_to_one_that_dies(void **state) {
  (void)state;
  assert_int_equal(try(a), SW_OK);
  begin_wait(b);
  ask(b);
  uint32_t dead = role(b);
  assert_int_equal(unlock(a), SW_OK);
  ends(b);
  sw_mutex before = *m;
  assert_int_equal(try(c), SW_OK);
  assert_int_equal(state_of(), role(c));
  *m = before;
  lie_down(c);
  evict(dead);
  assert_int_equal(state_of(), 0);
  assert_false(sleeps(c));
  end_wait(c);
  assert_int_equal(m->waiters, bit(b));
  m->waiters = 0;
}

/* ---- death ---- */

static void next_one_is_told(void **state) {
  (void)state;
  assert_int_equal(try(a), SW_OK);
  ends(a);
  ask(b); /* of a dead holder: it gives nothing away */
  assert_int_equal(try(b), SW_EOWNERDEAD);
  assert_int_equal(holder(), role(b));
  assert_int_equal(try(b), SW_ESTATE);
  assert_int_equal(try(c), SW_EBUSY);
  assert_int_equal(consistent(c), SW_ESTATE);
  begin_wait(c);
  ask(c);
  assert_int_equal(consistent(b), SW_OK);
  assert_int_equal(state_of(), (uint64_t)role(c) << 32 | role(b));
  assert_int_equal(consistent(b), SW_ESTATE);
  end_wait(c);
  assert_int_equal(unlock(b), SW_OK);
  assert_int_equal(try(c), SW_OK);
  assert_int_equal(unlock(c), SW_OK);
}

/* The heir dies, too, before it has mended anything. */
static void inherited_twice(void **state) {
  (void)state;
  assert_int_equal(try(a), SW_OK);
  ends(a);
  assert_int_equal(try(b), SW_EOWNERDEAD);
  ends(b);
  assert_int_equal(try(c), SW_EOWNERDEAD);
  assert_int_equal(consistent(c), SW_OK);
  assert_int_equal(unlock(c), SW_OK);
  assert_int_equal(state_of(), 0);
}

/* One that was taken for dead comes back late: it is told, and breaks nothing. */
static void comes_back_late(void **state) {
  (void)state;
  assert_int_equal(try(a), SW_OK);
  evict(role(a));
  assert_int_equal(state_of(), SW_MUTEX_INHERITED);
  assert_int_equal(holder(), 0);
  assert_int_equal(unlock(a), SW_ESTATE);
  assert_int_equal(try(b), SW_EOWNERDEAD);
  assert_int_equal(unlock(a), SW_ESTATE);
  assert_int_equal(consistent(b), SW_OK);
  assert_int_equal(unlock(b), SW_OK);
}

static void unmended_is_poisoned(void **state) {
  (void)state;
  assert_int_equal(try(a), SW_OK);
  ends(a);
  assert_int_equal(try(b), SW_EOWNERDEAD);
  fall_asleep(a = region_claim(&r));
  fall_asleep(c);
  ask(c);
  assert_int_equal(unlock(b), SW_EPOISONED);
  assert_int_equal(state_of(), SW_MUTEX_POISONED);
  assert_false(sleeps(a) || sleeps(c));
  assert_int_equal(try(b), SW_EPOISONED);
  assert_int_equal(try(c), SW_EPOISONED);
  assert_int_equal(unlock(b), SW_ESTATE);
  assert_int_equal(consistent(b), SW_ESTATE);
  assert_int_equal(holder(), 0);
  ask(c);
  evict(role(b));
  end_wait(a);
  end_wait(c);
  assert_int_equal(state_of(), SW_MUTEX_POISONED);
  assert_int_equal(m->waiters, 0);
}

static void evicts_the_holder(void **state) {
  (void)state;
  uint32_t dead = role(a);
  assert_int_equal(try(a), SW_OK);
  lie_down(a); /* for another mutex, as it happens */
  fall_asleep(b);
  fall_asleep(c);
  ask(c);
  evict(role(c) + (1u << SWI_ROLE_EPOCH_AT)); /* of another claim: this one keeps its bit */
  assert_int_equal(state_of(), (uint64_t)role(c) << 32 | dead);
  assert_int_equal(m->waiters, bit(a) | bit(b) | bit(c));
  evict(dead);
  evict(dead);
  assert_int_equal(state_of(), (uint64_t)role(c) << 32 | SW_MUTEX_INHERITED);
  assert_int_equal(m->waiters, bit(a) | bit(b) | bit(c)); /* that of a until it is claimed anew */
  assert_false(sleeps(b));
  assert_int_equal(try(c), SW_EOWNERDEAD); /* its request is answered */
  assert_int_equal(state_of(), role(c) | SW_MUTEX_INHERITED);
  evict(role(c));
  assert_int_equal(state_of(), SW_MUTEX_INHERITED);
  assert_int_equal(try(b), SW_EOWNERDEAD);
  assert_int_equal(consistent(b), SW_OK);
  assert_int_equal(unlock(b), SW_OK);
  m->waiters = 0;
}

/* What earlier owners of an endpoint have left is taken from the next one, before it waits. */
static void next_owner_clears_what_it_finds(void **state) {
  (void)state;
  uint32_t dead = role(b);
  assert_int_equal(try(a), SW_OK);
  begin_wait(b);
  ask(b);
  fall_asleep(c);
  ends(b);
  assert_int_equal(region_claim(&r), b);
  sw_mutex_evict_endpoint(r.base, m, b);
  assert_int_equal(m->waiters, bit(c));
  assert_int_equal(state_of(), role(a));
  assert_int_equal(unlock(a), SW_OK);
  assert_false(sleeps(c));
  end_wait(c);
  /* as a holder, whose endpoint was claimed without a burial; a wake that was for it is passed on
   * */
  assert_int_equal(try(b), SW_OK);
  fall_asleep(c);
  ends(b);
  assert_int_equal(region_claim(&r), b);
  assert_int_not_equal(role(b), dead);
  sw_mutex_evict_endpoint(r.base, m, b);
  assert_int_equal(state_of(), SW_MUTEX_INHERITED);
  assert_false(sleeps(c));
  assert_int_equal(try(c), SW_EOWNERDEAD);
  assert_int_equal(consistent(c), SW_OK);
  end_wait(c);
  sw_mutex_evict_endpoint(r.base, m, b); /* not what is another's */
  assert_int_equal(holder(), role(c));
  assert_int_equal(unlock(c), SW_OK);
}

/* The dead one had freed it, and had not woken a waiter. */
static void evicts_a_waker(void **state) {
  (void)state;
  lie_down(b);
  evict(role(a));
  assert_false(sleeps(b));
  assert_int_equal(try(b), SW_OK);
  fall_asleep(c);
  evict(role(a)); /* not while another has it */
  assert_true(sleeps(c));
  end_wait(b);
  assert_int_equal(unlock(b), SW_OK);
}

/* ---- what a peer may write ---- */

static const uint32_t NO_ROLES[] = {0x41, 0x7f, 0x17f, 0x1ff, 0xc1, 0x80, 0x180, 0xffffffff, 0xff00, 0x7fffff00, 0x40};

static void owner_that_is_no_role(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(NO_ROLES) / sizeof(*NO_ROLES); i++) {
    for (size_t k = 0; k <= sizeof(NO_ROLES) / sizeof(*NO_ROLES); k++) {
      uint32_t asked = k == 0 ? 0 : NO_ROLES[k - 1];
      *m = (sw_mutex){(uint64_t)asked << 32 | NO_ROLES[i], UINT64_MAX};
      sw_mutex_check(m);
      sw_mutex_holder(m);
      ask(b);
      end_wait(b);
      int status = try(a);
      /* an owner and a request of the same nonsense look like a hand-off to a dead one */
      assert_true(status == SW_EOWNERDEAD || (status == SW_OK && (asked & ~0x80u) == NO_ROLES[i]));
      assert_int_equal(holder(), role(a));
      if (status == SW_EOWNERDEAD) assert_int_equal(consistent(a), SW_OK);
      assert_int_equal(unlock(a), SW_OK);
      assert_int_equal(state_of(), 0);
    }
  }
  evict(0);
  evict(0x41);
  evict(UINT32_MAX);
  assert_int_equal(state_of(), 0);
  /* its bits: those of endpoints that are not there are passed over */
  *m = (sw_mutex){(uint64_t)SW_MUTEX_WAITED << 32, UINT64_MAX};
  assert_int_equal(try(c), SW_OK);
  assert_int_equal(unlock(c), SW_OK);
  assert_int_equal(m->waiters, UINT64_MAX);
  m->waiters = 0;
}

static void check_knows_nonsense(void **state) {
  (void)state;
  static const uint64_t GOOD[] = {0,
                                  1,
                                  0x40,
                                  0x140,
                                  0x80,
                                  0x81,
                                  0xff,
                                  (uint64_t)2 << 32 | 1,
                                  (uint64_t)3 << 32 | 0x80,
                                  (uint64_t)0x81 << 32 | 1,
                                  (uint64_t)0x80 << 32 | 0xff};
  static const uint64_t BAD[] = {0x41, 0x7f, 0x1ff, (uint64_t)1 << 32 | 0xff, (uint64_t)0x7f << 32};
  for (size_t i = 0; i < sizeof(GOOD) / sizeof(*GOOD); i++) {
    m->state = GOOD[i];
    assert_int_equal(sw_mutex_check(m), SW_OK);
  }
  for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++) {
    m->state = BAD[i];
    assert_int_equal(sw_mutex_check(m), SW_ECORRUPT);
  }
  m->state = 0;
}

#define TEST_MUTEX(name) cmocka_unit_test_setup_teardown(name, begin, end)

TESTS(TEST_MUTEX(one_at_a_time), TEST_MUTEX(wakes_one_in_turn), TEST_MUTEX(looks_where_one_has_slept),
      TEST_MUTEX(passes_the_wake_on), TEST_MUTEX(all_bits_are_endpoints), TEST_MUTEX(passes_over_what_is_gone),
      TEST_MUTEX(handed_to_the_one_that_asked), TEST_MUTEX(handed_to_one_that_leaves), TEST_MUTEX(handed_and_unlocked),
      TEST_MUTEX(request_of_one_that_is_gone), TEST_MUTEX(handed_to_one_that_dies), TEST_MUTEX(next_one_is_told),
      TEST_MUTEX(inherited_twice), TEST_MUTEX(comes_back_late), TEST_MUTEX(unmended_is_poisoned),
      TEST_MUTEX(evicts_the_holder), TEST_MUTEX(evicts_a_waker), TEST_MUTEX(next_owner_clears_what_it_finds),
      TEST_MUTEX(owner_that_is_no_role), TEST_MUTEX(check_knows_nonsense));
