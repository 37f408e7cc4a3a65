/* The native worker: a thread that serves one side of a channel with a plugin.
 *
 * Each turn of its loop: deliver a batch of messages, call on_tick, publish what the plugin has
 * committed, and wait if there was nothing to do. What the wait is for depends on two words, which
 * each turn sets anew:
 *
 *   wanted  blocked   state                                 ended by
 *   0       0         idle                                  a message, on_tick's time, a stop
 *   n       0         a reserve of n bytes found no room    the same, or room for n bytes
 *   n       1         and a message waits for that room     room, on_tick's time, a stop
 *
 * A wait spins first, for a time that adapts (sw_wait_next_window), then parks: arm, look once
 * more, sleep (doorbell.c).
 *
 * Starting: take the side, start the thread, wait until the plugin is open. Stopping: set `stop`,
 * ring the worker's own doorbell, join, leave the side. A worker that ends by itself closes both
 * streams first.
 *
 * A plugin is trusted, the peer is not: a message is copied before the plugin sees it, unless the
 * plugin asks for the bytes in place, and indices and lengths are checked by the core.
 *
 * What a crash leaves: the thread ends with its process, so both roles name an endpoint whose owner
 * is dead, and the next participant takes the side over. It sees what was published; messages that
 * the worker had peeked and not released come again; what it had committed and not published is
 * never seen. */
#define _POSIX_C_SOURCE 200809L /* strdup */

#include "sabway/worker.h"

#include <stdlib.h>
#include <string.h>

#include "base/atomics.h"
#include "base/peer.h"
#include "handlers.h"
#include "prim/prim.h"
#include "sabway/crc32c.h"
#include "sabway/endpoint.h"
#include "sabway/loop.h"
#include "sabway/side.h"
#include "threads/spin.h"
#include "util/self.h"
#include "worker/plugin_heap.h"

enum {
  AT_ONCE = 128,         /* messages between two looks at the clock and the stop flag */
  PUBLISH_BYTES = 65536, /* committed bytes that are published before the end of a call */
  LAUNCH_NS = 500000000  /* look again this often whether the plugin is open */
};

struct sw_worker {
  sabway_host host; /* first: the plugin's host pointer is the worker */
  swi_plugin_heap heap;
  sw_producer out;
  sw_consumer in;
  sw_place at;
  uint32_t endpoint;
  const sabway_plugin_v1 *plugin;
  char *json;
  sw_worker_hooks hooks;
  void *state;
  uint8_t *copy; /* where messages are put before the plugin sees them */
  uint32_t copy_bytes;
  enum sw_wait_policy wait;
  uint32_t window; /* how long to spin before parking, in nanoseconds: see sw_wait_next_window */
  sw_spinner spinner;
  uint32_t wanted;  /* a reserve of so many bytes (1 for none) found no room */
  uint32_t blocked; /* a message waits for that room, to be delivered again */
  uint32_t stop;    /* shared: the thread is asked to end */
  uint32_t leaving; /* the plugin does */
  uint32_t opened;  /* shared: 0, then 1 and open_status is set */
  int open_status;
  sw_prim_thread thread;
  sw_worker_stats stats;
};

/* ---- what plugins call ---- */

static sw_worker *of(sabway_host *host) { return (sw_worker *)host; }

static int host_reserve(sabway_host *host, uint32_t length, void **payload) {
  sw_worker *w = of(host);
  *payload = sw_producer_reserve(&w->out, length, 0);
  if (*payload != NULL) return SW_OK;
  if (w->out.status == SW_EFULL) {
    sw_producer_publish(&w->out); /* the consumer cannot make room from what it does not see */
    w->wanted = length != 0 ? length : 1;
  }
  return w->out.status;
}

static int host_commit(sabway_host *host, uint32_t length) {
  sw_producer *out = &of(host)->out;
  int status = sw_producer_commit(out, length);
  if (out->head - out->published >= PUBLISH_BYTES) sw_producer_publish(out);
  return status;
}

static int host_abandon(sabway_host *host) { return sw_producer_abandon(&of(host)->out); }

