/* The heap, the directory and the registry among hostile peers: each word of it becomes something
 * else, or turns out to be something else when it is read, above all when it is read a second time.
 * Calls may fail and blocks may overlap; but each call ends, keeps to the heap's pages, and leaves
 * the handle's bounds as they were. Pages without access lie around the region. */
#include "../unit/heap/heap_helper.h"
#include "lying_peer.h"
#include "sabway/directory.h"
#include "sabway/mutex_object.h"
#include "sabway/object.h"
#include "sabway/registry.h"

/* The heap has 14 pages. */
enum { BLOCKS = 64, REGION = 19 * SW_PAGE };

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
      return swi_pages_word(random >> 8 & 3, random >> 10 & 1 ? random >> 11 & 1 : random >> 11 & 63,
                            random >> 20 & 31);
    case 6:
      return swi_pages_word(SW_PAGES_INSIDE, 1, random >> 8);
    case 3:
      return random >> 8 & 127;
    case 4:
      return 0;
    case 5:
      return UINT32_MAX;
    default:
      return random_next(&peer.random);
  }
}

/* ---- the heap, with walls around ---- */

typedef struct walled {
  uint8_t *whole;
  region r;
  sw_heap h, before;
  uint32_t blocks[BLOCKS];
} walled;

static void walled_open(walled *w) {
  peer.lies = 0;
  w->whole = mmap(NULL, REGION + 2 * SW_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_ptr_not_equal(w->whole, MAP_FAILED);
  w->r = (region){.base = w->whole + SW_PAGE, .size = REGION, .pages = REGION / SW_PAGE};
  assert_int_equal(mprotect(w->r.base, REGION, PROT_READ | PROT_WRITE), 0);
  assert_int_equal(sw_region_format_empty(w->r.base, w->r.pages, SW_HEAP_AT), SW_OK);
  assert_int_equal(sw_heap_format(w->r.base, SW_HEAP_AT, w->r.size), SW_OK);
  heap_open(&w->h, &w->r);
  w->h.shares = (uint32_t)random_next(&peer.random) % 2;
  w->before = w->h;
  memset(w->blocks, 0, sizeof(w->blocks));
}

static void walled_close(walled *w) { munmap(w->whole, REGION + 2 * SW_PAGE); }

/* A block, whatever it overlaps, is in the pages. */
static void check_block(const walled *w, uint32_t at, uint32_t bytes) {
  assert_int_equal(at % SW_HEAP_UNIT, 0);
  assert_true(at >= w->before.begin);
  assert_true(at + (uint64_t)bytes <= w->before.begin + (uint64_t)w->before.count * SW_HEAP_PAGE);
  if (bytes <= SW_HEAP_SMALL) assert_true(at % SW_HEAP_PAGE + bytes <= SW_HEAP_PAGE);
  memset(w->r.base + at, 0x5a, bytes);
}

static void check_handle(const walled *w) {
  const sw_heap *h = &w->h, *b = &w->before;
  assert_ptr_equal(h->base, b->base);
  assert_int_equal(h->begin, b->begin);
  assert_int_equal(h->count, b->count);
  assert_ptr_equal(h->map, b->map);
  assert_ptr_equal(h->slabs, b->slabs);
  assert_ptr_equal(h->control, b->control);
  for (uint32_t i = 0; i < SW_HEAP_CLASSES; i++) {
    const sw_heap_class *c = &h->classes[i];
    assert_true(c->page == SWI_NO_PAGE || c->page < h->count);
    assert_true(c->scan == SWI_NO_PAGE || c->scan < h->count);
    assert_true(c->word < SW_SLAB_WORDS);
    assert_int_equal(c->size, b->classes[i].size);
  }
}

static uint32_t some_bytes(uint64_t *random) {
  uint32_t kind = random_next(random) % 8;
  return 1 + random_next(random) % (kind == 0 ? 40000 : kind == 1 ? 9000 : 700);
}

static void look_around(walled *w) {
  sw_heap_stats stats;
  sw_heap_stats_of(&w->h, &stats);
  assert_int_equal(stats.total, (uint64_t)w->h.count * SW_HEAP_PAGE);
  sw_heap_cursor cursor = {0, 0};
  sw_heap_block block;
  for (uint32_t n = 0; sw_heap_walk(&w->h, &cursor, &block) == 1; n++) {
    assert_true(n < w->h.count * 512);
    assert_true(block.at >= w->h.begin);
    assert_true(block.at + (uint64_t)block.bytes <= w->h.begin + (uint64_t)w->h.count * SW_HEAP_PAGE);
  }
}

/* Names, entries, and the end of a participant. */
static void use_objects(walled *w, uint64_t *random) {
  sw_heap *h = &w->h;
  uint8_t name[SW_NAME_MOST] = {0};
  uint32_t length = 1 + random_next(random) % 3, cursor = 0;
  uint32_t object = w->before.begin + random_next(random) % 200 * 16;
  sw_found given = {SW_KIND_MEMORY, object, 0}, found;
  for (uint32_t i = 0; i < length; i++) name[i] = (uint8_t)(random_next(random) % 6);
  switch (random_next(random) % 12) {
    case 8:
      object = sw_object_new(h, SW_TYPE_LIST);
      if (object != 0) check_block(w, object, SW_OBJECT_BYTES);
      break;
    case 9:
      if (sw_object_begin_free(h, object, SW_TYPE_LIST, 1 + random_next(random) % 3) == SW_OK)
        sw_object_end_free(h, object);
      break;
    case 10:
      object = sw_mutex_new(h);
      if (object != 0) check_block(w, object, sizeof(sw_mutex_object));
      break;
    case 11:
      sw_mutex_free(h, object);
      break;
    case 0:
      sw_directory_find(h, name, length, &found);
      break;
    case 1:
      sw_directory_remove(h, name, length, 0);
      break;
    case 2:
      for (uint32_t n = 0; n < 100 && sw_directory_next(h, &cursor, &found, name, &length) == 1; n++) {
        assert_true(length <= SW_NAME_MOST);
      }
      break;
    case 3:
      sw_directory_check(h);
      break;
    case 4:
      sw_registry_add(h, object, SW_KIND_MUTEX + random_next(random) % 2, NULL);
      break;
    case 5:
      sw_registry_remove(h->base, w->r.size, object, SW_KIND_MUTEX);
      break;
    case 6:
      sw_region_evict_role(h->base, w->r.size, random_next(random) % 4 << 8 | (1 + random_next(random) % 3));
      break;
    default:
      sw_directory_add(h, name, length, &given, &found);
  }
}

static void step(walled *w, uint64_t *random) {
  uint32_t *block = &w->blocks[random_next(random) % BLOCKS], bytes = some_bytes(random), at;
  peer.loads = 0;
  switch (random_next(random) % 20) {
    case 0:
      at = sw_heap_alloc_aligned(&w->h, bytes, 1u << random_next(random) % 18);
      if (at != 0) check_block(w, at, bytes);
      break;
    case 1:
      at = sw_heap_realloc(&w->h, *block, bytes);
      if (at == 0) break;
      check_block(w, at, bytes);
      *block = at;
      break;
    case 2:
      sw_heap_free(&w->h, random_next(random) * 16);
      break;
    case 3:
      at = sw_heap_usable(&w->h, *block);
      if (at != 0) check_block(w, *block, at);
      break;
    case 4:
      switch (random_next(random) % 16) {
        case 0:
          sw_heap_trim(&w->h);
          break;
        case 1:
          look_around(w);
          break;
        case 2:
          sw_heap_check(&w->h);
          break;
        case 3:
          sw_heap_close(&w->h);
          sw_heap_open(&w->h, w->r.base, w->r.size, SW_HEAP_AT, w->before.endpoint);
          w->h.count = w->before.count; /* when it was refused */
          break;
        default:
          break;
      }
      break;
    case 16:
    case 17:
    case 18:
    case 19:
      use_objects(w, random);
      break;
    default:
      if (*block != 0) {
        sw_heap_free(&w->h, *block);
        *block = 0;
      } else {
        at = sw_heap_alloc(&w->h, bytes);
        if (at != 0) check_block(w, at, bytes);
        *block = at;
      }
  }
  check_handle(w);
}

/* ---- words that become something else ---- */

static const uint32_t VALUES[] = {0,          1,          2,          3,     7,      0x101,      0x102,
                                  0x103,      0x106,      0x172,      0x1fe, 0x8102, 0xffffff02, 0xffffff01,
                                  UINT32_MAX, 0x7fffffff, 0x80000000, 65,    0x183,  0xff,       SW_HEAP_MAGIC};

static void overwrite(const walled *w, size_t at, size_t bytes, uint32_t value) {
  for (size_t i = 0; i + 4 <= bytes; i += 4) memcpy(w->r.base + at + i, &value, 4);
}

static void with_words(size_t at, size_t bytes, uint32_t value, uint64_t seed) {
  walled w;
  peer.random = seed;
  walled_open(&w);
  uint64_t random = seed;
  for (int i = 0; i < 80; i++) step(&w, &random);
  overwrite(&w, at, bytes, value);
  for (int i = 0; i < 60; i++) step(&w, &random);
  walled_close(&w);
}

/* Words whose place is found when the walled region is used: the directory's table, the first entry
 * of it, and the registry's first block. */
static size_t place_of(const walled *w, int which) {
  const sw_directory *directory = (const void *)(w->r.base + SW_DIRECTORY_AT);
  const sw_registry *registry = (const void *)(w->r.base + SW_REGISTRY_AT);
  if (which == 0) return registry->first;
  if (which == 1 || directory->table == 0) return directory->table;
  const sw_directory_table *table = (const void *)(w->r.base + directory->table);
  for (uint32_t i = 0; i < table->slots; i++) {
    if (table->slot[i] > SW_SLOT_DELETED) return table->slot[i];
  }
  return 0;
}

static void every_word_of_objects_can_be_anything(void **state) {
  (void)state;
  for (size_t v = 0; v < sizeof(VALUES) / sizeof(*VALUES); v++) {
    for (size_t at = SW_DIRECTORY_AT; at < SW_DIRECTORY_AT + sizeof(sw_directory); at += 4) {
      with_words(at, 4, VALUES[v], at + v + 1);
    }
    for (size_t at = SW_REGISTRY_AT; at < SW_REGISTRY_AT + sizeof(sw_registry); at += 4) {
      with_words(at, 4, VALUES[v], at + v + 1);
    }
    for (int which = 0; which < 3; which++) {
      for (size_t word = 0; word < 12; word++) {
        walled w;
        peer.random = v + word + 1;
        uint64_t random = peer.random;
        walled_open(&w);
        for (int i = 0; i < 60; i++) use_objects(&w, &random);
        size_t at = place_of(&w, which);
        if (at != 0) overwrite(&w, at + word * 4, 4, word == 11 && which == 0 ? (uint32_t)at : VALUES[v]);
        for (int i = 0; i < 60; i++) {
          peer.loads = 0;
          use_objects(&w, &random);
          check_handle(&w);
        }
        walled_close(&w);
      }
    }
  }
}

static void every_word_can_be_anything(void **state) {
  (void)state;
  walled w;
  walled_open(&w);
  size_t map = (size_t)((uint8_t *)w.h.map - w.r.base), tree = (size_t)((uint8_t *)w.h.tree[0] - w.r.base);
  size_t slabs = (size_t)((uint8_t *)w.h.slabs - w.r.base);
  walled_close(&w);
  for (size_t v = 0; v < sizeof(VALUES) / sizeof(*VALUES); v++) {
    for (size_t at = SW_HEAP_AT; at < map; at += 4) {
      if ((at - SW_HEAP_AT) % SW_LINE < 64) with_words(at, 4, VALUES[v], at + v + 1);
    }
    for (size_t at = map; at < slabs; at += 4) {
      if (at < map + 160 || (at >= tree && at < tree + 96) || at + 64 > slabs) with_words(at, 4, VALUES[v], at + v + 1);
    }
    for (size_t page = 0; page < 6; page++) {
      size_t slab = slabs + page * sizeof(sw_slab);
      for (size_t at = 0; at < sizeof(sw_slab); at += at < 12 ? 4 : 28) with_words(slab + at, 4, VALUES[v], at + v + 1);
    }
    with_words(map, slabs - map, VALUES[v], v + 1);
    with_words(slabs, 40 * sizeof(sw_slab), VALUES[v], v + 1);
  }
}

/* ---- words that are read as something else ---- */

static void every_read_can_be_a_lie(void **state) {
  (void)state;
  static const int RARE[] = {1000, 100, 20, 5};
  for (uint64_t seed = 1; seed <= 400; seed++) {
    walled w;
    peer.random = seed * 0x9e3779b97f4a7c15;
    walled_open(&w);
    uint64_t random = seed;
    for (int i = 0; i < 60; i++) step(&w, &random);
    peer.lies = RARE[seed % 4];
    for (int i = 0; i < 120; i++) step(&w, &random);
    walled_close(&w);
  }
}

TESTS(TEST(every_word_can_be_anything), TEST(every_word_of_objects_can_be_anything), TEST(every_read_can_be_a_lie));
