// DEFLATE (RFC 1951), and a checksum of what it stands for: by Node's zlib, and where that is not,
// by fflate. Either reads what the other wrote.
import { deflateSync, inflateSync } from 'fflate'
import type { Deflate } from './means.js'
import { nativeDeflate } from './native.js'

/** Nothing makes more of a byte: two bits stand for at most 258 bytes. */
export const MOST_PER_BYTE = 1032

const portable: Deflate = {
  deflate: (bytes, level) => deflateSync(bytes, { level }),
  // fflate writes into the memory it is given, and never beyond
  inflate: (bytes, length) => inflateSync(bytes, { out: new Uint8Array(length + 1) }),
  crc32: undefined,
}

let chosen: Deflate | undefined

export function deflate(): Deflate {
  chosen ??= nativeDeflate() ?? portable
  return chosen
}

let table: Uint32Array | undefined

function crcTable(): Uint32Array {
  const made = new Uint32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
    made[byte] = crc
  }
  return made
}

/** CRC-32, as in gzip. */
export function crc32(bytes: Uint8Array): number {
  const { crc32: native } = deflate()
  if (native !== undefined) return native(bytes)
  table ??= crcTable()
  let crc = -1
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 255]!
  return ~crc >>> 0
}
