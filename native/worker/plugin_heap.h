/* The heap of a worker's region, as plugins have it: see sabway_heap in plugin.h. */
#ifndef SABWAY_PLUGIN_HEAP_H
#define SABWAY_PLUGIN_HEAP_H

#include "sabway/heap.h"
#include "sabway/plugin.h"
#include "sabway/side.h"

typedef struct swi_plugin_heap {
  sabway_heap calls; /* first: what host->heap points to */
  sw_heap handle;
} swi_plugin_heap;

/* Open the heap of the region, when it has one, and let the host have it. Worker thread only, which
 * calls swi_plugin_heap_close before it gives the endpoint back. */
void swi_plugin_heap_open(swi_plugin_heap *heap, sabway_host *host, const sw_place *place, uint32_t endpoint);
void swi_plugin_heap_close(sabway_host *host);

#endif
