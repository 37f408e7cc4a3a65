// Node's own compression and encryption, which make and read the same bytes as the code that pages
// have, several times as fast. Null where a host has none, or only names it: Electron's BoringSSL
// is not OpenSSL, and a sandboxed preload script has neither module.
import type * as nodeCrypto from 'node:crypto'
import type * as nodeUtil from 'node:util'
import type * as nodeZlib from 'node:zlib'
import type { Aead, Deflate } from './means.js'

/** A module of Node; undefined where there is none. */
function builtin(name: string): unknown {
  try {
    const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } }
    return process?.getBuiltinModule?.(name)
  } catch {
    return undefined
  }
}

/** The same memory as an array of no class of Node's. */
const plainly = ({ buffer, byteOffset, length }: Uint8Array): Uint8Array => new Uint8Array(buffer, byteOffset, length)

/** zlib takes no smaller one. */
const LEAST_CHUNK = 64

/** Null where there is no zlib. */
export function nativeDeflate(): Deflate | null {
  const zlib = builtin('node:zlib') as typeof nodeZlib | undefined
  if (typeof zlib?.deflateRawSync !== 'function' || typeof zlib.inflateRawSync !== 'function') return null
  return {
    deflate: (bytes, level) => plainly(zlib.deflateRawSync(bytes, { level })),
    inflate: (bytes, length) =>
      // a byte more than there may be: the first chunk is the last one, and too much is an error
      plainly(
        zlib.inflateRawSync(bytes, { chunkSize: Math.max(LEAST_CHUNK, length + 1), maxOutputLength: length + 1 }),
      ),
    crc32: typeof zlib.crc32 === 'function' ? (bytes) => zlib.crc32(bytes) : undefined,
  }
}

const CIPHER = 'chacha20-poly1305'
const OPTIONS = { authTagLength: 16 }

/** Null where this cipher is not there. */
export function nativeAead(): Aead | null {
  const crypto = builtin('node:crypto') as typeof nodeCrypto | undefined
  if (typeof crypto?.createCipheriv !== 'function') return null
  const aead: Aead = {
    seal(key, nonce, about, bytes, out) {
      const cipher = crypto.createCipheriv(CIPHER, key, nonce, OPTIONS)
      cipher.setAAD(about, { plaintextLength: bytes.length })
      out.set(cipher.update(bytes))
      cipher.final()
      out.set(cipher.getAuthTag(), bytes.length)
    },
    open(key, nonce, about, sealed) {
      const length = sealed.length - OPTIONS.authTagLength
      const decipher = crypto.createDecipheriv(CIPHER, key, nonce, OPTIONS)
      decipher.setAAD(about, { plaintextLength: length })
      decipher.setAuthTag(sealed.subarray(length))
      const bytes = decipher.update(sealed.subarray(0, length))
      decipher.final()
      return plainly(bytes)
    },
  }
  try {
    const sealed = new Uint8Array(OPTIONS.authTagLength + 1)
    aead.seal(new Uint8Array(32), new Uint8Array(12), sealed.slice(), Uint8Array.of(1), sealed)
    const [byte] = aead.open(new Uint8Array(32), new Uint8Array(12), new Uint8Array(sealed.length), sealed)
    return byte === 1 ? aead : null
  } catch {
    return null
  }
}

/**
 * The bytes of a key that is an object of Node's, or of WebCrypto in Node; undefined for anything
 * else, and for a key that must not be had as bytes.
 */
export function nativeKey(value: unknown): Uint8Array | undefined {
  const crypto = builtin('node:crypto') as typeof nodeCrypto | undefined
  const types = (builtin('node:util') as typeof nodeUtil | undefined)?.types
  try {
    const isCryptoKey = types?.isCryptoKey?.(value) === true
    if (isCryptoKey && !value.extractable) return undefined
    const object = isCryptoKey ? crypto!.KeyObject.from(value) : value
    if (types?.isKeyObject?.(object) !== true || object.type !== 'secret') return undefined
    return plainly(object.export())
  } catch {
    return undefined
  }
}

/**
 * Is this program being made into a startup snapshot of Node's? What is random now is the same in
 * each process that starts from it.
 */
export function inSnapshot(): boolean {
  const v8 = builtin('node:v8') as { startupSnapshot?: { isBuildingSnapshot?(): unknown } } | undefined
  // Node documents a boolean, and answers 1.
  return Boolean(v8?.startupSnapshot?.isBuildingSnapshot?.())
}
