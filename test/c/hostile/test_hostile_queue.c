/* Queues among hostile peers: each word of the control block, the rings, cells, entries and blocks
 * becomes something else, or turns out to be something else when it is read, above all when it is
 * read a second time. Calls may fail and values be anything; but each call ends, and none reads or
 * writes outside of the heap's pages, or of what the caller has given it. Pages without access lie
 * around the region. */
#include "../unit/heap/heap_helper.h"
#include "lying_peer.h"
#include "sabway/object.h"
#include "sabway/offer.h"
#include "sabway/queue.h"
#include "sabway/registry.h"

enum { REGION = 19 * SW_PAGE, ROOM = 300, GUARD = 64, CAPACITY = 5 };

/* ---- the peer ---- */

lying_peer peer = {.most_loads = 4000000};

uint32_t lie(uint32_t real) {
  uint32_t random = random_next(&peer.random);
  switch (random % 8) {
    case 0:
      return real + 1;
    case 1:
      return real ^ 1u << (random >> 8) % 32;
    case 2:
      return random >> 8 & 127;
    case 3:
      return 0;
    case 4:
      return UINT32_MAX;
    case 5: /* an offset */
      return (random >> 8) % (REGION + 100) / 16 * 16;
    case 6:
      return real - 1;
    default:
      return random_next(&peer.random);
  }
}

/* ---- a queue, with walls around the region ---- */

static const sw_queue_options KINDS[] = {
    {.type = SW_TYPE_QUEUE, .capacity = CAPACITY},
    {.type = SW_TYPE_SINGLE_QUEUE, .capacity = CAPACITY},
    {.type = SW_TYPE_QUEUE, .capacity = CAPACITY, .flags = SW_QUEUE_ACK},
    {.type = SW_TYPE_PRIORITY_QUEUE, .capacity = CAPACITY, .levels = 3},
    {.type = SW_TYPE_PRIORITY_QUEUE, .capacity = CAPACITY, .flags = SW_QUEUE_SORTED},
    {.type = SW_TYPE_CHANNEL},
};
enum { KIND_COUNT = sizeof(KINDS) / sizeof(*KINDS) };

typedef struct walled {
  uint8_t *whole;
  region r;
  sw_heap h[2];
  sw_queue_handle q[2]; /* of each participant */
  sw_offer offers[2][2];
  uint32_t at, cell;
  const sw_queue_options *options;
} walled;

static void open_both(walled *w) {
  for (int i = 0; i < 2; i++) {
    sw_queue_handle q;
    /* one that cannot be opened has the handle of before */
    if (sw_queue_open(&q, &w->h[i], w->at, 0) == SW_OK) w->q[i] = q;
  }
}

