/* One participant's heap: every size, alignment, the errors, what comes back, and the figures. */
#define _GNU_SOURCE /* mincore, MAP_ANONYMOUS */
#include "heap_helper.h"

static const uint64_t SIZES[] = {SMALL_REGION, MIDDLE_REGION};

#define EACH_SIZE(s)                                                                                         \
  for (size_t size_ = 0; size_ < sizeof(SIZES) / sizeof(*SIZES) && (heap_scene_open(&(s), SIZES[size_]), 1); \
       heap_scene_close(&(s)), size_++)

static void every_size_is_its_own_block(void **state) {
  (void)state;
  heap_scene s;
  EACH_SIZE(s) {
    for (uint32_t bytes = 1; bytes <= 20000; bytes += bytes < 600 ? 1 : 97) {
      uint32_t a = heap_get(&s.h, bytes), b = heap_get(&s.h, bytes);
      uint32_t usable = sw_heap_usable(&s.h, a);
      assert_true(usable >= bytes && usable % SW_HEAP_UNIT == 0);
      assert_true(a + usable <= b || b + usable <= a);
      memset(s.r.base + a, 0xaa, usable);
      memset(s.r.base + b, 0xbb, usable);
      assert_int_equal(s.r.base[a + usable - 1], 0xaa);
      assert_int_equal(sw_heap_free(&s.h, a), SW_OK);
      assert_int_equal(sw_heap_free(&s.h, b), SW_OK);
      assert_int_equal(sw_heap_free(&s.h, a), SW_EDOUBLEFREE);
      assert_int_equal(sw_heap_free(&s.h, b), SW_EDOUBLEFREE);
    }
    assert_int_equal(sw_heap_check(&s.h), SW_OK);
    assert_int_equal(heap_stats(&s.h).blocks, 0);
    assert_int_equal(heap_stats(&s.h).used, 0);
  }
}

static void classes_waste_at_most_a_fifth(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, MIDDLE_REGION);
  for (uint32_t bytes = 1; bytes <= SW_HEAP_SMALL; bytes++) {
    uint32_t class = swi_class_of(bytes), size = swi_class_size(class);
    assert_true(class < SW_HEAP_CLASSES && size >= bytes && size % SW_HEAP_UNIT == 0);
    assert_true(class == 0 || swi_class_size(class - 1) < bytes);
    assert_true(bytes <= 128 || size * 4 <= bytes * 5);
    uint32_t reciprocal = s.h.classes[class].reciprocal;
    for (uint32_t i = 0; i < SW_HEAP_PAGE / size; i++) {
      assert_int_equal(i * size / SW_HEAP_UNIT * reciprocal >> 16, i);
    }
  }
  heap_scene_close(&s);
}

static void alignment_is_what_was_asked(void **state) {
  (void)state;
  heap_scene s;
  EACH_SIZE(s) {
    for (uint32_t align = 1; align <= 65536; align *= 2) {
      uint32_t found[12];
      for (uint32_t i = 0; i < 12; i++) {
        uint32_t bytes = 1 + i * i * 40;
        found[i] = sw_heap_alloc_aligned(&s.h, bytes, align);
        if (found[i] == 0 && s.h.status == SW_EHEAPFULL && align > 4096) continue;
        assert_int_not_equal(found[i], 0);
        assert_int_equal(found[i] % align, 0);
        assert_true(sw_heap_usable(&s.h, found[i]) >= bytes);
        assert_int_equal(sw_heap_check(&s.h), SW_OK);
      }
      assert_int_not_equal(found[0], 0);
      for (uint32_t i = 0; i < 12; i++) {
        if (found[i] != 0) assert_int_equal(sw_heap_free(&s.h, found[i]), SW_OK);
      }
      assert_int_equal(sw_heap_check(&s.h), SW_OK);
    }
    assert_int_equal(heap_stats(&s.h).blocks, 0);
  }
}

