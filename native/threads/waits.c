#include "threads/waits.h"

#include "base/peer.h"
#include "prim/prim.h"
#include "sabway/endpoint.h"
#include "sabway/wait.h"
#include "threads/spin.h"

/* A time-out that no clock reaches has no due time. */
static uint64_t due_at(uint64_t now, int64_t timeout_ns) {
  return timeout_ns < 0 || (uint64_t)timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + (uint64_t)timeout_ns;
}

typedef struct look {
  const swi_wait_calls *calls;
  void *context;
  int status;
} look;

static int is_over(void *context) {
  look *l = context;
  l->status = l->calls->attempt(l->context);
  return l->status != SW_EBUSY;
}

/* One sleep, unless there is something at once. */
static int sleep_once(void *base, uint32_t endpoint, uint64_t due, look *l) {
  uint64_t now = sw_prim_now(), most = (uint64_t)SW_WAIT_PATROL_MS * 1000000;
  l->calls->begin(l->context);
  uint32_t ticket = sw_endpoint_arm(base, endpoint, SW_SLEEP_FUTEX);
  int status = l->calls->attempt(l->context);
  if (status == SW_EBUSY && now >= due) status = SW_ETIMEDOUT;
  if (status == SW_EBUSY) {
    if (due - now < most) most = due - now;
    sw_prim_futex_wait(sw_endpoint_doorbell(base, endpoint), ticket, (int64_t)most);
  }
  sw_endpoint_disarm(base, endpoint);
  return status;
}

int swi_wait(void *base, uint32_t endpoint, int64_t timeout_ns, const swi_wait_calls *calls, void *context) {
  look l = {calls, context, calls->attempt(context)};
  if (l.status != SW_EBUSY) return l.status;
  if (timeout_ns == 0) return SW_ETIMEDOUT;
  uint64_t now = sw_prim_now(), due = due_at(now, timeout_ns), until = now + SW_WAIT_SPIN_NS;
  /* Of all waits of this thread: it remembers that a yield took long, as where other programs want
   * the processor, and then yields more rarely. */
  static _Thread_local sw_spinner spinner;
  swi_spin(&spinner, is_over, &l, until < due ? until : due);
  if (l.status != SW_EBUSY) return l.status;
  int status;
  do {
    status = sleep_once(base, endpoint, due, &l);
    if (status == SW_EBUSY) status = calls->attempt(context);
  } while (status == SW_EBUSY);
  calls->end(context);
  return status;
}
