/* One message at a time: what goes in comes out. */
#include "../helper.h"

static void one_message(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  pair_expect_none(&t);
  assert_int_equal(sw_producer_send(&t.p, "hello", 5), SW_OK);
  sw_slice slice;
  assert_int_equal(sw_consumer_peek(&t.c, &slice), 1);
  assert_int_equal(slice.length, 5);
  assert_int_equal(slice.offset % SW_ALIGN, 0);
  assert_memory_equal(t.r.base + slice.offset, "hello", 5);
  assert_int_equal(sw_producer_used(&t.p), 16);
  sw_consumer_release(&t.c);
  assert_int_equal(sw_producer_used(&t.p), 0);
  pair_expect_none(&t);
  assert_int_equal(t.p.messages, 1);
  assert_int_equal(t.p.bytes, 5);
  assert_int_equal(t.c.messages, 1);
  assert_int_equal(t.c.bytes, 5);
  pair_close(&t);
}

static void empty_messages(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  for (int round = 0; round < 3; round++) {
    int sent = 0;
    while (sw_producer_send(&t.p, NULL, 0) == SW_OK) sent++;
    assert_int_equal(sent, 4096 / SW_FRAME_HEADER);
    assert_int_equal(t.p.status, SW_EFULL);
    for (int i = 0; i < sent; i++) pair_expect(&t, 0, 0);
    pair_expect_none(&t);
    sw_consumer_release(&t.c);
  }
  pair_close(&t);
}

static void nothing_is_seen_before_publish(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  void *room = sw_producer_reserve(&t.p, 100, 0);
  assert_non_null(room);
  pair_expect_none(&t);
  pattern_fill(room, 100, 1);
  assert_int_equal(sw_producer_commit(&t.p, 100), SW_OK);
  pair_expect_none(&t);
  assert_false(sw_consumer_ready(&t.c));
  sw_producer_publish(&t.p);
  assert_true(sw_consumer_ready(&t.c));
  pair_expect(&t, 100, 1);
  pair_close(&t);
}

static void leads(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  for (uint32_t round = 0; round < 200; round++) {
    for (uint32_t lead = 0; lead < SW_ALIGN; lead++) {
      uint32_t length = (round * 7 + lead) % 300;
      uint8_t *room = sw_producer_reserve(&t.p, length, lead);
      assert_non_null(room);
      assert_int_equal((uintptr_t)room % SW_ALIGN, lead);
      pattern_fill(room, length, round);
      assert_int_equal(sw_producer_push(&t.p, length), SW_OK);
      sw_slice slice;
      assert_int_equal(sw_consumer_peek(&t.c, &slice), 1);
      assert_int_equal(slice.offset % SW_ALIGN, lead);
      assert_int_equal(slice.length, length);
      assert_true(pattern_holds(t.r.base + slice.offset, length, round));
      sw_consumer_release(&t.c);
    }
  }
  assert_null(sw_producer_reserve(&t.p, 8, SW_ALIGN));
  assert_int_equal(t.p.status, SW_EINVAL);
  pair_close(&t);
}

static void shorter_commit(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  void *room = sw_producer_reserve(&t.p, 4000, 0);
  assert_non_null(room);
  pattern_fill(room, 10, 3);
  assert_int_equal(sw_producer_commit(&t.p, 4001), SW_ERANGE);
  assert_int_equal(sw_producer_push(&t.p, 10), SW_OK);
  assert_int_equal(sw_producer_used(&t.p), 24);
  assert_int_equal(pair_send(&t, 20, 4), SW_OK);
  pair_expect(&t, 10, 3);
  pair_expect(&t, 20, 4);
  pair_close(&t);
}

static void abandoned(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  assert_int_equal(sw_producer_abandon(&t.p), SW_ESTATE);
  assert_non_null(sw_producer_reserve(&t.p, 4096, 0));
  assert_int_equal(sw_producer_abandon(&t.p), SW_OK);
  sw_producer_publish(&t.p);
  pair_expect_none(&t);
  assert_int_equal(pair_send(&t, 8, 1), SW_OK);
  pair_expect(&t, 8, 1);
  assert_int_equal(t.p.messages, 1);
  pair_close(&t);
}

static void one_reservation_at_a_time(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  assert_int_equal(sw_producer_commit(&t.p, 0), SW_ESTATE);
  assert_int_equal(sw_producer_push(&t.p, 0), SW_ESTATE);
  void *room = sw_producer_reserve(&t.p, 8, 0);
  assert_non_null(room);
  pattern_fill(room, 8, 1);
  assert_null(sw_producer_reserve(&t.p, 8, 0));
  assert_int_equal(t.p.status, SW_ESTATE);
  assert_int_equal(sw_producer_send(&t.p, "x", 1), SW_ESTATE);
  assert_int_equal(sw_producer_push(&t.p, 8), SW_OK); /* the first one is still good */
  pair_expect(&t, 8, 1);
  pair_close(&t);
}

static void too_big(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  const uint32_t lengths[] = {4097, 8192, 1u << 31, UINT32_MAX - 8, UINT32_MAX};
  for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
    assert_null(sw_producer_reserve(&t.p, lengths[i], 0));
    assert_int_equal(t.p.status, SW_ETOOBIG);
  }
  assert_int_equal(pair_send(&t, 4096, 1), SW_OK); /* an error does not stay */
  pair_expect(&t, 4096, 1);
  pair_close(&t);
}

static void full_then_released(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  for (uint32_t i = 0; i < 4; i++) assert_int_equal(pair_send(&t, 1024 - SW_FRAME_HEADER, i), SW_OK);
  assert_int_equal(pair_send(&t, 0, 9), SW_EFULL);
  assert_int_equal(sw_producer_used(&t.p), 4096);
  pair_expect(&t, 1024 - SW_FRAME_HEADER, 0);
  assert_int_equal(pair_send(&t, 0, 9), SW_EFULL); /* peeked is not released */
  sw_consumer_release(&t.c);
  assert_int_equal(pair_send(&t, 1024 - SW_FRAME_HEADER, 4), SW_OK);
  for (uint32_t i = 1; i < 5; i++) pair_expect(&t, 1024 - SW_FRAME_HEADER, i);
  pair_expect_none(&t);
  pair_close(&t);
}

static void rewound(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  for (uint32_t i = 0; i < 3; i++) assert_int_equal(pair_send(&t, i * 10, i), SW_OK);
  pair_expect(&t, 0, 0);
  pair_expect(&t, 10, 1);
  sw_consumer_rewind(&t.c);
  for (uint32_t i = 0; i < 3; i++) pair_expect(&t, i * 10, i);
  sw_consumer_release(&t.c);
  sw_consumer_rewind(&t.c); /* nothing to take back */
  pair_expect_none(&t);
  assert_int_equal(t.c.messages, 3);
  assert_int_equal(t.c.bytes, 30);
  pair_close(&t);
}

static void checks_itself(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  for (uint32_t i = 0; i < 40; i++) {
    assert_int_equal(pair_send(&t, i * 13, i), SW_OK);
    assert_int_equal(sw_ring_check(t.r.base, t.r.size, t.ring), SW_OK);
    pair_expect(&t, i * 13, i);
    if (i % 3 == 0) sw_consumer_release(&t.c);
  }
  pair_close(&t);
}

TESTS(TEST(one_message), TEST(empty_messages), TEST(nothing_is_seen_before_publish), TEST(leads), TEST(shorter_commit),
      TEST(abandoned), TEST(one_reservation_at_a_time), TEST(too_big), TEST(full_then_released), TEST(rewound),
      TEST(checks_itself));
