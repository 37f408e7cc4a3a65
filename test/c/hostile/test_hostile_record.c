/* Records among hostile peers: each word of the control block, the fields and the log becomes
 * something else, or turns out to be something else when it is read, above all when it is read a
 * second time. Calls may fail and fields be anything; but each call ends, and none reads or writes
 * outside of the heap's pages, or of what the caller has given it. */
#include "../unit/heap/heap_helper.h"
#include "lying_peer.h"
#include "sabway/mutex.h"
#include "sabway/object.h"
#include "sabway/record.h"
#include "sabway/string.h"

enum { REGION = 19 * SW_PAGE, BYTES = 64, ROOM = 6, GUARD = 64 };

/* ---- the peer ---- */

lying_peer peer = {.most_loads = 100000};

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
      return UINT32_MAX;
    case 5:
      return (random >> 8) % (REGION + 100) / 8 * 8;
    default:
      return random_next(&peer.random);
  }
}

/* ---- a record, with walls around the region ---- */

typedef struct walled {
  uint8_t *whole;
  region r;
  sw_heap h, other;
  uint32_t at, generation;
} walled;

static const sw_record_plan PLAN = {
    .shape = {1, 2}, .rows = 1, .bytes = BYTES, .room = ROOM, .texts = 2, .text_row = BYTES, .text_step = 8};

static void walled_open(walled *w) {
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
  w->at = sw_record_new(&w->h, SW_TYPE_RECORD, &PLAN);
  assert_int_not_equal(w->at, 0);
  assert_int_equal(sw_object_type(&w->h, w->at, &w->generation), SW_TYPE_RECORD);
}

static void walled_close(walled *w) { munmap(w->whole, REGION + 2 * SW_PAGE); }

static sw_record *record(const walled *w) { return (sw_record *)(void *)(w->r.base + w->at); }

/* A copy has the bytes that the pieces say, and not one more. */
static void take_snapshot(walled *w, sw_heap *h, uint64_t *random) {
  uint8_t into[2 * BYTES + GUARD];
  memset(into, 0xee, sizeof(into));
  sw_piece pieces[2];
  for (int i = 0; i < 2; i++) {
    pieces[i].at = random_next(random) % (BYTES + 9);
    pieces[i].bytes = random_next(random) % 4 == 0 ? random_next(random) : random_next(random) % BYTES;
  }
  int lies = peer.lies;
  /* a caller whose own memory is private */
  if (random_next(random) % 2 == 0) {
    pieces[0] = (sw_piece){0, BYTES};
    pieces[1] = (sw_piece){8, 8};
  }
  int status = sw_record_snapshot(h, w->at, SW_TYPE_RECORD, w->generation, pieces, 2, into);
  peer.lies = lies;
  if (status == SW_OK && pieces[0].at <= BYTES && pieces[1].at <= BYTES) {
    for (uint32_t i = 2 * BYTES; lies == 0 && i < sizeof(into); i++) assert_int_equal(into[i], 0xee);
  }
}

static void step(walled *w, uint64_t *random) {
  sw_heap *h = random_next(random) % 3 == 0 ? &w->other : &w->h;
  uint32_t offset = random_next(random) % (BYTES + 8), width = 1u << random_next(random) % 4;
  peer.loads = 0;
  switch (random_next(random) % 16) {
    case 0:
      sw_record_unlock(h, w->at);
      break;
    case 1:
      sw_record_undo(h, w->at);
      break;
    case 2:
      sw_record_commit(h, w->at);
      break;
    case 3:
      sw_record_check(h, w->at);
      break;
    case 4:
      sw_record_open(h, w->at, SW_TYPE_RECORD, w->generation, &PLAN);
      break;
    case 5:
      sw_record_locked(h, w->at, SW_TYPE_RECORD, w->generation, random_next(random) % 2);
      break;
    case 6:
    case 7:
      if (peer.lies == 0) take_snapshot(w, h, random);
      break;
    case 8:
      if (random_next(random) % 8 != 0) break;
      /* one dies with the lock, perhaps */
      sw_endpoint_release(w->r.base, w->other.endpoint);
      sw_heap_open(&w->other, w->r.base, w->r.size, SW_HEAP_AT, region_claim(&w->r));
      break;
    case 9:
      if (random_next(random) % 8 != 0) break;
      if (sw_record_free(h, w->at, SW_TYPE_RECORD, w->generation) == SW_OK) {
        uint32_t next = sw_record_new(&w->h, SW_TYPE_RECORD, &PLAN);
        if (next != 0) w->at = next;
        sw_object_type(&w->h, w->at, &w->generation);
      }
      break;
    case 10:
    case 11:
      sw_record_try_lock(h, w->at, SW_TYPE_RECORD, w->generation);
      break;
    case 12:
      sw_record_set_text(h, w->at, SW_TYPE_RECORD, w->generation, offset & ~7u, sw_string_alloc(h, 20));
      break;
    case 13:
      sw_record_write_text(h, w->at, offset & ~7u, sw_string_alloc(h, 20));
      break;
    default:
      if (width == 8) sw_record_write64(h, w->at, offset & ~7u, 5, 6);
      else sw_record_write32(h, w->at, offset & ~(width - 1), width, 7);
  }
}

