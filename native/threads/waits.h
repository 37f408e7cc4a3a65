/* How a native thread waits for something of an object: it spins for as long as a wake would cost,
 * then sleeps on its endpoint's doorbell.
 *
 *   typedef struct wait { sw_heap *heap; uint32_t at, generation; } wait;
 *   static int try(void *w) { ... }          SW_EBUSY: there is nothing yet
 *   static void begin(void *w) { ... }       sw_..._begin_wait: the own bit is set
 *   static void end(void *w) { ... }         sw_..._end_wait: it is cleared, and the baton passed
 * on
 *
 *   swi_wait_calls calls = {try, begin, end};
 *   status = swi_wait(h->base, h->endpoint, timeout_ns, &calls, &w); */
#ifndef SABWAY_THREADS_WAITS_H
#define SABWAY_THREADS_WAITS_H

#include "sabway/error.h"
#include "sabway/layout.h"

typedef struct swi_wait_calls {
  /* Returns SW_EBUSY to wait on, and anything else to end the wait with. */
  int (*attempt)(void *context);
  /* Before each sleep: set the own bit. */
  void (*begin)(void *context);
  /* Once, where `begin` was called: clear it, and ring others for what is left. */
  void (*end)(void *context);
} swi_wait_calls;

/* Wait for at most `timeout_ns` (negative: no time-out; zero: one attempt). No sleep is longer than
 * SW_WAIT_PATROL_MS, as a waker may vanish, and a peer may write nonsense. Returns what `attempt`
 * returned, but SW_ETIMEDOUT in place of SW_EBUSY. */
int swi_wait(void *base, uint32_t endpoint, int64_t timeout_ns, const swi_wait_calls *calls, void *context);

#endif
