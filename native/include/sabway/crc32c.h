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

#ifdef __cplusplus
}
#endif
#endif
