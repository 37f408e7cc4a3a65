// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha): ChaCha20-Poly1305 (RFC 8439) under a key that
// HChaCha20 makes of the user's key and the first 16 bytes of the nonce. That key is the same for
// all messages of one sender, so it is made once. The inner cipher is Node's, and where that is
// not, @noble/ciphers'.
import { chacha20poly1305, hchacha } from '@noble/ciphers/chacha.js'
import type { Aead } from './means.js'
import { nativeAead } from './native.js'

export const KEY_BYTES = 32
export const NONCE_BYTES = 24
export const TAG_BYTES = 16
/** Of a nonce: what makes the sender's key. */
export const SENDER_BYTES = 16

const portable: Aead = {
  seal: (key, nonce, about, bytes, out) => void chacha20poly1305(key, nonce, about).encrypt(bytes, out),
  open: (key, nonce, about, sealed) => chacha20poly1305(key, nonce, about).decrypt(sealed),
}

let chosen: Aead | undefined

export function aead(): Aead {
  chosen ??= nativeAead() ?? portable
  return chosen
}

/** "expand 32-byte k", the constant of ChaCha. */
const SIGMA = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574)

/** The first bytes as words of this machine: their memory may begin anywhere. */
const words = (bytes: Uint8Array, count: number): Uint32Array => new Uint32Array(bytes.slice(0, 4 * count).buffer)

/** The key for the messages of a sender, whose number is the first 16 bytes of its nonces. */
export function senderKey(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const made = new Uint32Array(8)
  hchacha(SIGMA, words(key, 8), words(nonce, 4), made)
  return new Uint8Array(made.buffer)
}

/** The nonce of the inner cipher: four zeros, and what follows the sender's number. */
export function innerNonce(nonce: Uint8Array): Uint8Array {
  const inner = new Uint8Array(12)
  inner.set(nonce.subarray(SENDER_BYTES, NONCE_BYTES), 4)
  return inner
}
