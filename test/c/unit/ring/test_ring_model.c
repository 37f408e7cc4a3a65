/* Random operations on the ring and on a plain array side by side. */
#include "../helper.h"

enum { KEPT = 8192 };

typedef struct message {
  uint32_t length, lead, seed;
} message;

/* Message numbers: released <= peeked <= published <= committed. */
typedef struct model {
  pair t;
  message kept[KEPT];
  uint64_t released, peeked, published, committed;
  uint64_t random;
  uint32_t open_length, open_lead;
  uint8_t *open; /* the reservation, or NULL */
  uint64_t full, appended, batched;
} model;

static uint32_t draw(model *m, uint32_t below) { return random_next(&m->random) % below; }

/* Mostly small, sometimes the whole ring. */
static uint32_t draw_length(model *m) {
  uint32_t capacity = m->t.p.capacity;
  switch (draw(m, 16)) {
    case 0:
      return draw(m, capacity + 1);
    case 1:
      return capacity - draw(m, 20);
    case 2:
      return 0;
    case 3:
    case 4:
      return draw(m, capacity / 4);
    default:
      return draw(m, 100);
  }
}

static void do_reserve(model *m) {
  if (m->open != NULL || m->committed - m->released == KEPT) return;
  m->open_length = draw_length(m);
  m->open_lead = draw(m, 3) == 0 ? draw(m, SW_ALIGN) : 0;
  m->open = sw_producer_reserve(&m->t.p, m->open_length, m->open_lead);
  if (m->open != NULL) return;
  m->full++;
  assert_int_equal(m->t.p.status, SW_EFULL);
  if (m->released != m->committed) return;
  /* Empty: only padding can be in the way, and one drain must be enough. */
  pair_expect_none(&m->t);
  m->open = sw_producer_reserve(&m->t.p, m->open_length, m->open_lead);
  assert_non_null(m->open);
}

static void do_commit(model *m) {
  if (m->open == NULL) return;
  uint32_t length = draw(m, 3) == 0 ? draw(m, m->open_length + 1) : m->open_length;
  uint32_t seed = random_next(&m->random);
  pattern_fill(m->open, length, seed);
  assert_int_equal(sw_producer_commit(&m->t.p, length), SW_OK);
  m->kept[m->committed++ % KEPT] = (message){length, m->open_lead, seed};
  m->open = NULL;
}

/* Whatever room is on offer is really there; a byte more, or an open reservation, is refused. */
static void do_append(model *m) {
  uint32_t room = m->t.p.room, length = draw_length(m);
  if (m->committed - m->released == KEPT) return;
  if (room == 0 || length > room) {
    assert_int_equal(sw_producer_append(&m->t.p, length, 1), SW_EFULL);
    return;
  }
  assert_null(m->open);
  uint32_t seed = random_next(&m->random);
  pattern_fill(m->t.r.base + m->t.p.next, length, seed);
  assert_int_equal(sw_producer_append(&m->t.p, length, 1), SW_OK);
  m->kept[m->committed++ % KEPT] = (message){length, 0, seed};
  m->published = m->committed;
  m->appended++;
}

static void do_push(model *m) {
  if (m->open == NULL) return;
  uint32_t seed = random_next(&m->random);
  pattern_fill(m->open, m->open_length, seed);
  assert_int_equal(sw_producer_push(&m->t.p, m->open_length), SW_OK);
  m->kept[m->committed++ % KEPT] = (message){m->open_length, m->open_lead, seed};
  m->published = m->committed;
  m->open = NULL;
}

static void do_abandon(model *m) {
  if (m->open == NULL) return;
  assert_int_equal(sw_producer_abandon(&m->t.p), SW_OK);
  m->open = NULL;
}

static void do_publish(model *m) {
  sw_producer_publish(&m->t.p);
  m->published = m->committed;
}

