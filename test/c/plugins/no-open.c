#include "sabway/plugin.h"

static void close(void *state) { (void)state; }

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {.abi = SABWAY_PLUGIN_ABI, .name = "no-open", .close = close};
