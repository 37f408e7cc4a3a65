#ifndef SABWAY_CRC32C_H
#define SABWAY_CRC32C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `length` bytes, continuing from `crc` (0 to
 * start). Uses the processor's instruction where it has one. Any thread, wait-free. */
uint32_t sw_crc32c(uint32_t crc, const void *bytes, size_t length);

/* The same without that instruction. Any thread, wait-free. */
uint32_t sw_crc32c_portable(uint32_t crc, const void *bytes, size_t length);

/* What a change of bytes adds to the CRC when `length` bytes follow that stay: `crc` is that of the
 * exclusive or of old and new bytes, begun and ended without inversion. The CRC of the whole
 * changes by an exclusive or with it. Any thread, wait-free, in steps as the logarithm of `length`.
 * */
uint32_t sw_crc32c_zeros(uint32_t crc, uint64_t length);

/* The product of two remainders. */
uint32_t swi_crc32c_multiply(uint32_t a, uint32_t b);

#ifdef __cplusplus
}
#endif
#endif
