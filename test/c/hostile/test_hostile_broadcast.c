/* Broadcasts among hostile peers: each word of the control block and the ring becomes something
 * else, or turns out to be something else when it is read, above all when it is read a second time.
 * Calls may fail and messages be anything; but each call ends, and none reads or writes outside of
 * the heap's pages, or of what the caller has given it. Pages without access lie around the region.
 */
#include "../unit/heap/heap_helper.h"
#include "lying_peer.h"
#include "sabway/broadcast.h"
#include "sabway/object.h"
#include "sabway/registry.h"

enum { REGION = 19 * SW_PAGE, ROOM = 300, GUARD = 64, RING = 512 };

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

/* ---- a broadcast, with walls around the region ---- */

enum { POLICIES = SW_BROADCAST_LATEST_ONLY + 1, HANDLES = 3 };

typedef struct walled {
  uint8_t *whole;
  region r;
  sw_heap h[HANDLES];
  uint32_t at, generation;
} walled;

static void walled_open(walled *w, uint32_t policy) {
  memset(w, 0, sizeof(*w));
  peer.lies = 0;
  peer.loads = 0;
  w->whole = mmap(NULL, REGION + 2 * SW_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_ptr_not_equal(w->whole, MAP_FAILED);
  w->r = (region){.base = w->whole + SW_PAGE, .size = REGION, .pages = REGION / SW_PAGE};
  assert_int_equal(mprotect(w->r.base, REGION, PROT_READ | PROT_WRITE), 0);
  assert_int_equal(sw_region_format_empty(w->r.base, w->r.pages, SW_HEAP_AT), SW_OK);
  assert_int_equal(sw_heap_format(w->r.base, SW_HEAP_AT, w->r.size), SW_OK);
  for (int i = 0; i < HANDLES; i++) heap_open(&w->h[i], &w->r);
  w->at = sw_broadcast_new(&w->h[0], RING, policy, 0);
  assert_int_equal(sw_object_type(&w->h[0], w->at, &w->generation), SW_TYPE_BROADCAST);
  for (int i = 1; i < HANDLES; i++) assert_int_equal(sw_broadcast_subscribe(&w->h[i], w->at, w->generation, 0), SW_OK);
}

static void walled_close(walled *w) { munmap(w->whole, REGION + 2 * SW_PAGE); }

/* ---- calls ---- */

static void send(walled *w, sw_heap *h, uint64_t *random) {
  static const uint32_t LENGTHS[] = {0, 3, 8, 20, 100, 240, 241, 5000};
  /* its end is the end of a page that can be read */
  const uint8_t *end = w->r.base + REGION;
  uint32_t length = LENGTHS[random_next(random) % 8];
  sw_broadcast_try_send(h, w->at, w->generation, random_next(random) % 256, end - length, length);
}

/* Nothing is written behind the room that it has. */
static void receive(walled *w, sw_heap *h, uint64_t *random) {
  uint8_t out[ROOM + GUARD];
  memset(out, 0xee, sizeof(out));
  uint32_t room = random_next(random) % 3 == 0 ? random_next(random) % 16 : ROOM;
  sw_broadcast_message message = {0};
  int status = sw_broadcast_try_receive(h, w->at, w->generation, out, room, &message);
  if (status == 1) assert_true(message.length <= room && message.type <= SW_BROADCAST_PAD);
  for (uint32_t i = room; i < sizeof(out); i++) assert_int_equal(out[i], 0xee);
}

static void look(walled *w, sw_heap *h) {
  assert_true(sw_broadcast_subscribers(h, w->at, w->generation) <= SW_ENDPOINTS);
  sw_broadcast_is_subscribed(h, w->at, w->generation);
  sw_broadcast_is_closed(h, w->at, w->generation);
  assert_true(sw_broadcast_longest(h, w->at) <= SW_BROADCAST_MAX / 2);
}

static void die(walled *w, uint64_t *random) {
  uint32_t role = w->h[2].role;
  sw_region_evict_role(w->r.base, w->r.size, role);
  if (random_next(random) % 2 == 0) return;
  sw_endpoint_release(w->r.base, w->h[2].endpoint);
  int lies = peer.lies;
  peer.lies = 0;
  sw_heap_open(&w->h[2], w->r.base, w->r.size, SW_HEAP_AT, region_claim(&w->r));
  peer.lies = lies;
}

static void step(walled *w, uint64_t *random) {
  sw_heap *h = &w->h[random_next(random) % HANDLES];
  peer.loads = 0;
  switch (random_next(random) % 24) {
    case 0:
      look(w, h);
      break;
    case 1:
      sw_broadcast_check(h, w->at, w->generation);
      break;
    case 2:
      if (random_next(random) % 16 == 0) sw_broadcast_close(h, w->at, w->generation);
      break;
    case 3:
    case 4: {
      uint32_t what = random_next(random) % 2;
      sw_broadcast_begin_wait(h, w->at, w->generation, what);
      sw_broadcast_end_wait(h, w->at, w->generation, what);
      break;
    }
    case 5:
      if (random_next(random) % 4 == 0) die(w, random);
      break;
    case 6:
      sw_broadcast_unsubscribe(h, w->at, w->generation);
      break;
    case 7:
    case 8:
    case 9:
      sw_broadcast_subscribe(h, w->at, w->generation, random_next(random) % 2);
      break;
    case 10:
    case 11:
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
      receive(w, h, random);
      break;
    default:
      send(w, h, random);
  }
}

static void free_and_close(walled *w) {
  peer.loads = 0;
  sw_broadcast_free(&w->h[0], w->at, w->generation);
  walled_close(w);
}

/* ---- words that become something else ---- */

static const uint32_t VALUES[] = {0,          1,          2,           8,          16,        64,         0x101,
                                  0x1f,       0x21e,      0x10009,     0xff,       RING,      UINT32_MAX, 0x7fffffff,
                                  0x80000000, REGION - 8, REGION - 16, SW_HEAP_AT, 0xfffffff0};

/* What of its memory is tried: the control block with the first subscribers, the ring, and some of
 * any. */
enum { BLOCK = offsetof(sw_broadcast, subscriber) + HANDLES * sizeof(sw_subscriber), ANY = 4096 };

static void with_word(uint32_t at, uint32_t value, uint64_t seed) {
  walled w;
  peer.random = seed;
  walled_open(&w, (uint32_t)(seed % POLICIES));
  uint64_t random = seed;
  for (int i = 0; i < 40; i++) step(&w, &random);
  uint32_t ring = ((sw_broadcast *)(void *)(w.r.base + w.at))->ring;
  uint32_t place = at < BLOCK ? w.at + at : ring + at - BLOCK;
  if (at >= ANY) place = w.h[0].begin + (uint32_t)(seed * 7919 % ((w.h[0].count - 1) * SW_HEAP_PAGE)) / 4 * 4;
  if (place + 4 <= REGION) memcpy(w.r.base + place, &value, 4);
  for (int i = 0; i < 60; i++) step(&w, &random);
  free_and_close(&w);
}

static void every_word_can_be_anything(void **state) {
  (void)state;
  for (size_t v = 0; v < sizeof(VALUES) / sizeof(*VALUES); v++) {
    for (uint32_t at = 0; at < BLOCK + RING; at += 4) {
      for (uint64_t policy = 0; policy < POLICIES; policy++)
        with_word(at, VALUES[v], (at / 4 * 31 + v + 1) * POLICIES + policy);
    }
    for (uint64_t seed = 1; seed < 100; seed++) with_word(ANY, VALUES[v], seed * 1000003 + v);
  }
}

/* ---- words that are read as something else ---- */

static void every_read_can_be_a_lie(void **state) {
  (void)state;
  static const int RARE[] = {1000, 100, 20, 5};
  for (uint64_t seed = 1; seed <= 2000; seed++) {
    walled w;
    peer.random = seed * 0x9e3779b97f4a7c15;
    walled_open(&w, (uint32_t)(seed % POLICIES));
    uint64_t random = seed;
    for (int i = 0; i < 40; i++) step(&w, &random);
    peer.lies = RARE[seed / POLICIES % 4];
    for (int i = 0; i < 120; i++) step(&w, &random);
    free_and_close(&w);
  }
}

TESTS(TEST(every_word_can_be_anything), TEST(every_read_can_be_a_lie));
