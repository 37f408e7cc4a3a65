/* The bytes of queues between peers are those of the table that JavaScript is checked by, too. */
#include "../helper.h"
#include "sabway/p2p.h"

enum { LINE = 4096, SIDES = 2 };

static uint8_t memory[16384] __attribute__((aligned(8))), expected[sizeof(memory)];
static sw_p2p_options options;
static sw_p2p_writer writer[SIDES];
static sw_p2p_reader reader[SIDES];
static uint32_t cases, compared;

/* Bytes in hex, or - for none. */
static uint32_t from_hex(const char *text, uint8_t *to) {
  uint32_t count = 0;
  for (; text[0] != '\0' && text[0] != '-'; text += 2) {
    unsigned byte;
    assert_int_equal(sscanf(text, "%2x", &byte), 1);
    to[count++] = (uint8_t)byte;
  }
  return count;
}

static void compare(void) {
  if (cases == 0) return;
  assert_memory_equal(memory, expected, sw_p2p_bytes(&options));
  for (uint32_t i = 0; i < 2 - options.single; i++)
    assert_int_equal(sw_p2p_check(memory, sizeof(memory), &options, i), SW_OK);
  compared++;
}

static void begin(const char *line) {
  compare();
  assert_int_equal(
      sscanf(line, "queue %u %u %u %u", &options.slots, &options.slot_bytes, &options.version, &options.single), 4);
  memset(memory, 0xee, sizeof(memory));
  memset(expected, 0, sizeof(expected));
  assert_int_equal(sw_p2p_format(memory, sizeof(memory), &options), SW_OK);
  for (uint32_t i = 0; i < 2 - options.single; i++) {
    assert_int_equal(sw_p2p_open_writer(&writer[i], memory, sizeof(memory), &options, i), SW_OK);
    assert_int_equal(sw_p2p_open_reader(&reader[i], memory, sizeof(memory), &options, i), SW_OK);
  }
  cases++;
}

static void write_one(const char *line) {
  static char id[64], hex[LINE];
  static uint8_t data[LINE];
  unsigned direction, channel;
  unsigned long long timestamp;
  assert_int_equal(sscanf(line, "write %u %63s %u %llu %4095s", &direction, id, &channel, &timestamp, hex), 5);
  uint32_t length = from_hex(hex, data), id_length = strcmp(id, "-") == 0 ? 0 : (uint32_t)strlen(id);
  assert_int_equal(sw_p2p_write(&writer[direction], id, id_length, channel, timestamp, data, length), SW_OK);
}

static void the_bytes_are_those_of_the_table(void **state) {
  (void)state;
  static char line[LINE], hex[LINE];
  FILE *file = fopen(SABWAY_GOLDEN "/p2p.txt", "r");
  assert_non_null(file);
  while (fgets(line, sizeof(line), file) != NULL) {
    unsigned number;
    sw_p2p_message message;
    if (strncmp(line, "queue", 5) == 0) {
      begin(line);
    } else if (strncmp(line, "write", 5) == 0) {
      write_one(line);
    } else if (sscanf(line, "consume %u", &number) == 1) {
      assert_int_equal(sw_p2p_peek(&reader[number], &message), 1);
      sw_p2p_consume(&reader[number]);
    } else if (sscanf(line, "at %u %4095s", &number, hex) == 2) {
      from_hex(hex, expected + number);
    }
  }
  fclose(file);
  compare();
  assert_int_equal(cases, 8);
  assert_int_equal(compared, cases);
}

TESTS(TEST(the_bytes_are_those_of_the_table));
