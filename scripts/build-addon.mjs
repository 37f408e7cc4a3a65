// Compiles the addon with node-gyp, against the headers that came with this Node when it brought
// them (no download).
//
//   node scripts/build-addon.mjs [--if-missing]
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** A binary for this platform is there already: shipped in prebuilds/, or compiled before. */
function haveBinary() {
  try {
    return Boolean(require('node-gyp-build').resolve(root))
  } catch {
    return false
  }
}

/** node-gyp: a development dependency here, npm's own copy where the package is installed. */
function nodeGyp() {
  try {
    return require.resolve('node-gyp/bin/node-gyp.js')
  } catch {
    return process.env.npm_config_node_gyp
  }
}

if (process.argv.includes('--if-missing') && haveBinary()) process.exit(0)
const prefix = join(dirname(process.execPath), '..')
const headers = existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : []
const gyp = nodeGyp()
if (!gyp) {
  console.error('sabway: node-gyp was not found; run this through npm, or install node-gyp')
  process.exit(1)
}
/**
 * The makefile lists the sources and the targets: it must be younger than what it was made from.
 */
function configured() {
  const made = ['binding.gyp', 'native/sources.txt']
  const time = (...path) => statSync(join(root, ...path), { throwIfNoEntry: false })?.mtimeMs ?? 0
  return time('build', 'Makefile') > Math.max(...made.map((file) => time(file)))
}

/** What the addon's direct_core.c includes. */
const calls = spawnSync(process.execPath, [join(root, 'native', 'codegen', 'calls.mjs')], { stdio: 'inherit' })
if (calls.status !== 0) process.exit(calls.status ?? 1)

for (const command of configured() ? ['build'] : ['configure', 'build']) {
  const { status } = spawnSync(process.execPath, [gyp, command, ...headers, '--silent'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}