static void walled_open(walled *w, const sw_queue_options *options) {
  memset(w, 0, sizeof(*w));
  peer.lies = 0;
  peer.loads = 0;
  w->options = options;
  w->whole = mmap(NULL, REGION + 2 * SW_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_ptr_not_equal(w->whole, MAP_FAILED);
  w->r = (region){.base = w->whole + SW_PAGE, .size = REGION, .pages = REGION / SW_PAGE};
  assert_int_equal(mprotect(w->r.base, REGION, PROT_READ | PROT_WRITE), 0);
  assert_int_equal(sw_region_format_empty(w->r.base, w->r.pages, SW_HEAP_AT), SW_OK);
  assert_int_equal(sw_heap_format(w->r.base, SW_HEAP_AT, w->r.size), SW_OK);
  for (int i = 0; i < 2; i++) heap_open(&w->h[i], &w->r);
  w->at = sw_queue_new(&w->h[0], options);
  assert_int_not_equal(w->at, 0);
  open_both(w);
  assert_int_not_equal(w->q[1].life, 0);
}

static void walled_close(walled *w) { munmap(w->whole, REGION + 2 * SW_PAGE); }

/* ---- calls ---- */

static double priority_of(const walled *w, uint64_t *random) {
  return w->options->levels != 0 ? random_next(random) % 3 : random_next(random) % 50;
}

static void put(walled *w, sw_queue_handle *q, sw_heap *h, uint64_t *random) {
  static const uint32_t LENGTHS[] = {0, 3, 8, 20, 200, 1500, 5000};
  static uint8_t bytes[5000];
  /* of 28 bits, which need no block, and others */
  double number = (int32_t)random_next(random) >> random_next(random) % 8, priority = priority_of(w, random);
  uint32_t length = LENGTHS[random_next(random) % 7];
  if (random_next(random) % 2 == 0) sw_queue_put(q, h, SW_MAP_NUMBER, &number, 8, priority);
  else if (random_next(random) % 4 != 0) sw_queue_put(q, h, SW_MAP_BYTES, bytes, length, priority);
  else {
    uint32_t block = sw_queue_reserve(q, h, length);
    if (block == 0 || length > 4 * SW_PAGE) return;
    assert_true(block >= h->begin && block + 8 <= REGION);
    if (sw_queue_put_block(q, h, block, SW_MAP_BYTES, length, priority) != 1) sw_heap_free(h, block);
  }
}

/* Nothing is written behind the room that it has. */
static void take(walled *w, sw_queue_handle *q, sw_heap *h, uint64_t *random, int stays) {
  uint8_t out[ROOM + GUARD];
  memset(out, 0xee, sizeof(out));
  uint32_t room = random_next(random) % 3 == 0 ? random_next(random) % 16 : ROOM;
  int type = stays ? sw_queue_peek(q, h, out, room) : sw_queue_take(q, h, out, room);
  /* a block's type may be anything: it is the peer's */
  if (!stays && q->held != 0) assert_true(q->held < REGION);
  if (type > 0 && q->held == 0) assert_true(q->length <= room);
  for (uint32_t i = room; i < sizeof(out); i++) assert_int_equal(out[i], 0xee);
  w->cell = q->cell;
  if (random_next(random) % 2 == 0) sw_queue_done(q, h);
}

static void many(sw_queue_handle *q, sw_heap *h, uint64_t *random) {
  uint32_t words[CAPACITY + GUARD];
  uint8_t bytes[ROOM];
  for (uint32_t i = 0; i < CAPACITY + GUARD; i++) words[i] = 0xeeeeeeee;
  if (random_next(random) % 2 == 0) {
    double number = 0.5;
    uint32_t count = 0;
    for (; count < 3; count++)
      if ((words[count] = sw_queue_pack(q, h, SW_MAP_NUMBER, &number, 8)) == 0) break;
    int put = sw_queue_put_many(q, h, words, count);
    assert_true(put <= (int)count);
    for (uint32_t i = put < 0 ? 0 : (uint32_t)put; i < count; i++) sw_queue_unpack(q, h, words[i], bytes, ROOM);
  } else {
    int count = sw_queue_take_many(q, h, words, CAPACITY);
    assert_true(count <= CAPACITY);
    for (uint32_t i = CAPACITY; i < CAPACITY + GUARD; i++) assert_int_equal(words[i], 0xeeeeeeee);
    for (int i = 0; i < count; i++) sw_queue_unpack(q, h, words[i], bytes, ROOM);
  }
}

static void look(sw_queue_handle *q, sw_heap *h, uint64_t *random) {
  sw_queue_size(q, h);
  sw_queue_has_news(q, h);
  sw_queue_has_room(q, h, random_next(random) % 4);
  sw_queue_is_closed(q, h);
  sw_queue_deliveries(q, h, random_next(random));
  for (uint32_t i = 0; i < 60; i++) sw_queue_block(q, h, i);
}

/* An offer of a participant: its private words are as before, or zeros. */
static void offer(walled *w, uint32_t who, uint64_t *random) {
  sw_queue_handle *q = &w->q[who];
  sw_heap *h = &w->h[who];
  sw_offer *o = &w->offers[who][random_next(random) % 2];
  uint32_t kind = random_next(random) % 8, which = random_next(random) % 4;
  double number = random_next(random) + 0.5;
  uint32_t value = kind < 3 ? sw_queue_pack(q, h, SW_MAP_NUMBER, &number, 8) : 0;
  if (kind < 3 && value == 0) return;
  int done = kind < 3    ? sw_offer_send(o, q, h, which, value)
             : kind < 6  ? sw_offer_receive(o, q, h, which)
             : kind == 6 ? sw_offer_is_done(o, h)
                         : sw_offer_withdraw(o, h);
  assert_true(o->home < REGION && o->at < REGION);
  uint8_t bytes[ROOM];
  if (done == 1 && o->value != 0) sw_queue_unpack(q, h, o->value, bytes, ROOM);
  if (done < 0) sw_queue_discard(q, h, value);
}

static void die(walled *w, uint64_t *random) {
  uint32_t role = w->h[1].role;
  if (random_next(random) % 2 == 0) sw_queue_evict_dead(&w->q[0], &w->h[0]);
  memset(w->offers[1], 0, sizeof(w->offers[1]));
  sw_region_evict_role(w->r.base, w->r.size, role);
  if (random_next(random) % 2 == 0) return;
  sw_endpoint_release(w->r.base, w->h[1].endpoint);
  int lies = peer.lies;
  peer.lies = 0;
  sw_heap_open(&w->h[1], w->r.base, w->r.size, SW_HEAP_AT, region_claim(&w->r));
  peer.lies = lies;
}

static void step(walled *w, uint64_t *random) {
  uint32_t who = random_next(random) % 3 == 0;
  sw_queue_handle *q = &w->q[who], before = *q;
  sw_heap *h = &w->h[who];
  peer.loads = 0;
  if (w->options->capacity == 0 && random_next(random) % 2 == 0) offer(w, who, random);
  switch (random_next(random) % 24) {
    case 0:
      look(q, h, random);
      break;
    case 1:
      sw_queue_check(q, h);
      break;
    case 2:
      if (random_next(random) % 8 == 0) sw_queue_close(q, h);
      break;
    case 3:
      sw_queue_begin_wait(q, h, 0), sw_queue_end_wait(q, h, 0);
      break;
    case 4:
      sw_queue_begin_wait(q, h, 1), sw_queue_end_wait(q, h, 1);
      break;
    case 5:
    case 6:
      take(w, q, h, random, 1);
      break;
    case 7:
    case 8:
      sw_queue_ack(q, h, random_next(random) % 4 == 0 ? random_next(random) : w->cell);
      break;
    case 9:
      sw_queue_nack(q, h, random_next(random) % 4 == 0 ? random_next(random) : w->cell);
      break;
    case 10:
      if (random_next(random) % 4 == 0) die(w, random);
      break;
    case 11:
      sw_queue_close_handle(q, h);
      *q = before;
      q->held = 0;
      break;
    case 12:
      many(q, h, random);
      break;
    case 13:
    case 14:
    case 15:
    case 16:
    case 17:
      take(w, q, h, random, 0);
      break;
    default:
      put(w, q, h, random);
  }
  /* the handle is private: what a call knows of the places is as it was */
  assert_true(q->rings == before.rings && q->first == before.first && q->capacity == before.capacity);
}

static void free_and_close(walled *w) {
  peer.loads = 0;
  sw_queue_free(&w->q[0], &w->h[0]);
  walled_close(w);
}

/* ---- words that become something else ---- */

static const uint32_t VALUES[] = {0,          1,           2,          5,         16,         SW_CELL_OFFERED,
                                  0x101,      0x81,        0xffff,     0x8000,    UINT32_MAX, 0x7fffffff,
                                  0x80000000, REGION - 16, SW_HEAP_AT, 0xfffffff0};

/* What of the queue's memory is tried: the control block, and the block of rings behind the first
 * ring's slots, and some of any. */
static void with_word(uint32_t at, uint32_t value, uint64_t seed) {
  walled w;
  peer.random = seed;
  walled_open(&w, &KINDS[seed % KIND_COUNT]);
  uint64_t random = seed;
  for (int i = 0; i < 40; i++) step(&w, &random);
  uint32_t place = at < sizeof(sw_queue) ? w.at + at : w.q[0].rings + at - (uint32_t)sizeof(sw_queue);
  if (at >= 4096) place = w.h[0].begin + (uint32_t)(seed * 7919 % ((w.h[0].count - 1) * SW_HEAP_PAGE)) / 4 * 4;
  if (place + 4 <= REGION) memcpy(w.r.base + place, &value, 4);
  open_both(&w);
  for (int i = 0; i < 60; i++) step(&w, &random);
  free_and_close(&w);
}

static void every_word_can_be_anything(void **state) {
  (void)state;
  uint32_t end = (uint32_t)sizeof(sw_queue) + 1600;
  for (size_t v = 0; v < sizeof(VALUES) / sizeof(*VALUES); v++) {
    for (uint32_t at = 0; at < end; at += 4) with_word(at, VALUES[v], at / 4 * 31 + v + 1);
    for (uint64_t seed = 1; seed < 100; seed++) with_word(4096, VALUES[v], seed * 1000003 + v);
  }
}

/* ---- words that are read as something else ---- */

static void every_read_can_be_a_lie(void **state) {
  (void)state;
  static const int RARE[] = {1000, 100, 20, 5};
  for (uint64_t seed = 1; seed <= 600; seed++) {
    walled w;
    peer.random = seed * 0x9e3779b97f4a7c15;
    walled_open(&w, &KINDS[seed % KIND_COUNT]);
    uint64_t random = seed;
    for (int i = 0; i < 40; i++) step(&w, &random);
    peer.lies = RARE[seed / KIND_COUNT % 4];
    for (int i = 0; i < 120; i++) {
      step(&w, &random);
      if (i % 30 == 0) open_both(&w);
    }
    free_and_close(&w);
  }
}

TESTS(TEST(every_word_can_be_anything), TEST(every_read_can_be_a_lie));
