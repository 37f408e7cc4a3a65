import { fileURLToPath } from 'node:url'
import { defineConfig, type UserConfig } from 'tsdown'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const shared: UserConfig = {
  format: ['esm', 'cjs'],
  target: 'es2022',
  dts: true,
  clean: false, // package.json's build:lib does it, once for both
  fixedExtension: true,
  logLevel: 'warn',
  // msgpackr is in the bundle: a sandboxed preload script cannot load packages, and what a program
  // adds to its own msgpackr must not reach this one. pack.js is all of it but the streams of Node.
  deps: { alwaysBundle: [/^msgpackr/] },
  alias: { msgpackr: here('node_modules/msgpackr/pack.js') },
}

export default defineConfig([
  {
    ...shared,
    entry: {
      index: 'lib/index.ts',
      bytes: 'lib/bytes.ts',
      'electron/main': 'lib/electron/main.ts',
      'electron/preload': 'lib/electron/preload.ts',
    },
    shims: true,
    // The bundler's own helpers must not end up among what an entry exports.
    outputOptions: { codeSplitting: { groups: [{ name: 'runtime', test: /rolldown.runtime/ }] } },
  },
  // What pages load as it is: nothing of Node's, and no other package.
  {
    ...shared,
    entry: {
      browser: 'lib/browser.ts',
      'browser-bytes': 'lib/browser-bytes.ts',
      'browser-objects': 'lib/objects.ts',
      'electron/renderer': 'lib/electron/renderer.ts',
    },
    platform: 'browser',
    alias: { ...shared.alias, './v8.js': here('lib/codec/v8-none.ts') },
  },
])
