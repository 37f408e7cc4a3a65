// Entry point without the native addon: browser pages and workers. Waking goes through Atomics.notify.
import { loadCodecs } from './codecs.js'

loadCodecs()

export * from './exports.js'
