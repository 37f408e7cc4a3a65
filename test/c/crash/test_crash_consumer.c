/* A consumer dies, at every shared access of everything it can do. The survivor is the producer,
 * which may be waiting for room: a new consumer gets every message that the dead one had not
 * released, whole and in order. */
#include "crash.h"

static const setting SETTINGS[] = {
    {"empty", 0, 0, 0},
    {"6 messages", 0, 6, 0},
    {"6 around the end", 4096 - 3 * FRAME - 32, 6, 0},
    {"6 around the end, 2^32", 0u - 3 * FRAME - 32, 6, 0},
    {"6 up to 2^32", 0u - 6 * FRAME, 6, 0},
    {"full", 0, FRAMES, 1},
    {"full, padding at the end", 32, FRAMES - 1, 1},
    {"full, 2^32", 0u - 10 * FRAME, FRAMES, 1},
};

/* ---- survivor ---- */

static void before(scene *s) {
  assert_int_equal(sw_channel_open_producer(&s->p, s->r.base, s->r.size, SW_HEAP_AT, 0, SW_RENDERER, s->own), SW_OK);
  for (; s->sent < s->at->fill; s->sent++) assert_int_equal(put(&s->p, s->sent), SW_OK);
  sw_producer_publish(&s->p);
  /* publishes padding, where there is room for it */
  if (s->at->full) assert_int_equal(put(&s->p, s->sent), SW_EFULL);
}

static void park(scene *s) {
  if (s->at->full && s->ring->tail == s->at->position) assert_int_equal(sw_producer_want_space(&s->p, FRAME), 0);
}

/* The number of the first message that was not released, or that of the next one to be sent. */
static uint32_t first_left(scene *s, sw_consumer *c) {
  const notes *n = s->notes;
  sw_slice slice;
  if (sw_consumer_peek(c, &slice) != 1) return s->sent;
  sw_consumer_rewind(c);
  for (uint32_t first = n->sure; first < n->possible; first++) {
    if (is_message(s, &slice, first)) return first;
  }
  return n->possible; /* which the caller finds to be right or not */
}

static void goes_on(scene *s, sw_consumer *c, uint32_t next) {
  sw_slice slice;
  for (uint32_t last = s->sent + 3 * FRAMES; next < last; next++) {
    if (s->sent < last && put(&s->p, s->sent) == SW_OK) s->sent++;
    sw_producer_publish(&s->p);
    assert_int_equal(sw_consumer_peek(c, &slice), 1);
    assert_true(is_message(s, &slice, next));
    if (next % 3 == 0 || s->sent - next > FRAMES - 3) sw_consumer_release(c);
  }
  assert_int_equal(sw_consumer_peek(c, &slice), 0);
  sw_consumer_release(c);
}

static void after(scene *s) {
  assert_int_equal(sw_channel_check(s->r.base, s->r.size, SW_HEAP_AT), SW_OK);
  const notes *n = s->notes;
  sw_consumer c;
  uint32_t index = reclaim(s);
  int status = sw_channel_open_consumer(&c, s->r.base, s->r.size, SW_HEAP_AT, 0, SW_NATIVE, index);
  if (s->ring->closed != 0) { /* the side has ended its stream: no successor can take it up */
    assert_int_equal(s->ring->closed, SW_CLOSED_BY_CONSUMER);
    assert_int_equal(status, SW_ECLOSED);
    assert_int_equal(put(&s->p, s->sent), SW_ECLOSED);
  } else {
    assert_int_equal(status, SW_OK);
    uint32_t next = first_left(s, &c);
    assert_in_range(next, n->sure, n->possible);
    assert_true(n->some || next == n->sure || next == n->possible);
    goes_on(s, &c, next);
  }
  assert_int_equal(sw_channel_check(s->r.base, s->r.size, SW_HEAP_AT), SW_OK);
}

/* ---- child ---- */

