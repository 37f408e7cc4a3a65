import { fileURLToPath } from 'node:url'

/** The repository: this file runs from build/test/js/support. */
export const root = new URL('../../../../', import.meta.url)

/** A plugin that scripts/build-plugins.mjs compiled from test/c/plugins. */
export const plugin = (name: string): string => fileURLToPath(new URL(`build/plugins/${name}.so`, root))
