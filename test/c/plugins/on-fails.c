#include "sabway/plugin.h"

static int open(sabway_host *host, const char *options, void **state) {
  (void)options;
  *state = host;
  return SABWAY_OK;
}

static int on_message(void *state, const void *bytes, uint32_t length) {
  (void)state, (void)bytes, (void)length;
  return -7;
}

static void close(void *state) { (void)state; }

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {
    .abi = SABWAY_PLUGIN_ABI, .name = "on-fails", .open = open, .on_message = on_message, .close = close};
