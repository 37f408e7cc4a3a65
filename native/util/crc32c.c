#include "sabway/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>

/* The instruction takes three cycles but one can start in each. Therefore long inputs are summed in
 * three lanes at once. What joins them is that a CRC is a remainder: a sum followed by n more bytes
 * counts x^(8n) times as much, modulo the polynomial (see Gopal et al., "Fast CRC Computation for
 * iSCSI Polynomial Using CRC32 Instruction", Intel 2011). */
enum { LANE = 8192 };
#define ONE 0x80000000u /* x^0 */

static uint64_t word_at(const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, 8);
  return word;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *at, size_t length) {
  uint64_t sum = crc;
  uint32_t shift = length >= 3 * LANE ? sw_crc32c_zeros(ONE, LANE) : 0;
  for (; length >= 3 * LANE; at += 3 * LANE, length -= 3 * LANE) {
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < LANE; i += 8) {
      sum = _mm_crc32_u64(sum, word_at(at + i));
      second = _mm_crc32_u64(second, word_at(at + LANE + i));
      third = _mm_crc32_u64(third, word_at(at + 2 * LANE + i));
    }
    sum = swi_crc32c_multiply(swi_crc32c_multiply((uint32_t)sum, shift) ^ (uint32_t)second, shift) ^ (uint32_t)third;
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

uint32_t sw_crc32c(uint32_t crc, const void *bytes, size_t length) {
  return have_instruction() ? ~by_instruction(~crc, bytes, length) : sw_crc32c_portable(crc, bytes, length);
}
