/* A block is got and given back: from Sabway's pool, or by malloc. A program that is told on its
 * standard input what to do, a line each: "sabway <times>" or "malloc <times>"; it answers with the
 * seconds of its own processor time that those took. */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>

#include "program.h"
#include "sabway/object.h"
#include "sabway/pool.h"

enum { PAGES = 1024, BYTES = 64, CELLS = 64 };

static sw_heap heap;
static uint32_t pool, life;

/* With one thread that has ever been started, the C library takes shortcuts. */
static void *nothing(void *argument) { return argument; }

static void open_all(void) {
  pthread_t thread;
  open_heaps(PAGES, &heap, 1);
  pool = sw_pool_new(&heap, BYTES, CELLS, CELLS, 2 * SW_POOL_GROWTH);
  if (pool == 0) fail("no pool");
  sw_object_type(&heap, pool, &life);
  if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0) fail("no thread");
}

static void ours(unsigned long times) {
  sw_pool_item item;
  for (; times != 0; times--) {
    if (sw_pool_acquire(&heap, pool, life, &item) != SW_OK) fail("nothing was acquired");
    *(volatile uint8_t *)(heap.base + item.block) = 1;
    if (sw_pool_release(&heap, pool, life, item.index, item.life) != SW_OK) fail("it was not released");
  }
}

static void theirs(unsigned long times) {
  for (; times != 0; times--) {
    volatile uint8_t *block = malloc(BYTES);
    if (block == NULL) fail("no memory");
    *block = 1;
    free((void *)(uintptr_t)block);
  }
}

int main(void) {
  char what[16];
  unsigned long times;
  open_all();
  while (scanf("%15s %lu", what, &times) == 2) {
    double begin = now(CLOCK_PROCESS_CPUTIME_ID);
    if (strcmp(what, "sabway") == 0) ours(times);
    else theirs(times);
    printf("%.9f\n", now(CLOCK_PROCESS_CPUTIME_ID) - begin);
    fflush(stdout);
  }
  return 0;
}
