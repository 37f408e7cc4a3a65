/* A producer dies, at every shared access of everything it can do. The survivor is the consumer: it
 * gets all that was published, whole and in order; then a new producer goes on where the dead one
 * stopped. */
#include "crash.h"
#include "sabway/ready.h"

static const setting SETTINGS[] = {
    {"empty", 0, 0, 0},
    {"some released", 0, 3, 0},
    {"at the end", 4096 - 3 * FRAME - 32, 3, 0}, /* the next one needs padding before it */
    {"just below 2^32", 0u - 4 * FRAME, 3, 0},   /* the next one ends there */
    {"at the end, 2^32", 0u - 3 * FRAME - 32, 3, 0},
    {"full", 0, FRAMES, 1},
    {"full, room for padding", 32, FRAMES - 1, 1},
    {"full, 2^32", 0u - 10 * FRAME, FRAMES, 1},
};

/* ---- survivor ---- */

static void before(scene *s) {
  assert_int_equal(sw_channel_open_consumer(&s->c, s->r.base, s->r.size, SW_HEAP_AT, 0, SW_NATIVE, s->own), SW_OK);
}

enum { IDLE = 70 };

/* The consumer is looked at only when its slot is marked. */
static void before_idle(scene *s) {
  before(s);
  sw_consumer_set_slot(&s->c, IDLE);
}

/* All that is there, in order. Returns the last peek's answer. */
static int drain(scene *s) {
  sw_slice slice;
  int status;
  while ((status = sw_consumer_peek(&s->c, &slice)) == 1) {
    assert_true(is_message(s, &slice, s->sent));
    s->sent++;
    if (s->sent % 5 == 0) sw_consumer_release(&s->c);
  }
  sw_consumer_release(&s->c);
  return status;
}

static void park(scene *s) {
  if (!s->at->full) assert_int_equal(drain(s), 0);
}

static void goes_on(scene *s, uint32_t index) {
  sw_producer p;
  assert_int_equal(sw_channel_open_producer(&p, s->r.base, s->r.size, SW_HEAP_AT, 0, SW_RENDERER, index), SW_OK);
  for (uint32_t i = 0; i < 3 * FRAMES; i++) {
    assert_int_equal(put(&p, s->sent), SW_OK);
    sw_producer_publish(&p);
    sw_slice slice;
    assert_int_equal(sw_consumer_peek(&s->c, &slice), 1);
    assert_true(is_message(s, &slice, s->sent++));
    if (i % 7 == 0) assert_int_equal(drain(s), 0);
  }
  assert_int_equal(drain(s), 0);
  assert_int_equal(s->ring->head, s->ring->tail);
}

static void after(scene *s) {
  assert_int_equal(sw_channel_check(s->r.base, s->r.size, SW_HEAP_AT), SW_OK);
  int status = drain(s);
  const notes *n = s->notes;
  assert_in_range(s->sent, n->sure, n->possible);
  assert_true(n->some || s->sent == n->sure || s->sent == n->possible);
  uint32_t index = reclaim(s);
  if (s->ring->closed == 0) {
    assert_int_equal(status, 0);
    goes_on(s, index);
  } else {
    assert_int_equal(status, SW_ECLOSED);
    assert_int_equal(s->ring->closed, SW_CLOSED_BY_PRODUCER);
    assert_int_equal(s->sent, n->possible); /* what was published comes before the end */
  }
  assert_int_equal(sw_channel_check(s->r.base, s->r.size, SW_HEAP_AT), SW_OK);
}

/* ---- child ---- */

static void prelude(scene *s) {
  child_claims(s);
  MUST(sw_channel_open_producer(&s->p, s->r.base, s->r.size, SW_HEAP_AT, 0, SW_RENDERER, s->notes->index) == SW_OK);
  for (uint32_t n = 0; n < s->at->fill; n++) MUST(put(&s->p, n) == SW_OK);
  sw_producer_publish(&s->p);
  s->notes->sure = s->notes->possible = s->sent = s->at->fill;
}

/* In a full ring nothing is sent, and that is as it should be. */
static void may_send(scene *s, uint32_t count, uint32_t some) {
  if (s->at->full) return;
  s->notes->possible = s->notes->sure + count;
  s->notes->some = some;
}

static void reserve(scene *s) { MUST((sw_producer_reserve(&s->p, length_of(s->sent), 0) == NULL) == s->at->full); }

static void fill_up(scene *s) { put(&s->p, s->sent); }

static void prelude_reserve(scene *s) {
  prelude(s);
  uint8_t *room = sw_producer_reserve(&s->p, length_of(s->sent), 0);
  if (room != NULL) pattern_fill(room, length_of(s->sent), s->sent);
}

static void commit(scene *s) { sw_producer_commit(&s->p, length_of(s->sent)); }

/* Forgetting a reservation touches nothing that is shared; what comes after it does. */
static void abandon(scene *s) {
  sw_producer_abandon(&s->p);
  reserve(s);
  sw_producer_abandon(&s->p);
  sw_producer_publish(&s->p); /* padding, perhaps */
}

static void prelude_committed(scene *s) {
  prelude(s);
  for (uint32_t n = 0; n < 3; n++) MUST((put(&s->p, s->sent + n) == SW_OK) != s->at->full);
  may_send(s, 3, 0);
}

