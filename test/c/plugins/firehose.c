#include <stdlib.h>
#include <string.h>

#include "sabway/plugin.h"

typedef struct firehose {
  sabway_host *host;
  uint32_t sent;
} firehose;

static int open(sabway_host *host, const char *options, void **state) {
  (void)options;
  firehose *f = calloc(1, sizeof(*f));
  if (f == NULL) return -15;
  f->host = host;
  *state = f;
  return SABWAY_OK;
}

static int on_message(void *state, const void *bytes, uint32_t length) {
  firehose *f = state;
  (void)bytes, (void)length;
  f->host->stop(f->host);
  return SABWAY_OK;
}

static uint64_t on_tick(void *state, uint64_t now) {
  firehose *f = state;
  (void)now;
  uint8_t message[1000] = {0};
  for (int i = 0; i < 64; i++) {
    memcpy(message, &f->sent, sizeof(f->sent));
    if (f->host->send(f->host, message, sizeof(message)) < 0) return SABWAY_NEVER;
    f->sent++;
  }
  return 0;
}

static void close(void *state) { free(state); }

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {.abi = SABWAY_PLUGIN_ABI,
                                                      .name = "firehose",
                                                      .open = open,
                                                      .on_message = on_message,
                                                      .on_tick = on_tick,
                                                      .close = close};
