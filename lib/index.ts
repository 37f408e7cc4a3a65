// Entry point for Node and Electron: loads the native addon. Without one (--no-addons, no binary
// for this platform) channels between JavaScript threads still work, woken by Atomics.notify;
// native workers throw ERR_SABWAY_NO_ADDON.

import { loadAddon } from './load.js'
import { loadObjects } from './objects.js'
import { loadParts } from './whole.js'

loadAddon()
loadParts()
loadObjects() // a bundler for Node may take the call in objects.ts for one without effect

export * from './exports.js'
