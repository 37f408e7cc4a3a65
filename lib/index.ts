// Entry point for Node and Electron: loads the native addon. Without one (--no-addons, no binary for this platform) channels
// between JavaScript threads still work, woken by Atomics.notify; native workers throw ERR_SABWAY_NO_ADDON.
import { createRequire } from 'node:module'
import { provideFormat } from './codec.js'
import { msgpackWith } from './codec-msgpack.js'
import { v8Format } from './codec-v8.js'
import { loadAddon } from './load.js'

loadAddon()
provideFormat('v8', () => v8Format)
provideFormat('msgpack', () => msgpackWith(createRequire(import.meta.url)('msgpackr') as typeof import('msgpackr')))

export * from './exports.js'
