/* A bounded queue between threads: Sabway's, or one of queue.cc. A program that is told on its
 * standard input what to do, a line each: "across <n>", two threads put so many values and two
 * others take them; "pairs3 <n>", three threads each put one and take one, again and again, beside
 * some that stay. It answers with the seconds. What comes is checked: no value is lost or comes
 * twice, and those of one thread come in their order, where the queue has one.
 *
 * LEVELS and WIDE are Sabway's, too: priorities, and integers of 64 bits, which need a block each.
 * A thread that finds no room or no value pauses, and yields its processor now and then: the same
 * for all queues. */
#define _GNU_SOURCE
#include "queue.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "program.h"

enum { HALF = 2, STAY = 256, PATIENCE = 64, SEQUENCE_BITS = 24, SEQUENCE_MOST = (1 << SEQUENCE_BITS) - 1 };

#if defined(LEVELS) || defined(TBB)
enum { PRIORITIES = 1, ORDER = 0 };
#elif defined(ATOMIC)
/* A value passes the one before it where its thread loses the processor inside a call. */
enum { PRIORITIES = 0, ORDER = 0 };
#else
enum { PRIORITIES = 0, ORDER = 1 };
#endif

#if !defined(BOOST) && !defined(XENIUM) && !defined(VYUKOV) && !defined(ATOMIC) && !defined(TBB)

#include "sabway/map.h"
#include "sabway/queue.h"

enum { PAGES = 1024 };

static sw_heap heaps[THREADS_MOST];
static sw_queue_handle queues[THREADS_MOST];

void queue_open(void) {
  sw_queue_options options = {.type = SW_TYPE_QUEUE, .capacity = CAPACITY};
  if (PRIORITIES)
    options = (sw_queue_options){.type = SW_TYPE_PRIORITY_QUEUE, .capacity = CAPACITY, .levels = LEVELS_MOST};
  open_heaps(PAGES, heaps, THREADS_MOST);
  uint32_t at = sw_queue_new(&heaps[0], &options);
  if (at == 0) fail("no queue");
  for (int i = 0; i < THREADS_MOST; i++)
    if (sw_queue_open(&queues[i], &heaps[i], at, 0) != SW_OK) fail("the queue was not opened");
}

#if defined(WIDE)
typedef int64_t number;
enum { TYPE = SW_MAP_BIGINT };
#else
typedef double number;
enum { TYPE = SW_MAP_NUMBER };
#endif

int queue_put(int thread, uint32_t value) {
  number word = value;
  double priority = PRIORITIES ? value % LEVELS_MOST : 0;
  int status = sw_queue_put(&queues[thread], &heaps[thread], TYPE, &word, sizeof(word), priority);
  if (status < 0 && status != SW_EBUSY) fail("a value was not put");
  return status == 1;
}

int queue_take(int thread, uint32_t *value) {
  number word;
  int type = sw_queue_take(&queues[thread], &heaps[thread], &word, sizeof(word));
  if (type < 0 && type != SW_EBUSY) fail("a value was not taken");
  if (type == TYPE) *value = (uint32_t)word;
  return type == TYPE;
}

#endif

/* ---- what a thread does ---- */

typedef struct worker {
  pthread_t thread;
  int number;
  unsigned long puts, takes;
  uint64_t put, taken; /* the sums of what it has */
  uint32_t last[THREADS_MOST];
  uint32_t tries;
  uint8_t apart[64];
} worker;

static worker workers[THREADS_MOST];
static pthread_barrier_t begin_all;

static void rest(worker *w) {
  if (++w->tries % PATIENCE == 0) sched_yield();
  else __builtin_ia32_pause();
}

static void put_one(worker *w, unsigned long i) {
  uint32_t value = (uint32_t)w->number << SEQUENCE_BITS | (uint32_t)((i + 1) & SEQUENCE_MOST);
  while (!queue_put(w->number, value)) rest(w);
  w->put += value;
}

static void see(worker *w, uint32_t value) {
  uint32_t from = value >> SEQUENCE_BITS, sequence = value & SEQUENCE_MOST;
  w->taken += value;
  if (from >= THREADS_MOST) fail("a wrong value has come");
  uint32_t ahead = (sequence - w->last[from]) & SEQUENCE_MOST;
  if (ORDER && (ahead == 0 || ahead > SEQUENCE_MOST / 2)) fail("a value has come out of its turn");
  w->last[from] = sequence;
}

static void take_one(worker *w) {
  uint32_t value;
  while (!queue_take(w->number, &value)) rest(w);
  see(w, value);
}

static void *work(void *argument) {
  worker *w = argument;
  pthread_barrier_wait(&begin_all);
  for (unsigned long i = 0; i < w->puts || i < w->takes; i++) {
    if (i < w->puts) put_one(w, i);
    if (i < w->takes) take_one(w);
  }
  return NULL;
}

/* ---- runs ---- */

static double run(int threads, unsigned long stay) {
  uint64_t put = 0, taken = 0;
  uint32_t value;
  pthread_barrier_init(&begin_all, NULL, (unsigned)threads + 1);
  for (unsigned long i = 0; i < stay; i++) {
    /* as if the last thread had put them before */
    value = (uint32_t)(THREADS_MOST - 1) << SEQUENCE_BITS | (uint32_t)(SEQUENCE_MOST - stay + i + 1);
    if (!queue_put(0, value)) fail("a value that is to stay was not put");
    put += value;
  }
  for (int i = 0; i < threads; i++) {
    worker *w = &workers[i];
    w->number = i;
    w->put = w->taken = 0;
    for (int from = 0; from < THREADS_MOST; from++)
      w->last[from] = from == THREADS_MOST - 1 ? SEQUENCE_MOST - (uint32_t)stay : 0;
    if (pthread_create(&w->thread, NULL, work, w) != 0) fail("no thread");
  }
  double begin = now(CLOCK_MONOTONIC);
  pthread_barrier_wait(&begin_all);
  for (int i = 0; i < threads; i++) {
    pthread_join(workers[i].thread, NULL);
    put += workers[i].put;
    taken += workers[i].taken;
  }
  double seconds = now(CLOCK_MONOTONIC) - begin;
  for (; queue_take(0, &value); stay--) taken += value;
  if (put != taken || stay != 0) fail("values are missing, or were made up");
  pthread_barrier_destroy(&begin_all);
  return seconds;
}

/* Returns what the time of so many is to be multiplied by, for exactly `count`. */
static double across(unsigned long count) {
  unsigned long share = count / HALF + 1;
  for (int i = 0; i < 2 * HALF; i++) {
    workers[i].puts = i < HALF ? share : 0;
    workers[i].takes = i < HALF ? 0 : share;
  }
  return (double)count / (double)(share * HALF) * run(2 * HALF, 0);
}

static double pairs(int threads, unsigned long count) {
  unsigned long share = count / (unsigned long)threads + 1;
  for (int i = 0; i < threads; i++) workers[i].puts = workers[i].takes = share;
  return (double)count / (double)(share * (unsigned long)threads) * run(threads, STAY);
}

int main(void) {
  char what[16];
  unsigned long count;
  queue_open();
  while (scanf("%15s %lu", what, &count) == 2) {
    int threads = atoi(what + strcspn(what, "12345678"));
    double seconds = strcmp(what, "across") == 0 ? across(count) : pairs(threads, count);
    printf("%.9f\n", seconds);
    fflush(stdout);
  }
  return 0;
}
