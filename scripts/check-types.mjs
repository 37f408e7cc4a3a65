// Type-checks the package as it is published, with `skipLibCheck: false`: the unpacked tarball and
// the programs of test/types, over versions of TypeScript (fetched from npm, kept in
// .cache/typescript), ways to resolve modules, and with and without the types of the DOM and of
// Node.
//
//   node scripts/check-types.mjs [version...]        (default: 5.4 to 6.0)
import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERSIONS = ['5.4', '5.5', '5.6', '5.7', '5.8', '5.9', '6.0']
/**
 * The oldest, the first with generic typed arrays, and the newest are checked in every way, those
 * between in the ways that differ most.
 */
const THOROUGH = ['5.4', '5.7', '6.0']

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const cache = join(root, '.cache', 'typescript')
const work = join(root, 'build', 'types')

const NODE_NEXT = { module: 'NodeNext', moduleResolution: 'NodeNext' }
const BUNDLER = { module: 'ESNext', moduleResolution: 'Bundler' }
const NODE10 = { module: 'CommonJS', moduleResolution: 'node10' }

/**
 * `files`: programs of test/types; those in `web` need AbortController and streams, so the types of
 * the DOM or of Node. `node`: are the types of Node (and of Electron) installed?
 */
const CONFIGS = [
  {
    often: true,
    name: 'NodeNext, DOM, Node',
    ...NODE_NEXT,
    dom: true,
    node: true,
    files: ['api.mts', 'web.mts', 'require.cts', 'electron.mts'],
  },
  { name: 'NodeNext, Node', ...NODE_NEXT, dom: false, node: true, files: ['api.mts', 'web.mts', 'require.cts'] },
  { often: true, name: 'NodeNext, neither', ...NODE_NEXT, dom: false, node: false, files: ['api.mts', 'require.cts'] },
  { name: 'Bundler, DOM', ...BUNDLER, dom: true, node: false, files: ['api.mts', 'web.mts'] },
  {
    often: true,
    name: 'Bundler, browser, DOM',
    ...BUNDLER,
    customConditions: ['browser'],
    dom: true,
    node: false,
    files: ['api.mts', 'web.mts'],
  },
  { name: 'Bundler, neither', ...BUNDLER, dom: false, node: false, files: ['api.mts'] },
  { often: true, name: 'node10, DOM', ...NODE10, dom: true, node: false, files: ['api.mts', 'web.mts', 'subpaths.ts'] },
  { name: 'node10, Node', ...NODE10, dom: false, node: true, files: ['api.mts', 'web.mts'] },
]

function fail(message) {
  console.error(`check-types: ${message}`)
  process.exit(1)
}

function run(command, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: root, ...options })
  if (error) fail(`${command}: ${error.message}`)
  if (status !== 0) fail(`${command} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`)
  return stdout
}

/**
 * Pack something with npm, and unpack it into `folder`. What stands there afterwards is complete.
 */
function unpack(what, folder) {
  mkdirSync(dirname(folder), { recursive: true })
  const fresh = mkdtempSync(`${folder}-`)
  run('npm', ['pack', ...what, '--silent', '--pack-destination', fresh])
  run('tar', ['-xzf', readdirSync(fresh).find((name) => name.endsWith('.tgz'))], { cwd: fresh })
  rmSync(folder, { recursive: true, force: true })
  renameSync(join(fresh, 'package'), folder)
  rmSync(fresh, { recursive: true })
}

function fetchTypeScript(version) {
  const folder = join(cache, version)
  if (!existsSync(folder)) {
    console.log(`fetching typescript@${version}`)
    unpack([`typescript@${version}`], folder)
  }
  return join(folder, 'bin', 'tsc')
}

/**
 * Two programs' folders: with nothing but this package, and with the types of Node and Electron
 * beside it.
 */
function prepare() {
  rmSync(work, { recursive: true, force: true })
  for (const name of ['bare', 'node']) {
    const modules = join(work, name, 'node_modules')
    mkdirSync(modules, { recursive: true })
    if (name === 'bare') unpack(['.', '--ignore-scripts'], join(modules, 'sabway'))
    else cpSync(join(work, 'bare', 'node_modules', 'sabway'), join(modules, 'sabway'), { recursive: true })
    cpSync(join(root, 'test', 'types'), join(work, name), { recursive: true })
    writeFileSync(join(work, name, 'package.json'), '{ "type": "module" }\n')
  }
  for (const name of ['@types/node', 'undici-types', 'electron']) {
    const place = join(work, 'node', 'node_modules', name)
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), place)
  }
}

function write({ name, dom, node, files, ...options }, version) {
  const folder = join(work, node ? 'node' : 'bare')
  const file = join(folder, `tsconfig.${version}.${name.replaceAll(/\W+/g, '-')}.json`)
  const old = options.moduleResolution === 'node10' && Number(version) >= 6
  const compilerOptions = {
    ...options,
    ...(old && { ignoreDeprecations: '6.0' }),
    target: 'ES2022',
    lib: ['ES2022', ...(dom ? ['DOM', 'DOM.AsyncIterable'] : [])],
    types: node ? ['node'] : [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    preserveSymlinks: true,
  }
  writeFileSync(file, JSON.stringify({ compilerOptions, files }, null, 2))
  return file
}

/** The types of others have errors of their own. */
const isOfOthers = (line) => /node_modules\/(@types|undici-types|electron|typescript)\//.test(line)

function check(tsc, config) {
  const child = spawn(process.execPath, [tsc, '-p', config, '--pretty', 'false'], { cwd: dirname(config) })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
  return new Promise((resolve) => {
    child.on('close', (status) => {
      const errors = output.split('\n').filter((line) => line !== '' && !line.startsWith(' ') && !isOfOthers(line))
      resolve(status === 0 ? [] : status === null ? ['tsc was killed'] : errors)
    })
  })
}

if (!existsSync(join(root, 'dist', 'index.d.mts'))) fail('there is no dist; run: npm run build')
const versions = process.argv.length > 2 ? process.argv.slice(2) : VERSIONS
const compilers = versions.map((version) => [version, fetchTypeScript(version)])
prepare()
const jobs = compilers.flatMap(([version, tsc]) => {
  const thorough = THOROUGH.includes(version) || process.argv.length > 2
  return CONFIGS.filter(({ often }) => thorough || often).map(({ often, ...config }) => ({ version, tsc, config }))
})
let wrong = 0
async function checkAll() {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
    const { version, tsc, config } = job
    const errors = await check(tsc, write(config, version))
    console.log(`${errors.length === 0 ? 'ok    ' : 'FAILED'} TypeScript ${version}, ${config.name}`)
    for (const line of errors) console.log(`       ${line}`)
    if (errors.length !== 0) wrong++
  }
}
await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, checkAll))
process.exit(wrong === 0 ? 0 : 1)