static int host_send(sabway_host *host, const void *bytes, uint32_t length) {
  void *room;
  int status = host_reserve(host, length, &room);
  if (status != SW_OK) return status;
  if (length != 0) memcpy(room, bytes, length);
  return host_commit(host, length);
}

static uint64_t host_now(sabway_host *host) {
  (void)host;
  return sw_prim_now();
}

static void host_log(sabway_host *host, int level, const char *text) {
  sw_worker *w = of(host);
  if (w->hooks.log != NULL) w->hooks.log(w->hooks.context, level, text);
}

static void host_stop(sabway_host *host) { of(host)->leaving = 1; }

void swi_worker_add_crc(sabway_host *host, const void *bytes, uint32_t length) {
  sw_worker *w = of(host);
  sw_store64_relaxed(&w->stats.crc, sw_crc32c((uint32_t)w->stats.crc, bytes, length));
}

/* ---- messages ---- */

/* The bytes a plugin may trust to stay as they are. */
static const void *private_copy(sw_worker *w, const void *bytes, uint32_t length) {
  if ((w->plugin->flags & SABWAY_IN_PLACE) != 0) return bytes;
  if (w->copy_bytes < length || w->copy == NULL) {
    uint32_t room = length < 4096 ? 4096 : length;
    uint8_t *grown = realloc(w->copy, room);
    if (grown == NULL) return NULL;
    w->copy = grown;
    w->copy_bytes = room;
  }
  memcpy(w->copy, bytes, length);
  return w->copy;
}

static int deliver(sw_worker *w, const sw_slice *slice) {
  if (w->plugin->on_message == NULL) return SABWAY_OK;
  const void *bytes = private_copy(w, (uint8_t *)w->at.base + slice->offset, slice->length);
  if (bytes == NULL) return SW_ENOMEM;
  int status = w->plugin->on_message(w->state, bytes, slice->length);
  return status < 0 ? SW_EPLUGIN : status;
}

/* How many messages were handled, or a negative error. */
static int receive(sw_worker *w) {
  sw_slice slices[AT_ONCE];
  int got = sw_consumer_peek_batch(&w->in, slices, AT_ONCE);
  for (int i = 0; i < got; i++) {
    int status = deliver(w, &slices[i]);
    if (status == SABWAY_OK && !w->leaving) continue;
    uint32_t done = status == SABWAY_RETRY ? (uint32_t)i : (uint32_t)i + 1;
    w->blocked = status == SABWAY_RETRY && w->wanted != 0;
    sw_consumer_release_first(&w->in, done);
    return status < 0 ? status : (int)done;
  }
  if (got > 0) sw_consumer_release(&w->in);
  return got;
}

/* ---- the loop ---- */

/* While a message waits to be delivered again, only room helps. */
static int has_message(sw_worker *w) { return !w->blocked && sw_consumer_ready(&w->in); }

static int has_work(void *worker) {
  sw_worker *w = worker;
  if (sw_load_relaxed(&w->stop) || has_message(w)) return 1;
  return w->wanted != 0 && sw_producer_fits(&w->out, w->wanted);
}

/* A quarter of the ring at least, so that a slow consumer does not cost one wake for each
 * message. */
static uint32_t worth_waking_for(const sw_worker *w) {
  return w->wanted > w->out.capacity / 4 ? w->wanted : w->out.capacity / 4;
}

/* How the participants that may have something for this thread wake it: the worse of the two. */
static uint32_t reach(const sw_worker *w) {
  uint32_t sender = sw_peer_load_relaxed(&w->in.ring->producer);
  uint32_t receiver = sw_peer_load_relaxed(&w->out.ring->consumer);
  uint32_t found = sw_endpoint_wake_path(w->at.base, w->endpoint, sender, SW_SLEEP_FUTEX);
  if (w->wanted != 0) found |= sw_endpoint_wake_path(w->at.base, w->endpoint, receiver, SW_SLEEP_FUTEX);
  return found;
}

