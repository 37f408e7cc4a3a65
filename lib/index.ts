// Entry point for Node and Electron: loads the native addon. Without one (--no-addons, no binary for this platform) channels
// between JavaScript threads still work, woken by Atomics.notify; native workers throw ERR_SABWAY_NO_ADDON.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { type Addon, addon, addonMissing, provideAddon } from './addon.js'
import { SabwayError } from './errors.js'

const here = import.meta.url

function load(): void {
  try {
    const find = createRequire(here)('node-gyp-build') as (folder: string) => Addon
    const native = find(join(dirname(fileURLToPath(here)), '..'))
    provideAddon(Object.assign(native, { isMainThread }))
  } catch (error) {
    provideAddon(null, `the native addon was not loaded: ${(error as Error).message}`)
  }
}

load()

/** CRC-32C (Castagnoli) of the bytes, continuing from `crc`. Errors: ERR_SABWAY_NO_ADDON. */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  const native = addon()
  if (native === null) throw new SabwayError('ERR_SABWAY_NO_ADDON', addonMissing())
  return native.crc32c(bytes, crc)
}

export * from './exports.js'