static void publish(scene *s) { sw_producer_publish(&s->p); }

static void prelude_push(scene *s) {
  prelude_reserve(s);
  may_send(s, 1, 0);
}

/* Whatever the dead one had published, its eviction leaves the slot marked, and no half of a
 * mark. */
static void after_idle(scene *s) {
  uint32_t slots[2];
  sw_channel_evict_role(s->r.base, s->r.size, SW_HEAP_AT, s->notes->role);
  assert_int_equal(sw_ready_take(s->r.base, s->own, slots, 2), 1);
  assert_int_equal(slots[0], IDLE);
  assert_int_equal(sw_ready_some(s->r.base, s->own), 0);
  after(s);
}

static void push(scene *s) { MUST(sw_producer_push(&s->p, length_of(s->sent)) == (s->at->full ? SW_ESTATE : SW_OK)); }

static void prelude_append(scene *s) {
  prelude(s);
  if (s->at->full) return;
  pattern_fill(sw_producer_reserve(&s->p, length_of(s->sent), 0), length_of(s->sent), s->sent);
  MUST(sw_producer_push(&s->p, length_of(s->sent)) == SW_OK);
  s->notes->sure = ++s->sent;
  may_send(s, 1, 0);
}

static void append(scene *s) {
  uint32_t length = length_of(s->sent);
  if (length <= s->p.room) {
    pattern_fill(s->r.base + s->p.next, length, s->sent);
    MUST(sw_producer_append(&s->p, length, 1) == SW_OK);
  } else if (put(&s->p, s->sent) == SW_OK) {
    sw_producer_publish(&s->p);
  }
}

static void prelude_send(scene *s) {
  prelude(s);
  may_send(s, 1, 0);
}

static void send_one(scene *s) {
  uint8_t bytes[FRAME];
  pattern_fill(bytes, length_of(s->sent), s->sent);
  MUST(sw_producer_send(&s->p, bytes, length_of(s->sent)) == (s->at->full ? SW_EFULL : SW_OK));
}

static void prelude_stream(scene *s) {
  prelude(s);
  may_send(s, 20, 1);
}

static void stream(scene *s) {
  for (uint32_t n = 0; n < 20; n++) {
    if (put(&s->p, s->sent + n) != SW_OK) break;
    sw_producer_publish(&s->p);
  }
}

static void prelude_batch(scene *s) {
  prelude(s);
  may_send(s, 5, 0);
}

static void batch(scene *s) {
  sw_slice slices[5];
  for (uint32_t n = 0; n < 5; n++) slices[n] = (sw_slice){.offset = 0, .length = length_of(s->sent + n)};
  uint32_t got = 0;
  while (got < 5 && put(&s->p, s->sent + got) == SW_OK) {
    got++;
    pattern_fill_batch(&s->p, slices + got, 5 - got, s->sent + got);
    got += sw_producer_append_batch(&s->p, slices + got, 5 - got, 0);
  }
  MUST(got == (s->at->full ? 0 : 5));
  sw_producer_publish(&s->p);
}

static void want_space(scene *s) {
  sw_endpoint_arm(s->r.base, s->notes->index, SW_SLEEP_FUTEX);
  sw_producer_want_space(&s->p, FRAME);
  sw_endpoint_disarm(s->r.base, s->notes->index);
}

static void close_it(scene *s) { sw_producer_close(&s->p); }

static void leave(scene *s) { sw_producer_leave(&s->p); }

static const crash_case CASES[] = {
    {"sw_producer_reserve", before, prelude, park, reserve, after},
    {"reserve, fill, sw_producer_commit", before, prelude, park, fill_up, after},
    {"sw_producer_commit", before, prelude_reserve, park, commit, after},
    {"sw_producer_abandon, reserve, publish", before, prelude_reserve, park, abandon, after},
    {"sw_producer_publish of 3", before, prelude_committed, park, publish, after},
    {"sw_producer_publish of 3 for an idle consumer", before_idle, prelude_committed, park, publish, after_idle},
    {"sw_producer_close, idle consumer", before_idle, prelude, park, close_it, after_idle},
    {"sw_producer_push", before, prelude_push, park, push, after},
    {"sw_producer_append, or as far as room is known", before, prelude_append, park, append, after},
    {"sw_producer_send", before, prelude_send, park, send_one, after},
    {"20 messages, one by one", before, prelude_stream, park, stream, after},
    {"sw_producer_append_batch of 5, as far as room is known, publish", before, prelude_batch, park, batch, after},
    {"sw_producer_want_space", before, prelude, park, want_space, after},
    {"sw_producer_close", before, prelude, park, close_it, after},
    {"publish of 3, sw_producer_close", before, prelude_committed, park, close_it, after},
    {"sw_producer_leave", before, prelude, park, leave, after},
};

static void producer_dies(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof(CASES) / sizeof(*CASES); c++) {
    for (size_t at = 0; at < sizeof(SETTINGS) / sizeof(*SETTINGS); at++) crash_sweep(&CASES[c], &SETTINGS[at]);
  }
  crash_summary();
}

TESTS(TEST(producer_dies));