static void do_batch(model *m) {
  if (m->t.p.room == 0) return;
  sw_slice slices[8];
  uint32_t leads[8];
  int publish = draw(m, 2) == 1;
  for (int i = 0; i < 8; i++) {
    leads[i] = draw(m, SW_ALIGN);
    slices[i] = (sw_slice){.offset = leads[i], .length = draw_length(m)};
  }
  uint32_t seed = random_next(&m->random);
  uint32_t got = pattern_fill_batch(&m->t.p, slices, 8, seed);
  assert_int_equal(sw_producer_append_batch(&m->t.p, slices, 8, publish), got);
  assert_true(m->committed + got - m->released <= KEPT);
  for (uint32_t i = 0; i < got; i++) {
    m->kept[m->committed++ % KEPT] = (message){slices[i].length, leads[i], seed + i};
  }
  if (publish) m->published = m->committed;
  m->batched += got;
}

static void do_peek(model *m) {
  sw_slice slice;
  int status = sw_consumer_peek(&m->t.c, &slice);
  assert_int_equal(status, m->peeked < m->published);
  if (status == 0) return;
  const message *expected = &m->kept[m->peeked++ % KEPT];
  assert_int_equal(slice.length, expected->length);
  assert_int_equal(slice.offset % SW_ALIGN, expected->lead);
  assert_true(pattern_holds(m->t.r.base + slice.offset, slice.length, expected->seed));
}

static void do_release(model *m) {
  sw_consumer_release(&m->t.c);
  m->released = m->peeked;
}

static void do_rewind(model *m) {
  sw_consumer_rewind(&m->t.c);
  m->peeked = m->released;
}

static void do_release_first(model *m) {
  uint32_t count = draw(m, 6);
  sw_consumer_release_first(&m->t.c, count);
  if (count < m->peeked - m->released) m->peeked = m->released + count;
  m->released = m->peeked;
}

static void step(model *m) {
  uint32_t what = draw(m, 100);
  if (what < 20) do_reserve(m);
  else if (what < 35) do_commit(m);
  else if (what < 41) do_push(m);
  else if (what < 48) do_append(m);
  else if (what < 51) do_abandon(m);
  else if (what < 60) do_publish(m);
  else if (what < 63) do_batch(m);
  else if (what < 90) do_peek(m);
  else if (what < 96) do_release(m);
  else if (what < 98) do_release_first(m);
  else do_rewind(m);
  assert_int_equal(m->t.p.messages, m->committed);
  assert_int_equal(m->t.c.messages, m->released);
}

static void run(uint32_t capacity, uint32_t start, uint64_t seed, int steps) {
  model *m = calloc(1, sizeof(*m));
  assert_non_null(m);
  m->random = seed;
  print_message("capacity %u, counters from %u, seed %llu\n", capacity, start, (unsigned long long)seed);
  pair_open_at(&m->t, capacity, start);
  for (int i = 0; i < steps; i++) {
    step(m);
    if (i % 64 == 0) assert_int_equal(sw_ring_check(m->t.r.base, m->t.r.size, m->t.ring), SW_OK);
  }
  do_abandon(m);
  do_publish(m);
  while (m->peeked < m->published) do_peek(m);
  do_release(m);
  pair_expect_none(&m->t);
  assert_int_equal(sw_producer_used(&m->t.p), 0);
  assert_int_equal(m->released, m->committed);
  assert_true(m->committed > (uint64_t)steps / 40 && m->full > 0 && m->appended > (uint64_t)steps / 200 &&
              m->batched > (uint64_t)steps / 200);
  pair_close(&m->t);
  free(m);
}

static void small_ring(void **state) {
  (void)state;
  run(4096, 0, 1, 300000);
}

static void counters_wrap(void **state) {
  (void)state;
  run(4096, 0u - 1000000 * 8, 2, 200000);
}

static void larger_ring(void **state) {
  (void)state;
  run(65536, 0u - 65536 * 3 + 8, 3, 60000);
}

TESTS(TEST(small_ring), TEST(counters_wrap), TEST(larger_ring));
