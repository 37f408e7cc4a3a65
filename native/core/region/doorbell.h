/* Doorbells, as the ring uses them. */
#ifndef SABWAY_CORE_DOORBELL_H
#define SABWAY_CORE_DOORBELL_H

#include "sabway/layout.h"

/* sw_endpoint_ring because of a message: a quiet sleeper (SW_SLEEP_QUIET) sleeps on. */
void swi_doorbell_ring_for_message(void *base, uint32_t role);

#endif
