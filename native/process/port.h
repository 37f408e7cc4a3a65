/* What others in this folder need of a port. */
#ifndef SABWAY_PORT_H
#define SABWAY_PORT_H

#include "sabway/shared.h"

/* The role word of whoever holds the other side, its receiver first; zero when nobody does. Any thread, wait-free. */
uint32_t sw__port_peer(const sw_port *p);

#endif
