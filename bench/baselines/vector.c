/* Integers are appended to a vector: Sabway's, or with TBB that of vector.cc. A program that is
 * told on its standard input what to do, a line each: "push <n>", one thread appends, and begins
 * anew with an empty vector behind every 100,000; "both <n>", two threads append to one. It answers
 * with the seconds that those took: of its own processor time where it is one thread. */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>

#include "program.h"

enum { ELEMENTS = 100000 };

#if defined(TBB)

/* vector.cc */
void vector_new(void);
void vector_push(int thread, uint32_t from, uint32_t to);
uint32_t vector_length(void);
void vector_free(void);

static void open_all(void) {}

#else

#include "sabway/vector.h"

enum { PAGES = 32768 };

static sw_heap heaps[2];
static uint32_t vector, generation;

static void open_all(void) { open_heaps(PAGES, heaps, 2); }

static void vector_new(void) {
  vector = sw_vector_new(&heaps[0], SW_COMPONENT_U32, 1, 0);
  if (vector == 0 || sw_object_type(&heaps[0], vector, &generation) != SW_TYPE_VECTOR) fail("no vector");
}

static void vector_push(int thread, uint32_t from, uint32_t to) {
  for (; from != to; from++) {
    int status = sw_vector_push(&heaps[thread], vector, generation, &from);
    while (status == SW_EBUSY) status = sw_vector_push(&heaps[thread], vector, generation, &from);
    if (status != SW_OK) fail("an element was not appended");
  }
}

static uint32_t vector_length(void) { return sw_vector_length(&heaps[0], vector); }
static void vector_free(void) {
  if (sw_vector_free(&heaps[0], vector, generation) != SW_OK) fail("it was not freed");
}

#endif

static uint32_t share;
static pthread_barrier_t begin_both;

static void push(uint32_t count) {
  for (uint32_t left = count; left != 0;) {
    uint32_t some = left < ELEMENTS ? left : ELEMENTS;
    vector_new();
    vector_push(0, 0, some);
    if (vector_length() != some) fail("elements are missing");
    vector_free();
    left -= some;
  }
}

static void *push_share(void *argument) {
  pthread_barrier_wait(&begin_both);
  vector_push(argument != NULL, 0, share);
  return NULL;
}

static void both(uint32_t count) {
  pthread_t other;
  share = count / 2;
  vector_new();
  pthread_barrier_init(&begin_both, NULL, 2);
  if (pthread_create(&other, NULL, push_share, &share) != 0) fail("no thread");
  push_share(NULL);
  pthread_join(other, NULL);
  if (vector_length() != 2 * share) fail("elements are missing");
  vector_free();
}

int main(void) {
  char what[16];
  unsigned count;
  open_all();
  both(0); /* with one thread that has ever been started, the C library takes shortcuts */
  while (scanf("%15s %u", what, &count) == 2) {
    const int two = strcmp(what, "both") == 0;
    const clockid_t of = two ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID;
    double begin = now(of);
    if (two) both(count);
    else push(count);
    printf("%.9f\n", now(of) - begin);
    fflush(stdout);
  }
  return 0;
}
