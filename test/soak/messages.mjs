// The messages of a soak: what message n of a sequence looks like follows from the seed alone, so
// that both ends know it.
import { crc32c } from 'sabway'
import { random } from '../../build/test/js/support/bytes.js'

const HEADER = 8 // number, CRC-32C of the rest
const POOL = 1 << 18
const LARGEST = 1 << 16

export class Sequence {
  #seed
  #pool

  constructor(seed) {
    this.#seed = seed
    const chance = random(seed)
    this.#pool = Uint8Array.from({ length: POOL + LARGEST }, () => chance() * 256)
  }

  /** From nothing to 64 KiB, most of them small. */
  #length(n) {
    const chance = random(this.#seed + Math.imul(n, 2654435761))
    const kind = chance()
    if (kind < 0.03) return 0
    if (kind < 0.65) return Math.floor(chance() * 256)
    if (kind < 0.95) return Math.floor(chance() * 4096)
    return kind < 0.955 ? LARGEST : Math.floor(chance() * LARGEST)
  }

  make(n) {
    const length = this.#length(n)
    const message = new Uint8Array(length)
    const at = Math.imul(n, 40503) & (POOL - 1)
    message.set(this.#pool.subarray(at, at + length))
    if (length < HEADER) return message
    const view = new DataView(message.buffer)
    view.setUint32(0, n, true)
    view.setUint32(4, crc32c(message.subarray(HEADER), n), true)
    return message
  }

  /** Is this message n? A sentence that tells what is wrong with it, or null. */
  wrong(n, message) {
    const length = this.#length(n)
    if (message.length !== length) return `message ${n} has ${message.length} bytes, not ${length}`
    if (length < HEADER) return null
    const view = new DataView(message.buffer, message.byteOffset, length)
    if (view.getUint32(0, true) !== n) return `message ${n} came as number ${view.getUint32(0, true)}`
    if (view.getUint32(4, true) !== crc32c(message.subarray(HEADER), n)) return `message ${n} fails its check-sum`
    return null
  }
}
