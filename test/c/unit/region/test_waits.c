/* Waits words: whose bit is set, which waiter is rung, and what burial leaves of one. */
#include "../helper.h"
#include "core/region/waits.h"

static region r;
static uint64_t *waits;
static uint32_t a, b, c; /* endpoints of this process */

static int begin(void **state) {
  (void)state;
  r = region_new(4096, 4096);
  waits = (uint64_t *)(void *)(r.base + SW_INSTANCES_AT);
  a = region_claim(&r);
  b = region_claim(&r);
  c = region_claim(&r);
  return 0;
}

static int end(void **state) {
  (void)state;
  region_free(&r);
  return 0;
}

static uint64_t bit(uint32_t endpoint) { return UINT64_C(1) << endpoint; }
static void fall_asleep(uint32_t endpoint) {
  swi_waits_begin(waits, endpoint);
  sw_endpoint_arm(r.base, endpoint, SW_SLEEP_FUTEX);
}
static int sleeps(uint32_t endpoint) { return sw_endpoint_is_armed(r.base, endpoint); }

static void has_a_bit_for_each(void **state) {
  (void)state;
  swi_waits_begin(waits, a);
  swi_waits_begin(waits, c);
  swi_waits_begin(waits, c);
  assert_true(*waits == (bit(a) | bit(c)));
  swi_waits_end(waits, c);
  assert_true(*waits == bit(a));
  swi_waits_end(waits, c);
  assert_true(*waits == bit(a));
}

static void rings_the_next_behind(void **state) {
  (void)state;
  assert_false(swi_waits_ring_one(r.base, waits, a));
  fall_asleep(a);
  fall_asleep(c);
  assert_true(swi_waits_ring_one(r.base, waits, b));
  assert_true(sleeps(a) && !sleeps(c));
  assert_true(swi_waits_ring_one(r.base, waits, c));
  assert_false(sleeps(a));
  /* the bits are their owners' */
  assert_true(*waits == (bit(a) | bit(c)));
  /* one alone is rung by itself, too */
  swi_waits_end(waits, c);
  sw_endpoint_arm(r.base, a, SW_SLEEP_FUTEX);
  assert_true(swi_waits_ring_one(r.base, waits, a));
  assert_false(sleeps(a));
}

static void passes_over_the_dead(void **state) {
  (void)state;
  fall_asleep(b);
  fall_asleep(c);
  sw_endpoint_release(r.base, b); /* with its bit */
  assert_true(swi_waits_ring_one(r.base, waits, a));
  assert_false(sleeps(c));
  swi_waits_end(waits, c);
  assert_false(swi_waits_ring_one(r.base, waits, a));
}

static void rings_all(void **state) {
  (void)state;
  fall_asleep(a);
  fall_asleep(b);
  sw_endpoint_arm(r.base, c, SW_SLEEP_FUTEX); /* for something else */
  swi_waits_ring_all(r.base, waits);
  assert_true(!sleeps(a) && !sleeps(b) && sleeps(c));
  assert_true(*waits == (bit(a) | bit(b)));
}

static void is_buried(void **state) {
  (void)state;
  fall_asleep(a);
  fall_asleep(b);
  swi_waits_bury(r.base, waits, a, false);
  assert_true(!sleeps(a) && !sleeps(b));
  assert_true(*waits == (bit(a) | bit(b))); /* which a's next owner may have set */
  fall_asleep(b);
  swi_waits_bury(r.base, waits, a, true);
  assert_true(*waits == bit(b) && !sleeps(b));
  fall_asleep(b);
  swi_waits_bury(r.base, waits, a, true); /* there was nothing to pass on */
  assert_true(sleeps(b));
}

#define WAITS(name) cmocka_unit_test_setup_teardown(name, begin, end)
TESTS(WAITS(has_a_bit_for_each), WAITS(rings_the_next_behind), WAITS(passes_over_the_dead), WAITS(rings_all),
      WAITS(is_buried));
