/* A thread writes garbage over the whole region while others use it. They may be told errors and
 * get wrong bytes; no thread crashes, hangs or leaves the region (AddressSanitizer watches).
 * SABWAY_SEED changes the garbage. */
#include "../unit/helper.h"
#include "sabway/worker.h"

enum { CAPACITY = 4096, STEPS = 200000, WORKER_ROUNDS = 60 };

typedef struct scribbler {
  pair t;
  uint64_t random;
  uint32_t stop;
  uint32_t written;         /* the writer is through */
  uint32_t words;           /* written so far */
  int waits;                /* it begins when something was received */
  uint32_t sent, received;  /* by the thread that was first */
  uint32_t corrupt, others; /* errors */
  uint32_t outside;         /* payloads out of bounds: none */
} scribbler;

static uint64_t seed(void) {
  const char *text = getenv("SABWAY_SEED");
  uint64_t value = text == NULL ? sw_prim_now() : strtoull(text, NULL, 0);
  print_message("SABWAY_SEED=%llu\n", (unsigned long long)value);
  return value | 1;
}

/* Most of it where it hurts; nothing behind the channel, where the tests have their own guard. */
static uint32_t *victim(const region *r, uint64_t *random) {
  uint32_t used = SW_HEAP_AT + (uint32_t)sw_channel_bytes(CAPACITY, CAPACITY);
  uint32_t front = SW_HEAP_AT + (uint32_t)sizeof(sw_channel);
  uint32_t at = random_next(random);
  switch (random_next(random) % 8) {
    case 0:
      at %= used;
      break;
    case 1:
      at = SW_HEADER_BYTES + at % (4 * (uint32_t)sizeof(sw_endpoint));
      break;
    case 2:
    case 3:
      at = SW_HEAP_AT + SW_LINE * (at % ((front - SW_HEAP_AT) / SW_LINE)) + at / 64 % 5 * 4;
      break;
    default:
      at = front + at % (used - front);
  }
  return (uint32_t *)(void *)(r->base + (at & ~3u));
}

static void scribble_once(const region *r, uint64_t *random) {
  uint32_t *word = victim(r, random);
  uint32_t value = random_next(random);
  switch (value % 4) {
    case 0:
      value = sw_load_relaxed(word) + 8;
      break;
    case 1:
      value = value / 4 % 600 * 8;
      break;
    case 2:
      value = sw_load_relaxed(word) ^ 1u << value / 4 % 32;
      break;
    default:
      break;
  }
  sw_store_relaxed(word, value);
}

static void scribbles(void *argument) {
  scribbler *s = argument;
  uint64_t random = s->random;
  /* what it breaks has worked before */
  while (s->waits && sw_load_relaxed(&s->received) == 0) sw_prim_pause();
  while (!sw_load_acquire(&s->stop)) {
    scribble_once(&s->t.r, &random);
    s->words++;
    /* let them get somewhere */
    for (uint32_t i = random_next(&random) % 4096; i > 0; i--) sw_prim_pause();
  }
}

/* A new try at a broken ring, with words that can be right. Garbage can make them those of another
 * ring that fits the region at once: only a ring that lies where the old one did is taken. */
static void mend(sw_ring *ring, uint32_t data) {
  uint32_t at = sw_load_relaxed(&ring->head) & ~7u;
  sw_store_relaxed(&ring->capacity, CAPACITY);
  sw_store_relaxed(&ring->data, data);
  sw_store_relaxed(&ring->closed, 0);
  sw_store_relaxed(&ring->head, at);
  sw_store_relaxed(&ring->tail, at);
}

static void sleep_briefly(scribbler *s, uint32_t index) {
  uint32_t ticket = sw_endpoint_arm(s->t.r.base, index, SW_SLEEP_FUTEX);
  sw_prim_futex_wait(sw_endpoint_doorbell(s->t.r.base, index), ticket, 20000);
  sw_endpoint_disarm(s->t.r.base, index);
}

static void writes(void *argument) {
  scribbler *s = argument;
  pair *t = &s->t;
  uint32_t data = (uint32_t)(t->p.data - t->r.base);
  for (uint32_t i = 0; i < STEPS; i++) {
    uint32_t length = i * 2654435761u % 500;
    uint8_t *room = sw_producer_reserve(&t->p, length, i % SW_ALIGN);
    if (room != NULL) {
      if (room < t->p.data || room + length > t->p.data + CAPACITY + SW_RING_SLACK) s->outside++;
      memset(room, (int)i, length);
      if (i % 17 == 0) sw_producer_abandon(&t->p);
      else sw_producer_push(&t->p, length);
      s->sent++;
    } else if (t->p.status == SW_EFULL) {
      if (!sw_producer_want_space(&t->p, length)) sleep_briefly(s, t->writer);
    } else {
      if (t->p.status == SW_ECORRUPT) s->corrupt++;
      else s->others++;
      sw_producer again;
      mend(t->ring, data);
      if (sw_producer_attach(&again, t->r.base, t->r.size, t->ring, 0) == SW_OK && again.data == t->p.data &&
          again.capacity == CAPACITY)
        t->p = again;
    }
  }
  sw_store_release(&s->written, 1);
}

static volatile uint8_t touched;

