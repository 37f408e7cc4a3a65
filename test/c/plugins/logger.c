#include <stdio.h>

#include "sabway/plugin.h"

static int open(sabway_host *host, const char *options, void **state) {
  *state = host;
  host->log(host, SABWAY_LOG_DEBUG, options);
  return SABWAY_OK;
}

static int on_message(void *state, const void *bytes, uint32_t length) {
  sabway_host *host = state;
  char text[128];
  snprintf(text, sizeof(text), "%u bytes: %.*s", length, length < 64 ? (int)length : 64, (const char *)bytes);
  host->log(host, SABWAY_LOG_INFO, text);
  if (length == 0) host->log(host, SABWAY_LOG_WARN, "empty");
  return SABWAY_OK;
}

static void close(void *state) {
  sabway_host *host = state;
  host->log(host, SABWAY_LOG_ERROR, "closed");
}

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {
    .abi = SABWAY_PLUGIN_ABI, .name = "logger", .open = open, .on_message = on_message, .close = close};
