import { defineConfig, type UserConfig } from 'tsdown'

const shared: UserConfig = {
  format: ['esm', 'cjs'],
  target: 'es2022',
  dts: true,
  clean: false, // package.json's build:lib does it, once for both
  fixedExtension: true,
  logLevel: 'warn',
}

export default defineConfig([
  {
    ...shared,
    entry: {
      index: 'lib/index.ts',
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
    entry: { browser: 'lib/browser.ts', 'electron/renderer': 'lib/electron/renderer.ts' },
    platform: 'browser',
    deps: { alwaysBundle: [/^msgpackr/] },
  },
])
