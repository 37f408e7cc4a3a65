/* The built-in handlers are plugins that need no file. */
#include "handlers.h"

#include <stdlib.h>
#include <string.h>

#include "sabway/crc32c.h"
#include "sabway/error.h"
#include "sabway/options.h"
#include "sabway/worker.h"

/* ---- echo: every message back, in order ---- */

static int echo_open(sabway_host *host, const char *options, void **state) {
  (void)options;
  *state = host;
  return SABWAY_OK;
}

static int echo_message(void *state, const void *bytes, uint32_t length) {
  sabway_host *host = state;
  int status = host->send(host, bytes, length);
  return status == SW_EFULL ? SABWAY_RETRY : status;
}

static void nothing_to_close(void *state) { (void)state; }

static const sabway_plugin_v1 echo = {.abi = SABWAY_PLUGIN_ABI,
                                      .flags = SABWAY_IN_PLACE,
                                      .name = "echo",
                                      .open = echo_open,
                                      .on_message = echo_message,
                                      .close = nothing_to_close};

/* ---- sink: count, and the CRC-32C of all payloads, one behind the other ---- */

static int sink_message(void *state, const void *bytes, uint32_t length) {
  swi_worker_add_crc(state, bytes, length);
  return SABWAY_OK;
}

static const sabway_plugin_v1 sink = {.abi = SABWAY_PLUGIN_ABI,
                                      .flags = SABWAY_IN_PLACE,
                                      .name = "sink",
                                      .open = echo_open,
                                      .on_message = sink_message,
                                      .close = nothing_to_close};

/* ---- source: sends messages of `size` bytes, `rate` per second (0: as fast as they are taken),
 * `count` in all (0: no end). Byte i of message n is (n + i) & 0xff; from 4 bytes on, the first
 * four hold n, little-endian. ---- */

enum { AT_ONCE = 256 };

typedef struct source_state {
  sabway_host *host;
  uint8_t *pattern; /* size + 256 bytes, so that every message is a plain copy */
  uint32_t size;
  uint64_t sent;
  uint32_t count;
  double interval; /* ns */
  uint64_t begin;
} source_state;

static int source_open(sabway_host *host, const char *options, void **state) {
  double size = sabway_option(options, "size", 64);
  double rate = sabway_option(options, "rate", 0);
  double count = sabway_option(options, "count", 0);
  if (!(size >= 0 && size <= SW_RING_MAX) || !(rate >= 0) || !(count >= 0 && count <= UINT32_MAX)) {
    host->log(host, SABWAY_LOG_ERROR, "source: size is 0 to 512 MiB, rate at least 0, count 0 to 4294967295");
    return SW_EINVAL;
  }
  source_state *s = calloc(1, sizeof(*s));
  uint8_t *pattern = malloc((size_t)size + 256);
  if (s == NULL || pattern == NULL) {
    free(s);
    free(pattern);
    host->log(host, SABWAY_LOG_ERROR, "source: no memory for a message of this size");
    return SW_ENOMEM;
  }
  s->pattern = pattern;
  for (size_t i = 0; i < (size_t)size + 256; i++) s->pattern[i] = (uint8_t)i;
  s->host = host;
  s->size = (uint32_t)size;
  s->count = (uint32_t)count;
  s->interval = rate > 0 ? 1e9 / (rate < 1e-9 ? 1e-9 : rate) : 0;
  s->begin = host->now(host);
  *state = s;
  return SABWAY_OK;
}

static int send_next(source_state *s) {
  void *room;
  int status = s->host->reserve(s->host, s->size, &room);
  if (status != SABWAY_OK) return status;
  memcpy(room, s->pattern + (s->sent & 0xff), s->size);
  if (s->size >= 4) memcpy(room, &s->sent, 4);
  s->sent++;
  return s->host->commit(s->host, s->size);
}

static uint64_t source_tick(void *state, uint64_t now) {
  source_state *s = state;
  for (int i = 0; i < AT_ONCE; i++) {
    if (s->count != 0 && s->sent == s->count) return SABWAY_NEVER;
    double ahead = s->interval * (double)s->sent;
    /* 30 years: more than a rate means, and than a uint64_t may hold */
    if (ahead > 1e18) return SABWAY_NEVER;
    uint64_t due = s->begin + (uint64_t)ahead;
    if (due > now) return due;
    int status = send_next(s);
    if (status == SABWAY_OK) continue;
    if (status == SW_ETOOBIG) {
      s->host->log(s->host, SABWAY_LOG_ERROR, "source: size is larger than the ring towards JavaScript");
      s->host->stop(s->host);
    }
    return SABWAY_NEVER; /* full: called again when there is room */
  }
  return 0;
}

static void source_close(void *state) {
  source_state *s = state;
  free(s->pattern);
  free(s);
}

static const sabway_plugin_v1 source = {
    .abi = SABWAY_PLUGIN_ABI, .name = "source", .open = source_open, .on_tick = source_tick, .close = source_close};

const sabway_plugin_v1 *sw_handler_find(const char *name) {
  const sabway_plugin_v1 *all[] = {&echo, &sink, &source};
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    if (strcmp(all[i]->name, name) == 0) return all[i];
  }
  return NULL;
}
