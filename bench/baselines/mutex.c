/* Lock and unlock of Sabway's mutex, and of what it is measured against: a robust mutex of the C
 * library, shared by processes. A program that is told on its standard input what to do, a line
 * each: "sabway <pairs>" or "pthread <pairs>"; it answers with the seconds of its own processor
 * time that those took. No other thread wants the mutex. */
#define _GNU_SOURCE

#include <pthread.h>
#include <string.h>

#include "program.h"
#include "sabway/mutex.h"

enum { PAGES = 64 };

typedef struct locks {
  sw_mutex ours;
  uint8_t apart[4096];
  pthread_mutex_t theirs;
} locks;

static uint8_t *base;
static locks *l;
static uint32_t endpoint;

/* With one thread that has ever been started, the C library takes shortcuts. */
static void *nothing(void *argument) { return argument; }

static void open_all(void) {
  pthread_t thread;
  pthread_mutexattr_t robust;
  base = mmap(NULL, PAGES * SW_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED || sw_region_format_empty(base, PAGES, 0) != SW_OK) fail("no region");
  l = (locks *)(void *)(base + SW_HEAP_AT);
  uint64_t start = sw_prim_process_start(sw_prim_pid());
  int index = sw_endpoint_claim(base, sw_prim_pid(), (uint32_t)start, (uint32_t)(start >> 32));
  if (index < 0) fail("no endpoint");
  endpoint = (uint32_t)index;
  if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0) fail("no thread");
  pthread_mutexattr_init(&robust);
  pthread_mutexattr_setpshared(&robust, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
  if (pthread_mutex_init(&l->theirs, &robust) != 0) fail("no robust mutex");
}

static int lock_ours(unsigned long pairs) {
  int status = SW_OK;
  for (; pairs != 0 && status == SW_OK; pairs--) {
    status = sw_mutex_lock(base, &l->ours, endpoint, -1);
    if (status == SW_OK) status = sw_mutex_unlock(base, &l->ours, endpoint);
  }
  return status;
}

static int lock_theirs(unsigned long pairs) {
  int status = 0;
  for (; pairs != 0 && status == 0; pairs--) {
    status = pthread_mutex_lock(&l->theirs);
    if (status == 0) status = pthread_mutex_unlock(&l->theirs);
  }
  return status;
}

int main(void) {
  char what[16];
  unsigned long pairs;
  open_all();
  while (scanf("%15s %lu", what, &pairs) == 2) {
    double begin = now(CLOCK_PROCESS_CPUTIME_ID);
    int status = strcmp(what, "sabway") == 0 ? lock_ours(pairs) : lock_theirs(pairs);
    if (status != 0) fail("a lock failed");
    printf("%.9f\n", now(CLOCK_PROCESS_CPUTIME_ID) - begin);
    fflush(stdout);
  }
  return 0;
}
