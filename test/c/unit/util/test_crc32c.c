/* CRC-32C against RFC 3720, by the processor's instruction and without it. */
#include "sabway/crc32c.h"

#include "../helper.h"

static void expect(const void *bytes, size_t length, uint32_t crc) {
  assert_int_equal(sw_crc32c(0, bytes, length), crc);
  assert_int_equal(sw_crc32c_portable(0, bytes, length), crc);
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
    assert_int_equal(sw_crc32c_portable(0, bytes + from, 280), whole);
    for (size_t cut = 0; cut <= 280; cut++) {
      uint32_t first = sw_crc32c(0, bytes + from, cut);
      assert_int_equal(sw_crc32c(first, bytes + from + cut, 280 - cut), whole);
    }
  }
}

static void lengths_around_those_of_the_other_ways(void **state) {
  (void)state;
  static uint8_t bytes[70000];
  pattern_fill(bytes, sizeof(bytes), 9);
  static const size_t LENGTHS[] = {511, 512, 513, 24575, 24576, 24577, 70000};
  for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(*LENGTHS); i++) {
    uint32_t crc = sw_crc32c(7, bytes, LENGTHS[i]), byte_by_byte = 7;
    for (size_t k = 0; k < LENGTHS[i]; k++) byte_by_byte = sw_crc32c_portable(byte_by_byte, bytes + k, 1);
    assert_int_equal(crc, byte_by_byte);
    assert_int_equal(sw_crc32c_portable(7, bytes, LENGTHS[i]), crc);
  }
}

/* What SharedMemoryBuffer does: the CRC of the whole follows from that of what changes. */
static void a_change_adds_its_own_crc(void **state) {
  (void)state;
  uint8_t bytes[1000], change[40];
  pattern_fill(bytes, sizeof(bytes), 3);
  for (uint32_t at = 0; at <= 960; at += 31) {
    uint32_t before = sw_crc32c(0, bytes, sizeof(bytes));
    for (uint32_t i = 0; i < 40; i++) {
      change[i] = (uint8_t)(i * at + 1);
      bytes[at + i] ^= change[i];
    }
    uint32_t added = sw_crc32c_zeros(~sw_crc32c(UINT32_MAX, change, 40), 960 - at);
    assert_int_equal(sw_crc32c(0, bytes, sizeof(bytes)), before ^ added);
  }
  assert_int_equal(sw_crc32c_zeros(0x12345678, 0), 0x12345678);
}

TESTS(TEST(rfc_vectors), TEST(in_parts_and_unaligned), TEST(lengths_around_those_of_the_other_ways),
      TEST(a_change_adds_its_own_crc));
