// sabway/bytes in pages and their workers, where what is loaded counts: nothing runs here that a
// bundler would have to keep.
export * from './exports-bytes.js'
