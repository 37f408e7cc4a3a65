import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['lib/index.ts', 'lib/browser.ts'],
  format: ['esm', 'cjs'],
  target: 'es2022',
  dts: true,
  shims: true,
  clean: true,
  logLevel: 'warn',
})
