/* One message through a channel, and back from the echo worker. */
#define _POSIX_C_SOURCE 200809L

#include <sabway/channel.h>
#include <sabway/endpoint.h>
#include <sabway/region.h>
#include <sabway/worker.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void require(int status, const char *what) {
  if (status >= 0) return;
  fprintf(stderr, "%s: %s (%s)\n", what, sw_error_text(status), sw_error_code(status));
  exit(1);
}

/* The answer, looked for once a millisecond. */
static int wait_for(sw_consumer *in, sw_slice *slice) {
  for (int i = 0; i < 5000; i++) {
    int status = sw_consumer_peek(in, slice);
    if (status != 0) return status;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  return SW_ETIMEDOUT;
}

int main(void) {
  uint64_t size = sw_region_bytes(1 << 16, 1 << 16);
  uint8_t *base = aligned_alloc(SW_PAGE, (size_t)size);
  if (base == NULL) return 1;
  memset(base, 0, (size_t)size);
  require(sw_region_format(base, (uint32_t)(size / SW_PAGE), 1 << 16, 1 << 16), "format");
  require(sw_region_verify(base, (uint32_t)(size / SW_PAGE)), "verify");

  int endpoint = sw_endpoint_claim(base, (uint32_t)getpid(), 0, 0);
  require(endpoint, "claim");
  sw_producer out;
  sw_consumer in;
  require(sw_channel_open_producer(&out, base, size, SW_HEAP_AT, 0, SW_RENDERER, (uint32_t)endpoint), "open producer");
  require(sw_channel_open_consumer(&in, base, size, SW_HEAP_AT, 0, SW_RENDERER, (uint32_t)endpoint), "open consumer");

  sw_worker *worker;
  sw_worker_options options = {
      .base = base, .size = size, .channel = SW_HEAP_AT, .side = SW_NATIVE, .plugin = sw_handler_find("echo")};
  require(sw_worker_start(&worker, &options), "start");

  const char text[] = "through shared memory";
  require(sw_producer_send(&out, text, sizeof(text)), "send");
  sw_slice slice;
  require(wait_for(&in, &slice), "receive");
  int same = slice.length == sizeof(text) && memcmp(base + slice.offset, text, sizeof(text)) == 0;
  if (same) printf("%s\n", (const char *)(base + slice.offset));
  sw_consumer_release(&in);
  sw_worker_stop(worker);
  free(base);
  return same ? 0 : 1;
}
