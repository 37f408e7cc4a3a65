/* A peer that writes garbage: every shared word, with every kind of wrong value. The handle that is
 * attached ignores it or says SW_ECORRUPT for good, and never leaves the ring's bytes
 * (AddressSanitizer watches). */
#include "../helper.h"

enum { CAPACITY = 4096, SENT = 6 };

static const uint32_t VALUES[] = {0,          1,          4,         7,         8,       12,         16,
                                  4088,       4096,       4097,      4104,      8192,    0x7ffffff8, 0x7fffffff,
                                  0x80000000, 0x80000008, 0u - 4096, 0u - 4104, 0u - 16, 0u - 8,     UINT32_MAX};
enum { VALUE_COUNT = sizeof(VALUES) / sizeof(*VALUES) };

/* Six messages published, two of them released; 1,000 bytes from the ring's end. */
static void prepare(pair *t) {
  pair_open(t, CAPACITY);
  pair_advance(t, 3096);
  for (uint32_t i = 0; i < SENT; i++) assert_int_equal(pair_send(t, 200 + i, i), SW_OK);
  pair_expect(t, 200, 0);
  pair_expect(t, 201, 1);
  sw_consumer_release(&t->c);
}

static void within_ring(const pair *t, const sw_slice *slice) {
  uint32_t data = (uint32_t)(t->c.data - t->r.base);
  assert_true(slice->offset >= data + SW_FRAME_HEADER);
  assert_true((uint64_t)slice->offset + slice->length <= (uint64_t)data + CAPACITY + SW_RING_SLACK);
}

static volatile uint8_t touched; /* so that the reads are not optimised away */

/* Read all there is, and touch every byte of it. */
static int read_all(pair *t) {
  sw_slice slice;
  int status;
  for (int i = 0; (status = sw_consumer_peek(&t->c, &slice)) == 1; i++) {
    assert_true(i <= CAPACITY / SW_FRAME_HEADER);
    within_ring(t, &slice);
    for (uint32_t at = 0; at < slice.length; at++) touched = t->r.base[slice.offset + at];
  }
  sw_consumer_release(&t->c);
  return status;
}

static int write_some(pair *t) {
  for (uint32_t length = 0; length <= CAPACITY; length += 128) {
    uint8_t *room = sw_producer_reserve(&t->p, length, length / 128 % SW_ALIGN);
    if (room == NULL) continue;
    assert_true(room >= t->p.data + SW_FRAME_HEADER && room + length <= t->p.data + CAPACITY + SW_RING_SLACK);
    memset(room, 1, length);
    assert_int_equal(sw_producer_push(&t->p, length), SW_OK);
  }
  return t->p.status;
}

/* Use both handles; what is corrupt once must stay so. */
static void exercise(pair *t) {
  sw_slice slice;
  if (read_all(t) == SW_ECORRUPT) {
    assert_int_equal(sw_consumer_peek(&t->c, &slice), SW_ECORRUPT);
    assert_true(sw_consumer_ready(&t->c));
  }
  if (write_some(t) == SW_ECORRUPT) {
    assert_int_equal(sw_producer_send(&t->p, "x", 1), SW_ECORRUPT);
    assert_true(sw_producer_want_space(&t->p, 1));
    sw_producer_used(&t->p);
  } else {
    sw_producer_want_space(&t->p, CAPACITY);
  }
}

static void attached_handles_survive(void **state) {
  (void)state;
  const size_t words[] = {offsetof(sw_ring, capacity), offsetof(sw_ring, data),      offsetof(sw_ring, producer),
                          offsetof(sw_ring, consumer), offsetof(sw_ring, closed),    offsetof(sw_ring, head),
                          offsetof(sw_ring, tail),     offsetof(sw_ring, want_space)};
  for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++) {
    for (int v = 0; v < VALUE_COUNT; v++) {
      pair t;
      prepare(&t);
      memcpy((uint8_t *)t.ring + words[w], &VALUES[v], 4);
      exercise(&t);
      exercise(&t);
      sw_ring_check(t.r.base, t.r.size, t.ring);
      pair_close(&t);
    }
  }
}

