/* The native worker thread: one side of a channel, served by a plugin or a built-in handler.
 *
 * The thread parks on its endpoint's doorbell when there is nothing to do, after spinning briefly
 * (see wait.h). */
#ifndef SABWAY_WORKER_H
#define SABWAY_WORKER_H

#include "channel.h"
#include "plugin.h"
#include "wait.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sw_worker sw_worker;

/* Called on the worker thread. */
typedef struct sw_worker_hooks {
  void *context;
  void (*log)(void *context, int level, const char *text);
  /* The thread is about to end by itself: 0, SW_ECLOSED, or why it failed. Not called when it was
   * stopped. */
  void (*exited)(void *context, int status);
} sw_worker_hooks;

typedef struct sw_worker_options {
  void *base;
  uint64_t size;
  uint32_t channel;    /* offset */
  uint32_t generation; /* of the channel; zero: whichever is there */
  uint32_t side;
  const sabway_plugin_v1 *plugin;
  const char *json; /* the plugin's options; copied */
  enum sw_wait_policy wait;
  sw_worker_hooks hooks;
} sw_worker_options;

typedef struct sw_worker_stats {
  uint64_t received, received_bytes, sent, sent_bytes;
  uint64_t parks; /* how often it went to sleep in the kernel */
  uint64_t wakes; /* system calls it has made to wake others */
  uint64_t crc;   /* of the sink handler: 32 bits */
  uint64_t reach; /* how others wake it: see sw_endpoint_wake_path */
} sw_worker_stats;

/* Start the thread and wait until the plugin is open. The memory must stay mapped until
 * sw_worker_stop returns. Errors: SW_ETAKEN, SW_ECROWDED, SW_ENOTREGION, SW_EOPEN (hooks.log has
 * had its words), SW_ENOMEM, SW_ESYSTEM. */
int sw_worker_start(sw_worker **worker, const sw_worker_options *options);

/* Ask the thread to end, join it and free it. Waits for a plugin that is busy in a call. Gives the
 * side back unclosed, unless the worker ended by itself, which closes it. Any thread, once. */
void sw_worker_stop(sw_worker *worker);

/* What it has done so far. Any thread, lock-free. */
void sw_worker_stats_read(const sw_worker *worker, sw_worker_stats *stats);

/* "echo", "sink" or "source", or NULL. */
const sabway_plugin_v1 *sw_handler_find(const char *name);

/* Load a plugin. On failure `why` has the reason in words. Errors: SW_ENOPLUGIN, SW_ESYMBOL,
 * SW_EPLUGINABI. */
int sw_plugin_load(const char *path, void **library, const sabway_plugin_v1 **plugin, char *why, uint32_t why_bytes);
void sw_plugin_unload(void *library);

#ifdef __cplusplus
}
#endif
#endif
