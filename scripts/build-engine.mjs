// Compiles test/c/engine to WebAssembly, into build/programs/engine.wasm, unless it is there and
// newer than its sources. The native one is made by build-plugins.mjs.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const out = join(root, 'build', 'programs', 'engine.wasm')
const SOURCES = ['engine.c', 'slots.c']

/** Headers by their paths in `native`, and what includes them. */
const files = { 'engine.c': readFileSync(join(root, 'test/c/engine/engine.c')) }
const newest = [join(root, 'test/c/engine/engine.c')]
const put = (to, from) => {
  let folder = files
  const parts = to.split('/')
  for (const part of parts.slice(0, -1)) folder = folder[part] ??= {}
  folder[parts.at(-1)] = readFileSync(from)
  newest.push(from)
}
put('slots.c', join(root, 'native/core/p2p/slots.c'))
for (const folder of ['include', 'base', 'core', 'prim']) {
  for (const entry of readdirSync(join(root, 'native', folder), { recursive: true })) {
    if (entry.endsWith('.h')) put(join(folder, entry), join(root, 'native', folder, entry))
  }
}

const built = existsSync(out) ? statSync(out).mtimeMs : 0
if (newest.some((file) => statSync(file).mtimeMs > built)) {
  const { runClang } = await import('@yowasp/clang')
  const flags = ['-std=c11', '-O2', '-ffreestanding', '-nostdlib', '-mbulk-memory', '-Wall', '-Wextra', '-Werror']
  const command = [
    'clang',
    '--target=wasm32',
    ...flags,
    '-I.',
    '-Iinclude',
    '-Wl,--no-entry',
    ...SOURCES,
    '-o',
    'out.wasm',
  ]
  const made = await runClang(command, files, { fetchProgress: () => {} })
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(out, made['out.wasm'])
}
