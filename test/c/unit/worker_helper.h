/* A worker on the native side, and the test on the renderer's side. */
#ifndef SABWAY_TEST_WORKER_HELPER_H
#define SABWAY_TEST_WORKER_HELPER_H

#include "helper.h"
#include "sabway/worker.h"

typedef struct peer {
  region r;
  uint32_t index;
  sw_producer p; /* to the worker */
  sw_consumer c; /* from it */
  sw_worker *worker;
  void *library;
  char log[2048]; /* "level:text\n" for each line; the worker writes it */
  uint32_t log_bytes;
  uint32_t exited; /* shared */
  int status;
} peer;

HELPER void peer_on_log(void *context, int level, const char *text) {
  peer *o = context;
  uint32_t at = sw_load_relaxed(&o->log_bytes);
  int wrote = snprintf(o->log + at, sizeof(o->log) - at, "%d:%s\n", level, text);
  sw_store_release(&o->log_bytes, at + (uint32_t)wrote);
}

HELPER void peer_on_exit(void *context, int status) {
  peer *o = context;
  o->status = status;
  sw_store_release(&o->exited, 1);
}

HELPER void peer_open(peer *o, uint32_t to_worker, uint32_t from_worker) {
  memset(o, 0, sizeof(*o));
  o->r = region_new(to_worker, from_worker);
  o->index = region_claim(&o->r);
  assert_int_equal(sw_channel_open_producer(&o->p, o->r.base, o->r.size, SW_HEAP_AT, 0, SW_RENDERER, o->index), SW_OK);
  assert_int_equal(sw_channel_open_consumer(&o->c, o->r.base, o->r.size, SW_HEAP_AT, 0, SW_RENDERER, o->index), SW_OK);
}

HELPER int peer_start(peer *o, const sabway_plugin_v1 *plugin, const char *json) {
  sw_worker_options options = {.base = o->r.base,
                               .size = o->r.size,
                               .channel = SW_HEAP_AT,
                               .side = SW_NATIVE,
                               .plugin = plugin,
                               .json = json,
                               .hooks = {.context = o, .log = peer_on_log, .exited = peer_on_exit}};
  return sw_worker_start(&o->worker, &options);
}

/* A region and a built-in handler, or one of the test's plugins. */
HELPER void peer_handler(peer *o, const char *name, const char *json, uint32_t to_worker, uint32_t from_worker) {
  peer_open(o, to_worker, from_worker);
  const sabway_plugin_v1 *handler = sw_handler_find(name);
  assert_non_null(handler);
  assert_int_equal(peer_start(o, handler, json), SW_OK);
}

HELPER int plugin_load(const char *name, void **library, const sabway_plugin_v1 **plugin, char *why, uint32_t bytes) {
  const char *folder = getenv("SABWAY_TEST_PLUGINS");
  char path[4096];
  snprintf(path, sizeof(path), "%s/%s.so", folder == NULL ? "plugins" : folder, name);
  return sw_plugin_load(path, library, plugin, why, bytes);
}

HELPER int peer_plugin(peer *o, const char *name, const char *json, uint32_t to_worker, uint32_t from_worker) {
  peer_open(o, to_worker, from_worker);
  const sabway_plugin_v1 *plugin;
  char why[256] = "";
  int status = plugin_load(name, &o->library, &plugin, why, sizeof(why));
  if (status != SW_OK) fail_msg("%s: %s", name, why);
  return peer_start(o, plugin, json);
}

HELPER sw_worker_stats peer_stats(const peer *o) {
  sw_worker_stats stats;
  sw_worker_stats_read(o->worker, &stats);
  return stats;
}

HELPER void peer_close(peer *o) {
  if (o->worker != NULL) sw_worker_stop(o->worker);
  if (o->library != NULL) sw_plugin_unload(o->library);
  region_free(&o->r);
}

HELPER void peer_sleep(peer *o, int for_room, uint32_t length) {
  uint32_t ticket = sw_endpoint_arm(o->r.base, o->index, SW_SLEEP_FUTEX);
  int ready = for_room ? sw_producer_want_space(&o->p, length) : sw_consumer_ready(&o->c);
  if (!ready) sw_prim_futex_wait(sw_endpoint_doorbell(o->r.base, o->index), ticket, -1);
  sw_endpoint_disarm(o->r.base, o->index);
}

/* Send one patterned message; sleep until there is room. */
HELPER void peer_send(peer *o, uint32_t length, uint32_t seed) {
  uint8_t *room;
  while ((room = sw_producer_reserve(&o->p, length, 0)) == NULL) {
    assert_int_equal(o->p.status, SW_EFULL);
    peer_sleep(o, 1, length);
  }
  pattern_fill(room, length, seed);
  assert_int_equal(sw_producer_push(&o->p, length), SW_OK);
}

/* The next message or the end of the stream; sleep until it is there. */
HELPER int peer_next(peer *o, sw_slice *slice) {
  int status;
  while ((status = sw_consumer_peek(&o->c, slice)) == 0) peer_sleep(o, 0, 0);
  return status;
}

HELPER void peer_expect(peer *o, uint32_t length, uint32_t seed) {
  sw_slice slice;
  assert_int_equal(peer_next(o, &slice), 1);
  assert_int_equal(slice.length, length);
  assert_true(pattern_holds(o->r.base + slice.offset, length, seed));
  sw_consumer_release(&o->c);
}

HELPER void peer_expect_end(peer *o, int status) {
  sw_slice slice;
  assert_int_equal(peer_next(o, &slice), SW_ECLOSED);
  EVENTUALLY(sw_load_acquire(&o->exited));
  assert_int_equal(o->status, status);
}

HELPER void peer_expect_log(peer *o, const char *text) {
  EVENTUALLY(sw_load_acquire(&o->log_bytes) >= strlen(text));
  assert_string_equal(o->log, text);
}

#endif
