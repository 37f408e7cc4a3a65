// What a codec compresses and encrypts with: Node's own, or what pages have.

/** From 1, the fastest, to 9, the smallest. */
export type Level = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9

export interface Deflate {
  deflate(bytes: Uint8Array, level: Level): Uint8Array
  /**
   * At most `length` + 1 bytes are made, whatever is in the message. Errors: any, for what is no
   * DEFLATE.
   */
  inflate(bytes: Uint8Array, length: number): Uint8Array
  readonly crc32: ((bytes: Uint8Array) => number) | undefined
}

/** ChaCha20-Poly1305 (RFC 8439). `about` is authenticated, and not in the message. */
export interface Aead {
  /** Writes as many bytes as `bytes` has, and 16 of a tag. */
  seal(key: Uint8Array, nonce: Uint8Array, about: Uint8Array, bytes: Uint8Array, out: Uint8Array): void
  /** Errors: any, where the tag is not that of the rest. */
  open(key: Uint8Array, nonce: Uint8Array, about: Uint8Array, sealed: Uint8Array): Uint8Array
}
