/* CRC-32C without an instruction of the processor: for WebAssembly, where there is none, and for
 * processors that have none. It is a remainder of a division of polynomials, whose lowest power is
 * the highest bit: bytes behind others count x^(8n) less. */
#include "sabway/crc32c.h"

#define POLYNOMIAL 0x82f63b78u /* 0x1edc6f41, bits reversed */

enum { LONG = 512 /* bytes from which on a table of 256 words is worth making */ };

uint32_t swi_crc32c_multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (int bit = 31; bit >= 0; bit--) {
    product ^= b & (0u - (a >> bit & 1));
    b = b >> 1 ^ (POLYNOMIAL & (0u - (b & 1)));
  }
  return product;
}

uint32_t sw_crc32c_zeros(uint32_t crc, uint64_t length) {
  uint32_t power = 0x00800000; /* x^8 */
  for (; length != 0; length >>= 1) {
    if ((length & 1) != 0) crc = swi_crc32c_multiply(crc, power);
    power = swi_crc32c_multiply(power, power);
  }
  return crc;
}

/* The words of the table for `bits` bits at once. It is made anew for each call: the code for
 * WebAssembly has no data of its own. */
static void make_table(uint32_t *table, uint32_t bits) {
  table[0] = 0;
  uint32_t power = POLYNOMIAL;
  for (uint32_t half = 1u << (bits - 1); half != 0; half >>= 1) {
    for (uint32_t i = 0; i < 1u << bits; i += 2 * half) table[i + half] = table[i] ^ power;
    power = power >> 1 ^ (POLYNOMIAL & (0u - (power & 1)));
  }
}

static uint32_t by_bytes(uint32_t crc, const uint8_t *at, size_t length) {
  uint32_t table[256];
  make_table(table, 8);
  while (length-- != 0) crc = crc >> 8 ^ table[(crc ^ *at++) & 255];
  return crc;
}

static uint32_t by_halves(uint32_t crc, const uint8_t *at, size_t length) {
  uint32_t table[16];
  make_table(table, 4);
  while (length-- != 0) {
    crc ^= *at++;
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return crc;
}

uint32_t sw_crc32c_portable(uint32_t crc, const void *bytes, size_t length) {
  return ~(length < LONG ? by_halves(~crc, bytes, length) : by_bytes(~crc, bytes, length));
}
