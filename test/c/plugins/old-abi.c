#include "sabway/plugin.h"

static int open(sabway_host *host, const char *options, void **state) {
  (void)options;
  *state = host;
  return SABWAY_OK;
}

static int on_message(void *state, const void *bytes, uint32_t length) {
  sabway_host *host = state;
  return host->send(host, bytes, length);
}

static void close(void *state) { (void)state; }

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {
    .abi = 1, .name = "old-abi", .open = open, .on_message = on_message, .close = close};
