/* Queues between peers: makes the calls that stand in its input, a line each, and prints what each
 * returned and a sum of all bytes of the memory behind it. p2p-agree.test.ts makes the same calls
 * in JavaScript. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sabway/p2p.h"

static sw_p2p_options options;
static sw_p2p_writer writers[2];
static sw_p2p_reader readers[2];
static uint32_t *memory;

static uint32_t sum(void) {
  uint32_t total = 0;
  for (uint64_t i = 0; i < sw_p2p_bytes(&options) / 4; i++) total = total * 31 + memory[i];
  return total;
}

static int32_t read_one(sw_p2p_reader *r) {
  sw_p2p_message m;
  if (!sw_p2p_peek(r, &m)) return -1;
  /* JavaScript has it as a number, which has 53 bits */
  double time = (double)m.timestamp, high = (double)(uint64_t)(time / 4294967296.0);
  uint32_t total = m.channel + (uint32_t)(uint64_t)(time - high * 4294967296.0);
  for (uint32_t i = 0; i < m.length; i++) total = total * 31 + m.data[i];
  sw_p2p_consume(r);
  return (int32_t)(total & 0x7fffffff);
}

/* Both sides of a direction, or the first error. */
static int32_t open_both(uint32_t direction) {
  uint64_t bytes = sw_p2p_bytes(&options);
  sw_p2p_writer w;
  sw_p2p_reader r;
  int status = sw_p2p_open_writer(&w, memory, bytes, &options, direction);
  if (status != SW_OK) return status;
  writers[direction] = w;
  status = sw_p2p_open_reader(&r, memory, bytes, &options, direction);
  if (status == SW_OK) readers[direction] = r;
  return status;
}

static int32_t call(const char *name, uint32_t a, uint32_t b, uint32_t c) {
  static uint8_t data[1024];
  if (strcmp(name, "write") == 0) {
    for (uint32_t i = 0; i < c; i++) data[i] = (uint8_t)(b + i);
    return sw_p2p_write(&writers[a], "peer", 4, b, b, data, c) == SW_OK;
  }
  if (strcmp(name, "read") == 0) return read_one(&readers[a]);
  if (strcmp(name, "room") == 0) return (int32_t)sw_p2p_room(&writers[a]);
  if (strcmp(name, "pending") == 0) return (int32_t)sw_p2p_pending(&readers[a]);
  if (strcmp(name, "mend") == 0) return sw_p2p_writer_repair(&writers[a]) + 2 * sw_p2p_reader_repair(&readers[a]);
  if (strcmp(name, "counters") == 0) {
    const sw_p2p_writer *w = &writers[a];
    const sw_p2p_reader *r = &readers[a];
    uint32_t all[] = {r->side.repaired, r->side.bad, r->skipped, w->side.repaired, w->side.bad, w->refused}, total = 0;
    for (int i = 0; i < 6; i++) total = total * 31 + all[i];
    return (int32_t)(total & 0x7fffffff);
  }
  if (strcmp(name, "open") == 0) return open_both(a);
  if (strcmp(name, "poke") == 0) {
    memory[a] = b;
    return 0;
  }
  exit(2);
}

int main(void) {
  char name[16];
  uint32_t a, b, c;
  if (scanf("%" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32, &options.slots, &options.slot_bytes, &options.version,
            &options.single) != 4)
    return 2;
  uint64_t bytes = sw_p2p_bytes(&options);
  memory = calloc(1, bytes);
  if (memory == NULL || sw_p2p_format(memory, bytes, &options) != SW_OK) return 2;
  for (uint32_t i = 0; i < 2 - options.single; i++) open_both(i);
  while (scanf("%15s %" SCNu32 " %" SCNu32 " %" SCNu32, name, &a, &b, &c) == 4) {
    int32_t result = call(name, a, b, c);
    printf("%" PRId32 " %" PRIu32 "\n", result, sum());
  }
  free(memory);
  return 0;
}
