// A codec that encrypts and authenticates what another one makes: XChaCha20-Poly1305.
//
//   nonce (24): number of the sender (16) | number of the message (u64) | ciphertext | tag (16)
//
// No nonce is used twice under one key. The number of a sender is random, and is drawn when a codec
// encodes for the first time: of 2^32 senders two have the same one with a probability below 2^-64.
// A sender counts its messages in memory of its own and never goes back; after 2^32 of them it
// draws another number. A participant that ends, however it ends, takes its number with it: nothing
// of it is stored, and the next one draws its own. Codecs cannot be posted to other threads, so
// each thread has its own, too.
//
// What is authenticated beside the message: this format, the name of the wrapped codec, the user's
// context, and the place, such as the side of the channel that sends it.
import { copyOf, isUint8Array, lengthOf } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { textBytes, writeText } from '../heap/text.js'
import { aead, innerNonce, KEY_BYTES, NONCE_BYTES, SENDER_BYTES, senderKey, TAG_BYTES } from './aead.js'
import type { Codec } from './codec.js'
import { bytesOf, isSame, type Wrapped, wrappedFormat, wrapperName } from './inner.js'
import { inSnapshot, nativeKey } from './native.js'

/**
 * What a program has as a key: its bytes, or an object of Node's or WebCrypto's that exports them.
 */
export type EncryptionKey = Uint8Array | { readonly type: string }

export interface EncryptionOptions {
  /**
   * 32 random bytes that all participants have: a Uint8Array; in Node also a KeyObject or a
   * CryptoKey.
   */
  key: EncryptionKey
  /**
   * What the messages are for, such as the name of the channel: a message for another context is
   * refused. All participants give the same. At most 1000 characters; none, where nothing is said.
   */
  context?: string
}

const FORMAT = 'sabway encrypted 1'
const LONGEST_CONTEXT = 1000
/** Messages of a sender before it draws another number. */
const MOST_OF_A_SENDER = 2 ** 32
/** Keys of senders that are kept: as many as a region has participants. */
const SENDERS_KEPT = 64

/**
 * The same values as messages that nothing can read or make that has not the key. To compress as
 * well, wrap `compressed`. All values of a map go through it, and of a channel the side that sends
 * is part of what is authenticated. Errors of it: ERR_SABWAY_INVALID_TYPE,
 * ERR_SABWAY_OUT_OF_RANGE: the key; ERR_SABWAY_INVALID_ARGUMENT; of `encode`: those of the wrapped
 * codec, ERR_SABWAY_UNSUPPORTED where there is no source of random numbers; of `decode`:
 * ERR_SABWAY_FORGED, and those of the wrapped codec.
 */
export function encrypted(codec: 'bytes', options: EncryptionOptions): Codec<Uint8Array>
export function encrypted<T = unknown>(codec: Wrapped<T> | undefined, options: EncryptionOptions): Codec<T>
export function encrypted(codec: unknown, options: EncryptionOptions): Codec<unknown> {
  const { key: given, context = '' } = check.options(options, 'encryption options', ['key', 'context'])
  const key = keyOf(given)
  if (context !== '') check.text(context, 'context', LONGEST_CONTEXT)
  const format = wrappedFormat(codec)
  const about = new About([FORMAT, format.name, context])
  const out = new Outgoing(key)
  const senders = new Senders(key)

  /** The bytes that a message stands for, in memory of their own. */
  function inside(message: Uint8Array, place: string): Uint8Array {
    // a peer may change what lies in the ring while it is read
    const own = copyOf(message, lengthOf(message))
    if (own.length < NONCE_BYTES + TAG_BYTES) forged('it is too short for one')
    const sender = senders.of(own)
    let bytes: Uint8Array
    try {
      bytes = aead().open(sender.key, innerNonce(own), about.at(place), own.subarray(NONCE_BYTES))
    } catch {
      return forged('the key, the context and the codec must be the same on both sides; or it was changed since')
    }
    senders.keep(sender)
    return bytes
  }

  return {
    name: wrapperName('encrypted', format),
    takes: 'all',
    encode(value: unknown, place = '') {
      const bytes = bytesOf(format, value, place)
      const message = new Uint8Array(NONCE_BYTES + bytes.length + TAG_BYTES)
      const senderKey = out.next(message)
      aead().seal(senderKey, innerNonce(message), about.at(place), bytes, message.subarray(NONCE_BYTES))
      return message
    },
    decode: (message, place = '') => format.decode(inside(message, place), undefined, place),
    same: (message, value, place = '') => isSame(format, inside(message, place), value, place),
  }
}

