/* The map among hostile peers: each word of the control block, of a table, a block and an entry
 * becomes something else, or turns out to be something else when it is read, above all when it is
 * read a second time. Calls may fail and answers be wrong; but each call ends, and none reads or
 * writes outside of the heap's pages, or of what the caller has given it. Pages without access lie
 * around the region. */
#include "../unit/heap/heap_helper.h"
#include "core/map/map.h"
#include "lying_peer.h"
#include "sabway/map.h"

enum { REGION = 19 * SW_PAGE, ROOM = 4096, GUARD = 64 };

/* ---- the peer ---- */

lying_peer peer = {.most_loads = 20000000};

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
    case 6: /* a bucket of several at an offset */
      return (random >> 8) % (REGION + 100) / 16 | (random >> 5 & 15) << 28;
    default:
      return random_next(&peer.random);
  }
}

/* ---- a map, with walls around the region ---- */

typedef struct walled {
  uint8_t *whole;
  region r;
  sw_heap h;
  sw_map_handle m;
  uint32_t at;
} walled;

static void walled_open(walled *w, uint32_t flags) {
  peer.lies = 0;
  peer.loads = 0;
  w->whole = mmap(NULL, REGION + 2 * SW_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_ptr_not_equal(w->whole, MAP_FAILED);
  w->r = (region){.base = w->whole + SW_PAGE, .size = REGION, .pages = REGION / SW_PAGE};
  assert_int_equal(mprotect(w->r.base, REGION, PROT_READ | PROT_WRITE), 0);
  assert_int_equal(sw_region_format_empty(w->r.base, w->r.pages, SW_HEAP_AT), SW_OK);
  assert_int_equal(sw_heap_format(w->r.base, SW_HEAP_AT, w->r.size), SW_OK);
  heap_open(&w->h, &w->r);
  w->at = sw_map_new(&w->h, &(sw_map_options){.flags = flags, .most = 20, .seed = 1});
  assert_int_not_equal(w->at, 0);
  assert_int_equal(sw_map_open(&w->m, &w->h, w->at, 0), SW_OK);
}

static void walled_close(walled *w) { munmap(w->whole, REGION + 2 * SW_PAGE); }

/* The handle is private: what a call knows of the region's bounds is as it was. */
static void check_handle(const walled *w) {
  assert_ptr_equal(w->m.base, w->r.base);
  assert_int_equal(w->m.begin, w->h.begin);
  assert_true(w->m.log2 <= SW_MAP_LOG2_MOST && w->m.mask == (1u << w->m.log2) - 1);
  assert_true(w->m.table >= w->m.begin && w->m.table + sizeof(sw_map_table) + (8ull << w->m.log2) <= w->m.end);
  for (uint32_t i = 0; i < SW_MAP_SPARES; i++) {
    assert_true(w->m.spare[i] == 0 || (w->m.spare[i] >= w->m.begin && w->m.spare[i] + 16 * (i + 1) <= w->m.end));
  }
}

static uint32_t some_key(uint64_t *random, uint8_t *key, uint32_t *length) {
  uint32_t type = 1 + random_next(random) % 4, number = random_next(random) % 40;
  double value = number;
  *length = type == SW_MAP_NUMBER ? 8 : 1 + number % 20;
  memset(key, (int)number, 32);
  if (type == SW_MAP_NUMBER) memcpy(key, &value, 8);
  return type;
}

static void walk_all(walled *w, uint64_t *random) {
  _Alignas(8) uint8_t out[ROOM + GUARD];
  memset(out + ROOM, 0xee, GUARD);
  sw_map_cursor cursor = {0, 0, 0, 0};
  if (random_next(random) % 4 == 0) cursor = (sw_map_cursor){random_next(random) % 40, 3, random_next(random), 1};
  for (int n = 0; n < 200; n++) {
    int bytes = sw_map_next(&w->m, &cursor, out, ROOM);
    assert_true(bytes <= ROOM);
    if (bytes <= 0) break;
  }
  for (uint32_t i = ROOM; i < ROOM + GUARD; i++) assert_int_equal(out[i], 0xee);
}

static void list_blocks(walled *w) {
  uint32_t out[SW_MAP_BUCKET_MOST + 3 + GUARD];
  sw_map_block_cursor cursor = {0, 0, 0};
  for (uint32_t i = 0; i < GUARD; i++) out[SW_MAP_BUCKET_MOST + 3 + i] = 0xeeeeeeee;
  for (int n = 0; n < 200; n++) {
    int count = sw_map_blocks(&w->h, w->at, &cursor, out, SW_MAP_BUCKET_MOST + 3);
    assert_true(count <= SW_MAP_BUCKET_MOST + 3);
    if (count <= 0) break;
  }
  for (uint32_t i = 0; i < GUARD; i++) assert_int_equal(out[SW_MAP_BUCKET_MOST + 3 + i], 0xeeeeeeee);
}

static void get_one(walled *w, uint64_t *random) {
  uint8_t key[32], out[64 + GUARD];
  uint32_t length, type = some_key(random, key, &length);
  memset(out, 0xee, sizeof(out));
  int found = sw_map_get(&w->m, type, key, length, out, 64);
  assert_true(found <= 15);
  if (found > 0) assert_true(w->m.length <= 64);
  for (uint32_t i = 64; i < sizeof(out); i++) assert_int_equal(out[i], 0xee);
}

static void step(walled *w, uint64_t *random) {
  uint8_t key[32], value[300];
  uint32_t length, type = some_key(random, key, &length);
  int64_t amount = 3;
  sw_map_handle other;
  peer.loads = 0;
  memset(value, 7, sizeof(value));
  switch (random_next(random) % 24) {
    case 0:
      walk_all(w, random);
      break;
    case 1:
      list_blocks(w);
      break;
    case 2:
      sw_map_check(&w->m);
      break;
    case 3:
      if (random_next(random) % 8 == 0) sw_map_clear(&w->m);
      break;
    case 4:
      sw_map_prune(&w->m);
      break;
    case 5:
      sw_map_replace_if(&w->m, type, key, length, SW_MAP_BYTES, value, random_next(random) % 200, SW_MAP_BYTES, value,
                        random_next(random) % 200);
      break;
    case 6:
    case 7:
    case 8:
      sw_map_delete(&w->m, type, key, length);
      break;
    case 9:
      sw_map_add_number(&w->m, random_next(random) % 40, 1);
      break;
    case 10:
      sw_map_add_integer(&w->m, type, key, length, &amount);
      break;
    case 11:
      sw_map_open(&other, &w->h, w->at, random_next(random) % 3);
      break;
    case 12:
    case 13:
    case 14:
      sw_map_get_number(&w->m, random_next(random) % 40);
      break;
    case 15:
    case 16:
      get_one(w, random);
      break;
    case 17:
      w->m.until = 1; /* it looks at the number of entries, and may grow */
      sw_map_put_number(&w->m, random_next(random) % 200, 5);
      break;
    default:
      sw_map_put(&w->m, type, key, length, SW_MAP_BYTES, value, random_next(random) % 300, random_next(random) % 3);
  }
  check_handle(w);
}

static uint32_t flags_of(uint64_t seed) { return (seed & 1 ? SW_MAP_LRU : 0) | (seed & 2 ? SW_MAP_TTL : 0); }

/* ---- words that become something else ---- */

static const uint32_t VALUES[] = {0,          1,          2,          7,          16,
                                  0x80000000, 0x90000000, 0xa0000000, 0x7000fff0, 0x10001000,
                                  0xffffffff, 0x7fffffff, 0x101,      0x100000,   0x1ffffe};

/* Words of a block, or of all of the heap's pages that the map has touched. */
static void with_word(uint32_t at, uint32_t value, uint64_t seed) {
  walled w;
  peer.random = seed;
  walled_open(&w, flags_of(seed));
  uint64_t random = seed;
  for (int i = 0; i < 80; i++) step(&w, &random);
  uint32_t place = at < SW_OBJECT_BYTES ? w.at + at : w.m.table + at - SW_OBJECT_BYTES;
  if (at >= 1024) place = w.h.begin + (uint32_t)(seed * 7919 % ((w.h.count - 1) * SW_HEAP_PAGE)) / 4 * 4;
  memcpy(w.r.base + place, &value, 4);
  for (int i = 0; i < 60; i++) step(&w, &random);
  peer.loads = 0;
  sw_map_free(&w.h, w.at, 0);
  walled_close(&w);
}

static void every_word_can_be_anything(void **state) {
  (void)state;
  for (size_t v = 0; v < sizeof(VALUES) / sizeof(*VALUES); v++) {
    for (uint32_t at = 0; at < SW_OBJECT_BYTES + 64 + 16 * 8; at += 4) with_word(at, VALUES[v], at * 31 + v + 1);
    for (uint64_t seed = 1; seed < 200; seed++) with_word(1024, VALUES[v], seed * 1000003 + v);
  }
}

/* ---- words that are read as something else ---- */

static void every_read_can_be_a_lie(void **state) {
  (void)state;
  static const int RARE[] = {1000, 100, 20, 5};
  for (uint64_t seed = 1; seed <= 400; seed++) {
    walled w;
    peer.random = seed * 0x9e3779b97f4a7c15;
    walled_open(&w, flags_of(seed));
    uint64_t random = seed;
    for (int i = 0; i < 60; i++) step(&w, &random);
    peer.lies = RARE[seed % 4];
    for (int i = 0; i < 120; i++) step(&w, &random);
    peer.loads = 0;
    sw_map_free(&w.h, w.at, 0);
    walled_close(&w);
  }
}

TESTS(TEST(every_word_can_be_anything), TEST(every_read_can_be_a_lie));
