/* The end of the ring, the whole ring, and the end of the counters. */
#include "../helper.h"

static const uint32_t BEFORE_WRAP[] = {0, 0u - 8, 0u - 16, 0u - 2048, 0u - 4096, 0u - 4104, 0x7ffffff8, 0x80000000};
enum { STARTS = sizeof(BEFORE_WRAP) / sizeof(*BEFORE_WRAP) };

static void whole_ring(void **state) {
  (void)state;
  for (int i = 0; i < STARTS; i++) {
    pair t;
    pair_open_at(&t, 4096, BEFORE_WRAP[i] & ~4095u);
    for (uint32_t length = 4080; length <= 4096; length++) {
      for (uint32_t lead = 0; lead < SW_ALIGN; lead++) {
        uint8_t *room = sw_producer_reserve(&t.p, length, lead);
        /* the last one was charged less than the ring: one drain passes the padding */
        if (room == NULL) {
          assert_int_equal(t.p.status, SW_EFULL);
          pair_expect_none(&t);
          room = sw_producer_reserve(&t.p, length, lead);
        }
        assert_non_null(room);
        pattern_fill(room, length, length);
        assert_int_equal(sw_producer_push(&t.p, length), SW_OK);
        pair_expect(&t, length, length);
        sw_consumer_release(&t.c);
      }
    }
    pair_close(&t);
  }
}

/* A whole-ring message fits only at the ring's first byte: the padding before it must be drained,
 * even though no message goes with it. */
static void padding_alone_is_no_deadlock(void **state) {
  (void)state;
  for (uint32_t used = 8; used < 4096; used += 8) {
    pair t;
    pair_open(&t, 4096);
    pair_advance(&t, used);
    assert_int_equal(pair_send(&t, 4096, 5), SW_EFULL);
    assert_true(sw_consumer_ready(&t.c));
    pair_expect_none(&t); /* the one drain */
    assert_int_equal(pair_send(&t, 4096, 5), SW_OK);
    pair_expect(&t, 4096, 5);
    sw_consumer_release(&t.c);
    assert_int_equal(sw_producer_used(&t.p), 0);
    pair_close(&t);
  }
}

static void wraps_by_padding(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  pair_advance(&t, 3000);
  assert_int_equal(pair_send(&t, 2000, 1), SW_OK); /* 1096 bytes of padding, and room for it */
  assert_int_equal(sw_producer_used(&t.p), 1096 + 2008);
  assert_int_equal(pair_send(&t, 500, 2), SW_OK);
  pair_expect(&t, 2000, 1);
  pair_expect(&t, 500, 2);
  sw_consumer_release(&t.c);
  assert_int_equal(sw_producer_used(&t.p), 0);
  pair_close(&t);
}

/* Padding that an abandoned message had put in front of itself must not keep its room. */
static void abandon_takes_padding_back(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  pair_advance(&t, 3000);
  assert_non_null(sw_producer_reserve(&t.p, 2000, 0));
  assert_int_equal(sw_producer_abandon(&t.p), SW_OK);
  assert_int_equal(sw_producer_used(&t.p), 0);
  assert_int_equal(pair_send(&t, 4096, 1), SW_EFULL);
  pair_expect_none(&t);
  assert_int_equal(pair_send(&t, 4096, 1), SW_OK);
  pair_expect(&t, 4096, 1);
  pair_close(&t);
}

/* Padding that was published meanwhile stays. */
static void abandon_after_publish(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  pair_advance(&t, 3000);
  assert_non_null(sw_producer_reserve(&t.p, 2000, 0));
  sw_producer_publish(&t.p);
  assert_int_equal(sw_producer_abandon(&t.p), SW_OK);
  assert_int_equal(pair_send(&t, 4096, 1), SW_EFULL);
  pair_expect_none(&t);
  assert_int_equal(pair_send(&t, 4096, 1), SW_OK);
  pair_expect(&t, 4096, 1);
  pair_close(&t);
}

static void smaller_after_full(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  pair_advance(&t, 2048);
  assert_int_equal(pair_send(&t, 3000, 1), SW_EFULL); /* leaves 2048 bytes of padding */
  assert_int_equal(pair_send(&t, 100, 2), SW_OK);     /* the caller thought better of it */
  pair_expect(&t, 100, 2);
  pair_expect_none(&t);
  pair_close(&t);
}

static void counters_wrap(void **state) {
  (void)state;
  for (int i = 0; i < STARTS; i++) {
    pair t;
    pair_open_at(&t, 4096, BEFORE_WRAP[i]);
    uint32_t sent = 0, got = 0;
    while (got < 300) {
      while (sent < 300 && pair_send(&t, sent * 11 % 700, sent) == SW_OK) sent++;
      assert_true(sent > got);
      for (; got < sent; got++) pair_expect(&t, got * 11 % 700, got);
      pair_expect_none(&t);
      sw_consumer_release(&t.c);
      assert_int_equal(sw_ring_check(t.r.base, t.r.size, t.ring), SW_OK);
    }
    pair_close(&t);
  }
}

/* Nothing is written outside the ring's own bytes. */
static void neighbours_stay(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  sw_ring *other = &region_channel(&t.r)->rings[SW_NATIVE];
  uint32_t end = other->data;
  uint8_t *behind = t.r.base + end;
  memset(behind, 0xa5, 4096);
  for (uint32_t lead = 0; lead < SW_ALIGN; lead++) {
    uint8_t *room = sw_producer_reserve(&t.p, 4096, lead);
    assert_non_null(room);
    assert_true(room + 4096 <= behind);
    memset(room, 0xff, 4096);
    assert_int_equal(sw_producer_push(&t.p, 4096), SW_OK);
    sw_slice slice;
    assert_int_equal(sw_consumer_peek(&t.c, &slice), 1);
    sw_consumer_release(&t.c);
  }
  for (int i = 0; i < 4096; i++) assert_int_equal(behind[i], 0xa5);
  assert_int_equal(other->head, 0);
  pair_close(&t);
}

TESTS(TEST(whole_ring), TEST(padding_alone_is_no_deadlock), TEST(wraps_by_padding), TEST(abandon_takes_padding_back),
      TEST(abandon_after_publish), TEST(smaller_after_full), TEST(counters_wrap), TEST(neighbours_stay));
