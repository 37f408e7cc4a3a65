import { addon, addonMissing } from './addon.js'
import * as check from './check.js'
import { SabwayError } from './errors.js'

/**
 * CRC-32C (Castagnoli) of the bytes, continuing from `crc`, an integer from 0 to 2^32 - 1. Errors:
 * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE, and ERR_SABWAY_NO_ADDON, as in every page.
 */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  check.bytes(bytes)
  check.integer(crc, 'crc', 0, 2 ** 32 - 1)
  const native = addon()
  if (native === null) throw new SabwayError('ERR_SABWAY_NO_ADDON', addonMissing())
  return native.crc32c(bytes, crc)
}
