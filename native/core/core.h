/* What core files share among themselves. */
#ifndef SABWAY_CORE_H
#define SABWAY_CORE_H

#include "sabway/layout.h"

#ifndef NULL
#define NULL ((void *)0)
#endif

/* The parts of sw_endpoint.sleeping. */
enum { SWI_HOW = 3, SWI_HOW_BITS = 3 };

static inline sw_endpoint *swi_endpoint_at(const void *base, uint32_t index) {
  return (sw_endpoint *)((uint8_t *)base + SW_HEADER_BYTES) + index;
}

/* The endpoint a role word names, or NULL: the word comes from the peer. */
sw_endpoint *swi_endpoint_named(const void *base, uint32_t role);

/* sw_endpoint_ring because of a message: a quiet sleeper (SW_SLEEP_QUIET) sleeps on. */
void swi_endpoint_ring_for_message(void *base, uint32_t role);

/* Have a relay wake `e`, whose doorbell has been rung for the `rings`-th time. */
void swi_relay_ask(void *base, sw_endpoint *e, uint32_t rings);

/* Are a ring's fixed words possible inside a region of `size` bytes? Fills private copies. */
int swi_ring_bounds(const sw_ring *ring, uint64_t size, uint32_t *capacity, uint32_t *data);

#endif