/* What was private all along goes on as if nothing had happened. */
static void fixed_words_are_ignored(void **state) {
  (void)state;
  pair t;
  prepare(&t);
  t.ring->capacity = UINT32_MAX;
  t.ring->data = 8;
  t.ring->producer = 0xffff;
  t.ring->consumer = 0xff;
  for (uint32_t i = 2; i < SENT; i++) pair_expect(&t, 200 + i, i);
  sw_consumer_release(&t.c);
  assert_int_equal(pair_send(&t, 300, 9), SW_OK);
  pair_expect(&t, 300, 9);
  pair_close(&t);
}

static void wrong_head_is_latched(void **state) {
  (void)state;
  for (int kind = 0; kind < 4; kind++) {
    pair t;
    prepare(&t);
    pair_expect(&t, 202, 2); /* so that the head has been seen, and may not move back */
    uint32_t good = t.ring->head;
    const uint32_t bad[] = {good + CAPACITY, good - 8, good + 4, t.c.tail - 8};
    for (uint32_t i = 3; i < SENT; i++) pair_expect(&t, 200 + i, i);
    t.ring->head = bad[kind];
    sw_slice slice;
    assert_int_equal(sw_consumer_peek(&t.c, &slice), SW_ECORRUPT);
    t.ring->head = good; /* too late */
    assert_int_equal(sw_consumer_peek(&t.c, &slice), SW_ECORRUPT);
    assert_int_equal(t.c.status, SW_ECORRUPT);
    pair_close(&t);
  }
}

static void wrong_tail_is_latched(void **state) {
  (void)state;
  for (int kind = 0; kind < 4; kind++) {
    pair t;
    prepare(&t);
    uint32_t good = t.ring->tail;
    const uint32_t bad[] = {t.ring->head + 8, t.p.tail_seen - 8, good + 4, good + 0x80000000};
    t.ring->tail = bad[kind];
    assert_int_equal(pair_send(&t, CAPACITY, 0), SW_ECORRUPT);
    t.ring->tail = good;
    assert_int_equal(pair_send(&t, 0, 0), SW_ECORRUPT);
    assert_int_equal(t.p.status, SW_ECORRUPT);
    pair_close(&t);
  }
}

static void every_frame_word(void **state) {
  (void)state;
  for (int word = 0; word < 2; word++) {
    for (int frame = 2; frame < SENT; frame++) {
      for (int v = 0; v < 2 * VALUE_COUNT; v++) {
        pair t;
        prepare(&t);
        sw_slice slice = {0, 0};
        for (int i = 2; i <= frame; i++) assert_int_equal(sw_consumer_peek(&t.c, &slice), 1);
        sw_consumer_rewind(&t.c);
        uint32_t *header = (uint32_t *)(void *)(t.r.base + slice.offset - SW_FRAME_HEADER);
        /* Plain wrong values, and the right one with some bits turned over. */
        header[word] = v < VALUE_COUNT ? VALUES[v] : header[word] ^ VALUES[v - VALUE_COUNT];
        exercise(&t);
        pair_close(&t);
      }
    }
  }
}

static void frames_that_cannot_be(void **state) {
  (void)state;
  const sw_frame bad[] = {{-(8 + 100), SW_FRAME_DATA},         /* never committed */
                          {7, SW_FRAME_DATA},                  /* shorter than its header */
                          {8 + CAPACITY + 1, SW_FRAME_DATA},   /* longer than the ring */
                          {16, 0},                             /* no type */
                          {16, 3},                             /* unknown type */
                          {16, SW_FRAME_DATA | SW_ALIGN << 8}, /* lead too far */
                          {16, SW_FRAME_DATA | 1u << 31},      /* lead far too far */
                          /* padding that does not end at the ring's end */
                          {CAPACITY - 8, SW_FRAME_PAD},
                          /* padding of more than was published */
                          {CAPACITY, SW_FRAME_PAD},
                          {0, SW_FRAME_PAD},      /* padding that would never end */
                          {2000, SW_FRAME_DATA}}; /* more than was published */
  for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
    pair t;
    pair_open(&t, CAPACITY);
    assert_int_equal(pair_send(&t, 100, 1), SW_OK);
    memcpy(t.p.data, &bad[i], sizeof(bad[i]));
    sw_slice slice;
    assert_int_equal(sw_consumer_peek(&t.c, &slice), SW_ECORRUPT);
    assert_int_equal(sw_ring_check(t.r.base, t.r.size, t.ring), SW_ECORRUPT);
    pair_close(&t);
  }
}

