// Compiles every plugin of examples/ and test/c/plugins into build/plugins: one call of the C compiler each, as a user would.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const out = join(root, 'build', 'plugins')
const compiler = process.env.CC ?? 'cc'

function sourcesUnder(folder) {
  const path = join(root, folder)
  if (!existsSync(path)) return []
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.c'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

mkdirSync(out, { recursive: true })
for (const source of [...sourcesUnder('examples'), ...sourcesUnder('test/c/plugins')]) {
  const library = join(out, `${basename(source, '.c')}.so`)
  const flags = ['-std=c11', '-O3', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-fvisibility=hidden']
  const { status } = spawnSync(
    compiler,
    [...flags, `-I${join(root, 'native/include')}`, source, join(root, 'native/worker/crc32c.c'), '-o', library, '-lm'],
    { stdio: 'inherit' },
  )
  if (status !== 0) {
    console.error(`sabway: ${compiler} could not compile ${source}`)
    process.exit(1)
  }
}
