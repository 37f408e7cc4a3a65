// Entry point without the native addon: browser pages and workers. Waking goes through
// Atomics.notify.
import { loadParts } from './whole.js'

loadParts()

export * from './exports.js'
