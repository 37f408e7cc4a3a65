#ifndef SABWAY_HANDLERS_H
#define SABWAY_HANDLERS_H

#include "sabway/plugin.h"

/* Add a payload to the check-sum in the worker's statistics. Worker thread only. */
void swi_worker_add_crc(sabway_host *host, const void *bytes, uint32_t length);

#endif
