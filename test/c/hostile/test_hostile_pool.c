/* Pools among hostile peers: each word of the control block, of a further chunk and of the items
 * that are named becomes something else, or turns out to be something else when it is read, above
 * all when it is read a second time. Calls may fail and tell anything; but each call ends, none
 * reads or writes outside of the heap's pages, and what is got lies within them. */
#include "../unit/heap/heap_helper.h"
#include "lying_peer.h"
#include "sabway/object.h"
#include "sabway/pool.h"
#include "sabway/registry.h"
#include "sabway/role.h"

enum { REGION = 19 * SW_PAGE, ITEMS = 16, CHUNKS = 2 };

/* ---- the peer ---- */

lying_peer peer = {.most_loads = 200000};

static uint64_t rounds;

uint32_t lie(uint32_t real) {
  uint32_t random = random_next(&peer.random);
  switch (random % 7) {
    case 0:
      return real + 1;
    case 1:
      return real ^ 1u << (random >> 8) % 32;
    case 2:
      return random >> 8 & 127;
    case 3:
      return 0;
    case 4:
      return UINT32_MAX - (random >> 8) % 4;
    case 5:
      return (real & ~(uint32_t)0xff) | SW_POOL_CLOSED;
    default:
      return random_next(&peer.random);
  }
}

/* ---- one of each kind, with walls around the region ---- */

static const struct {
  uint32_t bytes, initial, most, growth;
} KINDS[] = {
    {0, 0, 5, SW_POOL_GROWTH},   {40, 2, 5, SW_POOL_GROWTH},        {40, 0, 150, 2 * SW_POOL_GROWTH},
    {0, 0, 150, SW_POOL_GROWTH}, {3000, 3, 20, 3 * SW_POOL_GROWTH}, {16, 130, 140, SW_POOL_GROWTH},
};
enum { KIND_COUNT = sizeof(KINDS) / sizeof(*KINDS) };

typedef struct walled {
  uint8_t *whole;
  region r;
  sw_heap h, other;
  uint32_t kind, at, generation, items;
  sw_pool_item item[ITEMS];
} walled;

static void make(walled *w) {
  uint32_t at =
      sw_pool_new(&w->h, KINDS[w->kind].bytes, KINDS[w->kind].initial, KINDS[w->kind].most, KINDS[w->kind].growth);
  if (at != 0) w->at = at;
  sw_object_type(&w->h, w->at, &w->generation);
}

