/* Messages of 64 B through a direction of a queue between peers, written and read in bursts. As a
 * program it is told on its standard input "queue <n>", and answers with the seconds of its own
 * processor time; as WebAssembly it exports `churn`. */
#ifndef __wasm__
#define _GNU_SOURCE
#include <stdlib.h>

#include "program.h"
#endif

#include "sabway/p2p.h"

enum { BYTES = 64, BURST = 100, ROOM = 1 << 19 };

static uint8_t memory[ROOM + 4096] __attribute__((aligned(64)));
static sw_p2p_writer writer;
static sw_p2p_reader reader;

/* The sum of what was read; 0 when something was wrong. */
#ifdef __wasm__
__attribute__((export_name("churn")))
#endif
uint32_t
churn(uint32_t count) {
  static const sw_p2p_options options = {0};
  uint8_t data[BYTES];
  for (uint32_t i = 0; i < BYTES; i++) data[i] = (uint8_t)i;
  if (sw_p2p_format(memory, sizeof(memory), &options) != SW_OK) return 0;
  if (sw_p2p_open_writer(&writer, memory, sizeof(memory), &options, SW_P2P_INCOMING) != SW_OK) return 0;
  if (sw_p2p_open_reader(&reader, memory, sizeof(memory), &options, SW_P2P_INCOMING) != SW_OK) return 0;
  uint32_t sum = 1, read = 0;
  for (uint32_t written = 0; written < count;) {
    uint32_t end = count - written < BURST ? count : written + BURST;
    for (; written < end; written++) {
      data[0] = (uint8_t)written;
      if (sw_p2p_write(&writer, "player-1", 8, written, 0, data, BYTES) != SW_OK) return 0;
    }
    sw_p2p_message message;
    for (; sw_p2p_peek(&reader, &message); read++) {
      if (message.channel != read || message.data[0] != (uint8_t)read) return 0;
      for (uint32_t i = 0; i < message.length; i++) sum += message.data[i];
      sw_p2p_consume(&reader);
    }
  }
  return read == count ? sum | 1 : 0;
}

#ifndef __wasm__
int main(void) {
  char what[16];
  unsigned long count;
  while (scanf("%15s %lu", what, &count) == 2) {
    double begin = now(CLOCK_PROCESS_CPUTIME_ID);
    if (churn((uint32_t)count) == 0) fail("a message is missing, or wrong");
    printf("%.9f\n", now(CLOCK_PROCESS_CPUTIME_ID) - begin);
    fflush(stdout);
  }
  return 0;
}
#endif
