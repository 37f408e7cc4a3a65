/* How native threads spin: they yield now and then, leave yields out where those cost too much, and
 * come back to them. */
#include "../helper.h"

#include <sched.h>

#include "sabway/loop.h"
#include "threads/spin.h"

static uint32_t yields, looks, dear;

/* In place of the C library's. While `dear` lasts, another program has the processor for a while.
 * */
int sched_yield(void) {
  yields++;
  if (dear != 0) {
    dear--;
    sleep_ms(2);
  }
  return 0;
}

static int never(void *context) {
  (void)context;
  looks++;
  return 0;
}

static int until_yields(void *context) { return yields >= *(const uint32_t *)context; }

static int at_once(void *context) {
  ++*(uint32_t *)context;
  return 7;
}

static uint64_t later(uint32_t ms) { return sw_prim_now() + ms * 1000000ull; }

static void looks_first(void **state) {
  (void)state;
  sw_spinner s = {0};
  uint32_t asked = 0;
  yields = looks = 0;
  assert_int_equal(swi_spin(&s, at_once, &asked, 0), 1); /* the time is up, and yet it looks */
  assert_int_equal(asked, 1);
  assert_int_equal(swi_spin(&s, never, NULL, 0), 0);
  assert_true(looks > 0);
  assert_int_equal(yields, 0);
}

static void ends_in_time(void **state) {
  (void)state;
  sw_spinner s = {0};
  uint64_t end = later(3);
  assert_int_equal(swi_spin(&s, never, NULL, end), 0);
  assert_true(sw_prim_now() >= end);
}

/* Each yield that took long leaves more of the next ones out; then it yields again. */
static void yields_again(void **state) {
  (void)state;
  sw_spinner s = {0};
  uint32_t wanted = 3;
  yields = 0;
  dear = 2;
  assert_int_equal(swi_spin(&s, until_yields, &wanted, later(10000)), 1);
  assert_int_equal(yields, 3);
  assert_int_equal(dear, 0);
}

/* What is left out is counted down from what was dear, and forgotten once a yield is cheap. */
static void forgoes(void **state) {
  (void)state;
  sw_spinner s = {0};
  uint32_t wanted = 1;
  yields = 0;
  dear = 1;
  swi_spin(&s, until_yields, &wanted, later(10000));
  assert_true(s.skip > 0);
  assert_int_equal(s.left, s.skip);
  wanted = 2;
  swi_spin(&s, until_yields, &wanted, later(10000));
  assert_int_equal(s.left, s.skip);
  while (s.skip != 0) { /* a machine that is short of time may make a cheap one dear */
    wanted++;
    assert_int_equal(swi_spin(&s, until_yields, &wanted, later(10000)), 1);
  }
}

/* A thread in Atomics.wait is V8's: a native waker reaches it not at all, and says so, whatever
 * else sleeps there. */
static void told(void *context) { ++*(uint32_t *)context; }

static void atomics_are_not_for_native_wakers(void **state) {
  (void)state;
  uint32_t doorbell = 0, rung = 0;
  uint64_t calls = sw_wake_calls();
  assert_int_equal(sw_prim_wake(&doorbell, SW_SLEEP_ATOMICS), 0);
  assert_int_equal(sw_loop_register(&doorbell, told, &rung), SW_OK);
  assert_int_equal(sw_prim_wake(&doorbell, SW_SLEEP_ATOMICS), 0);
  assert_int_equal(rung, 0);
  assert_int_equal(sw_wake_calls(), calls);
  assert_int_equal(sw_prim_wake(&doorbell, SW_SLEEP_FUTEX), 1);
  assert_int_equal(rung, 0);
  assert_int_equal(sw_prim_wake(&doorbell, SW_SLEEP_LOOP), 1);
  assert_int_equal(rung, 1);
  assert_int_equal(sw_wake_calls(), calls + 2);
  sw_loop_unregister(&doorbell);
  /* no loop there, and no thread on the futex */
  assert_int_equal(sw_prim_wake(&doorbell, SW_SLEEP_LOOP), 0);
}

TESTS(TEST(looks_first), TEST(ends_in_time), TEST(yields_again), TEST(forgoes),
      TEST(atomics_are_not_for_native_wakers));
