/* Sleeping and waking between two threads. No thread sleeps with a timeout here: a lost wake-up
 * hangs the test, and ctest ends it. */
#include "../helper.h"

typedef struct both {
  pair t;
  uint32_t messages;
  uint32_t largest;
  uint32_t wrong; /* what the other thread found */
  uint32_t writer_parks, reader_parks;
  int last;
} both;

static void reader_sleeps(both *b) {
  uint32_t ticket = sw_endpoint_arm(b->t.r.base, b->t.reader, SW_SLEEP_FUTEX);
  if (!sw_consumer_ready(&b->t.c)) {
    b->reader_parks++;
    sw_prim_futex_wait(sw_endpoint_doorbell(b->t.r.base, b->t.reader), ticket, -1);
  }
  sw_endpoint_disarm(b->t.r.base, b->t.reader);
}

static void writer_sleeps(both *b, uint32_t length) {
  uint32_t ticket = sw_endpoint_arm(b->t.r.base, b->t.writer, SW_SLEEP_FUTEX);
  if (!sw_producer_want_space(&b->t.p, length)) {
    b->writer_parks++;
    sw_prim_futex_wait(sw_endpoint_doorbell(b->t.r.base, b->t.writer), ticket, -1);
  }
  sw_endpoint_disarm(b->t.r.base, b->t.writer);
}

static uint32_t length_of(const both *b, uint32_t n) { return n * 2654435761u % (b->largest + 1); }

/* Reads until the end of the stream. */
static void reads(void *argument) {
  both *b = argument;
  sw_slice slices[16];
  uint32_t n = 0;
  for (;;) {
    int got = sw_consumer_peek_batch(&b->t.c, slices, 1 + n % 16);
    for (int i = 0; i < got; i++, n++) {
      uint32_t expected = length_of(b, n);
      if (slices[i].length != expected || !pattern_holds(b->t.r.base + slices[i].offset, expected, n)) b->wrong++;
    }
    if (got > 0) sw_consumer_release(&b->t.c);
    else if (got == 0) reader_sleeps(b);
    else break;
    b->last = got;
  }
  if (n != b->messages) b->wrong++;
  sw_slice slice;
  b->last = sw_consumer_peek(&b->t.c, &slice);
}

static void send_all(both *b) {
  for (uint32_t n = 0; n < b->messages; n++) {
    int status;
    while ((status = pair_send(&b->t, length_of(b, n), n)) == SW_EFULL) writer_sleeps(b, length_of(b, n));
    assert_int_equal(status, SW_OK);
  }
}

static void flood(uint32_t capacity, uint32_t messages, uint32_t largest, both *b) {
  *b = (both){.messages = messages, .largest = largest};
  pair_open_at(&b->t, capacity, 0u - 100000 * 8);
  sw_prim_thread thread;
  assert_int_equal(sw_prim_thread_start(&thread, "reads", reads, b), SW_OK);
  send_all(b);
  sw_producer_close(&b->t.p);
  assert_int_equal(sw_prim_thread_join(&thread), SW_OK);
  assert_int_equal(b->wrong, 0);
  assert_int_equal(b->last, SW_ECLOSED);
  assert_int_equal(b->t.c.messages, messages);
  assert_int_equal(b->t.c.bytes, b->t.p.bytes);
  print_message("parks: writer %u, reader %u\n", b->writer_parks, b->reader_parks);
  pair_close(&b->t);
}

static void flood_of_small_ones(void **state) {
  (void)state;
  both b;
  flood(4096, 200000, 60, &b);
}

static void flood_up_to_the_whole_ring(void **state) {
  (void)state;
  both b;
  flood(4096, 30000, 4096, &b);
  assert_true(b.writer_parks > 0);
}

/* ---- one message at a time, there and back: each of them is a sleep ---- */

typedef struct pingpong {
  region r;
  uint32_t index[2];
  sw_producer p[2];
  sw_consumer c[2];
  int failed;
} pingpong;

enum { ROUNDS = 20000 };