static void look_at(scribbler *s, const sw_slice *slice) {
  uint32_t data = (uint32_t)(s->t.c.data - s->t.r.base);
  if (slice->offset < data || (uint64_t)slice->offset + slice->length > (uint64_t)data + CAPACITY + SW_RING_SLACK) {
    s->outside++;
    return;
  }
  for (uint32_t i = 0; i < slice->length; i++) touched = s->t.r.base[slice->offset + i];
}

static void reads(void *argument) {
  scribbler *s = argument;
  pair *t = &s->t;
  sw_slice slices[8];
  for (uint32_t i = 0; !sw_load_acquire(&s->written); i++) {
    int got = sw_consumer_peek_batch(&t->c, slices, 1 + i % 8);
    for (int m = 0; m < got; m++) look_at(s, &slices[m]);
    if (got > 0) {
      sw_store_relaxed(&s->received, s->received + (uint32_t)got);
      sw_consumer_release(&t->c);
    } else if (got == 0) {
      if (i % 64 == 0) sleep_briefly(s, t->reader);
    } else {
      sw_consumer again;
      if (sw_consumer_attach(&again, t->r.base, t->r.size, t->ring, 0) == SW_OK && again.data == t->c.data &&
          again.capacity == CAPACITY)
        t->c = again;
    }
  }
}

static void both_sides(void **state) {
  (void)state;
  scribbler s = {.random = seed(), .waits = 1};
  pair_open(&s.t, CAPACITY);
  sw_prim_thread threads[3];
  void (*const run[3])(void *) = {scribbles, writes, reads};
  for (int i = 0; i < 3; i++) assert_int_equal(sw_prim_thread_start(&threads[i], "scribbler", run[i], &s), SW_OK);
  for (int i = 1; i < 3; i++) assert_int_equal(sw_prim_thread_join(&threads[i]), SW_OK);
  sw_store_release(&s.stop, 1);
  assert_int_equal(sw_prim_thread_join(&threads[0]), SW_OK);
  print_message("%u words of garbage; %u sent, %u received; producer: %u times corrupt, %u other errors\n", s.words,
                s.sent, s.received, s.corrupt, s.others);
  assert_int_equal(s.outside, 0);
  assert_true(s.words > 0 && s.corrupt > 0 && s.received > 0);
  pair_close(&s.t);
}

/* ---- the worker ---- */

static void use_worker(scribbler *s, uint64_t *random) {
  uint8_t bytes[300];
  memset(bytes, 1, sizeof(bytes));
  sw_producer p;
  sw_consumer c;
  sw_slice slice;
  sw_channel *channel = region_channel(&s->t.r);
  if (sw_producer_attach(&p, s->t.r.base, s->t.r.size, &channel->rings[SW_RENDERER], 0) != SW_OK) return;
  if (sw_consumer_attach(&c, s->t.r.base, s->t.r.size, &channel->rings[SW_NATIVE], 0) != SW_OK) return;
  for (int i = 0; i < 200; i++) {
    sw_producer_send(&p, bytes, random_next(random) % sizeof(bytes));
    if (sw_consumer_peek(&c, &slice) == 1) sw_consumer_release(&c);
    if (i % 4 == 0) scribble_once(&s->t.r, random);
  }
}

static void workers(void **state) {
  (void)state;
  static const char *const HANDLERS[] = {"echo", "sink", "source"};
  scribbler s = {.random = seed()};
  uint64_t random = s.random, slowest = 0;
  uint32_t started = 0;
  for (int round = 0; round < WORKER_ROUNDS; round++) {
    s.t.r = region_new(CAPACITY, CAPACITY);
    s.t.r.size = SW_HEAP_AT + sw_channel_bytes(CAPACITY, CAPACITY); /* what is not guarded */
    s.stop = 0;
    sw_worker *worker;
    const sw_worker_options options = {.base = s.t.r.base,
                                       .size = s.t.r.size,
                                       .channel = SW_HEAP_AT,
                                       .side = SW_NATIVE,
                                       .plugin = sw_handler_find(HANDLERS[round % 3]),
                                       .json = "{\"size\":100}"};
    sw_prim_thread thread;
    for (int i = 0; i < round % 4; i++) scribble_once(&s.t.r, &random); /* it may not even start */
    if (sw_worker_start(&worker, &options) == SW_OK) {
      started++;
      s.random = random;
      assert_int_equal(sw_prim_thread_start(&thread, "scribbler", scribbles, &s), SW_OK);
      use_worker(&s, &random);
      sleep_ms(2);
      uint64_t before = sw_prim_now();
      sw_worker_stop(worker);
      uint64_t took = sw_prim_now() - before;
      if (took > slowest) slowest = took;
      sw_store_release(&s.stop, 1);
      assert_int_equal(sw_prim_thread_join(&thread), SW_OK);
    }
    s.t.r.size = (uint64_t)s.t.r.pages * SW_PAGE;
    region_free(&s.t.r);
  }
  print_message("%u of %d workers started; the slowest stop took %.1f ms\n", started, WORKER_ROUNDS,
                (double)slowest / 1e6);
  assert_true(started > 0 && slowest < 3000000000u);
}

TESTS(TEST(both_sides), TEST(workers));
