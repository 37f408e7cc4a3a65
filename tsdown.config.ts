import { fileURLToPath } from 'node:url'
import { defineConfig, type UserConfig } from 'tsdown'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const shared: UserConfig = {
  format: ['esm', 'cjs'],
  target: 'es2022',
  dts: false,
  clean: false, // package.json's build:lib does it, once for both
  fixedExtension: true,
  logLevel: 'warn',
  // msgpackr is in the bundle: a sandboxed preload script cannot load packages, and what a program
  // adds to its own msgpackr must not reach this one. pack.js is all of it but the streams of Node.
  // So are fflate and @noble/ciphers, for the same reasons.
  deps: { alwaysBundle: [/^msgpackr/, /^fflate/, /^@noble\/ciphers/] },
  alias: {
    msgpackr: here('node_modules/msgpackr/pack.js'),
    fflate: here('node_modules/fflate/esm/browser.js'), // without the threads of Node
  },
}

const ofNode = {
  index: 'lib/index.ts',
  bytes: 'lib/bytes.ts',
  codecs: 'lib/codecs.ts',
  p2p: 'lib/p2p.ts',
  'electron/main': 'lib/electron/main.ts',
  'electron/preload': 'lib/electron/preload.ts',
}

const ofPages = {
  browser: 'lib/browser.ts',
  'browser-bytes': 'lib/browser-bytes.ts',
  'browser-codecs': 'lib/browser-codecs.ts',
  'browser-p2p': 'lib/browser-p2p.ts',
  'browser-objects': 'lib/objects.ts',
  'electron/renderer': 'lib/electron/renderer.ts',
}

const TYPES = /\.d\.[cm]ts$/

/** For CommonJS the types are a second build beside the code, which the others make. */
const typesOnly = {
  name: 'types-only',
  generateBundle(_options: unknown, bundle: Record<string, unknown>) {
    for (const file of Object.keys(bundle)) if (!TYPES.test(file)) delete bundle[file]
  },
}

export default defineConfig([
  {
    ...shared,
    entry: ofNode,
    shims: true,
    // The bundler's own helpers must not end up among what an entry exports.
    outputOptions: { codeSplitting: { groups: [{ name: 'runtime', test: /rolldown.runtime/ }] } },
  },
  // What pages load as it is: nothing of Node's, and no other package.
  {
    ...shared,
    entry: ofPages,
    platform: 'browser',
    alias: {
      ...shared.alias,
      './v8.js': here('lib/codec/v8-none.ts'),
      './native.js': here('lib/codec/native-none.ts'),
    },
  },
  // The types of all entries at once: a class is declared once, so that what one entry returns can
  // be given to another.
  { ...shared, entry: { ...ofNode, ...ofPages }, dts: { emitDtsOnly: true }, plugins: [typesOnly] },
])