static void bad_arguments_are_told(void **state) {
  (void)state;
  heap_scene s;
  EACH_SIZE(s) {
    sw_heap_stats before = heap_stats(&s.h);
    static const struct {
      uint32_t bytes, align;
      int status;
    } BAD[] = {{0, 16, SW_EINVAL},
               {1, 0, SW_EINVAL},
               {1, 3, SW_EINVAL},
               {1, UINT32_MAX, SW_EINVAL},
               {1, 0x80000000, SW_ERANGE},
               {UINT32_MAX, 1, SW_EHEAPFULL},
               {5000, 1 << 30, SW_EHEAPFULL},
               {UINT32_MAX, 1 << 30, SW_EHEAPFULL}};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++) {
      assert_int_equal(sw_heap_alloc_aligned(&s.h, BAD[i].bytes, BAD[i].align), 0);
      assert_int_equal(s.h.status, BAD[i].status);
    }
    assert_int_equal(sw_heap_alloc(&s.h, 0), 0);
    assert_int_equal(s.h.status, SW_EINVAL);
    assert_int_equal(sw_heap_realloc(&s.h, heap_get(&s.h, 10), 0), 0);
    assert_int_equal(s.h.status, SW_EINVAL);
    assert_int_equal(sw_heap_alloc(&s.h, UINT32_MAX), 0);
    assert_int_equal(s.h.status, SW_EHEAPFULL);
    assert_int_equal(heap_stats(&s.h).blocks, before.blocks + 1);
    sw_heap other;
    assert_int_equal(sw_heap_open(&other, s.r.base, s.r.size, SW_HEAP_AT, SW_ENDPOINTS), SW_EINVAL);
    assert_int_equal(sw_heap_open(&other, s.r.base, s.r.size, SW_HEAP_AT + SW_LINE, 0), SW_ENOTREGION);
    assert_int_equal(sw_heap_open(&other, s.r.base, s.r.size, SW_HEAP_AT + 4, 0), SW_ENOTREGION);
    assert_int_equal(sw_heap_open(&other, s.r.base, s.r.size, (uint32_t)s.r.size, 0), SW_ENOTREGION);
    assert_int_equal(sw_heap_open(&other, s.r.base, s.r.size, 0u - SW_LINE, 0), SW_ENOTREGION);
    assert_int_equal(sw_heap_format(s.r.base, SW_HEAP_AT, SW_HEAP_AT + 8192), SW_ERANGE);
    assert_int_equal(sw_heap_format(s.r.base, SW_HEAP_AT + 16, s.r.size), SW_ERANGE);
  }
}

/* Every offset but those of the blocks. */
static void wild_pointers_are_told(void **state) {
  (void)state;
  heap_scene s;
  EACH_SIZE(s) {
    uint32_t small = heap_get(&s.h, 160), run = heap_get(&s.h, 3 * SW_HEAP_PAGE);
    uint32_t page = small / SW_HEAP_PAGE * SW_HEAP_PAGE;
    for (uint32_t at = page; at < page + SW_HEAP_PAGE; at++) {
      if (at == small) continue;
      int status = sw_heap_free(&s.h, at);
      assert_int_equal(status, (at - page) % 160 == 0 && (at - page) / 160 < 51 ? SW_EDOUBLEFREE : SW_EWILD);
      assert_int_equal(sw_heap_usable(&s.h, at), 0);
      assert_int_equal(s.h.status, status);
      assert_int_equal(sw_heap_realloc(&s.h, at, 40), 0);
    }
    for (uint32_t at = run + 1; at < run + 3 * SW_HEAP_PAGE; at++) assert_int_equal(sw_heap_free(&s.h, at), SW_EWILD);
    static const uint32_t OUTSIDE[] = {0, 1, 16, SW_HEAP_AT, 0xfffffff0, 0x80000000, UINT32_MAX};
    for (size_t i = 0; i < sizeof(OUTSIDE) / sizeof(*OUTSIDE); i++) {
      assert_int_equal(sw_heap_free(&s.h, OUTSIDE[i]), SW_EWILD);
    }
    assert_int_equal(sw_heap_free(&s.h, s.h.begin - 16), SW_EWILD);
    assert_int_equal(sw_heap_free(&s.h, s.h.begin + s.h.count * SW_HEAP_PAGE), SW_EWILD);
    assert_int_equal(sw_heap_free(&s.h, s.h.begin + (s.h.count - 1) * SW_HEAP_PAGE), SW_EWILD);
    assert_int_equal(heap_stats(&s.h).blocks, 2);
    assert_int_equal(sw_heap_free(&s.h, small), SW_OK);
    assert_int_equal(sw_heap_free(&s.h, run), SW_OK);
    assert_int_equal(sw_heap_free(&s.h, run), SW_EDOUBLEFREE);
  }
}

