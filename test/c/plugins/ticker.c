#include <stdlib.h>

#include "sabway/options.h"
#include "sabway/plugin.h"

typedef struct ticker {
  sabway_host *host;
  uint64_t interval;
  uint64_t due;
} ticker;

static int open(sabway_host *host, const char *options, void **state) {
  ticker *t = calloc(1, sizeof(*t));
  if (t == NULL) return -15;
  t->host = host;
  t->interval = (uint64_t)(sabway_option(options, "interval", 10) * 1e6);
  t->due = host->now(host) + t->interval;
  *state = t;
  return SABWAY_OK;
}

static uint64_t on_tick(void *state, uint64_t now) {
  ticker *t = state;
  if (now < t->due) return t->due;
  uint64_t tick[2] = {t->due, now};
  t->host->send(t->host, tick, sizeof(tick)); /* a tick that finds no room is lost */
  t->due += t->interval;
  return t->due;
}

static void close(void *state) { free(state); }

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {
    .abi = SABWAY_PLUGIN_ABI, .name = "ticker", .open = open, .on_tick = on_tick, .close = close};
