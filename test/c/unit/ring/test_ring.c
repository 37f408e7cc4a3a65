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

static void released_in_part(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  for (uint32_t i = 0; i < 5; i++) assert_int_equal(pair_send(&t, i * 10, i), SW_OK);
  for (uint32_t i = 0; i < 4; i++) pair_expect(&t, i * 10, i);
  sw_consumer_release_first(&t.c, 2);
  assert_int_equal(t.c.messages, 2);
  assert_int_equal(t.c.bytes, 10);
  pair_expect(&t, 20, 2);
  sw_consumer_release_first(&t.c, 0); /* as a rewind */
  assert_int_equal(t.c.messages, 2);
  for (uint32_t i = 2; i < 5; i++) pair_expect(&t, i * 10, i);
  sw_consumer_release_first(&t.c, 7); /* all that there are */
  assert_int_equal(t.c.messages, 5);
  assert_int_equal(sw_producer_used(&t.p), 0);
  pair_close(&t);
}

/* A peer that changes a frame after it was peeked. */
static void released_up_to_a_changed_frame(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  for (uint32_t i = 0; i < 3; i++) assert_int_equal(pair_send(&t, 8, i), SW_OK);
  for (uint32_t i = 0; i < 3; i++) pair_expect(&t, 8, i);
  sw_frame *second = (sw_frame *)(void *)(t.p.data + 16);
  second->length = 8000;
  sw_consumer_release_first(&t.c, 2);
  assert_int_equal(t.c.status, SW_ECORRUPT);
  assert_int_equal(t.c.messages, 1);
  assert_int_equal(t.ring->tail, 16);
  pair_close(&t);
}

static void fits_as_reserve_says(void **state) {
  (void)state;
  for (uint32_t skip = 8; skip < 4096; skip += 504) {
    for (uint32_t kept = 0; kept < 4; kept++) {
      for (uint32_t length = 0; length <= 4096; length += 128) {
        pair t;
        pair_open(&t, 4096);
        pair_advance(&t, skip);
        for (uint32_t i = 0; i < kept; i++) assert_int_equal(pair_send(&t, 500, i), SW_OK);
        int fits = sw_producer_fits(&t.p, length);
        bool padded = length + SW_FRAME_HEADER > 4096 - (t.p.head & 4095);
        bool reserved = sw_producer_reserve(&t.p, length, 0) != NULL;
        if (!padded) assert_int_equal(fits, reserved);
        if (!fits) assert_false(reserved);
        pair_close(&t);
      }
    }
  }
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
      TEST(released_in_part), TEST(released_up_to_a_changed_frame), TEST(fits_as_reserve_says), TEST(checks_itself));
