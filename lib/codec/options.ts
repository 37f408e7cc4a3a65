// The options by which a structure compresses and encrypts its values, and the codec they ask for.
// The code for it is 'sabway/codecs', which only programs load that use it.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { Part } from '../base/part.js'
import type { Codec, CodecName } from './codec.js'
import type * as compression from './compressed.js'
import type * as encryption from './encrypted.js'

export interface CodingOptions<T = unknown> {
  /** How values become bytes: 'structured', where one of the following asks for a codec. */
  codec?: CodecName | Codec<T>
  /** Compress messages; also on where one of the next two options is there. */
  enableCompression?: boolean
  /** Bytes from which a message is compressed: 1024, where nothing else is said. */
  compressionThreshold?: number
  /** From 1, the fastest, which is the default, to 9, the smallest. */
  compressionLevel?: compression.CompressionOptions['level']
  /** Encrypt messages; also on where `encryptionKey` is there. */
  enableEncryption?: boolean
  /** 32 bytes that all participants have. */
  encryptionKey?: encryption.EncryptionKey
  /** What the messages are for: those for another context are refused. */
  encryptionContext?: string
}

/** The names, for check.options. */
export const CODING_OPTIONS = [
  'codec',
  'enableCompression',
  'compressionThreshold',
  'compressionLevel',
  'enableEncryption',
  'encryptionKey',
  'encryptionContext',
] as const satisfies readonly (keyof CodingOptions)[]

/** Of a structure that was made already: for codecs that are not found by their name. */
export type OpeningOptions = CodingOptions<never>

/** What compresses and encrypts. */
export const wrapperPart = new Part<Pick<typeof compression, 'compressed'> & Pick<typeof encryption, 'encrypted'>>(
  "is in 'sabway/codecs'; import that in this thread, too",
)

/** Loads 'sabway/codecs' when it is first needed, where a program of Node or Electron can. */
export const laterPart = new Part<{ load(): unknown }>()

/** Errors: ERR_SABWAY_NOT_LOADED. */
function wrappers(what: string): NonNullable<typeof wrapperPart.loaded> {
  if (wrapperPart.loaded === null)
    try {
      laterPart.loaded?.load()
    } catch {
      // The error below says what to import.
    }
  return wrapperPart.for(what)
}

/**
 * The `codec` that the options ask for: what is asked for by name is compressed first, and then
 * encrypted. Undefined where they ask for none. Other properties are left to the caller. Errors:
 * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE,
 * ERR_SABWAY_NOT_LOADED.
 */
export function codecOf<T = unknown>(options: CodingOptions<T>): CodecName | Codec<T> | undefined {
  if (typeof options !== 'object' || options === null)
    check.refuse('ERR_SABWAY_INVALID_TYPE', 'options must be an object such as { enableCompression: true }', options)
  const found = check.fields(options, 'options', CODING_OPTIONS) as CodingOptions<T>
  const { enableCompression, compressionThreshold: threshold, compressionLevel: level } = found
  const { enableEncryption, encryptionKey: key, encryptionContext: context } = found
  if (enableCompression !== undefined) check.flag(enableCompression, 'enableCompression')
  if (enableEncryption !== undefined) check.flag(enableEncryption, 'enableEncryption')
  let codec = check.codec<Codec<T>, CodecName>(found.codec)
  if (enableCompression ?? (threshold !== undefined || level !== undefined))
    codec = wrappers('compression').compressed<T>(codec, { threshold, level })
  if (enableEncryption ?? key !== undefined) codec = encrypting(codec, key, context)
  else if (enableEncryption === undefined && context !== undefined) needsKey('encryptionContext')
  return codec
}

function encrypting<T>(codec: CodecName | Codec<T> | undefined, key: unknown, context: string | undefined): Codec<T> {
  if (key === undefined) return needsKey('enableEncryption')
  return wrappers('encryption').encrypted<T>(codec, { key: key as encryption.EncryptionKey, context })
}

function needsKey(option: string): never {
  throw new SabwayError(
    'ERR_SABWAY_INVALID_ARGUMENT',
    `${option} needs encryptionKey, 32 random bytes that all participants have`,
  )
}