static uint32_t next_number(pingpong *g, uint32_t side) {
  sw_slice slice;
  int status;
  while ((status = sw_consumer_peek(&g->c[side], &slice)) == 0) {
    uint32_t ticket = sw_endpoint_arm(g->r.base, g->index[side], SW_SLEEP_FUTEX);
    if (!sw_consumer_ready(&g->c[side])) {
      sw_prim_futex_wait(sw_endpoint_doorbell(g->r.base, g->index[side]), ticket, -1);
    }
    sw_endpoint_disarm(g->r.base, g->index[side]);
  }
  if (status != 1) return UINT32_MAX;
  uint32_t number;
  memcpy(&number, g->r.base + slice.offset, 4);
  sw_consumer_release(&g->c[side]);
  return number;
}

static void returns_all(void *argument) {
  pingpong *g = argument;
  for (uint32_t i = 0; i < ROUNDS; i++) {
    uint32_t number = next_number(g, SW_NATIVE);
    if (number != i || sw_producer_send(&g->p[SW_NATIVE], &number, 4) != SW_OK) g->failed = 1;
  }
}

static void there_and_back(void **state) {
  (void)state;
  pingpong g = {.r = region_new(4096, 4096)};
  for (uint32_t side = 0; side < 2; side++) {
    g.index[side] = region_claim(&g.r);
    assert_int_equal(sw_channel_open_producer(&g.p[side], g.r.base, g.r.size, SW_HEAP_AT, 0, side, g.index[side]),
                     SW_OK);
    assert_int_equal(sw_channel_open_consumer(&g.c[side], g.r.base, g.r.size, SW_HEAP_AT, 0, side, g.index[side]),
                     SW_OK);
  }
  sw_prim_thread thread;
  assert_int_equal(sw_prim_thread_start(&thread, "returns", returns_all, &g), SW_OK);
  for (uint32_t i = 0; i < ROUNDS; i++) {
    assert_int_equal(sw_producer_send(&g.p[SW_RENDERER], &i, 4), SW_OK);
    assert_int_equal(next_number(&g, SW_RENDERER), i);
  }
  assert_int_equal(sw_prim_thread_join(&thread), SW_OK);
  assert_int_equal(g.failed, 0);
  region_free(&g.r);
}

/* ---- a close wakes the sleeper ---- */

static void reads_till_closed(void *argument) {
  both *b = argument;
  sw_slice slice;
  while ((b->last = sw_consumer_peek(&b->t.c, &slice)) == 0) reader_sleeps(b);
}

static void close_wakes_the_reader(void **state) {
  (void)state;
  both b = {0};
  pair_open(&b.t, 4096);
  sw_prim_thread thread;
  assert_int_equal(sw_prim_thread_start(&thread, "reads", reads_till_closed, &b), SW_OK);
  EVENTUALLY(sw_endpoint_is_armed(b.t.r.base, b.t.reader));
  sw_producer_close(&b.t.p);
  assert_int_equal(sw_prim_thread_join(&thread), SW_OK);
  assert_int_equal(b.last, SW_ECLOSED);
  pair_close(&b.t);
}

static void writes_till_closed(void *argument) {
  both *b = argument;
  while ((b->last = pair_send(&b->t, 1000, 0)) == SW_OK || b->last == SW_EFULL) {
    if (b->last == SW_EFULL) writer_sleeps(b, 1000);
  }
}

static void close_wakes_the_writer(void **state) {
  (void)state;
  both b = {0};
  pair_open(&b.t, 4096);
  sw_prim_thread thread;
  assert_int_equal(sw_prim_thread_start(&thread, "writes", writes_till_closed, &b), SW_OK);
  EVENTUALLY(sw_endpoint_is_armed(b.t.r.base, b.t.writer));
  sw_consumer_close(&b.t.c);
  assert_int_equal(sw_prim_thread_join(&thread), SW_OK);
  assert_int_equal(b.last, SW_ECLOSED);
  pair_close(&b.t);
}

static void futex_times_out(void **state) {
  (void)state;
  uint32_t word = 5;
  uint64_t before = sw_prim_now();
  sw_prim_futex_wait(&word, 5, 20000000);
  assert_true(sw_prim_now() - before >= 19000000);
  sw_prim_futex_wait(&word, 6, -1); /* another value: does not sleep */
  assert_int_equal(sw_prim_futex_wake(&word), 0);
}

TESTS(TEST(flood_of_small_ones), TEST(flood_up_to_the_whole_ring), TEST(there_and_back), TEST(close_wakes_the_reader),
      TEST(close_wakes_the_writer), TEST(futex_times_out));
