// sabway/codecs in pages and their workers: the same, without the code for Node's zlib and crypto
// (tsdown.config.ts).
export * from './codecs.js'
