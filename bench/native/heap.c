/* The heap against libmimalloc, glibc malloc and boost::interprocess (run.sh builds and runs it).
 * In one thread a block is allocated and freed, or one of 10,000 is freed and another allocated; or
 * one thread allocates and another frees. Each round does all of them in turn, beginning with
 * another one. What is printed are medians over the rounds, and the median of their ratios. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <mimalloc.h>

#include "base/atomics.h"
#include "base/peer.h"
#include "prim/prim.h"
#include "sabway/endpoint.h"
#include "sabway/heap.h"
#include "sabway/region.h"

enum { ROUNDS = 5, PAIRS = 5000000, HANDED = 2000000, BOX = 1024, BYTES = 64, CHURN = 10000 };

/* peer.cc */
void *boost_open(size_t bytes);
uint64_t boost_alloc(void *segment, uint32_t bytes);
void boost_free(void *segment, uint64_t at);

static uint8_t *base;
static uint64_t size = (uint64_t)1 << 30;
static sw_heap heaps[2];
static void *segment;
static volatile uint64_t sink;

static void sabway_open(int thread) {
  int index = sw_endpoint_claim(base, sw_prim_pid(), 0, 0);
  if (index < 0 || sw_heap_open(&heaps[thread], base, size, SW_HEAP_AT, (uint32_t)index) != 0) abort();
}
static void nothing(int thread) { (void)thread; }

/* One participant hands blocks to another in a ring. */
typedef struct box {
  uint64_t slots[BOX];
  uint32_t head;
  uint8_t unused[124];
  uint32_t tail;
  uint32_t count;
} box;

static box handed;

/* The works with one allocator, whose calls are compiled into the loops: `in` is the number of the
 * thread. `divide`: slow ones do less. */
#define WORKS(name, open, alloc, release, divide)                                       \
  static double name##_pairs(void) {                                                    \
    const int in = 0, n = PAIRS / (divide);                                             \
    open(in);                                                                           \
    uint64_t begin = sw_prim_now();                                                     \
    for (int i = 0; i < n; i++) {                                                       \
      uint64_t at = alloc;                                                              \
      sink = at;                                                                        \
      release;                                                                          \
    }                                                                                   \
    return (double)(sw_prim_now() - begin) / n;                                         \
  }                                                                                     \
  static double name##_churn(void) {                                                    \
    static uint64_t live[CHURN];                                                        \
    const int in = 0, n = PAIRS / 4 / (divide);                                         \
    uint32_t random = 1;                                                                \
    uint64_t at;                                                                        \
    open(in);                                                                           \
    for (int i = 0; i < CHURN; i++) live[i] = alloc;                                    \
    uint64_t begin = sw_prim_now();                                                     \
    for (int i = 0; i < n; i++) {                                                       \
      random = random * 1664525 + 1013904223;                                           \
      uint32_t k = (random >> 8) % CHURN;                                               \
      at = live[k];                                                                     \
      release;                                                                          \
      live[k] = alloc;                                                                  \
    }                                                                                   \
    double took = (double)(sw_prim_now() - begin) / n;                                  \
    for (int i = 0; i < CHURN; i++) {                                                   \
      at = live[i];                                                                     \
      release;                                                                          \
    }                                                                                   \
    return took;                                                                        \
  }                                                                                     \
  static void *name##_freer(void *argument) {                                           \
    const int in = 1;                                                                   \
    (void)argument;                                                                     \
    open(in);                                                                           \
    for (uint32_t tail = 0; tail < handed.count;) {                                     \
      uint32_t head = sw_load_acquire(&handed.head);                                    \
      if (head == tail) sw_prim_yield();                                                \
      for (; tail != head; tail++) {                                                    \
        uint64_t at = handed.slots[tail % BOX];                                         \
        release;                                                                        \
      }                                                                                 \
      sw_store_release(&handed.tail, tail);                                             \
    }                                                                                   \
    return NULL;                                                                        \
  }                                                                                     \
  static double name##_handed(void) {                                                   \
    const int in = 0;                                                                   \
    memset(&handed, 0, sizeof(handed));                                                 \
    handed.count = HANDED / (divide);                                                   \
    open(in);                                                                           \
    pthread_t thread;                                                                   \
    uint64_t begin = sw_prim_now();                                                     \
    pthread_create(&thread, NULL, name##_freer, NULL);                                  \
    for (uint32_t i = 0; i < handed.count; i++) {                                       \
      uint64_t at = alloc;                                                              \
      while (i - sw_load_acquire(&handed.tail) == BOX) sw_prim_yield();                 \
      handed.slots[i % BOX] = at;                                                       \
      if (i % 16 == 15 || i + 1 == handed.count) sw_store_release(&handed.head, i + 1); \
    }                                                                                   \
    pthread_join(thread, NULL);                                                         \
    return (double)(sw_prim_now() - begin) / handed.count;                              \
  }

