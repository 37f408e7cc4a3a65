#include "sabway/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>

/* The instruction takes three cycles but one can start in each. Therefore long inputs are summed in
 * three lanes at once. What joins them is that a CRC is a remainder: a sum followed by n more bytes
 * counts x^(8n) times as much, modulo the polynomial (see Gopal et al., "Fast CRC Computation for
 * iSCSI Polynomial Using CRC32 Instruction", Intel 2011). */
enum { LANE = 8192 };

static const uint32_t POLYNOMIAL = 0x82f63b78; /* 0x1edc6f41, bits reversed */

/* Product modulo the polynomial; the lowest power of x is the highest bit. */
static uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (int bit = 31; bit >= 0; bit--) {
    product ^= b & (0u - (a >> bit & 1));
    b = b >> 1 ^ (POLYNOMIAL & (0u - (b & 1)));
  }
  return product;
}

/* x^(8 * LANE): x^1 squared 16 times. */
static uint32_t lane_shift(void) {
  uint32_t power = 0x40000000;
  for (int bits = 1; bits < 8 * LANE; bits *= 2) power = multiply(power, power);
  return power;
}

static uint64_t word_at(const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, 8);
  return word;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *at, size_t length) {
  uint64_t sum = crc;
  uint32_t shift = length >= 3 * LANE ? lane_shift() : 0;
  for (; length >= 3 * LANE; at += 3 * LANE, length -= 3 * LANE) {
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < LANE; i += 8) {
      sum = _mm_crc32_u64(sum, word_at(at + i));
      second = _mm_crc32_u64(second, word_at(at + LANE + i));
      third = _mm_crc32_u64(third, word_at(at + 2 * LANE + i));
    }
    sum = multiply(multiply((uint32_t)sum, shift) ^ (uint32_t)second, shift) ^ (uint32_t)third;
  }
  for (; length >= 8; at += 8, length -= 8) sum = _mm_crc32_u64(sum, word_at(at));
  uint32_t rest = (uint32_t)sum;
  while (length-- != 0) rest = _mm_crc32_u8(rest, *at++);
  return rest;
}

static int have_instruction(void) { return __builtin_cpu_supports("sse4.2"); }

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>

static uint32_t by_instruction(uint32_t crc, const uint8_t *at, size_t length) {
  for (; length >= 8; at += 8, length -= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    crc = __crc32cd(crc, word);
  }
  while (length-- != 0) crc = __crc32cb(crc, *at++);
  return crc;
}

static int have_instruction(void) { return 1; }

#else

static uint32_t by_instruction(uint32_t crc, const uint8_t *at, size_t length) {
  (void)at, (void)length;
  return crc;
}

static int have_instruction(void) { return 0; }

#endif

/* Half a byte at a time: sixteen words of table, for processors without the instruction. */
static uint32_t by_table(uint32_t crc, const uint8_t *at, size_t length) {
  static const uint32_t NIBBLE[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
                                      0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                      0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
  while (length-- != 0) {
    crc ^= *at++;
    crc = crc >> 4 ^ NIBBLE[crc & 15];
    crc = crc >> 4 ^ NIBBLE[crc & 15];
  }
  return crc;
}

uint32_t sw_crc32c(uint32_t crc, const void *bytes, size_t length) {
  uint32_t inverted = ~crc;
  return ~(have_instruction() ? by_instruction(inverted, bytes, length) : by_table(inverted, bytes, length));
}