static void walled_open(walled *w, uint32_t kind) {
  memset(w, 0, sizeof(*w));
  peer.lies = 0;
  peer.loads = 0;
  w->whole = mmap(NULL, REGION + 2 * SW_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_ptr_not_equal(w->whole, MAP_FAILED);
  w->r = (region){.base = w->whole + SW_PAGE, .size = REGION, .pages = REGION / SW_PAGE};
  assert_int_equal(mprotect(w->r.base, REGION, PROT_READ | PROT_WRITE), 0);
  assert_int_equal(sw_region_format_empty(w->r.base, w->r.pages, SW_HEAP_AT), SW_OK);
  assert_int_equal(sw_heap_format(w->r.base, SW_HEAP_AT, w->r.size), SW_OK);
  heap_open(&w->h, &w->r);
  heap_open(&w->other, &w->r);
  w->kind = kind;
  make(w);
  assert_int_not_equal(w->at, 0);
}

static void walled_close(walled *w) {
  munmap(w->whole, REGION + 2 * SW_PAGE);
  rounds++;
}

/* What a call says that it got: bytes of a block may be written. */
static void got(walled *w, int status, const sw_pool_item *item) {
  assert_true(status > -100);
  if (status != SW_OK) return;
  assert_true(item->index < SW_POOL_MOST);
  if (KINDS[w->kind].bytes != 0 && item->block != 0) {
    assert_true(item->block >= SW_HEAP_AT && item->block < REGION);
    w->r.base[item->block] = 1;
  }
  w->item[w->items++ % ITEMS] = *item;
}

static void step(walled *w, uint64_t *random) {
  uint32_t next = random_next(random), at = w->at, generation = w->generation;
  sw_heap *h = next % 3 == 0 ? &w->other : &w->h, *from = next % 5 == 0 ? &w->h : &w->other;
  const sw_pool_item *known = &w->item[next >> 8 & (ITEMS - 1)];
  sw_pool_item item = {0};
  sw_pool_stats stats;
  int status = SW_OK;
  peer.loads = 0;
  switch (next >> 16 & 15) {
    case 0:
      status = sw_pool_check(h, at, generation);
      break;
    case 1:
      status = sw_pool_stats_of(h, at, generation, &stats);
      break;
    case 2:
      status = sw_pool_shrink(h, at, generation, next >> 24 & 7);
      break;
    case 3:
      status = sw_pool_begin_wait(h, at, generation);
      break;
    case 4:
      status = sw_pool_end_wait(h, at, generation);
      break;
    case 5:
      if ((next >> 24) % 8 != 0) break;
      /* one dies with what it has, perhaps */
      sw_endpoint_release(w->r.base, w->other.endpoint);
      sw_heap_open(&w->other, w->r.base, w->r.size, SW_HEAP_AT, region_claim(&w->r));
      break;
    case 6:
      sw_region_evict_role(w->r.base, w->r.size, w->other.role);
      break;
    case 7:
      if ((next >> 24) % 8 != 0) break;
      if (sw_pool_free(h, at, generation) == SW_OK) make(w);
      break;
    case 8:
    case 9:
      status = sw_pool_take(h, at, generation, known->index, known->life, from->role, &item);
      if (next >> 28 == 0) status = sw_pool_take(h, at, generation, next, known->life, next >> 3, &item);
      got(w, status, &item);
      break;
    case 10:
    case 11:
    case 12:
      status = sw_pool_release(h, at, generation, next >> 28 == 0 ? next : known->index, known->life);
      break;
    default:
      status = sw_pool_acquire(h, at, generation, &item);
      got(w, status, &item);
  }
  assert_true(status > -100);
}

/* ---- words that become something else ---- */

static const uint32_t VALUES[] = {
    0,          1,      2,          63,         64,         SW_POOL_CLOSED, 0x100,          0x101,     0x183,
    0x80000101, REGION, SW_HEAP_AT, 0x7fffffff, 0x80000000, 0xfffffff0,     UINT32_MAX - 1, UINT32_MAX};

/* `link`: that many links away from the pool; its own block where there is none. */
static uint32_t chunk_at(const walled *w, uint32_t link) {
  if (link == 0) return w->at;
  uint32_t at = ((const sw_pool *)(const void *)(w->r.base + w->at))->link[link - 1];
  return at >= SW_HEAP_AT && at < REGION - SW_POOL_BYTES && at % SW_HEAP_UNIT == 0 ? at : w->at;
}

static void with_word(uint32_t kind, uint32_t link, size_t offset, uint32_t value, uint64_t seed) {
  walled w;
  peer.random = seed;
  walled_open(&w, kind);
  uint64_t random = seed;
  for (int i = 0; i < 40; i++) step(&w, &random);
  memcpy(w.r.base + chunk_at(&w, link) + offset, &value, 4);
  for (int i = 0; i < 60; i++) step(&w, &random);
  walled_close(&w);
}

static void every_word_can_be_anything(void **state) {
  (void)state;
  rounds = 0;
  for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
    for (uint32_t link = 0; link < (KINDS[kind].most > SW_POOL_CELLS ? CHUNKS : 1); link++) {
      for (size_t offset = 0; offset < sizeof(sw_pool); offset += 4) {
        size_t v = (offset / 4 * 5 + kind) % (sizeof(VALUES) / sizeof(*VALUES));
        /* some values each: of all words of an array together, each value many times */
        for (int i = 0; i < 4; i++, v = (v + 4) % (sizeof(VALUES) / sizeof(*VALUES)))
          with_word(kind, link, offset, VALUES[v], 100 * offset + v + 1);
      }
    }
  }
  print_message("%u rounds\n", (uint32_t)rounds);
}

static void all_words_at_once(void **state) {
  (void)state;
  rounds = 0;
  for (uint64_t seed = 1; seed <= 2000; seed++) {
    walled w;
    peer.random = seed * 0x9e3779b97f4a7c15;
    walled_open(&w, (uint32_t)seed % KIND_COUNT);
    uint64_t random = seed;
    for (int i = 0; i < 80; i++) {
      /* all but what tells which object it is, by turns */
      if (i % 8 == 7) {
        uint32_t at = chunk_at(&w, (uint32_t)i / 8 % 2);
        uint32_t *word = (uint32_t *)(void *)(w.r.base + at + offsetof(sw_pool, owner));
        uint32_t *end = (uint32_t *)(void *)(w.r.base + at + sizeof(sw_pool));
        for (; word < end; word++) *word = lie(*word);
      }
      step(&w, &random);
    }
    walled_close(&w);
  }
  print_message("%u rounds\n", (uint32_t)rounds);
}

static void every_read_can_be_a_lie(void **state) {
  (void)state;
  static const int RARE[] = {1000, 100, 20, 5};
  rounds = 0;
  for (uint64_t seed = 1; seed <= 4000; seed++) {
    walled w;
    peer.random = seed * 0x9e3779b97f4a7c15;
    walled_open(&w, (uint32_t)seed % KIND_COUNT);
    uint64_t random = seed;
    for (int i = 0; i < 30; i++) step(&w, &random);
    peer.lies = RARE[seed / KIND_COUNT % 4];
    for (int i = 0; i < 80; i++) step(&w, &random);
    walled_close(&w);
  }
  print_message("%u rounds\n", (uint32_t)rounds);
}

TESTS(TEST(every_word_can_be_anything), TEST(all_words_at_once), TEST(every_read_can_be_a_lie));
