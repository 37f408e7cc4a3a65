/* Blocks of 64 B of one allocator: Sabway's heap, or one that it is measured against, by what this
 * is compiled with: MIMALLOC, GLIBC, BOOST or none of them. A program that is told on its standard
 * input what to do, a line each: "pairs <n>", a block is allocated and freed; "churn <n>", one of
 * 10,000 is freed and another allocated; "handed <n>", one thread allocates and another frees. It
 * answers with the seconds that those took: of its own processor time where it is one thread. */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>

#include "base/atomics.h"
#include "program.h"

enum { BOX = 1024, BATCH = 16, BYTES = 64, CHURN = 10000 };

#if defined(MIMALLOC)

#include <mimalloc.h>

static void open_all(void) {}
static uint64_t get(int thread) { return (void)thread, (uint64_t)(uintptr_t)mi_malloc(BYTES); }
static void put(int thread, uint64_t at) { (void)thread, mi_free((void *)(uintptr_t)at); }

#elif defined(GLIBC)

static void open_all(void) {}
static uint64_t get(int thread) { return (void)thread, (uint64_t)(uintptr_t)malloc(BYTES); }
static void put(int thread, uint64_t at) { (void)thread, free((void *)(uintptr_t)at); }

#elif defined(BOOST)

/* boost.cc */
void *boost_open(size_t bytes);
uint64_t boost_alloc(void *segment, uint32_t bytes);
void boost_free(void *segment, uint64_t at);

static void *segment;

static void open_all(void) {
  segment = boost_open((size_t)256 << 20);
  if (segment == NULL) fail("no memory");
}
static uint64_t get(int thread) { return (void)thread, boost_alloc(segment, BYTES); }
static void put(int thread, uint64_t at) { (void)thread, boost_free(segment, at); }

#else

enum { PAGES = 4096 };

static sw_heap heaps[2];

static void open_all(void) { open_heaps(PAGES, heaps, 2); }
static uint64_t get(int thread) { return sw_heap_alloc(&heaps[thread], BYTES); }
static void put(int thread, uint64_t at) {
  if (sw_heap_free(&heaps[thread], (uint32_t)at) != SW_OK) fail("a block was not freed");
}

#endif

static volatile uint64_t sink;

static void pairs(unsigned long count) {
  for (; count != 0; count--) {
    uint64_t at = get(0);
    if (at == 0) fail("no block");
    sink = at;
    put(0, at);
  }
}

static void churn(unsigned long count) {
  static uint64_t live[CHURN];
  static uint32_t random = 1;
  for (int i = 0; live[CHURN - 1] == 0 && i < CHURN; i++) live[i] = get(0);
  for (; count != 0; count--) {
    random = random * 1664525 + 1013904223;
    uint32_t k = (random >> 8) % CHURN;
    put(0, live[k]);
    live[k] = get(0);
    if (live[k] == 0) fail("no block");
  }
}

/* One thread hands blocks to another in a ring. */
static struct box {
  uint64_t slots[BOX];
  uint32_t head;
  uint8_t unused[124];
  uint32_t tail;
  uint32_t count;
} box;

static void *free_all(void *argument) {
  for (uint32_t tail = 0; tail < box.count;) {
    uint32_t head = sw_load_acquire(&box.head);
    if (head == tail) sw_prim_yield();
    for (; tail != head; tail++) put(1, box.slots[tail % BOX]);
    sw_store_release(&box.tail, tail);
  }
  return argument;
}

static void handed(unsigned long count) {
  pthread_t thread;
  memset(&box, 0, sizeof(box));
  box.count = (uint32_t)count;
  if (pthread_create(&thread, NULL, free_all, NULL) != 0) fail("no thread");
  for (uint32_t i = 0; i < box.count; i++) {
    uint64_t at = get(0);
    if (at == 0) fail("no block");
    while (i - sw_load_acquire(&box.tail) == BOX) sw_prim_yield();
    box.slots[i % BOX] = at;
    if (i % BATCH == BATCH - 1 || i + 1 == box.count) sw_store_release(&box.head, i + 1);
  }
  pthread_join(thread, NULL);
}

int main(void) {
  char what[16];
  unsigned long count;
  open_all();
  while (scanf("%15s %lu", what, &count) == 2) {
    const clockid_t of = strcmp(what, "handed") == 0 ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID;
    double begin = now(of);
    if (strcmp(what, "pairs") == 0) pairs(count);
    if (strcmp(what, "churn") == 0) churn(count);
    if (strcmp(what, "handed") == 0) handed(count);
    printf("%.9f\n", now(of) - begin);
    fflush(stdout);
  }
  return 0;
}
