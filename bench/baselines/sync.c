/* Locks between threads: Sabway's, and those of the C library, shared by processes. A program that
 * is told on its standard input what to do, a line each: what, how many threads, and how often all
 * together do it, as in "read2 1000000". It answers with the seconds: of its own processor time
 * where it is one thread.
 *
 *   read, pread        lock for reading and unlock: sw_rwlock, pthread_rwlock
 *   barrier, pbarrier  meet the others: sw_barrier, pthread_barrier
 *   mutex, pmutex      lock, change what is shared, unlock: sw_mutex, a robust pthread_mutex */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>

#include "program.h"
#include "sabway/mutex_object.h"
#include "sabway/sync.h"

enum { PAGES = 1024, THREADS_MOST = 8 };

/* Each in lines of its own. */
typedef struct locks {
  pthread_rwlock_t rwlock;
  uint8_t apart1[128];
  pthread_barrier_t barrier;
  uint8_t apart2[128];
  pthread_mutex_t mutex;
  uint8_t apart3[128];
  uint64_t changed; /* under a mutex */
} locks;

static sw_heap heaps[THREADS_MOST];
static locks *theirs;
static uint32_t rwlock, rwlock_life, barrier, barrier_life;
static sw_mutex *mutex;

/* ---- what is measured: nonzero when it failed ---- */

static int read_ours(sw_heap *h) {
  int status = sw_rwlock_read(h, rwlock, rwlock_life, -1);
  return status != SW_OK ? status : sw_rwlock_end_read(h, rwlock, rwlock_life);
}

static int read_theirs(sw_heap *h) {
  (void)h;
  return pthread_rwlock_rdlock(&theirs->rwlock) | pthread_rwlock_unlock(&theirs->rwlock);
}

static int meet_ours(sw_heap *h) {
  int status = sw_barrier_wait(h, barrier, barrier_life, -1);
  return status == 1 ? 0 : status;
}

static int meet_theirs(sw_heap *h) {
  (void)h;
  int status = pthread_barrier_wait(&theirs->barrier);
  return status == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : status;
}

static void change(void) { theirs->changed++; }

static int lock_ours(sw_heap *h) {
  int status = sw_mutex_lock(h->base, mutex, h->endpoint, -1);
  if (status != SW_OK) return status;
  change();
  return sw_mutex_unlock(h->base, mutex, h->endpoint);
}

static int lock_theirs(sw_heap *h) {
  (void)h;
  int status = pthread_mutex_lock(&theirs->mutex);
  if (status != 0) return status;
  change();
  return pthread_mutex_unlock(&theirs->mutex);
}

typedef struct act {
  const char *name;
  int (*once)(sw_heap *h);
  int changes, meets;
} act;

static const act acts[] = {{"read", read_ours, 0, 0},    {"pread", read_theirs, 0, 0},
                           {"barrier", meet_ours, 0, 1}, {"pbarrier", meet_theirs, 0, 1},
                           {"mutex", lock_ours, 1, 0},   {"pmutex", lock_theirs, 1, 0}};

/* ---- threads ---- */

static pthread_barrier_t begin_all;
static const act *doing;
static unsigned long share;

static void *work(void *argument) {
  sw_heap *h = argument;
  pthread_barrier_wait(&begin_all);
  for (unsigned long i = 0; i < share; i++)
    if (doing->once(h) != 0) fail(doing->name);
  return NULL;
}

static void open_all(void) {
  pthread_rwlockattr_t rw;
  pthread_mutexattr_t robust;
  open_heaps(PAGES, heaps, THREADS_MOST);
  theirs = mmap(NULL, sizeof(locks), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (theirs == MAP_FAILED) fail("no memory");
  pthread_rwlockattr_init(&rw);
  pthread_rwlockattr_setpshared(&rw, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_init(&robust);
  pthread_mutexattr_setpshared(&robust, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
  if (pthread_rwlock_init(&theirs->rwlock, &rw) != 0) fail("no rwlock");
  if (pthread_mutex_init(&theirs->mutex, &robust) != 0) fail("no robust mutex");
  rwlock = sw_sync_new(&heaps[0], SW_TYPE_RWLOCK, 0, 0, 0);
  uint32_t at = sw_mutex_new(&heaps[0]);
  if (rwlock == 0 || at == 0) fail("no locks");
  sw_object_type(&heaps[0], rwlock, &rwlock_life);
  mutex = &((sw_mutex_object *)(void *)(heaps[0].base + at))->mutex;
}

/* Barriers are for so many threads. */
static void open_barriers(unsigned threads) {
  pthread_barrierattr_t shared;
  pthread_barrierattr_init(&shared);
  pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
  if (pthread_barrier_init(&theirs->barrier, &shared, threads) != 0) fail("no barrier");
  barrier = sw_sync_new(&heaps[0], SW_TYPE_BARRIER, threads, 0, 0);
  if (barrier == 0) fail("no barrier");
  sw_object_type(&heaps[0], barrier, &barrier_life);
}

static void close_barriers(void) {
  pthread_barrier_destroy(&theirs->barrier);
  if (sw_sync_free(&heaps[0], barrier, SW_TYPE_BARRIER, barrier_life) != SW_OK) fail("the barrier was not freed");
}

static double run(int threads) {
  pthread_t all[THREADS_MOST];
  clockid_t of = threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
  open_barriers((unsigned)threads);
  theirs->changed = 0;
  pthread_barrier_init(&begin_all, NULL, (unsigned)threads + 1);
  for (int i = 0; i < threads; i++)
    if (pthread_create(&all[i], NULL, work, &heaps[i]) != 0) fail("no thread");
  double begin = now(of);
  pthread_barrier_wait(&begin_all);
  for (int i = 0; i < threads; i++) pthread_join(all[i], NULL);
  double seconds = now(of) - begin;
  if (doing->changes && theirs->changed != share * (unsigned long)threads) fail("a change was lost");
  pthread_barrier_destroy(&begin_all);
  close_barriers();
  return seconds;
}

int main(void) {
  char what[16];
  int threads;
  unsigned long count;
  open_all();
  while (scanf(" %15[a-z]%d %lu", what, &threads, &count) == 3) {
    if (threads < 1 || threads > THREADS_MOST) fail("not so many threads");
    doing = NULL;
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
      if (strcmp(acts[i].name, what) == 0) doing = &acts[i];
    if (doing == NULL) fail("no such work");
    /* all meet at a barrier, while the others are done by one thread at a time */
    unsigned long each = doing->meets ? count : count / (unsigned long)threads;
    share = each == 0 ? 1 : each;
    double whole = (double)(doing->meets ? share : share * (unsigned long)threads);
    printf("%.9f\n", run(threads) * (double)count / whole);
    fflush(stdout);
  }
  return 0;
}
