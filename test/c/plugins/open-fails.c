#include "sabway/plugin.h"

static int open(sabway_host *host, const char *options, void **state) {
  (void)options, (void)state;
  host->log(host, SABWAY_LOG_ERROR, "no camera on port 7");
  return -5;
}

/* Must not be called: the log line would show it. */
static void close(void *state) {
  sabway_host *host = state;
  host->log(host, SABWAY_LOG_ERROR, "closed");
}

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {
    .abi = SABWAY_PLUGIN_ABI, .name = "open-fails", .open = open, .close = close};
