#include "sabway/plugin.h"

static int open(sabway_host *host, const char *options, void **state) {
  (void)host, (void)options, (void)state;
  return SABWAY_OK;
}

static void close(void *state) { (void)state; }

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {.abi = 999, .name = "bad-abi", .open = open, .close = close};
