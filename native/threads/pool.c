/* Native threads wait for a cell of a pool. */
#include "sabway/pool.h"
#include "threads/waits.h"

typedef struct call {
  sw_heap *h;
  uint32_t at, generation;
  sw_pool_item *item;
} call;

static int attempt(void *context) {
  const call *c = context;
  int status = sw_pool_acquire(c->h, c->at, c->generation, c->item);
  return status == SW_EPOOLEMPTY ? SW_EBUSY : status;
}

static void begin(void *context) {
  const call *c = context;
  sw_pool_begin_wait(c->h, c->at, c->generation);
}

static void end(void *context) {
  const call *c = context;
  sw_pool_end_wait(c->h, c->at, c->generation);
}

int sw_pool_acquire_wait(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns, sw_pool_item *item) {
  call c = {h, at, generation, item};
  return swi_wait(h->base, h->endpoint, timeout_ns, &(swi_wait_calls){attempt, begin, end}, &c);
}
