/* Many messages for the price of one publish and one release. */
#include "helper.h"

static void fill(pair *t, sw_slice *slices, uint32_t count, uint32_t seed) {
  for (uint32_t i = 0; i < count; i++) pattern_fill(t->r.base + slices[i].offset, slices[i].length, seed + i);
}

static void a_whole_batch(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 65536);
  sw_slice out[100], in[200];
  for (uint32_t i = 0; i < 100; i++) out[i] = (sw_slice){.offset = i % SW_ALIGN, .length = i * 3};
  assert_int_equal(sw_producer_reserve_batch(&t.p, out, 100), 100);
  for (uint32_t i = 0; i < 100; i++) assert_int_equal(out[i].offset % SW_ALIGN, i % SW_ALIGN);
  fill(&t, out, 100, 7);
  pair_expect_none(&t);
  sw_producer_publish(&t.p);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 200), 100);
  for (uint32_t i = 0; i < 100; i++) {
    assert_int_equal(in[i].offset, out[i].offset);
    assert_int_equal(in[i].length, i * 3);
    assert_true(pattern_holds(t.r.base + in[i].offset, in[i].length, 7 + i));
  }
  sw_consumer_release(&t.c);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 200), 0);
  assert_int_equal(t.c.messages, 100);
  pair_close(&t);
}

static void what_fits_of_a_batch(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  sw_slice out[10], in[10];
  for (uint32_t i = 0; i < 10; i++) out[i] = (sw_slice){.length = 1000};
  assert_int_equal(sw_producer_reserve_batch(&t.p, out, 10), 4);
  assert_int_equal(t.p.status, SW_EFULL);
  fill(&t, out, 4, 0);
  sw_producer_publish(&t.p);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 2), 2);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in + 2, 8), 2);
  for (uint32_t i = 0; i < 4; i++) assert_true(pattern_holds(t.r.base + in[i].offset, 1000, i));
  sw_consumer_release(&t.c);
  out[0] = (sw_slice){.length = 5000};
  assert_int_equal(sw_producer_reserve_batch(&t.p, out, 1), 0);
  assert_int_equal(t.p.status, SW_ETOOBIG);
  out[0] = (sw_slice){.offset = 8, .length = 1};
  assert_int_equal(sw_producer_reserve_batch(&t.p, out, 1), 0);
  assert_int_equal(t.p.status, SW_EINVAL);
  pair_close(&t);
}

/* The third message needs padding, and then finds no room: the first two are committed, but their payloads are not
 * written yet, so nobody may see them. */
static void unfilled_frames_stay_hidden(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  pair_advance(&t, 2048);
  sw_slice out[3] = {{.length = 500}, {.length = 500}, {.length = 3500}};
  assert_int_equal(sw_producer_reserve_batch(&t.p, out, 3), 2);
  assert_int_equal(t.p.status, SW_EFULL);
  pair_expect_none(&t);
  fill(&t, out, 2, 40);
  sw_producer_publish(&t.p);
  pair_expect(&t, 500, 40);
  pair_expect(&t, 500, 41);
  pair_expect_none(&t);
  sw_consumer_release(&t.c);
  assert_int_equal(pair_send(&t, 3500, 42), SW_OK);
  pair_expect(&t, 3500, 42);
  pair_close(&t);
}

static void a_batch_across_the_end(void **state) {
  (void)state;
  pair t;
  pair_open_at(&t, 4096, 0u - 512);
  sw_slice out[8], in[8];
  for (uint32_t i = 0; i < 8; i++) out[i] = (sw_slice){.offset = i, .length = 100 + i};
  assert_int_equal(sw_producer_reserve_batch(&t.p, out, 8), 8);
  fill(&t, out, 8, 1);
  sw_producer_publish(&t.p);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 8), 8);
  for (uint32_t i = 0; i < 8; i++) assert_true(pattern_holds(t.r.base + in[i].offset, 100 + i, 1 + i));
  sw_consumer_rewind(&t.c);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 3), 3);
  sw_consumer_release(&t.c);
  assert_int_equal(t.c.messages, 3);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 8), 5);
  assert_int_equal(in[0].length, 103);
  pair_close(&t);
}

static void a_batch_ends_at_a_quarter(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  for (uint32_t i = 0; i < 6; i++) assert_int_equal(pair_send(&t, 600, i), SW_OK);
  sw_slice in[8];
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 8), 2); /* 600 is less than a quarter, 1200 is not */
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 8), 2); /* asked again without a release, it goes on */
  sw_consumer_release(&t.c);
  assert_int_equal(t.c.messages, 4);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 8), 2);
  assert_true(pattern_holds(t.r.base + in[1].offset, 600, 5));
  sw_consumer_release(&t.c);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 8), 0);
  pair_close(&t);
}

static void batch_and_close(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  assert_int_equal(pair_send(&t, 1, 1), SW_OK);
  sw_producer_close(&t.p);
  sw_slice in[4];
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 4), 1);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 4), SW_ECLOSED);
  sw_slice out[1] = {{.length = 1}};
  assert_int_equal(sw_producer_reserve_batch(&t.p, out, 1), 0);
  assert_int_equal(t.p.status, SW_ECLOSED);
  pair_close(&t);
}

/* Held back and then published: seen as single messages, all at once. */
static void appended_and_held(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  assert_int_equal(sw_producer_append(&t.p, 0, 1), SW_EFULL); /* before the first commit nothing is known */
  assert_int_equal(pair_send(&t, 8, 0), SW_OK);
  pair_expect(&t, 8, 0);
  for (uint32_t i = 1; i <= 5; i++) {
    pattern_fill(t.r.base + t.p.next, 10 * i, i);
    assert_int_equal(sw_producer_append(&t.p, 10 * i, 0), SW_OK);
  }
  pair_expect_none(&t);
  sw_producer_publish(&t.p);
  for (uint32_t i = 1; i <= 5; i++) pair_expect(&t, 10 * i, i);
  sw_consumer_close(&t.c);
  assert_int_equal(sw_producer_append(&t.p, 8, 1), SW_ECLOSED);
  assert_null(sw_producer_reserve(&t.p, 8, 0));
  assert_int_equal(t.p.status, SW_ECLOSED);
  pair_close(&t);
}

TESTS(TEST(a_whole_batch), TEST(appended_and_held), TEST(what_fits_of_a_batch), TEST(unfilled_frames_stay_hidden),
      TEST(a_batch_across_the_end), TEST(a_batch_ends_at_a_quarter), TEST(batch_and_close));
