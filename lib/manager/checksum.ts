// CRC-32C of any bytes by the C code, as WebAssembly on a memory of its own: made when the first
// checksum is asked for. See native/core/checksum/crc32c.c.
import { NO_HOST, sharedMemory } from '../base/core.js'
import { type HotObjects, objectsCode } from '../heap/code.js'

const PAGE = 65536
/** Page 0 has the stack, page 1 the bytes. */
const PAGES = 2
const STACK_TOP = 16384
/** At most so many bytes at once. */
export const PIECE = PAGE

interface Code {
  readonly hot: HotObjects
  /** What is summed. */
  readonly bytes: Uint8Array
}

let code: Code | undefined

/** Errors: ERR_SABWAY_NO_WASM, ERR_SABWAY_OUT_OF_MEMORY. */
function load(): Code {
  if (code !== undefined) return code
  const memory = sharedMemory(PAGES)
  const { hot, stackPointer } = objectsCode.instantiate(memory, NO_HOST)
  stackPointer.value = STACK_TOP
  code = { hot, bytes: new Uint8Array(memory.buffer, PAGE, PIECE) }
  return code
}

/** The CRC of the bytes behind others whose CRC is `crc`. */
export function sum(bytes: Uint8Array, crc = 0): number {
  const { hot, bytes: place } = load()
  for (let at = 0; at < bytes.length; at += PIECE) {
    const piece = bytes.subarray(at, at + PIECE)
    place.set(piece)
    crc = hot.sw_crc32c_portable(crc, PAGE, piece.length) >>> 0
  }
  return crc
}

/** The CRC of bytes whose CRC is `crc`, and of so many zeros behind them. */
export function sumWithZeros(crc: number, zeros: number): number {
  return ~load().hot.sw_crc32c_zeros(~crc, BigInt(zeros)) >>> 0
}

/**
 * What a CRC changes by, as an exclusive or, when at most PIECE bytes change and `behind` bytes
 * that follow do not. `change`: the exclusive or of the old and the new byte at an index.
 */
export function difference(length: number, change: (index: number) => number, behind: number): number {
  const { hot, bytes } = load()
  for (let i = 0; i < length; i++) bytes[i] = change(i)
  return hot.sw_crc32c_zeros(~hot.sw_crc32c_portable(-1, PAGE, length), BigInt(behind))
}
