/* Preloaded into Chromium (LD_PRELOAD): does in a renderer what Sabway's addon does in the preload
 * script of an Electron page, from the same C. It maps a region of another process over the page's
 * shared WebAssembly.Memory.
 *
 *   the page                                      this library's thread
 *   makes a shared WebAssembly.Memory
 *   of the region's size, writes REQUEST to it -> finds it among the mappings of its process
 *                                                 claims an endpoint, which tells the page
 *                                                 the pid and start time of this process
 *   sees the region's header                   <- maps the region over it
 *
 * From then on it carries rings: a page without the addon moves a doorbell, but makes no system
 * call. */
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier): for process_vm_readv */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "prim/prim.h"
#include "sabway/shared.h"

static const char REQUEST[16] = "SABWAY, PLEASE!";

enum { TICK_NS = 500000, MAPS_EVERY = 40 };

static char *log_path;

/* To the file SABWAY_CAGE_LOG, for the test. */
__attribute__((format(printf, 1, 2))) static void report(const char *format, ...) {
  va_list arguments;
  FILE *log = log_path == NULL ? NULL : fopen(log_path, "a");
  if (log == NULL) return;
  fprintf(log, "process %" PRIu32 ": ", sw_prim_pid());
  va_start(arguments, format);
  vfprintf(log, format, arguments);
  va_end(arguments);
  fputc('\n', log);
  fclose(log);
}

static int is_renderer(void) {
  char line[4096];
  FILE *file = fopen("/proc/self/cmdline", "r");
  if (file == NULL) return 0;
  size_t length = fread(line, 1, sizeof(line), file);
  fclose(file);
  return memmem(line, length, "--type=renderer", 15) != NULL;
}

/* Read what may be unmapped meanwhile: the kernel says so, where a load would fault. */
static int holds_request(uintptr_t at) {
  char found[sizeof(REQUEST)];
  struct iovec here = {found, sizeof(found)},
               there = {(void *)at, sizeof(found)}; /* NOLINT(performance-no-int-to-ptr) */
  return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)sizeof(found) &&
         memcmp(found, REQUEST, sizeof(found)) == 0;
}

/* The page's memory: a writable, private mapping of the region's size that begins with the
 * request. */
static void *find_memory(uint64_t size) {
  char line[512];
  void *found = NULL;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && found == NULL && fgets(line, sizeof(line), maps) != NULL) {
    uintptr_t begin, end;
    char access[5];
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end, access) != 3) continue;
    if (end - begin != size || strcmp(access, "rw-p") != 0 || !holds_request(begin)) continue;
    found = (void *)begin; /* NOLINT(performance-no-int-to-ptr) */
  }
  if (maps != NULL) fclose(maps);
  return found;
}

static void serve_page(sw_shared *region) {
  void *memory = find_memory(region->size);
  if (memory == NULL) return;
  uint32_t pid = sw_prim_pid();
  uint64_t start = sw_prim_process_start(pid);
  int endpoint = sw_endpoint_claim(region->base, pid, (uint32_t)start, (uint32_t)(start >> 32));
  int status = endpoint < 0 ? endpoint : sw_shared_overlay(region, memory, region->size);
  if (status != SW_OK && endpoint >= 0) sw_endpoint_release(region->base, (uint32_t)endpoint);
  report("memory at %p, endpoint %d: %s %s", memory, endpoint, status == SW_OK ? "overlaid" : sw_error_code(status),
         region->why);
}

/* Wake the futexes of doorbells that have moved. */
static void carry_rings(sw_shared *region, uint32_t seen[SW_ENDPOINTS]) {
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    uint32_t *doorbell = sw_endpoint_doorbell(region->base, i);
    uint32_t rings = __atomic_load_n(doorbell, __ATOMIC_ACQUIRE);
    if (rings == seen[i]) continue;
    seen[i] = rings;
    sw_prim_futex_wake(doorbell);
  }
}

static void *run(void *token) {
  static sw_shared region;
  static uint32_t seen[SW_ENDPOINTS];
  int status = sw_shared_open(&region, token);
  if (status == SW_OK) status = sw_shared_map(&region);
  if (status != SW_OK) {
    report("%s: %s", sw_error_code(status), region.why);
    return NULL;
  }
  const struct timespec tick = {0, TICK_NS};
  for (uint32_t ticks = 0;; ticks++) {
    if (ticks % MAPS_EVERY == 0) serve_page(&region);
    carry_rings(&region, seen);
    nanosleep(&tick, NULL);
  }
  return NULL;
}

__attribute__((constructor)) static void begin(void) {
  pthread_t thread;
  const char *token = getenv("SABWAY_CAGE_TOKEN"), *log = getenv("SABWAY_CAGE_LOG");
  if (token == NULL || !is_renderer()) return;
  log_path = log == NULL ? NULL : strdup(log);
  char *kept = strdup(token); /* Chromium writes its title over arguments and environment */
  if (pthread_create(&thread, NULL, run, kept) == 0) pthread_detach(thread);
}
