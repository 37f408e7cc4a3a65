#include <stdlib.h>

#include "sabway/plugin.h"

enum { FULL = -4 };

typedef struct again {
  sabway_host *host;
  int seen;
} again;

static int open(sabway_host *host, const char *options, void **state) {
  (void)options;
  again *a = calloc(1, sizeof(*a));
  if (a == NULL) return -15;
  a->host = host;
  *state = a;
  return SABWAY_OK;
}

static int on_message(void *state, const void *bytes, uint32_t length) {
  again *a = state;
  if (a->seen) {
    int status = a->host->send(a->host, bytes, length);
    if (status != FULL) a->seen = 0;
    return status == FULL ? SABWAY_RETRY : status;
  }
  a->seen = 1;
  return SABWAY_RETRY;
}

static void close(void *state) { free(state); }

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {
    .abi = SABWAY_PLUGIN_ABI, .name = "again", .open = open, .on_message = on_message, .close = close};
