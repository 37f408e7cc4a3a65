/* CRC-32C against RFC 3720, by the processor's instruction and by the table. */
#include "sabway/crc32c.h"

#include "../helper.h"

/* A second copy, so that the table can be reached on processors that have the instruction. */
uint32_t crc32c_in_this_file(uint32_t crc, const void *bytes, size_t length);
#define sw_crc32c crc32c_in_this_file
#include "util/crc32c.c"
#undef sw_crc32c

static uint32_t table(const void *bytes, size_t length) { return ~by_table(~0u, bytes, length); }

static void expect(const void *bytes, size_t length, uint32_t crc) {
  assert_int_equal(sw_crc32c(0, bytes, length), crc);
  assert_int_equal(crc32c_in_this_file(0, bytes, length), crc);
  assert_int_equal(table(bytes, length), crc);
}

static void rfc_vectors(void **state) {
  (void)state;
  uint8_t bytes[32];
  memset(bytes, 0, 32);
  expect(bytes, 32, 0x8a9136aa);
  memset(bytes, 0xff, 32);
  expect(bytes, 32, 0x62a8ab43);
  for (uint8_t i = 0; i < 32; i++) bytes[i] = i;
  expect(bytes, 32, 0x46dd794e);
  for (uint8_t i = 0; i < 32; i++) bytes[i] = (uint8_t)(31 - i);
  expect(bytes, 32, 0x113fdb5c);
  expect("123456789", 9, 0xe3069283);
  expect("", 0, 0);
}

static void in_parts_and_unaligned(void **state) {
  (void)state;
  uint8_t bytes[300];
  pattern_fill(bytes, sizeof(bytes), 5);
  for (size_t from = 0; from < 9; from++) {
    uint32_t whole = sw_crc32c(0, bytes + from, 280);
    assert_int_equal(table(bytes + from, 280), whole);
    for (size_t cut = 0; cut <= 280; cut++) {
      uint32_t first = sw_crc32c(0, bytes + from, cut);
      assert_int_equal(sw_crc32c(first, bytes + from + cut, 280 - cut), whole);
    }
  }
}

TESTS(TEST(rfc_vectors), TEST(in_parts_and_unaligned));
