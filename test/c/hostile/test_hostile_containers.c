/* Strings, vectors and lists among hostile peers: each word of the control block and of what it
 * leads to becomes something else, or turns out to be something else when it is read, above all
 * when it is read a second time. Calls may fail and texts and elements be anything; but each call
 * ends, and none reads or writes outside of the heap's pages, or of what the caller has given it.
 * */
#include "../unit/heap/heap_helper.h"
#include "lying_peer.h"
#include "sabway/list.h"
#include "sabway/mutex.h"
#include "sabway/object.h"
#include "sabway/string.h"
#include "sabway/vector.h"

enum { REGION = 19 * SW_PAGE, ROOM = 640, GUARD = 64 };

/* ---- the peer ---- */

lying_peer peer = {.most_loads = 20000000};

static uint32_t known; /* an offset that means something */

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
    case 5:
      return (random >> 8) % (REGION + 100) / 16 * 16;
    case 6:
      return known + (random >> 8) % 16 * 16;
    default:
      return random_next(&peer.random);
  }
}

/* ---- containers, with walls around the region ---- */

enum which { STRING, VECTOR, LIST, KINDS };

typedef struct walled {
  uint8_t *whole;
  region r;
  sw_heap h, other;
  uint32_t at[KINDS], generation[KINDS];
  sw_list_cursor cursor;
  uint32_t node, number;
} walled;

static void make(walled *w, enum which kind, uint64_t *random) {
  static const uint8_t SHAPES[][2] = {{SW_COMPONENT_U32, 1}, {SW_COMPONENT_F64, 1}, {SW_COMPONENT_U8, 3},
                                      {SW_COMPONENT_U32, 3}, {SW_COMPONENT_I64, 4}, {SW_COMPONENT_U16, 1}};
  const uint8_t *shape = SHAPES[random_next(random) % 6];
  w->at[kind] = kind == STRING   ? sw_string_new(&w->h)
                : kind == VECTOR ? sw_vector_new(&w->h, shape[0], shape[1], 1 + random_next(random) % 4)
                                 : sw_list_new(&w->h, shape[0], shape[1]);
  if (w->at[kind] != 0) sw_object_type(&w->h, w->at[kind], &w->generation[kind]);
}

static void walled_open(walled *w, uint64_t *random) {
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
  for (int kind = 0; kind < KINDS; kind++) make(w, (enum which)kind, random);
  known = w->at[VECTOR];
}

static void walled_close(walled *w) { munmap(w->whole, REGION + 2 * SW_PAGE); }

/* What the caller hands over, and a guard behind it. */
static uint8_t bytes[ROOM + GUARD];

static void guard(void) {
  for (uint32_t i = ROOM; i < sizeof(bytes); i++) bytes[i] = 0xee;
}
static void check_guard(void) {
  for (uint32_t i = ROOM; i < sizeof(bytes); i++) assert_int_equal(bytes[i], 0xee);
}

static void use_string(walled *w, sw_heap *h, uint64_t *random) {
  uint32_t at = w->at[STRING], generation = w->generation[STRING], length = random_next(random) % ROOM;
  sw_string_content content;
  switch (random_next(random) % 12) {
    case 0:
      if (sw_string_free(h, at, generation) == SW_OK) make(w, STRING, random);
      break;
    case 1:
      sw_string_check(h, at, generation);
      break;
    case 2:
      sw_string_compare_set(h, at, generation, random_next(random) % 8, bytes, length);
      break;
    case 3:
      sw_string_begin_read(h, at, generation);
      break;
    case 4:
    case 5:
      sw_string_end_read(h, at);
      break;
    case 6:
    case 7:
    case 8:
      sw_string_set(h, at, generation, bytes, length);
      break;
    default:
      sw_string_get(h, at, generation, bytes, ROOM, &content);
  }
}

static void use_vector(walled *w, sw_heap *h, uint64_t *random) {
  uint32_t at = w->at[VECTOR], generation = w->generation[VECTOR], index = random_next(random) % 100, place;
  switch (random_next(random) % 16) {
    case 0:
      if (sw_vector_free(h, at, generation) == SW_OK) make(w, VECTOR, random);
      break;
    case 1:
      sw_vector_check(h, at, generation);
      break;
    case 2:
      sw_vector_clear(h, at, generation);
      break;
    case 3:
      if (sw_vector_begin_push(h, at, generation, index) == SW_OK) sw_vector_end_push(h, at, index);
      break;
    case 4:
      sw_vector_pop(h, at, generation, bytes);
      break;
    case 5:
    case 6:
      sw_vector_delete(h, at, generation, index);
      break;
    case 7:
    case 8:
      sw_vector_set(h, at, generation, index, bytes);
      break;
    case 9:
      place = sw_vector_locate(h, at, generation, index);
      if (place != 0) assert_true(place >= h->begin && place < h->begin + h->count * SW_HEAP_PAGE);
      break;
    case 10:
    case 11:
      sw_vector_get(h, at, generation, index, bytes);
      break;
    default:
      sw_vector_push(h, at, generation, bytes);
  }
}

