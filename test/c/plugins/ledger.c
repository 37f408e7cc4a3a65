#include <string.h>

#include "sabway/plugin.h"

/* Two words that a mutex guards: they differ only while it is held. */
typedef struct ledger {
  int64_t in, out;
} ledger;

static int open(sabway_host *host, const char *options, void **state) {
  (void)options;
  if (host->heap == NULL) {
    host->log(host, SABWAY_LOG_ERROR, "the region has no heap");
    return -30;
  }
  *state = host;
  return SABWAY_OK;
}

static int refuse(sabway_host *host, const char *why) {
  host->log(host, SABWAY_LOG_ERROR, why);
  return -13;
}

/* A message is how often to count. Answers with the offset of a block that it has allocated, named
 * "from the plugin", and filled with 7. */
static int on_message(void *state, const void *bytes, uint32_t length) {
  sabway_host *host = state;
  const sabway_heap *heap = host->heap;
  uint32_t count, kind, at, mutex;
  if (length == 0) { /* ends with the mutex */
    if (heap->find(host, "lock", &kind, &mutex) == 1) heap->lock(host, mutex, -1);
    host->stop(host);
    return SABWAY_OK;
  }
  if (length != sizeof(count)) return refuse(host, "a count has 4 bytes");
  memcpy(&count, bytes, sizeof(count));
  if (heap->find(host, "ledger", &kind, &at) != 1 || kind != SABWAY_KIND_MEMORY) return refuse(host, "no ledger");
  if (heap->usable(host, at) < sizeof(ledger)) return refuse(host, "a small ledger");
  if (heap->find(host, "lock", &kind, &mutex) != 1 || kind != SABWAY_KIND_MUTEX) return refuse(host, "no lock");
  ledger *shared = (ledger *)(void *)(heap->base + at);
  for (uint32_t i = 0; i < count; i++) {
    if (heap->lock(host, mutex, -1) != 0) return refuse(host, "not locked");
    if (shared->in != shared->out) return refuse(host, "two are inside");
    shared->in++;
    shared->out++;
    if (heap->unlock(host, mutex) != 0) return refuse(host, "not unlocked");
  }
  uint32_t block = heap->allocate(host, 100, 64);
  if (block == 0 || block % 64 != 0) return refuse(host, "no block");
  memset(heap->base + block, 7, 100);
  if (heap->lock(host, at + 8, 0) != -46) return refuse(host, "a lock that is none");
  if (heap->name(host, "from the plugin", SABWAY_KIND_MEMORY, block) < 0) return refuse(host, "no name");
  return host->send(host, &block, sizeof(block));
}

static void close(void *state) { (void)state; }

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {
    .abi = SABWAY_PLUGIN_ABI, .name = "ledger", .open = open, .on_message = on_message, .close = close};
