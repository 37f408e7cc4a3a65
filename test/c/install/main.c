/* One message through a channel, and back from the echo worker; and a map and a vector in a heap,
 * found by their names. */
#define _POSIX_C_SOURCE 200809L

#include <sabway/channel.h>
#include <sabway/directory.h>
#include <sabway/endpoint.h>
#include <sabway/heap.h>
#include <sabway/map.h>
#include <sabway/object.h>
#include <sabway/region.h>
#include <sabway/registry.h>
#include <sabway/vector.h>
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

static uint32_t made(const sw_heap *heap, uint32_t at, const char *what) {
  require(at == 0 ? heap->status : SW_OK, what);
  return at;
}

static void name(sw_heap *heap, const char *text, uint32_t object) {
  sw_found given = {.kind = SW_KIND_OBJECT, .object = object}, found;
  sw_object_type(heap, object, &given.generation);
  require(sw_directory_add(heap, text, (uint32_t)strlen(text), &given, &found) == 1 ? SW_OK : SW_EEXIST, text);
}

static sw_found find(sw_heap *heap, const char *text, uint32_t type) {
  sw_found found = {0};
  require(sw_directory_find(heap, text, (uint32_t)strlen(text), &found) == 1 ? SW_OK : SW_EKIND, text);
  require(sw_object_check(heap, found.object, type, found.generation), text);
  return found;
}

static int use_heap(void) {
  uint64_t size = SW_HEAP_AT + 16 * (uint64_t)SW_PAGE;
  uint8_t *base = aligned_alloc(SW_PAGE, (size_t)size);
  if (base == NULL) return 0;
  memset(base, 0, (size_t)size);
  require(sw_heap_format(base, SW_HEAP_AT, size), "format the heap");
  require(sw_region_format_empty(base, (uint32_t)(size / SW_PAGE), SW_HEAP_AT), "format");
  int endpoint = sw_endpoint_claim(base, (uint32_t)getpid(), 0, 0);
  require(endpoint, "claim");
  sw_heap heap;
  require(sw_heap_open(&heap, base, size, sw_region_heap(base, size), (uint32_t)endpoint), "open the heap");

  name(&heap, "scores", made(&heap, sw_map_new(&heap, &(sw_map_options){.seed = 1}), "map"));
  name(&heap, "log", made(&heap, sw_vector_new(&heap, SW_COMPONENT_F64, 1, 0), "vector"));
  sw_found scores = find(&heap, "scores", SW_TYPE_MAP), log = find(&heap, "log", SW_TYPE_VECTOR);
  sw_map_handle map;
  double put = 41.5, got = 0, logged = 0;
  require(sw_map_open(&map, &heap, scores.object, scores.generation), "open the map");
  require(sw_map_put(&map, SW_MAP_STRING, "ada", 3, SW_MAP_NUMBER, &put, sizeof(put), SW_MAP_SET), "put");
  require(sw_map_get(&map, SW_MAP_STRING, "ada", 3, &got, sizeof(got)), "get");
  require(sw_vector_push(&heap, log.object, log.generation, &got), "push");
  require(sw_vector_get(&heap, log.object, log.generation, 0, &logged), "element");
  sw_map_close(&map);
  require(sw_map_free(&heap, scores.object, scores.generation), "free the map");
  require(sw_vector_free(&heap, log.object, log.generation), "free the vector");
  require(sw_heap_check(&heap), "check");
  sw_heap_close(&heap);
  free(base);
  if (logged == put) printf("through a map and a vector: %g\n", logged);
  return logged == put;
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
  return same && use_heap() ? 0 : 1;
}
