/* Relays, as doorbells use them. */
#ifndef SABWAY_CORE_RELAY_H
#define SABWAY_CORE_RELAY_H

#include "sabway/layout.h"

/* Have a relay wake `e`, whose doorbell has been rung for the `rings`-th time. */
void swi_relay_ask(void *base, sw_endpoint *e, uint32_t rings);

#endif
