import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** The repository: this file runs from build/test/js/support. */
export const root = new URL('../../../../', import.meta.url)

/** A plugin that scripts/build-plugins.mjs compiled from test/c/plugins. */
export const plugin = (name: string): string => fileURLToPath(new URL(`build/plugins/${name}.so`, root))

/** A program among the examples, from the same script. */
export const program = (name: string): string => fileURLToPath(new URL(`build/programs/${name}`, root))

interface RawAddon {
  crc32c(bytes: unknown, crc: unknown): number
  SharedMemory: new (
    first: number | string,
    name?: string,
  ) => { size(): number; overlay(bytes: Uint8Array): void; token(): string; close(): void }
}

/** The addon itself, past the library that guards it. */
export const rawAddon = (): RawAddon => createRequire(root)('node-gyp-build')(fileURLToPath(root))
