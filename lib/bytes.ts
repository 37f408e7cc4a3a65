// sabway/bytes in Node and Electron: what 'sabway' has but for the parts that whole.ts provides.
// The classes are the same ones.
import { loadAddon } from './load.js'

loadAddon()

export * from './exports-bytes.js'
