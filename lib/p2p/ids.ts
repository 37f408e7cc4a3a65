// The ids of peers: texts of at most 32 bytes of UTF-8, in memory filled up with zeros. Games use
// few of them again and again, so both ways are remembered.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { randomWords } from '../base/host.js'
import { SW_P2P_FROM } from '../generated/abi.js'

export const ID_WORDS = SW_P2P_FROM / 4
/** A peer that invents ids must not fill the memory. */
const REMEMBERED = 1024

// An AudioWorklet has neither, and may still load this.
let encoder: TextEncoder | undefined
let decoder: TextDecoder | undefined

const encoded = new Map<string, Int32Array>()

/**
 * The words of an id, which are not to be changed. Errors: ERR_SABWAY_INVALID_TYPE;
 * ERR_SABWAY_INVALID_ARGUMENT: it has more than 32 bytes, or a NUL, where a reader takes it to end.
 */
export function idWords(id: string, name = 'from'): Int32Array {
  const known = encoded.get(id)
  if (known !== undefined) return known
  if (typeof id !== 'string') check.refuse('ERR_SABWAY_INVALID_TYPE', `${name} must be a string`, id)
  encoder ??= new TextEncoder()
  const utf8 = encoder.encode(id)
  if (utf8.length > SW_P2P_FROM || id.includes('\0')) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      `${name} must have at most ${SW_P2P_FROM} bytes as UTF-8, and no NUL, got ${check.shown(id)} of ${utf8.length} bytes`,
    )
  }
  const words = new Int32Array(ID_WORDS)
  new Uint8Array(words.buffer).set(utf8)
  if (encoded.size >= REMEMBERED) encoded.clear()
  encoded.set(id, words)
  return words
}

export function isId(id: unknown): boolean {
  try {
    idWords(id as string)
    return true
  } catch {
    return false
  }
}

/** 16 hexadecimal digits that nothing had before. */
export function freshId(): string {
  const words = randomWords() ?? Int32Array.of(Math.random() * 2 ** 32, Math.random() * 2 ** 32)
  return Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

/** Words and what they say, by a few bits of them. */
const decoded: ({ words: Int32Array; text: string } | undefined)[] = new Array(256).fill(undefined)

/** The text of eight words, which are read once: they may lie where another thread writes. */
export function idText(memory: Int32Array, at: number): string {
  const a = memory[at]!
  const b = memory[at + 1]!
  const c = memory[at + 2]!
  const d = memory[at + 3]!
  const e = memory[at + 4]!
  const f = memory[at + 5]!
  const g = memory[at + 6]!
  const h = memory[at + 7]!
  let mixed = a ^ b ^ c ^ d ^ e ^ f ^ g ^ h
  mixed ^= mixed >>> 16
  const place = (mixed ^ (mixed >>> 8)) & 255
  const known = decoded[place]
  if (known !== undefined) {
    const { words } = known
    if (
      words[0] === a &&
      words[1] === b &&
      words[2] === c &&
      words[3] === d &&
      words[4] === e &&
      words[5] === f &&
      words[6] === g &&
      words[7] === h
    ) {
      return known.text
    }
  }
  const words = Int32Array.of(a, b, c, d, e, f, g, h)
  const text = decode(words)
  decoded[place] = { words, text }
  return text
}

/** Up to the first NUL; what is no UTF-8 becomes U+FFFD. */
function decode(words: Int32Array): string {
  const utf8 = new Uint8Array(words.buffer)
  const end = utf8.indexOf(0)
  decoder ??= new TextDecoder('utf-8', { ignoreBOM: true })
  return decoder.decode(end < 0 ? utf8 : utf8.subarray(0, end))
}