/* Until it is full, of each size; then all comes back, in one piece. */
static void everything_can_be_used_and_comes_back(void **state) {
  (void)state;
  static const uint32_t BYTES[] = {16, 48, 160, 1000, 1024, 4096, 5000, 8192, 40000};
  heap_scene s;
  EACH_SIZE(s) {
    uint64_t largest = heap_stats(&s.h).largest;
    assert_int_equal(largest, s.h.count * (uint64_t)SW_HEAP_PAGE);
    uint32_t *found = malloc(sizeof(*found) * (s.r.size / 16));
    for (size_t k = 0; k < sizeof(BYTES) / sizeof(*BYTES); k++) {
      uint32_t n = 0, at;
      while ((at = sw_heap_alloc(&s.h, BYTES[k])) != 0) found[n++] = at;
      assert_int_equal(s.h.status, SW_EHEAPFULL);
      sw_heap_stats full = heap_stats(&s.h);
      assert_int_equal(full.blocks, n);
      assert_true(full.largest < BYTES[k]);
      if (BYTES[k] == 16 || BYTES[k] == 1024 || BYTES[k] == 8192) assert_int_equal(full.free, 0);
      assert_int_equal(full.used + full.free, full.total);
      assert_int_equal(sw_heap_check(&s.h), SW_OK);
      for (uint32_t i = 0; i < n; i++) assert_int_equal(sw_heap_free(&s.h, found[k % 2 ? i : n - 1 - i]), SW_OK);
      assert_int_equal(sw_heap_check(&s.h), SW_OK);
      assert_int_equal(heap_stats(&s.h).blocks, 0);
      sw_heap_trim(&s.h);
      assert_int_equal(heap_stats(&s.h).largest, largest);
      assert_int_equal(heap_stats(&s.h).high_water, largest);
    }
    uint32_t all = heap_get(&s.h, (uint32_t)largest);
    assert_int_equal(sw_heap_alloc(&s.h, 1), 0);
    assert_int_equal(s.h.status, SW_EHEAPFULL);
    assert_int_equal(sw_heap_free(&s.h, all), SW_OK);
    free(found);
  }
}

/* Slabs without blocks make room for another size without a call of trim. */
static void empty_slabs_make_room(void **state) {
  (void)state;
  heap_scene s;
  EACH_SIZE(s) {
    uint32_t *found = malloc(sizeof(*found) * (s.r.size / 64));
    uint32_t n = 0, at;
    while ((at = sw_heap_alloc(&s.h, 64)) != 0) found[n++] = at;
    for (uint32_t i = 0; i < n; i++) assert_int_equal(sw_heap_free(&s.h, found[i]), SW_OK);
    assert_int_equal(sw_heap_free(&s.h, heap_get(&s.h, s.h.count / 2 * SW_HEAP_PAGE)), SW_OK);
    heap_get(&s.h, 3000);
    heap_get(&s.h, s.h.count / 2 * SW_HEAP_PAGE);
    assert_int_equal(sw_heap_check(&s.h), SW_OK);
    free(found);
  }
}

