import { type Addon, provideAddon } from './addon.js'

/**
 * Load the native addon, or note why there is none. Node's modules are looked up here, not imported: a sandboxed preload script has
 * none of them, and must still be able to load this file.
 */
export function loadAddon(): void {
  try {
    const { createRequire } = process.getBuiltinModule('node:module')
    const { dirname, join } = process.getBuiltinModule('node:path')
    const { isMainThread } = process.getBuiltinModule('node:worker_threads')
    const { fileURLToPath } = process.getBuiltinModule('node:url')
    const here = import.meta.url
    const find = createRequire(here)('node-gyp-build') as (folder: string) => Addon
    const native = find(join(dirname(fileURLToPath(here)), '..'))
    provideAddon(Object.assign(native, { isMainThread }))
  } catch (error) {
    provideAddon(null, `the native addon was not loaded: ${(error as Error).message}`)
  }
}
