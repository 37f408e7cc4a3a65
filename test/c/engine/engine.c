/* A game engine as small as can be, for tests of queues between peers: each frame it answers every
 * message with the same bytes, whose first number has grown by a million. The same program is
 * compiled to WebAssembly, with the queue in its own memory, and as a native process, with the
 * queue in a region that processes share:
 *
 *   engine <token> <offset> <slots>     until its input ends
 */
#define _POSIX_C_SOURCE 200809L

#include <sabway/p2p.h>

enum { ADDED = 1000000 };

static sw_p2p_reader incoming;
static sw_p2p_writer outgoing;

static int engine_open(void *base, uint64_t bytes, const sw_p2p_options *options) {
  int status = sw_p2p_open_reader(&incoming, base, bytes, options, SW_P2P_INCOMING);
  return status != SW_OK ? status : sw_p2p_open_writer(&outgoing, base, bytes, options, SW_P2P_OUTGOING);
}

/* How many messages it has answered. One that has no room for its answer waits. */
static uint32_t engine_frame(void) {
  uint32_t count = 0;
  sw_p2p_message message;
  for (; sw_p2p_peek(&incoming, &message); count++) {
    if (message.length < 4) { /* no answer */
      sw_p2p_consume(&incoming);
      continue;
    }
    uint8_t *answer = sw_p2p_reserve(&outgoing, message.length);
    if (answer == 0) break;
    for (uint32_t i = 0; i < message.length; i++) answer[i] = message.data[i];
    uint32_t number = ADDED;
    for (uint32_t i = 0; i < 4; i++) number += (uint32_t)answer[i] << (8 * i);
    for (uint32_t i = 0; i < 4; i++) answer[i] = (uint8_t)(number >> (8 * i));
    if (sw_p2p_commit(&outgoing, "engine", 6, message.channel, 0, message.length) != SW_OK) break;
    sw_p2p_consume(&incoming);
  }
  sw_p2p_writer_repair(&outgoing);
  sw_p2p_reader_repair(&incoming);
  return count;
}

#ifdef __wasm__

enum { SLOTS = 64, BYTES = 32 + 2 * SLOTS * 1024 };
static _Alignas(8) uint8_t memory[BYTES];

__attribute__((export_name("open"))) int open_memory(void) {
  sw_p2p_options options = {.slots = SLOTS};
  int status = sw_p2p_format(memory, BYTES, &options);
  return status != SW_OK ? status : engine_open(memory, BYTES, &options);
}

__attribute__((export_name("frame"))) uint32_t frame(void) { return engine_frame(); }

/* Where the queue is. */
__attribute__((export_name("at"))) uint8_t *at(void) { return memory; }

/* More memory, as programs ask for: JavaScript's views of it end. */
__attribute__((export_name("grow"))) int grow(void) { return (int)__builtin_wasm_memory_grow(0, 1); }

#else

#include <poll.h>
#include <sabway/shared.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int fail(const char *what, int status) {
  fprintf(stderr, "%s: %s\n", what, sw_error_text(status));
  return 1;
}

int main(int count, char **arguments) {
  if (count != 4) return 2;
  sw_shared shared;
  int status = sw_shared_open(&shared, arguments[1]);
  if (status == SW_OK) status = sw_shared_map(&shared);
  if (status != SW_OK) return fail("the region", status);
  sw_p2p_options options = {.slots = (uint32_t)strtoul(arguments[3], 0, 10)};
  uint8_t *base = (uint8_t *)shared.base + strtoull(arguments[2], 0, 10);
  status = engine_open(base, sw_p2p_bytes(&options), &options);
  if (status != SW_OK) return fail("the queue", status);
  puts("begun");
  fflush(stdout);
  for (;;) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (engine_frame() == 0 && poll(&input, 1, 1) > 0) break;
  }
  sw_shared_close(&shared);
  return 0;
}

#endif