static void attach_refuses(void **state) {
  (void)state;
  pair t;
  prepare(&t);
  const struct {
    size_t word;
    uint32_t value;
  } bad[] = {{offsetof(sw_ring, capacity), 0},
             {offsetof(sw_ring, capacity), 4095},
             {offsetof(sw_ring, capacity), 6144},
             {offsetof(sw_ring, capacity), 2048},
             {offsetof(sw_ring, capacity), 1u << 30},
             {offsetof(sw_ring, capacity), SW_RING_MAX},
             {offsetof(sw_ring, data), 0},
             {offsetof(sw_ring, data), SW_HEAP_AT - SW_LINE},
             {offsetof(sw_ring, data), t.ring->data + 8},
             {offsetof(sw_ring, data), (uint32_t)t.r.size - CAPACITY},
             {offsetof(sw_ring, data), 0u - SW_LINE},
             {offsetof(sw_ring, head), t.ring->head + CAPACITY},
             {offsetof(sw_ring, head), t.ring->head + 4},
             {offsetof(sw_ring, head), t.ring->tail - 8},
             {offsetof(sw_ring, tail), t.ring->head + 8},
             {offsetof(sw_ring, tail), t.ring->tail + 1}};
  for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
    uint32_t good;
    uint8_t *word = (uint8_t *)t.ring + bad[i].word;
    memcpy(&good, word, 4);
    memcpy(word, &bad[i].value, 4);
    sw_producer p;
    sw_consumer c;
    assert_int_equal(sw_producer_attach(&p, t.r.base, t.r.size, t.ring, 1), SW_ECORRUPT);
    assert_int_equal(sw_consumer_attach(&c, t.r.base, t.r.size, t.ring, 1), SW_ECORRUPT);
    assert_int_equal(sw_ring_check(t.r.base, t.r.size, t.ring), SW_ECORRUPT);
    assert_int_equal(sw_channel_check(t.r.base, t.r.size, SW_HEAP_AT), SW_ECORRUPT);
    memcpy(word, &good, 4);
    assert_int_equal(sw_channel_check(t.r.base, t.r.size, SW_HEAP_AT), SW_OK);
  }
  pair_close(&t);
}

/* Garbage everywhere, again and again. */
static void random_garbage(void **state) {
  (void)state;
  uint64_t random = 11;
  print_message("seed 11\n");
  for (int round = 0; round < 400; round++) {
    pair t;
    prepare(&t);
    uint32_t words = random_next(&random) % 4 + 1;
    for (int i = 0; i < 30; i++) {
      for (uint32_t w = 0; w < words; w++) {
        uint32_t value = VALUES[random_next(&random) % VALUE_COUNT] ^ (random_next(&random) % 3 == 0 ? 0 : 8);
        uint32_t at = random_next(&random) % 2 ? random_next(&random) % (sizeof(sw_ring) / 4) * 4 : UINT32_MAX;
        uint8_t *to = at == UINT32_MAX ? t.p.data + random_next(&random) % (CAPACITY / 8) * 8 : (uint8_t *)t.ring + at;
        memcpy(to, &value, 4);
      }
      exercise(&t);
      sw_ring_check(t.r.base, t.r.size, t.ring);
    }
    pair_close(&t);
  }
}

TESTS(TEST(attached_handles_survive), TEST(fixed_words_are_ignored), TEST(wrong_head_is_latched),
      TEST(wrong_tail_is_latched), TEST(every_frame_word), TEST(frames_that_cannot_be), TEST(attach_refuses),
      TEST(random_garbage));
