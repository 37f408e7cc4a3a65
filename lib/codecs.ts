// sabway/codecs: codecs that compress and encrypt what others make. A program that imports it can
// also use the options that ask for them, such as `enableCompression`, of every class of Sabway.
import { provideErrors } from './base/errors.js'
import { compressed } from './codec/compressed.js'
import { encrypted } from './codec/encrypted.js'
import { wrapperPart } from './codec/options.js'
import { CODEC_ERRORS, WRAPPER_ERRORS } from './generated/abi.js'

provideErrors({ ...CODEC_ERRORS, ...WRAPPER_ERRORS })
wrapperPart.provide({ compressed, encrypted })

export { type CompressionOptions, compressed } from './codec/compressed.js'
export { type EncryptionKey, type EncryptionOptions, encrypted } from './codec/encrypted.js'
export { type CodingOptions, codecOf, type OpeningOptions } from './codec/options.js'
