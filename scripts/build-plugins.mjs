// Compiles every plugin of examples/ and test/c/plugins, and what tests preload, into
// build/plugins: one call of the C compiler each, as a user would. Programs, of examples/ and
// test/c/mixed and test/c/engine, go into build/programs, with the C core in them.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const plugins = join(root, 'build', 'plugins')
const programs = join(root, 'build', 'programs')
const compiler = process.env.CC ?? 'cc'

function sourcesUnder(folder) {
  const path = join(root, folder)
  if (!existsSync(path)) return []
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.c'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

const isProgram = (source) => readFileSync(source, 'utf8').includes('int main(')

function compile(source, flags, sources, out) {
  const all = ['-std=c11', '-O3', '-Wall', '-Wextra', '-Werror', `-I${join(root, 'native/include')}`, ...flags]
  const { status } = spawnSync(compiler, [...all, source, ...sources, '-o', out, '-lm'], { stdio: 'inherit' })
  if (status === 0) return
  console.error(`sabway: ${compiler} could not compile ${source}`)
  process.exit(1)
}

function compilePlugin(source) {
  const out = join(plugins, `${basename(source, '.c')}.so`)
  compile(
    source,
    ['-shared', '-fPIC', '-fvisibility=hidden'],
    ['util', 'core/checksum'].map((folder) => join(root, `native/${folder}/crc32c.c`)),
    out,
  )
}

function compileProgram(source) {
  const listed = readFileSync(join(root, 'native/sources.txt'), 'utf8').trim().split('\n')
  const core = [...listed, 'prim/linux/linux.c', 'prim/linux/memory.c', 'prim/posix.c'].map((file) =>
    join(root, 'native', file),
  )
  const flags = [`-I${join(root, 'native')}`, '-pthread', '-ldl', '-lrt']
  compile(source, flags, core, join(programs, basename(dirname(source))))
}

mkdirSync(plugins, { recursive: true })
mkdirSync(programs, { recursive: true })
const preloaded = process.platform === 'linux' ? sourcesUnder('test/c/preload') : []
for (const source of [
  ...['examples', 'test/c/plugins', 'test/c/mixed', 'test/c/engine'].flatMap(sourcesUnder),
  ...preloaded,
]) {
  if (!isProgram(source)) compilePlugin(source)
  else if (process.platform === 'linux') compileProgram(source)
}
