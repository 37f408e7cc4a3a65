// Texts of fields: a word that leads to a block, which is replaced as a whole; see
// native/core/record/record.c. They are read here, in place, without a lock.
import { SabwayError } from '../base/errors.js'
import { sw_text } from '../generated/abi.js'
import type { HeapMember } from '../heap/member.js'
import { readText } from '../heap/text.js'

/** A text, and which of those that have been in its place. */
export interface VersionedText {
  readonly text: string
  readonly version: number
}

/** Reads that may meet a replacement; each of those takes a lock and a call. */
const TRIES = 10_000
/** More bytes than the longest text of V8's has. */
const LONGEST = 3 * (2 ** 29 - 24)

/** The version of the text whose word is at that offset in the region. */
export const versionAt = (words: Int32Array, at: number): number => Atomics.load(words, (at >>> 2) + 1)

/** Errors: ERR_SABWAY_BUSY, ERR_SABWAY_CORRUPT, ERR_SABWAY_OUT_OF_RANGE. */
export function textAt(member: HeapMember, at: number): VersionedText {
  for (let tries = 0; tries < TRIES; tries++) {
    const found = tryRead(member, at)
    if (found !== null) return found
  }
  throw new SabwayError('ERR_SABWAY_BUSY', 'this text is replaced all the time; read it under the lock')
}

/** Reads first, and believes what it has read when the version is still the same. */
function tryRead(member: HeapMember, at: number): VersionedText | null {
  const { words, bytes } = member.region
  const version = versionAt(words, at)
  const block = Atomics.load(words, at >>> 2) >>> 0
  let text = ''
  if (block !== 0) {
    const room = bytes.length - block - sw_text.bytes
    const length = block % 16 === 0 && room > 0 ? Atomics.load(words, block >>> 2) >>> 0 : bytes.length
    // before the length is believed
    if (versionAt(words, at) !== version) return null
    if (length > room) throw new SabwayError('ERR_SABWAY_CORRUPT', `the text at ${at} leads out of the heap`)
    if (length > LONGEST)
      throw new SabwayError('ERR_SABWAY_OUT_OF_RANGE', `a text of ${length} bytes is longer than a string can be`)
    text = readText(bytes, block + sw_text.bytes, length)
  }
  // What was read above was read before this word is: an exchange is a fence where a load is not.
  Atomics.add(words, member.scratch >>> 2, 0)
  return versionAt(words, at) === version ? { text, version } : null
}
