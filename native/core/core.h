/* What core files share among themselves. */
#ifndef SABWAY_CORE_H
#define SABWAY_CORE_H

#include "sabway/layout.h"

#ifndef NULL
#define NULL ((void *)0)
#endif

/* Are a ring's fixed words possible inside a region of `size` bytes? Fills private copies. */
int sw__ring_bounds(const sw_ring *ring, uint64_t size, uint32_t *capacity, uint32_t *data);

#endif
