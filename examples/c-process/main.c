/* A plain C program on one side of a channel. On the other side may be this program again, or Node:
 *
 *   c-process serve [name]           makes a channel, prints its token, sends back what comes
 *   c-process answer <token>         joins a channel that exists, sends back what comes
 *   c-process ask <token> [count]    joins, sends that many messages, checks what comes back
 */
#include <inttypes.h>
#include <sabway/shared.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 1 << 16, LARGEST = 1000 };

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

static int join(sw_shared *shared, const char *token, uint32_t count) {
  int status = sw_shared_open(shared, token);
  if (status == SW_OK) status = sw_shared_map(shared);
  if (status != SW_OK) return fail("open", status, shared->why);
  return run(shared, SW_NATIVE, count);
}

int main(int count, char **arguments) {
  sw_shared shared = {.handle = -1};
  const char *does = count > 1 ? arguments[1] : "";
  int status = 2;
  if (strcmp(does, "serve") == 0) status = serve(&shared, count > 2 ? arguments[2] : NULL);
  else if (strcmp(does, "answer") == 0 && count > 2) status = join(&shared, arguments[2], 0);
  else if (strcmp(does, "ask") == 0 && count > 2) {
    status = join(&shared, arguments[2], count > 3 ? (uint32_t)strtoul(arguments[3], NULL, 10) : 1000);
  } else fprintf(stderr, "usage: c-process serve [name] | answer <token> | ask <token> [count]\n");
  sw_shared_close(&shared);
  return status;
}
