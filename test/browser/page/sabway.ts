// What 'sabway' is in a browser; the CRC-32C that tests check their messages with is not part of
// the browser build.
export * from '../../../dist/browser.mjs'
export { crc32c } from './crc32c.js'
