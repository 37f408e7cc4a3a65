/* Many messages for the price of one publish and one release. */
#include "../helper.h"

static void expect_batch(pair *t, const sw_slice *sent, uint32_t count, uint32_t seed) {
  for (uint32_t i = 0; i < count; i++) {
    sw_slice in;
    assert_int_equal(sw_consumer_peek(&t->c, &in), 1);
    assert_int_equal(in.offset % SW_ALIGN, sent[i].offset);
    assert_int_equal(in.length, sent[i].length);
    assert_true(pattern_holds(t->r.base + in.offset, in.length, seed + i));
  }
  pair_expect_none(t);
}

static void a_whole_batch(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 65536);
  pair_advance(&t, 64);
  sw_slice out[100], in[200];
  for (uint32_t i = 0; i < 100; i++) out[i] = (sw_slice){.offset = i % SW_ALIGN, .length = i * 3};
  assert_int_equal(pattern_fill_batch(&t.p, out, 100, 7), 100);
  pair_expect_none(&t);
  assert_int_equal(sw_producer_append_batch(&t.p, out, 100, 0), 100);
  /* they are the caller's */
  for (uint32_t i = 0; i < 100; i++) assert_int_equal(out[i].offset, i % SW_ALIGN);
  pair_expect_none(&t);
  sw_producer_publish(&t.p);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 200), 100);
  sw_consumer_rewind(&t.c);
  expect_batch(&t, out, 100, 7);
  sw_consumer_release(&t.c);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 200), 0);
  assert_int_equal(t.c.messages, 101);
  assert_int_equal(t.p.messages, 101);
  assert_int_equal(t.p.bytes, t.c.bytes);
  pair_close(&t);
}

/* Before the first commit, while a reservation is open, and in a full ring: sw_producer_reserve is
 * the one to ask. */
static void where_no_room_is_known(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  sw_slice out[2] = {{.length = 8}, {.length = 0}};
  assert_int_equal(sw_producer_append_batch(&t.p, out, 2, 1), 0);
  pair_advance(&t, 64);
  assert_int_equal(pattern_fill_batch(&t.p, out, 2, 0), 2);
  assert_non_null(sw_producer_reserve(&t.p, 8, 0));
  assert_int_equal(sw_producer_append_batch(&t.p, out, 2, 1), 0);
  assert_int_equal(sw_producer_abandon(&t.p), SW_OK);
  assert_int_equal(pair_send(&t, 8, 1), SW_OK);
  sw_slice rest[2] = {{.length = t.p.room}, {.length = 0}};
  assert_int_equal(sw_producer_append_batch(&t.p, rest, 2, 1), 1);
  assert_int_equal(t.p.room, 0);
  assert_int_equal(sw_producer_append_batch(&t.p, out, 2, 1), 0);
  pair_close(&t);
}

static void what_fits_of_a_batch(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  assert_int_equal(pair_send(&t, 0, 0), SW_OK);
  pair_expect(&t, 0, 0);
  sw_slice out[10], in[10];
  for (uint32_t i = 0; i < 10; i++) out[i] = (sw_slice){.length = 1000};
  assert_int_equal(pattern_fill_batch(&t.p, out, 10, 0), 4);
  assert_int_equal(sw_producer_append_batch(&t.p, out, 10, 1), 4);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 2), 2);
  assert_int_equal(sw_consumer_peek_batch(&t.c, in + 2, 8), 2);
  for (uint32_t i = 0; i < 4; i++) assert_true(pattern_holds(t.r.base + in[i].offset, 1000, i));
  sw_consumer_release(&t.c);
  pair_close(&t);
}

/* In wasm a peer may write the slices: what cannot be right ends the batch in front of it. */
static void slices_that_cannot_be_right(void **state) {
  (void)state;
  static const sw_slice WRONG[] = {{8, 1},          {0xffffffff, 1}, {0, 4096},
                                   {0, 0xffffffff}, {0, 0xfffffff8}, {7, 0xfffffff0}};
  for (uint32_t i = 0; i < sizeof(WRONG) / sizeof(*WRONG); i++) {
    pair t;
    pair_open(&t, 4096);
    pair_advance(&t, 64);
    sw_slice out[3] = {{.length = 10}, WRONG[i], {.length = 10}};
    assert_int_equal(pattern_fill_batch(&t.p, out, 1, 3), 1);
    assert_int_equal(sw_producer_append_batch(&t.p, out, 3, 1), 1);
    expect_batch(&t, out, 1, 3);
    pair_close(&t);
  }
}

/* Headers are written after the payloads: one that runs over into free memory does no harm. */
static void payloads_that_run_over(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  pair_advance(&t, 64);
  sw_slice out[4] = {{.length = 20}, {.length = 33}, {.offset = 3, .length = 1}, {.length = 200}};
  uint32_t at = t.p.next;
  for (uint32_t i = 0; i < 4; i++) {
    memset(t.r.base + at, 0xff, t.p.room - (at - t.p.next));
    pattern_fill(t.r.base + at + out[i].offset, out[i].length, 9 + i);
    at += (SW_FRAME_HEADER + out[i].offset + out[i].length + 7) / 8 * 8;
  }
  assert_int_equal(sw_producer_append_batch(&t.p, out, 4, 1), 4);
  expect_batch(&t, out, 4, 9);
  pair_close(&t);
}

static void a_batch_across_the_end(void **state) {
  (void)state;
  pair t;
  pair_open_at(&t, 4096, 0u - 512);
  sw_slice out[8];
  for (uint32_t i = 0; i < 8; i++) out[i] = (sw_slice){.offset = i, .length = 100 + i};
  out[0].offset = 0;
  uint32_t done = 0;
  while (done < 8) { /* one reserved where no room is known, then as many as fit */
    void *room = sw_producer_reserve(&t.p, out[done].length, out[done].offset);
    assert_non_null(room);
    pattern_fill(room, out[done].length, 1 + done);
    assert_int_equal(sw_producer_commit(&t.p, out[done].length), SW_OK);
    done++;
    uint32_t more = pattern_fill_batch(&t.p, out + done, 8 - done, 1 + done);
    assert_int_equal(sw_producer_append_batch(&t.p, out + done, 8 - done, 0), more);
    done += more;
  }
  pair_expect_none(&t);
  sw_producer_publish(&t.p);
  expect_batch(&t, out, 8, 1);
  sw_consumer_rewind(&t.c);
  sw_slice in[8];
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
  /* 600 is less than a quarter, 1200 is not */
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 8), 2);
  /* asked again without a release, it goes on */
  assert_int_equal(sw_consumer_peek_batch(&t.c, in, 8), 2);
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
  assert_int_equal(sw_producer_append_batch(&t.p, out, 1, 1), 0);
  assert_null(sw_producer_reserve(&t.p, 1, 0));
  assert_int_equal(t.p.status, SW_ECLOSED);
  pair_close(&t);
}

/* Held back and then published: seen as single messages, all at once. */
static void appended_and_held(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  /* before the first commit nothing is known */
  assert_int_equal(sw_producer_append(&t.p, 0, 1), SW_EFULL);
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

TESTS(TEST(a_whole_batch), TEST(appended_and_held), TEST(where_no_room_is_known), TEST(what_fits_of_a_batch),
      TEST(slices_that_cannot_be_right), TEST(payloads_that_run_over), TEST(a_batch_across_the_end),
      TEST(a_batch_ends_at_a_quarter), TEST(batch_and_close));
