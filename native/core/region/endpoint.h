/* Endpoints, as the rest of the core reaches them. */
#ifndef SABWAY_CORE_ENDPOINT_H
#define SABWAY_CORE_ENDPOINT_H

#include <stdbool.h>

#include "sabway/layout.h"

static inline sw_endpoint *swi_endpoint_at(const void *base, uint32_t index) {
  return (sw_endpoint *)((uint8_t *)base + SW_HEADER_BYTES) + index;
}

/* The endpoint a role word names, or NULL: the word comes from the peer. */
sw_endpoint *swi_endpoint_named(const void *base, uint32_t role);

/* sw_endpoint_role_alive, as the owner of `endpoint` asks: a participant of its own process needs
 * no question to the operating system. */
bool swi_endpoint_lives(const void *base, uint32_t endpoint, uint32_t role);

#endif