function forged(why: string): never {
  throw new SabwayError('ERR_SABWAY_FORGED', why)
}

function keyOf(given: unknown): Uint8Array {
  const expected =
    'key must be a Uint8Array of 32 bytes, or in Node a KeyObject or an extractable CryptoKey; elsewhere: new Uint8Array(await crypto.subtle.exportKey("raw", key))'
  const key = isUint8Array(given) ? copyOf(given, check.message(given)) : nativeKey(given)
  if (key === undefined) return check.refuse('ERR_SABWAY_INVALID_TYPE', expected, given)
  if (key.length === KEY_BYTES) return key
  throw new SabwayError('ERR_SABWAY_OUT_OF_RANGE', `key must have 32 bytes, this one has ${key.length}`)
}

// ---- nonces ----

/** The nonces of this codec's own messages. */
class Outgoing {
  readonly #key: Uint8Array
  readonly #sender = new Uint8Array(SENDER_BYTES)
  #senderKey: Uint8Array | null = null
  #sent = 0

  constructor(key: Uint8Array) {
    this.#key = key
  }

  /** Write the next nonce to the beginning of the message. Returns the sender's key. */
  next(message: Uint8Array): Uint8Array {
    if (this.#senderKey === null || this.#sent === MOST_OF_A_SENDER) this.#draw()
    message.set(this.#sender)
    new DataView(message.buffer).setUint32(SENDER_BYTES, this.#sent++, true)
    return this.#senderKey!
  }

  #draw(): void {
    const { crypto } = globalThis as { crypto?: Crypto }
    if (typeof crypto?.getRandomValues !== 'function')
      throw new SabwayError(
        'ERR_SABWAY_UNSUPPORTED',
        'this scope has no crypto.getRandomValues; encrypt in another thread',
      )
    if (inSnapshot())
      throw new SabwayError(
        'ERR_SABWAY_INVALID_STATE',
        'each process that starts from a snapshot would use the same nonces; encrypt after the start',
      )
    crypto.getRandomValues(this.#sender)
    this.#senderKey = senderKey(this.#key, this.#sender)
    this.#sent = 0
  }
}

interface Sender {
  readonly name: string
  readonly key: Uint8Array
}

/** The keys of the senders of which messages came last. */
class Senders {
  readonly #key: Uint8Array
  readonly #known = new Map<string, Sender>()

  constructor(key: Uint8Array) {
    this.#key = key
  }

  of(message: Uint8Array): Sender {
    const name = String.fromCharCode(...message.subarray(0, SENDER_BYTES))
    return this.#known.get(name) ?? { name, key: senderKey(this.#key, message) }
  }

  /** Only of a sender that has proved to have the key: others would drive these out. */
  keep(sender: Sender): void {
    const known = this.#known
    if (known.get(sender.name) === sender) return
    if (known.size >= SENDERS_KEPT) known.delete(known.keys().next().value!)
    known.set(sender.name, sender)
  }
}

// ---- what is authenticated beside the message ----

/** Texts as bytes, each with its length before it: no two lists of texts have the same bytes. */
class About {
  readonly #texts: readonly string[]
  /** Of the last two places: a channel has two. */
  #last: readonly [place: string, bytes: Uint8Array][] = []

  constructor(texts: readonly string[]) {
    this.#texts = texts
  }

  at(place: string): Uint8Array {
    const found = this.#last.find(([known]) => known === place)
    if (found !== undefined) return found[1]
    const texts = [...this.#texts, place]
    const bytes = new Uint8Array(texts.reduce((sum, text) => sum + 4 + textBytes(text), 0))
    const view = new DataView(bytes.buffer)
    let at = 0
    for (const text of texts) {
      const end = writeText(bytes, at + 4, bytes.length, text)
      view.setUint32(at, end - at - 4, true)
      at = end
    }
    this.#last = [[place, bytes], ...this.#last.slice(0, 1)]
    return bytes
  }
}
