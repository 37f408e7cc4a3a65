// Entry point without the native addon: browser pages and workers. Waking goes through Atomics.notify.
export * from './exports.js'