/* One block of each size keeps a page: with few pages, another class's blocks are taken. */
static void a_full_heap_lends_larger_blocks(void **state) {
  (void)state;
  heap_scene s;
  EACH_SIZE(s) {
    uint32_t large = heap_get(&s.h, 1024);
    assert_int_equal(sw_heap_free(&s.h, heap_get(&s.h, 640)), SW_OK);
    heap_get(&s.h, 640);
    while (sw_heap_alloc(&s.h, 8192) != 0) continue;
    uint32_t at = heap_get(&s.h, 700);
    assert_int_equal(sw_heap_usable(&s.h, at), 1024);
    assert_int_equal(at / SW_HEAP_PAGE, large / SW_HEAP_PAGE);
    assert_int_equal(sw_heap_free(&s.h, at), SW_OK);
    /* of 640 bytes there are more at hand, but those are not aligned so */
    assert_int_equal(sw_heap_alloc_aligned(&s.h, 100, 256) % 256, 0);
  }
}

static void realloc_keeps_the_bytes(void **state) {
  (void)state;
  heap_scene s;
  EACH_SIZE(s) {
    uint64_t random = 77;
    uint32_t at = 0, bytes = 0;
    for (uint32_t i = 0; i < 3000; i++) {
      uint32_t wanted = 1 + random_next(&random) % (i % 3 == 0 ? 100000 : 3000);
      uint32_t moved = sw_heap_realloc(&s.h, at, wanted);
      assert_int_not_equal(moved, 0);
      assert_true(sw_heap_usable(&s.h, moved) >= wanted);
      if (bytes != 0) assert_true(pattern_holds(s.r.base + moved, bytes < wanted ? bytes : wanted, 5));
      if (moved != at && at != 0) assert_int_equal(sw_heap_usable(&s.h, at), 0);
      pattern_fill(s.r.base + moved, wanted, 5);
      at = moved;
      bytes = wanted;
      if (i % 50 == 0) assert_int_equal(sw_heap_check(&s.h), SW_OK);
      assert_int_equal(heap_stats(&s.h).blocks, 1);
    }
    assert_int_equal(sw_heap_check(&s.h), SW_OK);
  }
}

static void runs_change_their_length_in_place(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t at = heap_get(&s.h, 10 * SW_HEAP_PAGE);
  assert_int_equal(sw_heap_realloc(&s.h, at, 3 * SW_HEAP_PAGE), at);
  assert_int_equal(sw_heap_check(&s.h), SW_OK);
  assert_int_equal(sw_heap_usable(&s.h, at), 3 * SW_HEAP_PAGE);
  assert_int_equal(sw_heap_realloc(&s.h, at, 20 * SW_HEAP_PAGE), at);
  assert_int_equal(sw_heap_check(&s.h), SW_OK);
  uint32_t wall = heap_get(&s.h, SW_HEAP_PAGE);
  assert_int_equal(wall, at + 20 * SW_HEAP_PAGE);
  uint32_t moved = sw_heap_realloc(&s.h, at, 21 * SW_HEAP_PAGE);
  assert_true(moved > wall);
  uint64_t whole = (uint64_t)(s.h.count - (moved - s.h.begin) / SW_HEAP_PAGE) * SW_HEAP_PAGE;
  assert_int_equal(sw_heap_realloc(&s.h, moved, (uint32_t)whole), moved); /* all that follows */
  assert_int_equal(sw_heap_check(&s.h), SW_OK);
  assert_int_equal(sw_heap_realloc(&s.h, moved, (uint32_t)whole + 1), 0);
  assert_int_equal(s.h.status, SW_EHEAPFULL);
  assert_int_equal(sw_heap_usable(&s.h, moved), whole);
  assert_int_equal(sw_heap_realloc(&s.h, moved, 100) % SW_HEAP_PAGE % 112, 0); /* into a slab */
  assert_int_equal(sw_heap_check(&s.h), SW_OK);
  assert_int_equal(heap_stats(&s.h).blocks, 2);
  heap_scene_close(&s);
}

