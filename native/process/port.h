/* What others in this folder need of a port. */
#ifndef SABWAY_PORT_H
#define SABWAY_PORT_H

#include "sabway/shared.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The role word of the other side's holder, its receiver first; zero when it has none. Any thread,
 * wait-free. */
uint32_t swi_port_peer(const sw_port *p);

/* The participant of the other side that has ended without leaving it, and has no living successor;
 * zero when there is none. Any thread. Asks the operating system. */
uint32_t swi_port_dead_peer(const sw_port *p);

#ifdef __cplusplus
}
#endif

#endif
