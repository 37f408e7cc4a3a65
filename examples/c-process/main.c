/* A plain C program on one side of a channel. On the other side may be this program again, or Node:
 *
 *   c-process serve [name]           makes a channel, prints its token, sends back what comes
 *   c-process answer <token>         joins a channel that exists, sends back what comes
 *   c-process ask <token> [count]    joins, sends that many messages, checks what comes back
 *
 * Or in the heap of a region, beside Node (heap.mjs):
 *
 *   c-process tally <token> [count]  finds a map and a vector by their names, and changes them
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <math.h>
#include <sabway/directory.h>
#include <sabway/endpoint.h>
#include <sabway/map.h>
#include <sabway/registry.h>
#include <sabway/shared.h>
#include <sabway/vector.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <sched.h>
#endif

enum { RING = 1 << 16, LARGEST = 1000 };

/* Let another thread run: the one that has what is busy. */
static void give_way(void) {
#ifdef _WIN32
  SwitchToThread();
#else
  sched_yield();
#endif
}

static int fail(const char *what, int status, const char *why) {
  fprintf(stderr, "%s: %s (%s)%s%s\n", what, sw_error_text(status), sw_error_code(status), why[0] ? ": " : "", why);
  return 1;
}

/* Wait until a message of that length fits, and send it. */
static int send_all(sw_port *port, const void *message, uint32_t length) {
  int status;
  while ((status = sw_producer_send(&port->out, message, length)) == SW_EFULL) {
    status = sw_port_wait(port, SW_UNTIL_ROOM, length, -1);
    if (status < 0) return status;
  }
  return status;
}

/* Until the other side is done, or has died. */
static int echo(sw_port *port) {
  static uint8_t copy[RING];
  uint64_t count = 0;
  for (;;) {
    sw_slice slice;
    int status = sw_consumer_peek(&port->in, &slice);
    if (status == 0) status = sw_port_wait(port, SW_UNTIL_MESSAGE, 0, -1);
    else if (status == 1) {
      /* The other process could still change what lies in the ring: work on a copy. */
      memcpy(copy, (uint8_t *)port->at.base + slice.offset, slice.length);
      sw_consumer_release(&port->in);
      status = send_all(port, copy, slice.length);
      count++;
    }
    if (status >= 0) continue;
    printf("%" PRIu64 " messages, then: %s\n", count, sw_error_code(status));
    return status == SW_ECLOSED || status == SW_EPEERDIED ? 0 : fail("echo", status, "");
  }
}

static uint32_t fill(uint8_t *message, uint32_t number) {
  uint32_t length = number % LARGEST;
  for (uint32_t i = 0; i < length; i++) message[i] = (uint8_t)(number * 31 + i);
  return length;
}

/* Receive what is there: how many messages, or an error. */
static int take_answers(sw_port *port, uint32_t *next) {
  uint8_t expected[LARGEST];
  sw_slice slices[64];
  int got = sw_consumer_peek_batch(&port->in, slices, 64);
  for (int i = 0; i < got; i++, ++*next) {
    uint32_t length = fill(expected, *next);
    const uint8_t *bytes = (uint8_t *)port->at.base + slices[i].offset;
    if (slices[i].length != length || memcmp(bytes, expected, length) != 0) return SW_ECORRUPT;
  }
  sw_consumer_release(&port->in);
  return got;
}

static int ask(sw_port *port, uint32_t count) {
  uint8_t message[LARGEST];
  uint32_t sent = 0, answered = 0;
  while (answered < count) {
    uint32_t length = fill(message, sent);
    int status = sent < count ? sw_producer_send(&port->out, message, length) : SW_EFULL;
    if (status == SW_OK) sent++;
    if (status == SW_EFULL) {
      status = take_answers(port, &answered);
      uint32_t what = sent < count ? SW_UNTIL_MESSAGE | SW_UNTIL_ROOM : SW_UNTIL_MESSAGE;
      if (status == 0) status = sw_port_wait(port, what, length, -1);
    }
    if (status < 0) return fail("ask", status, "");
  }
  printf("%" PRIu32 " messages came back\n", answered);
  return 0;
}

static int run(sw_shared *shared, uint32_t side, uint32_t count) {
  sw_port port;
  int status = sw_port_open(&port, shared->base, shared->size, side);
  if (status != SW_OK) return fail("open", status, "");
  status = count == 0 ? echo(&port) : ask(&port, count);
  sw_port_close(&port, 1);
  return status;
}