static int count_and_free(const sw_heap_block *block, void *context) {
  uint32_t *found = context;
  found[0]++;
  found[1] = block->at;
  return 1;
}

static void walks_and_sweeps_find_each_block(void **state) {
  (void)state;
  heap_scene s;
  EACH_SIZE(s) {
    uint32_t found[200];
    for (uint32_t i = 0; i < 200; i++) found[i] = heap_get(&s.h, i % 40 == 0 ? 9000 + i : 1 + i * 9 % 900);
    for (uint32_t i = 0; i < 200; i += 3) assert_int_equal(sw_heap_free(&s.h, found[i]), SW_OK);
    sw_heap_cursor cursor = {0, 0};
    sw_heap_block block;
    uint32_t n = 0;
    while (sw_heap_walk(&s.h, &cursor, &block)) {
      assert_int_equal(block.bytes, sw_heap_usable(&s.h, block.at));
      uint32_t i = 0;
      while (i < 200 && (i % 3 == 0 || found[i] != block.at)) i++;
      assert_true(i < 200);
      n++;
    }
    assert_int_equal(n, 133);
    assert_int_equal(sw_heap_walk(&s.h, &cursor, &block), 0);
    uint8_t *marks = calloc(1, sw_heap_marks_bytes(&s.h));
    for (uint32_t i = 0; i < 200; i++) {
      if (i % 3 == 0 || i == 100) continue;
      assert_int_equal(sw_heap_mark(&s.h, marks, found[i]), 1);
      assert_int_equal(sw_heap_mark(&s.h, marks, found[i]), 0);
    }
    assert_int_equal(sw_heap_mark(&s.h, marks, 5), SW_EWILD);
    uint32_t swept[2] = {0, 0};
    assert_int_equal(sw_heap_sweep(&s.h, marks, count_and_free, swept), 1);
    assert_int_equal(swept[0], 1);
    assert_int_equal(swept[1], found[100]);
    assert_int_equal(heap_stats(&s.h).blocks, 132);
    free(marks);
  }
}

/* A handle that is forgotten, and one that is closed: the next one of that claim allocates in the
 * same slabs. */
static void a_handle_is_private_and_rebuilt(void **state) {
  (void)state;
  heap_scene s;
  EACH_SIZE(s) {
    uint32_t found[300];
    for (uint32_t i = 0; i < 300; i++) found[i] = heap_get(&s.h, 200);
    uint64_t pages = heap_stats(&s.h).pages_bytes;
    for (uint32_t i = 0; i < 300; i += 2) assert_int_equal(sw_heap_free(&s.h, found[i]), SW_OK);
    sw_heap again;
    assert_int_equal(sw_heap_open(&again, s.r.base, s.r.size, SW_HEAP_AT, s.h.endpoint), SW_OK);
    for (uint32_t i = 0; i < 300; i += 2) found[i] = heap_get(&again, 200);
    assert_int_equal(heap_stats(&again).pages_bytes, pages);
    assert_int_equal(sw_heap_check(&again), SW_OK);
    sw_heap_close(&again);
    heap_open(&s.h, &s.r); /* another endpoint: it adopts */
    for (uint32_t i = 0; i < 300; i++) assert_int_equal(sw_heap_free(&s.h, found[i]), SW_OK);
    heap_get(&s.h, 200);
    assert_true(heap_stats(&s.h).pages_bytes <= pages);
    sw_heap_trim(&s.h);
    assert_int_equal(heap_stats(&s.h).pages_bytes, SW_HEAP_PAGE);
    assert_int_equal(sw_heap_check(&s.h), SW_OK);
  }
}