static void prelude(scene *s) {
  child_claims(s);
  MUST(sw_channel_open_consumer(&s->c, s->r.base, s->r.size, SW_HEAP_AT, 0, SW_NATIVE, s->notes->index) == SW_OK);
}

static void look(scene *s, uint32_t from, uint32_t to) {
  sw_slice slice;
  for (uint32_t n = from; n < to; n++) MUST(sw_consumer_peek(&s->c, &slice) == 1 && is_message(s, &slice, n));
}

static void peek_all(scene *s) {
  sw_slice slice;
  look(s, 0, s->at->fill);
  MUST(sw_consumer_peek(&s->c, &slice) == 0);
}

static void prelude_peeked(scene *s) {
  prelude(s);
  look(s, 0, s->at->fill / 2);
  s->notes->possible = s->at->fill / 2;
}

static void release(scene *s) { sw_consumer_release(&s->c); }

static void prelude_rewind(scene *s) {
  prelude(s);
  look(s, 0, s->at->fill);
  s->notes->possible = s->at->fill != 0;
}

static void rewind_it(scene *s) {
  sw_consumer_rewind(&s->c);
  look(s, 0, s->at->fill != 0);
  sw_consumer_release(&s->c);
}

static void prelude_batch(scene *s) {
  prelude(s);
  s->notes->possible = s->at->fill < 5 ? s->at->fill : 5;
}

static void batch(scene *s) {
  sw_slice slices[5];
  MUST(sw_consumer_peek_batch(&s->c, slices, 5) == (int)s->notes->possible);
  sw_consumer_release(&s->c);
}

static void prelude_stream(scene *s) {
  prelude(s);
  s->notes->possible = s->at->fill < 20 ? s->at->fill : 20;
  s->notes->some = 1;
}

static void stream(scene *s) {
  for (uint32_t n = 0; n < s->notes->possible; n++) {
    look(s, n, n + 1);
    sw_consumer_release(&s->c);
  }
}

/* All messages are gone; padding may be left, which a peek gives back. */
static void prelude_emptied(scene *s) {
  prelude(s);
  look(s, 0, s->at->fill);
  sw_consumer_release(&s->c);
  s->notes->sure = s->notes->possible = s->at->fill;
}

static void peek_none(scene *s) {
  sw_slice slice;
  MUST(sw_consumer_peek(&s->c, &slice) == 0);
}

static void ready(scene *s) {
  sw_endpoint_arm(s->r.base, s->notes->index, SW_SLEEP_FUTEX);
  sw_consumer_ready(&s->c);
  sw_endpoint_disarm(s->r.base, s->notes->index);
}

static void close_it(scene *s) { sw_consumer_close(&s->c); }

static void leave(scene *s) { sw_consumer_leave(&s->c); }

static const crash_case CASES[] = {
    {"sw_consumer_peek of all", before, prelude, park, peek_all, after},
    {"sw_consumer_release of half", before, prelude_peeked, park, release, after},
    {"sw_consumer_rewind, peek, release", before, prelude_rewind, park, rewind_it, after},
    {"sw_consumer_peek_batch of 5, release", before, prelude_batch, park, batch, after},
    {"20 messages, one by one", before, prelude_stream, park, stream, after},
    {"sw_consumer_peek when there is none", before, prelude_emptied, park, peek_none, after},
    {"sw_consumer_ready", before, prelude, park, ready, after},
    {"sw_consumer_close", before, prelude, park, close_it, after},
    {"peek of half, sw_consumer_close", before, prelude_peeked, park, close_it, after},
    {"sw_consumer_leave", before, prelude, park, leave, after},
};

static void consumer_dies(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof(CASES) / sizeof(*CASES); c++) {
    for (size_t at = 0; at < sizeof(SETTINGS) / sizeof(*SETTINGS); at++) crash_sweep(&CASES[c], &SETTINGS[at]);
  }
  crash_summary();
}

TESTS(TEST(consumer_dies));
