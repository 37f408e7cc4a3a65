/* The mutex for native threads: spin for as long as a wake would cost, then sleep on the endpoint's
 * doorbell. */
#include "sabway/mutex.h"

#include "base/peer.h"
#include "prim/prim.h"
#include "sabway/endpoint.h"
#include "threads/spin.h"

/* A waiter that has waited for this long, or was woken so often without luck, asks for a hand-off:
 * faster ones would take the mutex from it again and again. */
enum { PATIENCE_NS = 1000000, PATIENCE_WAKES = 30 };

typedef struct wait {
  void *base;
  sw_mutex *mutex;
  uint32_t endpoint;
  uint64_t began, due;
} wait;

static int is_free(void *context) {
  const wait *w = context;
  return sw_mutex_holder(w->mutex) == 0;
}

/* A time-out that no clock reaches has no due time. */
static uint64_t due_at(uint64_t now, int64_t timeout_ns) {
  return timeout_ns < 0 || (uint64_t)timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + (uint64_t)timeout_ns;
}

static int spin(wait *w) {
  sw_spinner spinner = {0};
  uint64_t until = w->began + SW_WAIT_SPIN_NS;
  if (until > w->due) until = w->due;
  int status = SW_EBUSY;
  do {
    if (!swi_spin(&spinner, is_free, w, until)) break;
    status = sw_mutex_try_lock(w->base, w->mutex, w->endpoint);
  } while (status == SW_EBUSY && sw_prim_now() < until);
  return status;
}

/* How long the next sleep may last. Never without end, because the holder may be a participant that
 * vanishes, and a peer may write nonsense into the mutex. */
static uint64_t sleep_limit(const wait *w, uint32_t sleeps, uint64_t now) {
  uint32_t path = sw_endpoint_wake_path(w->base, w->endpoint, sw_mutex_holder(w->mutex), SW_SLEEP_FUTEX);
  uint64_t limit = sw_wait_limit_ms(path, sleeps);
  if (limit == 0 || limit > SW_WAIT_PATROL_MS) limit = SW_WAIT_PATROL_MS;
  return limit * 1000000 < w->due - now ? limit * 1000000 : w->due - now;
}

/* One sleep, unless the mutex can be had at once: SW_EBUSY when it is to be tried again. */
static int sleep_once(wait *w, uint32_t sleeps) {
  uint64_t now = sw_prim_now();
  if (now - w->began >= PATIENCE_NS || sleeps >= PATIENCE_WAKES)
    sw_mutex_request_handoff(w->base, w->mutex, w->endpoint);
  sw_mutex_begin_wait(w->base, w->mutex, w->endpoint);
  uint32_t ticket = sw_endpoint_arm(w->base, w->endpoint, SW_SLEEP_FUTEX);
  int status = sw_mutex_try_lock(w->base, w->mutex, w->endpoint);
  if (status == SW_EBUSY && now >= w->due) status = SW_ETIMEDOUT;
  if (status == SW_EBUSY) {
    uint32_t *doorbell = sw_endpoint_doorbell(w->base, w->endpoint);
    sw_prim_futex_wait(doorbell, ticket, (int64_t)sleep_limit(w, sleeps, now));
  }
  sw_endpoint_disarm(w->base, w->endpoint);
  return status;
}

int sw_mutex_lock(void *base, sw_mutex *mutex, uint32_t endpoint, int64_t timeout_ns) {
  int status = sw_mutex_try_lock(base, mutex, endpoint);
  if (status != SW_EBUSY) return status;
  if (timeout_ns == 0) return SW_ETIMEDOUT;
  uint64_t now = sw_prim_now();
  wait w = {base, mutex, endpoint, now, due_at(now, timeout_ns)};
  status = spin(&w);
  if (status != SW_EBUSY) return status;
  for (uint32_t sleeps = 0; status == SW_EBUSY; sleeps++) status = sleep_once(&w, sleeps);
  sw_mutex_end_wait(base, mutex, endpoint);
  return status;
}
