/* The calls of a broadcast that sleep, for native threads. */
#include "sabway/broadcast.h"

#include "prim/prim.h"
#include "threads/waits.h"

/* How often a thread lets the holder of the lock go on before it sleeps. It needs some
 * microseconds, unless the system has stopped it. */
enum { YIELDS = 1000 };

typedef struct call {
  sw_heap *h;
  uint32_t at, generation, what;
  /* of a message */
  uint32_t type, length;
  const void *from;
  void *to;
  sw_broadcast_message *message;
} call;

static int attempt_send(void *context) {
  call *c = context;
  int status = SW_EBUSY;
  for (int i = 0; i < YIELDS && status == SW_EBUSY; i++) {
    if (i != 0) sw_prim_yield();
    status = sw_broadcast_try_send(c->h, c->at, c->generation, c->type, c->from, c->length);
  }
  return status == SW_EFULL ? SW_EBUSY : status;
}

static int attempt_receive(void *context) {
  call *c = context;
  int status = sw_broadcast_try_receive(c->h, c->at, c->generation, c->to, c->length, c->message);
  return status == 0 ? SW_EBUSY : status;
}

static void begin(void *context) {
  call *c = context;
  sw_broadcast_begin_wait(c->h, c->at, c->generation, c->what);
}

static void end(void *context) {
  call *c = context;
  sw_broadcast_end_wait(c->h, c->at, c->generation, c->what);
}

int sw_broadcast_send(sw_heap *h, uint32_t at, uint32_t generation, uint32_t type, const void *from, uint32_t length,
                      int64_t timeout_ns) {
  call c = {.h = h, .at = at, .generation = generation, .what = SW_BROADCAST_ROOM};
  c.type = type;
  c.from = from;
  c.length = length;
  return swi_wait(h->base, h->endpoint, timeout_ns, &(swi_wait_calls){attempt_send, begin, end}, &c);
}

int sw_broadcast_receive(sw_heap *h, uint32_t at, uint32_t generation, void *to, uint32_t room,
                         sw_broadcast_message *message, int64_t timeout_ns) {
  call c = {.h = h, .at = at, .generation = generation, .what = SW_BROADCAST_MESSAGES};
  c.to = to;
  c.length = room;
  c.message = message;
  return swi_wait(h->base, h->endpoint, timeout_ns, &(swi_wait_calls){attempt_receive, begin, end}, &c);
}