static void a_closed_handle_has_no_pages(void **state) {
  (void)state;
  heap_scene s;
  EACH_SIZE(s) {
    uint32_t at = heap_get(&s.h, 100), run = heap_get(&s.h, 10000);
    sw_heap_close(&s.h);
    assert_int_equal(sw_heap_alloc(&s.h, 100), 0);
    assert_int_equal(s.h.status, SW_EHEAPFULL);
    assert_int_equal(sw_heap_alloc(&s.h, 10000), 0);
    assert_int_equal(s.h.status, SW_EHEAPFULL);
    assert_int_equal(sw_heap_free(&s.h, at), SW_EWILD);
    assert_int_equal(sw_heap_free(&s.h, run), SW_EWILD);
    assert_int_equal(sw_heap_trim(&s.h), 0);
    assert_int_equal(heap_stats(&s.h).total, 0);
    sw_heap_cursor cursor = {0, 0};
    sw_heap_block block;
    assert_int_equal(sw_heap_walk(&s.h, &cursor, &block), 0);
    sw_heap_close(&s.h);
    heap_open(&s.h, &s.r);
    assert_int_equal(heap_stats(&s.h).blocks, 2);
    assert_int_equal(sw_heap_check(&s.h), SW_OK);
  }
}

/* 4 GiB, of which almost nothing is touched; then its first and last bytes. */
static void four_gibibytes(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, (uint64_t)1 << 32);
  sw_heap_stats stats = heap_stats(&s.h);
  assert_true(stats.total > (uint64_t)3990 << 20 && stats.largest == stats.total);
  uint32_t at = heap_get(&s.h, 100);
  s.r.base[at] = 1;
  uint32_t all = heap_get(&s.h, (uint32_t)(stats.total - SW_HEAP_PAGE));
  assert_int_equal((uint64_t)all + sw_heap_usable(&s.h, all), ((uint64_t)1 << 32) - SW_HEAP_PAGE);
  s.r.base[all] = s.r.base[all + sw_heap_usable(&s.h, all) - 1] = 1;
  assert_int_equal(sw_heap_alloc(&s.h, 8192), 0);
  assert_int_equal(s.h.status, SW_EHEAPFULL);
  assert_int_equal(sw_heap_check(&s.h), SW_OK);
  assert_int_equal(sw_heap_free(&s.h, all), SW_OK);
  assert_int_equal(sw_heap_check(&s.h), SW_OK);
  heap_scene_close(&s);
}

static uint64_t resident(const region *r) {
  uint64_t pages = r->size / 4096, count = 0;
  unsigned char *map = malloc(pages);
  assert_int_equal(mincore(r->base, r->size, map), 0);
  for (uint64_t i = 0; i < pages; i++) count += map[i] & 1;
  free(map);
  return count * 4096;
}

static void trim_gives_memory_back(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, MIDDLE_REGION);
  assert_true(resident(&s.r) < 256 * 1024);
  uint32_t kept = heap_get(&s.h, 100000), at = heap_get(&s.h, 32 << 20);
  memset(s.r.base + at, 1, 32 << 20);
  memset(s.r.base + kept, 2, 100000);
  assert_true(resident(&s.r) > 32 << 20);
  assert_int_equal(sw_heap_free(&s.h, at), SW_OK);
  assert_true(sw_heap_trim(&s.h) >= 32 << 20);
  assert_true(resident(&s.r) < 1 << 20);
  assert_int_equal(sw_heap_trim(&s.h), 0);
  assert_int_equal(s.h.status, SW_OK);
  assert_int_equal(s.r.base[kept + 99999], 2);
  heap_scene_close(&s);
}

TESTS(TEST(every_size_is_its_own_block), TEST(classes_waste_at_most_a_fifth), TEST(alignment_is_what_was_asked),
      TEST(bad_arguments_are_told), TEST(wild_pointers_are_told), TEST(everything_can_be_used_and_comes_back),
      TEST(empty_slabs_make_room), TEST(a_full_heap_lends_larger_blocks), TEST(realloc_keeps_the_bytes),
      TEST(runs_change_their_length_in_place), TEST(walks_and_sweeps_find_each_block),
      TEST(a_handle_is_private_and_rebuilt), TEST(a_closed_handle_has_no_pages), TEST(four_gibibytes),
      TEST(trim_gives_memory_back));
