/* What the programs of this folder share: the clock, the end by a failure, and a region whose heap
 * two threads use. Each program defines _GNU_SOURCE before it includes anything. */
#ifndef BENCH_PROGRAM_H
#define BENCH_PROGRAM_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "prim/prim.h"
#include "sabway/endpoint.h"
#include "sabway/heap.h"
#include "sabway/region.h"

static inline void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
  exit(1);
}

/* Seconds of that clock. */
static inline double now(clockid_t of) {
  struct timespec t;
  clock_gettime(of, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A region with a heap, whose memory is taken as it is used, and a handle for each thread. */
static inline void open_heaps(uint32_t pages, sw_heap *heaps, int threads) {
  const uint64_t size = (uint64_t)pages * SW_PAGE;
  uint8_t *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED || sw_region_format_empty(base, pages, SW_HEAP_AT) != SW_OK) fail("no region");
  if (sw_heap_format(base, SW_HEAP_AT, size) != SW_OK) fail("no heap");
  for (int thread = 0; thread < threads; thread++) {
    int index = sw_endpoint_claim(base, sw_prim_pid(), 0, 0);
    if (index < 0 || sw_heap_open(&heaps[thread], base, size, SW_HEAP_AT, (uint32_t)index) != SW_OK) fail("not open");
  }
}

#endif
