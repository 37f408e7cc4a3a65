import { type Addon, provideAddon } from './base/addon.js'
import { provideErrors } from './base/errors.js'
import { nodeHost } from './base/host.js'
import { addressLimit, lastOnExit, roomForRegions } from './base/node-host.js'
import { startWorker } from './channel/native-worker.js'
import { workerPart } from './channel/parts.js'
import { laterPart } from './codec/options.js'
import { ADDON_ERRORS } from './generated/abi.js'
import { nativeEvents } from './loop/native-events.js'
import { nativePart } from './loop/parts.js'
import { createIn, directCore, hasAddon, memoryOf, overWhole } from './region/buffers.js'
import { createShared, openShared } from './region/overlay.js'
import { bufferPart, overlayPart } from './region/parts.js'

/** What a host says of an addon that it does not load. */
interface Refusal {
  code?: unknown
  message?: unknown
}

/**
 * Load the native addon, or note why there is none. Node's modules are looked up here, not
 * imported: a sandboxed preload script has none of them, and must still be able to load this file.
 */
export function loadAddon(): void {
  provideErrors(ADDON_ERRORS)
  if (typeof globalThis.process?.on === 'function') nodeHost.provide({ lastOnExit, addressLimit, roomForRegions })
  overlayPart.provide({ createShared, openShared })
  bufferPart.provide({ hasAddon, directCore, memoryOf, createIn, overWhole })
  nativePart.provide(nativeEvents)
  workerPart.provide({ startWorker })
  let find: { (folder: string): Addon; resolve(folder: string): string } | undefined
  let root = ''
  try {
    const { createRequire } = process.getBuiltinModule('node:module')
    const { dirname, join } = process.getBuiltinModule('node:path')
    const { isMainThread } = process.getBuiltinModule('node:worker_threads')
    const { fileURLToPath } = process.getBuiltinModule('node:url')
    const here = import.meta.url
    root = join(dirname(fileURLToPath(here)), '..')
    // Of the same kind of module as this file: then its classes are the same, too. Node before
    // 20.19 cannot load the one for `import` like this; there, programs import it themselves.
    const codecs = here.endsWith('.cjs') ? './codecs.cjs' : './codecs.mjs'
    laterPart.provide({ load: () => createRequire(here)(codecs) })
    find = createRequire(here)('node-gyp-build') as NonNullable<typeof find>
    provideAddon(Object.assign(find(root), { isMainThread }))
  } catch (error) {
    provideAddon(null, `the native addon was not loaded: ${why(error as Refusal, find, root)}`)
  }
}

const REBUILD = 'run `npm rebuild sabway`, which compiles it'

/** Which of the ways to have no addon it is, and what to do about it. */
function why(error: Refusal, find: { resolve(folder: string): string } | undefined, root: string): string {
  const words = String(error?.message ?? error)
  if (error?.code === 'ERR_DLOPEN_DISABLED') {
    return 'addons are disabled here: start this process or thread without --no-addons'
  }
  if (find === undefined) {
    return error?.code === 'MODULE_NOT_FOUND'
      ? "the package node-gyp-build was not found beside Sabway: install Sabway's dependencies; a bundler is to leave sabway external"
      : brief(words)
  }
  const platform = `${process.platform}-${process.arch}`
  let file: string
  try {
    file = find.resolve(root)
  } catch {
    return `there is no binary for ${platform} in ${brief(folderOf(root))}: ${others(root)}${REBUILD}, and let npm, pnpm or yarn run the install script of sabway (no --ignore-scripts)`
  }
  const said = words.startsWith(file) ? words.slice(file.length).replace(/^:? */, '') : words
  return `${brief(file)} cannot be loaded by this Node (${platform}): ${brief(said)}; it is broken, or of another platform: ${REBUILD}`
}

/** Where binaries are looked for: the environment may say so. */
function folderOf(root: string): string {
  const { SABWAY_PREBUILD: elsewhere } = process.env
  return elsewhere ? `${elsewhere} (SABWAY_PREBUILD)` : root
}

/** The platforms for which this package has brought a binary. */
function others(root: string): string {
  try {
    const { readdirSync } = process.getBuiltinModule('node:fs')
    const names = readdirSync(`${process.env.SABWAY_PREBUILD || root}/prebuilds`)
    return names.length === 0 ? '' : `there is one for ${brief(names.join(', '))}; `
  } catch {
    return ''
  }
}

const MOST = 100

/**
 * The end of a text, which tells more than its beginning: of a path, and of what the system says of
 * one.
 */
const brief = (text: string): string => (text.length <= MOST ? text : `...${text.slice(3 - MOST)}`)