static int serve(sw_shared *shared, const char *name) {
  uint64_t size = sw_region_bytes(RING, RING);
  int status = sw_shared_create(shared, size, name);
  if (status == SW_OK) status = sw_shared_map(shared);
  if (status == SW_OK) status = sw_region_format(shared->base, (uint32_t)(size / SW_PAGE), RING, RING);
  if (status != SW_OK) return fail("create", status, shared->why);
  char token[SW_TOKEN_BYTES];
  sw_shared_token(shared, token);
  printf("%s\n", token);
  fflush(stdout);
  return run(shared, SW_RENDERER, 0);
}

static int open_shared(sw_shared *shared, const char *token) {
  int status = sw_shared_open(shared, token);
  if (status == SW_OK) status = sw_shared_map(shared);
  return status == SW_OK ? 0 : fail("open", status, shared->why);
}

static int join(sw_shared *shared, const char *token, uint32_t count) {
  int status = open_shared(shared, token);
  return status == 0 ? run(shared, SW_NATIVE, count) : status;
}

/* ---- in the heap ---- */

/* What JavaScript has called so: an object of that type, or an error. */
static int find(sw_heap *heap, const char *name, uint32_t type, sw_found *found) {
  int status;
  /* another participant may be changing the names at this moment */
  while ((status = sw_directory_find(heap, name, (uint32_t)strlen(name), found)) == SW_EBUSY) give_way();
  if (status < 0) return status;
  if (status == 0 || found->kind != SW_KIND_OBJECT) return SW_EKIND;
  return sw_object_check(heap, found->object, type, found->generation);
}

/* Add 1 to "votes" for pears, `count` times, and append each number that there was to "log". */
static int vote(sw_heap *heap, uint32_t count) {
  sw_found votes, log;
  sw_map_handle map;
  int status = find(heap, "votes", SW_TYPE_MAP, &votes);
  if (status == SW_OK) status = find(heap, "log", SW_TYPE_VECTOR, &log);
  if (status == SW_OK) status = sw_map_open(&map, heap, votes.object, votes.generation);
  if (status != SW_OK) return fail("find", status, "");
  for (uint32_t i = 0; i < count && status == SW_OK; i++) {
    double sum;
    while (isnan(sum = sw_map_add(&map, SW_MAP_STRING, "pears", 5, 1)) && map.status == SW_EBUSY) give_way();
    if (isnan(sum)) {
      status = map.status;
      break;
    }
    while ((status = sw_vector_push(heap, log.object, log.generation, &sum)) == SW_EBUSY) give_way();
  }
  sw_map_close(&map);
  if (status != SW_OK) return fail("vote", status, "");
  printf("%" PRIu32 " votes\n", count);
  return 0;
}

static int tally(sw_shared *shared, const char *token, uint32_t count) {
  int status = open_shared(shared, token);
  if (status != 0) return status;
  status = sw_region_verify(shared->base, (uint32_t)(shared->size / SW_PAGE));
  if (status != SW_OK) return fail("verify", status, "");
  uint32_t at = sw_region_heap(shared->base, shared->size);
  if (at == 0) return fail("heap", SW_ENOSYS, "the region has none");
  int index = sw_endpoint_claim(shared->base, (uint32_t)getpid(), 0, 0);
  if (index < 0) return fail("claim", index, "");
  uint32_t endpoint = (uint32_t)index;
  sw_region_evict(shared->base, shared->size, endpoint); /* what an earlier owner has left */
  sw_endpoint_set_skills(shared->base, endpoint, SW_WAKES_FUTEX);
  sw_heap heap;
  status = sw_heap_open(&heap, shared->base, shared->size, at, endpoint);
  if (status != SW_OK) status = fail("heap", status, "");
  else {
    status = vote(&heap, count);
    sw_heap_close(&heap);
  }
  sw_region_evict(shared->base, shared->size, endpoint);
  sw_endpoint_release(shared->base, endpoint);
  return status;
}

static uint32_t count_of(int count, char **arguments) {
  return count > 3 ? (uint32_t)strtoul(arguments[3], NULL, 10) : 1000;
}

int main(int count, char **arguments) {
  sw_shared shared = {.handle = -1};
  const char *does = count > 1 ? arguments[1] : "";
  int status = 2;
  if (strcmp(does, "serve") == 0) status = serve(&shared, count > 2 ? arguments[2] : NULL);
  else if (strcmp(does, "answer") == 0 && count > 2) status = join(&shared, arguments[2], 0);
  else if (strcmp(does, "ask") == 0 && count > 2) {
    status = join(&shared, arguments[2], count_of(count, arguments));
  } else if (strcmp(does, "tally") == 0 && count > 2) {
    status = tally(&shared, arguments[2], count_of(count, arguments));
  } else
    fprintf(stderr, "usage: c-process serve [name] | answer <token> | ask <token> [count] | tally <token> [count]\n");
  sw_shared_close(&shared);
  return status;
}