/* Sleep once, `most` at most: 1 when the doorbell was rung or there is work. */
static int sleep_once(sw_worker *w, uint32_t sleeps, uint64_t most) {
  uint32_t *doorbell = sw_endpoint_doorbell(w->at.base, w->endpoint);
  uint32_t ticket = sw_endpoint_arm(w->at.base, w->endpoint, SW_SLEEP_FUTEX | (w->blocked ? SW_SLEEP_QUIET : 0));
  int woken = has_message(w) || (w->wanted != 0 && sw_producer_want_space(&w->out, worth_waking_for(w))) ||
              sw_load_acquire(&w->stop);
  if (!woken) {
    uint32_t by = reach(w);
    uint64_t bound = sw_wait_limit_ms(by, sleeps) * 1000000ull;
    sw_store64_relaxed(&w->stats.reach, by);
    if (bound == 0 || bound > most) bound = most;
    sw_store64_relaxed(&w->stats.parks, w->stats.parks + 1);
    sw_prim_futex_wait(doorbell, ticket, bound > INT64_MAX ? -1 : (int64_t)bound);
    woken = sw_peer_load_acquire(doorbell) != ticket;
  }
  sw_endpoint_disarm(w->at.base, w->endpoint);
  return woken;
}

static void park(sw_worker *w, uint64_t now, uint64_t due) {
  uint64_t begin = now;
  for (uint32_t sleeps = 0; now < due; sleeps++) {
    if (sleep_once(w, sleeps, due - now)) break;
    now = sw_prim_now();
  }
  uint64_t slept = sw_prim_now() - begin;
  if (slept == 0) slept = 1;
  w->window = sw_wait_next_window(w->window, SW_WAIT_SPIN_NS, slept > UINT32_MAX ? UINT32_MAX : (uint32_t)slept);
}

/* Until there is work, or `due`. */
static void wait_for_work(sw_worker *w, uint64_t now, uint64_t due) {
  uint64_t window = w->wait == SW_WAIT_SPIN ? UINT64_MAX : w->wait == SW_WAIT_PARK ? 0 : w->window;
  if (window != 0 && swi_spin(&w->spinner, has_work, w, due - now < window ? due : now + window)) {
    w->window = sw_wait_next_window(w->window, SW_WAIT_SPIN_NS, 0);
    return;
  }
  now = sw_prim_now();
  if (now < due) park(w, now, due);
}

static void note_stats(sw_worker *w) {
  sw_store64_relaxed(&w->stats.received, w->in.messages);
  sw_store64_relaxed(&w->stats.received_bytes, w->in.bytes);
  sw_store64_relaxed(&w->stats.sent, w->out.messages);
  sw_store64_relaxed(&w->stats.sent_bytes, w->out.bytes);
  sw_store64_relaxed(&w->stats.wakes, sw_wake_calls());
}

static int serve(sw_worker *w) {
  uint64_t due = 0;
  while (!sw_load_acquire(&w->stop)) {
    w->wanted = 0;
    w->blocked = 0;
    if (!sw_side_holds(&w->out, &w->in)) return SW_EREPLACED;
    int got = receive(w);
    if (got >= 0 && w->plugin->on_tick != NULL) {
      uint64_t now = sw_prim_now();
      due = w->plugin->on_tick(w->state, now);
    } else if (w->plugin->on_tick == NULL) {
      due = SABWAY_NEVER;
    }
    sw_producer_publish(&w->out);
    note_stats(w);
    /* a plugin fails of it */
    if (w->out.status == SW_ECORRUPT || w->out.status == SW_ECLOSED) return w->out.status;
    if (got < 0) return got;
    if (w->leaving) return SW_OK;
    if (got == 0 || w->wanted != 0) {
      uint64_t now = sw_prim_now();
      if (due > now) wait_for_work(w, now, due);
    }
  }
  return SW_OK;
}

/* What was published before the stop is still handled: at most a ring full of it, whatever others
 * go on to send. */
static void finish(sw_worker *w) {
  uint64_t begin = w->in.bytes + w->in.messages * SW_FRAME_HEADER;
  while (w->in.bytes + w->in.messages * SW_FRAME_HEADER - begin < w->in.capacity && receive(w) > 0) {
  }
  sw_producer_publish(&w->out);
  note_stats(w);
}

