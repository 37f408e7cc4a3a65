/* What the heap's tests share: a region that is a heap, and shared by processes. */
#ifndef SABWAY_TEST_HEAP_HELPER_H
#define SABWAY_TEST_HEAP_HELPER_H

#include <sys/mman.h>

#include "../helper.h"
#include "core/heap/heap.h"
#include "sabway/heap.h"

/* Zeroed memory that children of this process share: pages cost nothing until they are touched. */
HELPER region heap_region(uint64_t size) {
  region r = {.size = size, .pages = (uint32_t)(size / SW_PAGE)};
  r.base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_ptr_not_equal(r.base, MAP_FAILED);
  assert_int_equal(sw_region_format_empty(r.base, r.pages, SW_HEAP_AT), SW_OK);
  assert_int_equal(sw_heap_format(r.base, SW_HEAP_AT, r.size), SW_OK);
  return r;
}

HELPER void heap_region_free(region *r) { munmap(r->base, r->size); }

HELPER void heap_open(sw_heap *h, const region *r) {
  assert_int_equal(sw_heap_open(h, r->base, r->size, SW_HEAP_AT, region_claim(r)), SW_OK);
}

/* A region of that size, and one handle. */
typedef struct heap_scene {
  region r;
  sw_heap h;
} heap_scene;

HELPER void heap_scene_open(heap_scene *s, uint64_t size) {
  s->r = heap_region(size);
  heap_open(&s->h, &s->r);
}

HELPER void heap_scene_close(heap_scene *s) { heap_region_free(&s->r); }

HELPER uint32_t heap_get(sw_heap *h, uint32_t bytes) {
  uint32_t at = sw_heap_alloc(h, bytes);
  if (at == 0) fail_msg("sw_heap_alloc(%u): %d", bytes, h->status);
  assert_int_equal(at % SW_HEAP_UNIT, 0);
  assert_true(at >= h->begin && at + (uint64_t)bytes <= h->begin + (uint64_t)h->count * SW_HEAP_PAGE);
  return at;
}

HELPER sw_heap_stats heap_stats(sw_heap *h) {
  sw_heap_stats stats;
  sw_heap_stats_of(h, &stats);
  return stats;
}

enum { SMALL_REGION = 2 << 20, MIDDLE_REGION = 64 << 20 };

#endif