/* ---- words that become something else ---- */

static const uint32_t VALUES[] = {0,          1,          2,      3,          5,         8,          16,
                                  0x101,      0x81,       0xff,   0x183,      0x8000,    UINT32_MAX, 0x7fffffff,
                                  0x80000000, REGION - 8, REGION, SW_HEAP_AT, 0xfffffff0};

static void with_word(uint32_t in_log, size_t offset, uint32_t value, uint64_t seed) {
  walled w;
  peer.random = seed;
  walled_open(&w);
  uint64_t random = seed;
  for (int i = 0; i < 40; i++) step(&w, &random);
  size_t at = in_log ? record(&w)->data + offset : w.at + offset;
  if (at + 4 <= REGION) memcpy(w.r.base + at, &value, 4);
  for (int i = 0; i < 60; i++) step(&w, &random);
  walled_close(&w);
}

static void every_word_can_be_anything(void **state) {
  (void)state;
  for (size_t v = 0; v < sizeof(VALUES) / sizeof(*VALUES); v++) {
    for (uint64_t seed = 1; seed <= 3; seed++) {
      for (size_t offset = 0; offset < sizeof(sw_record); offset += 4)
        with_word(0, offset, VALUES[v], 100 * offset + seed);
      for (size_t offset = 0; offset < BYTES + ROOM * sizeof(sw_undo); offset += 4) {
        with_word(1, offset, VALUES[v], 100 * offset + seed);
      }
    }
  }
}

static void every_read_can_be_a_lie(void **state) {
  (void)state;
  static const int RARE[] = {1000, 100, 20, 5};
  for (uint64_t seed = 1; seed <= 2000; seed++) {
    walled w;
    peer.random = seed * 0x9e3779b97f4a7c15;
    walled_open(&w);
    uint64_t random = seed;
    for (int i = 0; i < 30; i++) step(&w, &random);
    peer.lies = RARE[seed % 4];
    for (int i = 0; i < 80; i++) step(&w, &random);
    walled_close(&w);
  }
}

/* Each of them would be at a place that is none: the words of the plan say how many there are, and
 * the walk must end long before. */
static void a_record_with_two_to_the_32_texts_is_freed(void **state) {
  (void)state;
  static const sw_record_plan ENDLESS[] = {
      {.rows = 1, .bytes = BYTES, .room = ROOM, .texts = UINT32_MAX, .text_row = BYTES, .text_step = BYTES},
      {.rows = 1, .bytes = BYTES, .room = ROOM, .texts = UINT32_MAX, .text_row = 8, .text_step = 3},
      {.rows = UINT32_MAX, .bytes = BYTES, .room = ROOM, .texts = UINT32_MAX, .text_row = 0, .text_step = 0}};
  /* so often that one which takes seconds is told by the time of the whole test */
  for (int i = 0; i < 60; i++) {
    walled w;
    walled_open(&w);
    record(&w)->plan = ENDLESS[i % 3];
    assert_int_equal(sw_record_free(&w.h, w.at, SW_TYPE_RECORD, w.generation), SW_OK);
    walled_close(&w);
  }
}

TESTS(TEST(every_word_can_be_anything), TEST(every_read_can_be_a_lie),
      TEST(a_record_with_two_to_the_32_texts_is_freed));