static void run(void *argument) {
  sw_worker *w = argument;
  swi_plugin_heap_open(&w->heap, &w->host, &w->at, w->endpoint);
  w->open_status = w->plugin->open(&w->host, w->json, &w->state);
  if (w->open_status < 0) swi_plugin_heap_close(&w->host);
  sw_store_release(&w->opened, 1);
  sw_prim_futex_wake(&w->opened);
  if (w->open_status < 0) return;
  int status = serve(w);
  if (status == SW_OK && !w->leaving) finish(w);
  w->plugin->close(w->state);
  swi_plugin_heap_close(&w->host);
  if (sw_load_acquire(&w->stop)) return;
  sw_producer_close(&w->out);
  sw_consumer_close(&w->in);
  if (w->hooks.exited != NULL) w->hooks.exited(w->hooks.context, status);
}

/* ---- life ---- */

static int take_side(sw_worker *w) {
  sw_owner self = swi_self();
  int index = sw_side_open(&w->out, &w->in, &w->at, &self, SW_WAKES_FUTEX);
  if (index < 0) return index;
  w->endpoint = (uint32_t)index;
  return SW_OK;
}

static void leave_side(sw_worker *w) { sw_side_leave(&w->out, &w->in, &w->at, w->endpoint); }

static void destroy(sw_worker *w) {
  free(w->copy);
  free(w->json);
  free(w);
}

static int launch(sw_worker *w) {
  int status = sw_prim_thread_start(&w->thread, "sabway-worker", run, w);
  if (status != SW_OK) return status;
  while (sw_load_acquire(&w->opened) == 0) sw_prim_futex_wait(&w->opened, 0, LAUNCH_NS);
  if (w->open_status >= 0) return SW_OK;
  sw_prim_thread_join(&w->thread);
  return SW_EOPEN;
}

int sw_worker_start(sw_worker **worker, const sw_worker_options *options) {
  sw_worker *w = calloc(1, sizeof(*w));
  if (w == NULL) return SW_ENOMEM;
  w->host = (sabway_host){.abi = SABWAY_PLUGIN_ABI,
                          .reserve = host_reserve,
                          .commit = host_commit,
                          .abandon = host_abandon,
                          .send = host_send,
                          .now = host_now,
                          .log = host_log,
                          .stop = host_stop};
  w->at = (sw_place){options->base, options->size, options->channel, options->side, options->generation};
  w->plugin = options->plugin;
  w->wait = options->wait;
  w->window = SW_WAIT_SPIN_NS;
  w->hooks = options->hooks;
  w->json = strdup(options->json == NULL ? "{}" : options->json);
  int status = w->json == NULL ? SW_ENOMEM : take_side(w);
  if (status == SW_OK) {
    w->host.largest = w->out.capacity;
    status = launch(w);
    if (status != SW_OK) leave_side(w);
  }
  if (status == SW_OK) *worker = w;
  else destroy(w);
  return status;
}

void sw_worker_stop(sw_worker *w) {
  uint32_t *doorbell = sw_endpoint_doorbell(w->at.base, w->endpoint);
  sw_store_release(&w->stop, 1);
  /* a ticket from before this does not sleep, one from after it sees `stop` */
  sw_fetch_add_acq_rel(doorbell, 1);
  /* whatever `sleeping` says: that is the peer's to write, too */
  sw_prim_futex_wake(doorbell);
  sw_prim_thread_join(&w->thread);
  leave_side(w);
  destroy(w);
}

void sw_worker_stats_read(const sw_worker *w, sw_worker_stats *stats) {
  *stats = (sw_worker_stats){.received = sw_load64_relaxed(&w->stats.received),
                             .received_bytes = sw_load64_relaxed(&w->stats.received_bytes),
                             .sent = sw_load64_relaxed(&w->stats.sent),
                             .sent_bytes = sw_load64_relaxed(&w->stats.sent_bytes),
                             .parks = sw_load64_relaxed(&w->stats.parks),
                             .wakes = sw_load64_relaxed(&w->stats.wakes),
                             .reach = sw_load64_relaxed(&w->stats.reach),
                             .crc = sw_load64_relaxed(&w->stats.crc)};
}
