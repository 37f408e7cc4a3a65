import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: {
    index: 'lib/index.ts',
    browser: 'lib/browser.ts',
    'electron/main': 'lib/electron/main.ts',
    'electron/preload': 'lib/electron/preload.ts',
    'electron/renderer': 'lib/electron/renderer.ts',
  },
  format: ['esm', 'cjs'],
  target: 'es2022',
  dts: true,
  shims: true,
  clean: true,
  logLevel: 'warn',
})
