// Bundles the tests for the page: the same files that run in Node, with Node's modules and some
// files of test/js/support replaced by those of test/browser/page.
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

/** The repository: this file runs from build/test/browser/support. */
export const root = fileURLToPath(new URL('../../../../', import.meta.url))

const page = (file: string) => resolve(root, 'test/browser/page', file)
const replaced: Record<string, string> = {
  sabway: page('sabway.ts'),
  'sabway/codecs': resolve(root, 'dist/browser-codecs.mjs'),
  'sabway/p2p': resolve(root, 'dist/browser-p2p.mjs'),
  'sabway/electron/renderer': resolve(root, 'dist/electron/renderer.mjs'),
  'node:assert/strict': page('node/assert.ts'),
  'node:timers': page('node/timers.ts'),
  'node:timers/promises': page('node/timers-promises.ts'),
  'node:fs': page('node/fs.ts'),
  'node:worker_threads': page('node/worker-threads.ts'),
  'test/js/support/host.ts': page('host.ts'),
  'test/js/support/generated.ts': page('generated.ts'),
  'test/js/support/paths.ts': page('none.ts'),
  'test/js/support/processes.ts': page('none.ts'),
  'test/js/support/children.ts': page('none.ts'),
}

/** Writes one module for each entry (and what they share) to build/browser. */
export async function bundle(entries: Record<string, string>): Promise<void> {
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, resolve(root, file)])),
    cwd: root,
    platform: 'browser',
    external: ['/mocha.js'],
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    transform: { define: { 'process.env.SABWAY_EFFORT': JSON.stringify(process.env.SABWAY_EFFORT ?? '0.3') } },
    checks: { eval: false },
    plugins: [
      {
        name: 'what-a-browser-has',
        async resolveId(source, importer, options) {
          if (replaced[source] !== undefined) return replaced[source]
          if (!source.endsWith('.js') || importer === undefined) return null
          const found = await this.resolve(source, importer, { ...options, skipSelf: true })
          return (found && replaced[relative(root, found.id)]) ?? found
        },
      },
    ],
  })
  await build.write({
    dir: resolve(root, 'build/browser'),
    format: 'esm',
    banner: 'globalThis.process ??= { env: {} };',
  })
  await build.close()
}
