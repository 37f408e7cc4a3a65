// Every entry point, as ES module and as CommonJS, runs the same suite.
import { createRequire } from 'node:module'
import { provide } from '../../electron/stubs/module.js'
import { entrySuite } from '../support/entry-suite.js'
import { root } from '../support/paths.js'

const require = createRequire(root)

const ENTRIES = [
  ['index', { v8: true, addon: true }],
  ['browser', { v8: false, addon: false }],
  ['electron/main', { v8: true, addon: true }],
  ['electron/preload', { v8: true, addon: true }],
  ['electron/renderer', { v8: false, addon: false }],
] as const

/**
 * Electron gives its modules to both loaders; only CommonJS can be told here, so what imports
 * 'electron' is loaded by that alone.
 */
const ofElectron = new Set<string>(['electron/main', 'electron/preload'])

for (const [name, has] of ENTRIES) {
  if (!ofElectron.has(name)) entrySuite(`${name}.mjs`, () => import(new URL(`dist/${name}.mjs`, root).href), has)
  const load = async () => {
    if (ofElectron.has(name)) provide({})
    return require(`./dist/${name}.cjs`)
  }
  entrySuite(`${name}.cjs`, load, has)
}
