/* Regions: sizes, formatting, and everything that makes one be refused. */
#include "../helper.h"

static void sizes(void **state) {
  (void)state;
  assert_int_equal(sw_region_bytes(0, 4096), 0);
  assert_int_equal(sw_region_bytes(4096, 4095), 0);
  assert_int_equal(sw_region_bytes(SW_RING_MAX + 1u, 4096), 0);
  uint64_t small = sw_region_bytes(4096, 4096);
  assert_int_equal(small % SW_PAGE, 0);
  assert_true(small >= SW_HEAP_AT + sizeof(sw_channel) + 2 * (4096 + SW_RING_SLACK));
  /* rounded up to a power of two */
  assert_int_equal(sw_region_bytes(4097, 4096), sw_region_bytes(8192, 4096));
  uint64_t large = sw_region_bytes(SW_RING_MAX, SW_RING_MAX);
  assert_true(large > 2ull * SW_RING_MAX && large < 2ull * SW_RING_MAX + 4 * 1024 * 1024);
}

static void capacities(void **state) {
  (void)state;
  assert_int_equal(sw_ring_capacity(0), 0);
  assert_int_equal(sw_ring_capacity(SW_RING_MIN - 1), 0);
  assert_int_equal(sw_ring_capacity(SW_RING_MIN), SW_RING_MIN);
  assert_int_equal(sw_ring_capacity(SW_RING_MIN + 1), 2 * SW_RING_MIN);
  assert_int_equal(sw_ring_capacity(SW_RING_MAX), SW_RING_MAX);
  assert_int_equal(sw_ring_capacity(SW_RING_MAX + 1u), 0);
  assert_int_equal(sw_ring_capacity(UINT32_MAX), 0);
}

static void formats_and_verifies(void **state) {
  (void)state;
  region r = region_new(8192, 4096);
  const sw_region_header *header = (void *)r.base;
  assert_int_equal(header->magic, SW_MAGIC);
  assert_int_equal(header->layout_hash, sw_layout_hash());
  assert_int_equal(header->pages, r.pages);
  assert_int_equal(header->root, SW_HEAP_AT);
  assert_int_equal(sw_region_verify(r.base, r.pages), SW_OK);
  assert_int_equal(sw_channel_check(r.base, r.size, SW_HEAP_AT), SW_OK);
  assert_int_equal(region_channel(&r)->rings[SW_RENDERER].capacity, 8192);
  assert_int_equal(region_channel(&r)->rings[SW_NATIVE].capacity, 4096);
  region_free(&r);
}

static void refuses_to_format(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  assert_int_equal(sw_region_format(r.base, r.pages - 1, 4096, 4096), SW_ERANGE);
  assert_int_equal(sw_region_format(r.base, r.pages, 1, 4096), SW_ERANGE);
  assert_int_equal(sw_region_format(r.base, r.pages, 4096, 1u << 30), SW_ERANGE);
  /* does not fit */
  assert_int_equal(sw_region_format(r.base, r.pages, 1024 * 1024, 4096), SW_ERANGE);
  region_free(&r);
}

static void more_pages_than_needed(void **state) {
  (void)state;
  uint32_t pages = (uint32_t)(sw_region_bytes(4096, 4096) / SW_PAGE) + 3;
  uint8_t *base = aligned_alloc(SW_PAGE, (size_t)pages * SW_PAGE);
  memset(base, 0, (size_t)pages * SW_PAGE);
  assert_int_equal(sw_region_format(base, pages, 4096, 4096), SW_OK);
  assert_int_equal(sw_region_verify(base, pages), SW_OK);
  free(base);
}

static void refuses_what_is_none(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  sw_region_header *header = (void *)r.base;
  assert_int_equal(sw_region_verify(r.base, 0), SW_ENOTREGION);
  assert_int_equal(sw_region_verify(r.base, SW_HEAP_AT / SW_PAGE - 1), SW_ENOTREGION);
  assert_int_equal(sw_region_verify(r.base, r.pages - 1), SW_ENOTREGION);
  assert_int_equal(sw_region_verify(r.base, r.pages + 1), SW_ENOTREGION);
  header->layout_hash++;
  assert_int_equal(sw_region_verify(r.base, r.pages), SW_ELAYOUT);
  header->layout_hash--;
  header->pages = 0;
  assert_int_equal(sw_region_verify(r.base, r.pages), SW_ENOTREGION);
  header->pages = r.pages;
  header->magic = 0; /* not ready yet */
  assert_int_equal(sw_region_verify(r.base, r.pages), SW_ENOTREGION);
  header->magic = SW_MAGIC;
  assert_int_equal(sw_region_verify(r.base, r.pages), SW_OK);
  region_free(&r);
}

static void hash_is_stable(void **state) {
  (void)state;
  assert_int_equal(sw_layout_hash(), sw_layout_hash());
  assert_int_not_equal(sw_layout_hash(), 0);
}

TESTS(TEST(sizes), TEST(capacities), TEST(formats_and_verifies), TEST(refuses_to_format), TEST(more_pages_than_needed),
      TEST(refuses_what_is_none), TEST(hash_is_stable));
