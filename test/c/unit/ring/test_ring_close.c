/* Closing, from either end, and taking over from one that left. */
#include "../helper.h"

static void producer_closes(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  assert_int_equal(pair_send(&t, 10, 1), SW_OK);
  void *room = sw_producer_reserve(&t.p, 20, 0);
  pattern_fill(room, 20, 2);
  assert_int_equal(sw_producer_commit(&t.p, 20), SW_OK); /* close publishes it */
  sw_producer_close(&t.p);
  assert_int_equal(t.ring->closed, SW_CLOSED_BY_PRODUCER);
  assert_int_equal(pair_send(&t, 1, 3), SW_ECLOSED);
  assert_true(sw_consumer_ready(&t.c));
  pair_expect(&t, 10, 1);
  pair_expect(&t, 20, 2);
  sw_slice slice;
  assert_int_equal(sw_consumer_peek(&t.c, &slice), SW_ECLOSED);
  sw_consumer_release(&t.c);
  assert_int_equal(sw_consumer_peek(&t.c, &slice), SW_ECLOSED);
  assert_true(sw_consumer_ready(&t.c)); /* the end is worth waking up for */
  assert_int_equal(t.c.messages, 2);
  pair_close(&t);
}

static void consumer_closes(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  assert_int_equal(pair_send(&t, 10, 1), SW_OK);
  assert_non_null(sw_producer_reserve(&t.p, 10, 0));
  sw_consumer_close(&t.c);
  assert_int_equal(t.ring->closed, SW_CLOSED_BY_CONSUMER);
  assert_int_equal(sw_producer_push(&t.p, 10), SW_OK); /* harmless */
  assert_null(sw_producer_reserve(&t.p, 1, 0));
  assert_int_equal(t.p.status, SW_ECLOSED);
  assert_int_equal(sw_producer_send(&t.p, "x", 1), SW_ECLOSED);
  pair_close(&t);
}

static void closed_ends_the_wait_for_room(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  assert_int_equal(pair_send(&t, 4096, 1), SW_OK);
  assert_false(sw_producer_want_space(&t.p, 100));
  assert_int_equal(t.ring->want_space, 112);
  sw_consumer_close(&t.c);
  assert_true(sw_producer_want_space(&t.p, 100));
  assert_int_equal(t.ring->want_space, 0);
  pair_close(&t);
}

static void both_close(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  sw_consumer_close(&t.c);
  sw_producer_close(&t.p);
  assert_int_equal(t.ring->closed, SW_CLOSED_BY_CONSUMER | SW_CLOSED_BY_PRODUCER);
  sw_slice slice;
  assert_int_equal(sw_consumer_peek(&t.c, &slice), SW_ECLOSED);
  pair_close(&t);
}

static void room_wanted_and_made(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  assert_true(sw_producer_want_space(&t.p, 4096));
  for (uint32_t i = 0; i < 4; i++) assert_int_equal(pair_send(&t, 1016, i), SW_OK);
  assert_false(sw_producer_want_space(&t.p, 2000));
  pair_expect(&t, 1016, 0);
  sw_consumer_release(&t.c);
  assert_int_not_equal(t.ring->want_space, 0); /* 1024 bytes are not what it sleeps for */
  pair_expect(&t, 1016, 1);
  sw_consumer_release(&t.c);
  assert_int_equal(t.ring->want_space, 0);
  assert_true(sw_producer_want_space(&t.p, 2000));
  pair_close(&t);
}

/* The next producer goes on where the last one stopped; what that one never published is gone. */
static void taken_over(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  assert_int_equal(pair_send(&t, 10, 1), SW_OK);
  assert_int_equal(pair_send(&t, 11, 2), SW_OK);
  pair_expect(&t, 10, 1);
  sw_consumer_release(&t.c);
  assert_non_null(sw_producer_reserve(&t.p, 100, 0));
  assert_int_equal(sw_producer_commit(&t.p, 100), SW_OK);
  sw_producer_leave(&t.p);
  sw_consumer_leave(&t.c);
  pair_attach(&t);
  assert_int_equal(pair_send(&t, 12, 3), SW_OK);
  pair_expect(&t, 11, 2);
  pair_expect(&t, 12, 3);
  pair_expect_none(&t);
  pair_close(&t);
}

TESTS(TEST(producer_closes), TEST(consumer_closes), TEST(closed_ends_the_wait_for_room), TEST(both_close),
      TEST(room_wanted_and_made), TEST(taken_over));
