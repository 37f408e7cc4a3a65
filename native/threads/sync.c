/* Locks and signals for native threads: the calls that sleep. */
#include "sabway/sync.h"

#include "prim/prim.h"
#include "sabway/mutex.h"
#include "threads/waits.h"

/* A wait for one object. `value`: of the attempt, what it needs. */
typedef struct wait {
  sw_heap *heap;
  uint32_t at, generation, type, which, value;
} wait;

static void begin(void *context) {
  const wait *w = context;
  sw_sync_begin_wait(w->heap, w->at, w->type, w->generation, w->which);
}
static void end(void *context) {
  const wait *w = context;
  sw_sync_end_wait(w->heap, w->at, w->type, w->generation, w->which);
}

static int wait_for(wait *w, int (*attempt)(void *), int64_t timeout_ns) {
  swi_wait_calls calls = {attempt, begin, end};
  return swi_wait(w->heap->base, w->heap->endpoint, timeout_ns, &calls, w);
}

static int try_event(void *context) {
  const wait *w = context;
  return sw_event_try(w->heap, w->at, w->generation);
}
int sw_event_wait(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns) {
  return wait_for(&(wait){h, at, generation, SW_TYPE_EVENT, 0, 0}, try_event, timeout_ns);
}

static int try_acquire(void *context) {
  const wait *w = context;
  return sw_semaphore_try_acquire(w->heap, w->at, w->generation);
}
int sw_semaphore_acquire(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns) {
  return wait_for(&(wait){h, at, generation, SW_TYPE_SEMAPHORE, 0, 0}, try_acquire, timeout_ns);
}

static int try_read(void *context) {
  const wait *w = context;
  return sw_rwlock_try_read(w->heap, w->at, w->generation);
}
int sw_rwlock_read(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns) {
  int status = sw_rwlock_try_read(h, at, generation); /* mostly there is no writer */
  if (status != SW_EBUSY) return status;
  return wait_for(&(wait){h, at, generation, SW_TYPE_RWLOCK, 1, 0}, try_read, timeout_ns);
}

static int try_write(void *context) {
  const wait *w = context;
  return sw_rwlock_try_write(w->heap, w->at, w->generation, w->value);
}
int sw_rwlock_write(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns) {
  wait w = {h, at, generation, SW_TYPE_RWLOCK, 0, timeout_ns != 0};
  int status = wait_for(&w, try_write, timeout_ns);
  /* the attempts before the first sleep may have made the claim, too */
  if (status == SW_ETIMEDOUT) end(&w);
  return status;
}

static int try_barrier(void *context) {
  const wait *w = context;
  return sw_barrier_try(w->heap, w->at, w->generation, w->value);
}
int sw_barrier_wait(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns) {
  wait w = {h, at, generation, SW_TYPE_BARRIER, 0, 0};
  int status;
  while ((status = sw_barrier_arrive(h, at, generation, &w.value)) == SW_EBUSY) sw_prim_yield();
  if (status != 0) return status;
  status = wait_for(&w, try_barrier, timeout_ns);
  if (status != SW_ETIMEDOUT) return status;
  while ((status = sw_barrier_withdraw(h, at, generation, w.value)) == SW_EBUSY) sw_prim_yield();
  return status == 1 ? sw_barrier_try(h, at, generation, w.value) : SW_ETIMEDOUT;
}

static int try_group(void *context) {
  const wait *w = context;
  return sw_group_try(w->heap, w->at, w->generation);
}
int sw_group_wait(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns) {
  return wait_for(&(wait){h, at, generation, SW_TYPE_WAIT_GROUP, 0, 0}, try_group, timeout_ns);
}

static int try_once(void *context) {
  const wait *w = context;
  return sw_once_begin(w->heap, w->at, w->generation);
}
int sw_once_wait(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns) {
  return wait_for(&(wait){h, at, generation, SW_TYPE_ONCE, 0, 0}, try_once, timeout_ns);
}

static int try_condition(void *context) {
  const wait *w = context;
  return sw_condition_try(w->heap, w->at, w->generation);
}
int sw_condition_wait(sw_heap *h, uint32_t at, uint32_t generation, sw_mutex *mutex, int64_t timeout_ns) {
  int status = sw_condition_enlist(h, at, generation);
  if (status != SW_OK) return status;
  status = sw_mutex_unlock(h->base, mutex, h->endpoint);
  if (status != SW_OK) {
    sw_condition_leave(h, at, generation);
    return status;
  }
  status = wait_for(&(wait){h, at, generation, SW_TYPE_CONDITION, 0, 0}, try_condition, timeout_ns);
  sw_condition_leave(h, at, generation);
  int locked = sw_mutex_lock(h->base, mutex, h->endpoint, -1);
  return locked == SW_OK ? status : locked;
}

/* Between two looks at whether the holder lives. */
enum { LOOK_NS = 1000000, ROUNDS = 256 };

int sw_spin_lock(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns) {
  int status = sw_spin_try_lock(h, at, generation, 0);
  if (status != SW_EBUSY) return status;
  uint64_t begin_ns = sw_prim_now(), looked = begin_ns;
  for (uint32_t round = 1;; round = round < ROUNDS ? round * 2 : ROUNDS) {
    for (uint32_t i = 0; i < round; i++) sw_prim_pause();
    uint64_t now = sw_prim_now();
    uint32_t closely = now - looked >= LOOK_NS;
    if (closely) looked = now;
    status = sw_spin_try_lock(h, at, generation, closely);
    if (status != SW_EBUSY) return status;
    if (timeout_ns >= 0 && now - begin_ns >= (uint64_t)timeout_ns) return SW_ETIMEDOUT;
    if (round == ROUNDS) sw_prim_yield();
  }
}
