// sabway/bytes in Node and Electron: what 'sabway' has but for the parts that parts.ts names. The
// classes are the same ones.
import { loadAddon } from './base/load.js'

loadAddon()

export * from './exports-bytes.js'