static void use_list(walled *w, sw_heap *h, uint64_t *random) {
  uint32_t at = w->at[LIST], generation = w->generation[LIST], room = random_next(random) % ROOM;
  switch (random_next(random) % 16) {
    case 0:
      if (sw_list_free(h, at, generation) == SW_OK) make(w, LIST, random);
      break;
    case 1:
      sw_list_check(h, at, generation);
      break;
    case 2:
      sw_list_clear(h, at, generation);
      break;
    case 3:
    case 4:
      sw_list_delete(h, at, generation, w->node, w->number);
      break;
    case 5:
      sw_list_delete_index(h, at, generation, random_next(random) % 10, bytes);
      break;
    case 6:
      sw_list_set(h, at, generation, &w->node, w->number, bytes);
      break;
    case 7:
    case 8:
    case 9:
      if (sw_list_read(h, at, generation, &w->cursor, bytes, room) > 0) memcpy(&w->node, bytes, 8);
      else if (random_next(random) % 4 == 0) memset(&w->cursor, 0, sizeof(w->cursor));
      break;
    default:
      sw_list_insert(h, at, generation, bytes);
  }
}

static void step(walled *w, uint64_t *random) {
  sw_heap *h = random_next(random) % 3 == 0 ? &w->other : &w->h;
  peer.loads = 0;
  guard();
  switch (random_next(random) % KINDS) {
    case STRING:
      use_string(w, h, random);
      break;
    case VECTOR:
      use_vector(w, h, random);
      break;
    default:
      use_list(w, h, random);
  }
  check_guard();
}

/* ---- words that become something else ---- */

static const uint32_t VALUES[] = {0, 1, 2, 16, 0x101, 0x1000001, 0x10020, 0x11110, UINT32_MAX, 0x7fffffff, 0x80000000};

/* Word `word` of what is `far` steps from the control block: itself, or what its words lead to. */
static void with_word(enum which kind, int far, uint32_t word, uint32_t value, uint64_t seed) {
  walled w;
  uint64_t random = seed;
  peer.random = seed;
  walled_open(&w, &random);
  for (int i = 0; i < 60; i++) step(&w, &random);
  uint32_t at = w.at[kind];
  if (far != 0) {
    uint32_t next = kind == STRING   ? (uint32_t)((sw_object *)(void *)(w.r.base + at))->root
                    : kind == VECTOR ? ((sw_vector *)(void *)(w.r.base + at))->table
                                     : ((sw_list *)(void *)(w.r.base + at))->head;
    at = next;
  }
  if (at != 0) {
    /* also an offset that means something: of itself, and of another container */
    uint32_t written = value == 1 ? at : value == 2 ? w.at[LIST] : value;
    memcpy(w.r.base + at + 4 * word, &written, 4);
    for (int i = 0; i < 60; i++) step(&w, &random);
  }
  walled_close(&w);
}

static void every_word_can_be_anything(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    for (int far = 0; far < 2; far++) {
      for (uint32_t word = 0; word < (far == 0 ? SW_OBJECT_BYTES / 4 : 12); word++) {
        for (size_t v = 0; v < sizeof(VALUES) / sizeof(*VALUES); v++) {
          for (uint64_t seed = 1; seed <= 3; seed++) with_word((enum which)kind, far, word, VALUES[v], seed);
        }
      }
    }
  }
}

/* ---- words that are read as something else ---- */

static void every_read_can_be_a_lie(void **state) {
  (void)state;
  static const int RARE[] = {1000, 100, 20, 5};
  for (uint64_t seed = 1; seed <= 800; seed++) {
    walled w;
    uint64_t random = seed;
    peer.random = seed * 0x9e3779b97f4a7c15;
    walled_open(&w, &random);
    for (int i = 0; i < 60; i++) step(&w, &random);
    peer.lies = RARE[seed % 4];
    for (int i = 0; i < 150; i++) step(&w, &random);
    walled_close(&w);
  }
}

TESTS(TEST(every_word_can_be_anything), TEST(every_read_can_be_a_lie));
