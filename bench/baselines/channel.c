/* Sabway's channels between two threads that sleep when there is nothing to do: what channel.go is
 * in Go. A program that is told on its standard input what to do, a line each: "one <n>", a thread
 * sends so many numbers through a channel, and another receives them; "select <n>", through four
 * channels in turn, of which the receiver selects. It answers with the seconds. */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>

#include "program.h"
#include "sabway/map.h"
#include "sabway/queue.h"
#include "threads/waits.h"

enum { PAGES = 1024, CAPACITY = 64, CHANNELS = 4, SENDER = 0, RECEIVER = 1, MASK = (1 << 24) - 1 };

static sw_heap heaps[2];
static sw_queue_handle channels[2][CHANNELS];

static void open_all(void) {
  open_heaps(PAGES, heaps, 2);
  for (int i = 0; i < CHANNELS; i++) {
    uint32_t at = sw_queue_new(&heaps[0], &(sw_queue_options){.type = SW_TYPE_CHANNEL, .capacity = CAPACITY});
    if (at == 0) fail("no channel");
    for (int end = 0; end < 2; end++)
      if (sw_queue_open(&channels[end][i], &heaps[end], at, 0) != SW_OK) fail("the channel was not opened");
  }
}

/* ---- sending, and receiving from one of several ---- */

typedef struct call {
  sw_queue_handle *first;
  sw_heap *h;
  uint32_t room; /* what it waits for, as in sw_queue_begin_wait */
  int count;
  uint32_t random;
  int index; /* of the one that was received from */
  double value;
} call;

static int try_send(void *context) {
  call *c = context;
  int status = sw_queue_put(c->first, c->h, SW_MAP_NUMBER, &c->value, sizeof(c->value), 0);
  return status == 0 ? SW_EBUSY : status;
}

/* From each, beginning with any. */
static int try_receive(void *context) {
  call *c = context;
  c->random = c->random * 1664525 + 1013904223;
  uint32_t begin = c->random >> 16;
  for (int i = 0; i < c->count; i++) {
    c->index = (int)((begin + (uint32_t)i) % (uint32_t)c->count);
    int type = sw_queue_take(&c->first[c->index], c->h, &c->value, sizeof(c->value));
    if (type != 0) return type;
  }
  return SW_EBUSY;
}

static void begin_wait(void *context) {
  const call *c = context;
  for (int i = 0; i < c->count; i++) sw_queue_begin_wait(&c->first[i], c->h, c->room);
}

static void end_wait(void *context) {
  const call *c = context;
  for (int i = 0; i < c->count; i++) sw_queue_end_wait(&c->first[i], c->h, c->room);
}

static const swi_wait_calls sending = {try_send, begin_wait, end_wait};
static const swi_wait_calls receiving = {try_receive, begin_wait, end_wait};

/* ---- threads ---- */

static int among;
static unsigned long count;
static pthread_barrier_t begin_both;

static void *send_all(void *argument) {
  call c = {.h = &heaps[SENDER], .room = 1, .count = 1};
  pthread_barrier_wait(&begin_both);
  for (unsigned long i = 0; i < count; i++) {
    c.first = &channels[SENDER][i % (unsigned long)among];
    c.value = (double)(i & MASK);
    if (swi_wait(c.h->base, c.h->endpoint, -1, &sending, &c) != 1) fail("it was not sent");
  }
  return argument;
}

static void receive_all(void) {
  call c = {.first = channels[RECEIVER], .h = &heaps[RECEIVER], .count = among, .random = 1};
  unsigned long seen[CHANNELS] = {0};
  pthread_barrier_wait(&begin_both);
  for (unsigned long i = 0; i < count; i++) {
    if (swi_wait(c.h->base, c.h->endpoint, -1, &receiving, &c) != SW_MAP_NUMBER) fail("nothing was received");
    unsigned long sent = (unsigned long)c.index + seen[c.index]++ * (unsigned long)among;
    if ((unsigned long)c.value != (sent & MASK)) fail("a value has come out of its turn");
  }
}

int main(void) {
  char what[16];
  open_all();
  while (scanf("%15s %lu", what, &count) == 2) {
    pthread_t sender;
    among = strcmp(what, "select") == 0 ? CHANNELS : 1;
    pthread_barrier_init(&begin_both, NULL, 2);
    if (pthread_create(&sender, NULL, send_all, NULL) != 0) fail("no thread");
    double begin = now(CLOCK_MONOTONIC);
    receive_all();
    pthread_join(sender, NULL);
    printf("%.9f\n", now(CLOCK_MONOTONIC) - begin);
    fflush(stdout);
    pthread_barrier_destroy(&begin_both);
  }
  return 0;
}
