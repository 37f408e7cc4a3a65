/* Answers each message with its address. The file that includes this one sets NAME and FLAGS. */
#include "sabway/plugin.h"

static int open(sabway_host *host, const char *options, void **state) {
  (void)options;
  *state = host;
  return SABWAY_OK;
}

static int on_message(void *state, const void *bytes, uint32_t length) {
  sabway_host *host = state;
  (void)length;
  uint64_t address = (uintptr_t)bytes;
  return host->send(host, &address, sizeof(address));
}

static void close(void *state) { (void)state; }

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {
    .abi = SABWAY_PLUGIN_ABI, .flags = FLAGS, .name = NAME, .open = open, .on_message = on_message, .close = close};
