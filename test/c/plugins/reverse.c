#include "sabway/plugin.h"

enum { FULL = -4 };

static int open(sabway_host *host, const char *options, void **state) {
  (void)options;
  *state = host;
  return SABWAY_OK;
}

static int on_message(void *state, const void *bytes, uint32_t length) {
  sabway_host *host = state;
  void *room;
  int status = host->reserve(host, length, &room);
  if (status == FULL) return SABWAY_RETRY;
  if (status < 0) return status;
  const uint8_t *from = bytes;
  uint8_t *to = room;
  for (uint32_t i = 0; i < length; i++) to[i] = from[length - 1 - i];
  return host->commit(host, length);
}

static void close(void *state) { (void)state; }

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {
    .abi = SABWAY_PLUGIN_ABI, .name = "reverse", .open = open, .on_message = on_message, .close = close};