WORKS(sabway, sabway_open, sw_heap_alloc(&heaps[in], BYTES), if (sw_heap_free(&heaps[in], (uint32_t)at) != 0) abort(),
      1)
WORKS(mimalloc, nothing, ((void)in, (uint64_t)(uintptr_t)mi_malloc(BYTES)), mi_free((void *)(uintptr_t)at), 1)
WORKS(glibc, nothing, ((void)in, (uint64_t)(uintptr_t)malloc(BYTES)), free((void *)(uintptr_t)at), 1)
WORKS(boost, nothing, ((void)in, boost_alloc(segment, BYTES)), boost_free(segment, at), 8)

typedef double (*work)(void);
enum { COUNT = 4 };
static const char *const NAMES[COUNT] = {"sabway", "mimalloc", "glibc", "boost"};
static const work PAIRS_OF[COUNT] = {sabway_pairs, mimalloc_pairs, glibc_pairs, boost_pairs};
static const work CHURN_OF[COUNT] = {sabway_churn, mimalloc_churn, glibc_churn, boost_churn};
static const work HANDED_OF[COUNT] = {sabway_handed, mimalloc_handed, glibc_handed, boost_handed};

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void run(const char *name, const work works[COUNT]) {
  double took[COUNT][ROUNDS], ratio[COUNT][ROUNDS];
  for (int round = 0; round < ROUNDS; round++) {
    for (int k = 0; k < COUNT; k++) {
      int i = (k + round) % COUNT;
      memset(base, 0, SW_HEAP_AT); /* no endpoint is claimed */
      if (sw_region_format_empty(base, (uint32_t)(size / SW_PAGE), SW_HEAP_AT) != 0) abort();
      took[i][round] = works[i]();
    }
    for (int i = 0; i < COUNT; i++) ratio[i][round] = took[0][round] / took[i][round];
  }
  for (int i = 0; i < COUNT; i++) {
    qsort(took[i], ROUNDS, sizeof(double), by_value);
    qsort(ratio[i], ROUNDS, sizeof(double), by_value);
    printf("%-36s %-10s %8.1f ns   sabway takes %.2f x (%.2f to %.2f)\n", name, NAMES[i], took[i][ROUNDS / 2],
           ratio[i][ROUNDS / 2], ratio[i][0], ratio[i][ROUNDS - 1]);
  }
}

int main(void) {
  base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  segment = boost_open((size_t)256 << 20);
  if (base == MAP_FAILED || segment == NULL) return 1;
  if (sw_region_format_empty(base, (uint32_t)(size / SW_PAGE), SW_HEAP_AT) != 0) return 1;
  if (sw_heap_format(base, SW_HEAP_AT, size) != 0) return 1;
  run("allocate and free 64 B", PAIRS_OF);
  run("churn, 10,000 blocks of 64 B", CHURN_OF);
  run("freed in another thread, 64 B", HANDED_OF);
  return 0;
}
