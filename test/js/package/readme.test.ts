// What the README shows runs as it stands there, and what it lists is what there is.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from '../support/paths.js'

const folder = fileURLToPath(root)
const readme = readFileSync(join(folder, 'README.md'), 'utf8')
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map((found) => found[1]!)

describe('the README', () => {
  let there = ''

  before(async () => {
    there = mkdtempSync(join(tmpdir(), 'sabway-readme-'))
    await mkdir(join(there, 'node_modules'))
    symlinkSync(folder, join(there, 'node_modules', 'sabway'))
  })

  after(() => rmSync(there, { recursive: true }))

  function run(file: string, source: string): string {
    writeFileSync(join(there, file), source)
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
      cwd: there,
      encoding: 'utf8',
      timeout: 30_000,
    })
    assert.equal(status, 0, stderr)
    return stdout
  }

  it('has a first example that runs', () => {
    assert.match(run('first.mjs', blocks('js')[0]!), /messages: 1000/)
  })

  it('has a worker example that runs', () => {
    const [main, worker] = blocks('js')[1]!.split('// worker.js\n')
    const imports = `import { workerData } from 'node:worker_threads'\nimport { SharedMemoryChannel } from 'sabway'\n`
    const untilClosed = `\nchannel.ref().addEventListener('close', () => channel.cleanup())\n`
    writeFileSync(join(there, 'worker.mjs'), imports + worker! + untilClosed)
    const head = `import { Worker } from 'node:worker_threads'\nimport { SharedMemoryChannel } from 'sabway'\n`
    const tail = '\nsetTimeout(() => channel.cleanup(), 500)\n'
    assert.match(run('main.mjs', head + main!.replace('./worker.js', './worker.mjs') + tail), /^hello$/m)
  })

  it('has an example of two processes that runs', () => {
    const [parent, child] = blocks('js')[2]!.split('// child.js\n')
    const head = (name: string) =>
      `import { fork } from 'node:child_process'\nimport { SharedMemoryChannel } from 'sabway'\n// ${name}\n`
    writeFileSync(
      join(there, 'child.mjs'),
      `${head('child') + child!}\nchannel.send(new Uint8Array([7]))\nsetTimeout(() => process.abort(), 200)\n`,
    )
    const tail = `\nchannel.ref().startReceiving((message) => console.log('from the child', message[0]))
channel.addEventListener('peer-died', () => channel.cleanup())\n`
    const printed = run('parent.mjs', head('parent') + parent!.replace('./child.js', './child.mjs') + tail)
    assert.match(printed, /^from the child 7$/m)
    assert.match(printed, /^the child died$/m)
  })

  it('has a plugin that compiles and runs', () => {
    writeFileSync(join(there, 'counter.c'), blocks('c')[0]!)
    const line = readme.match(/^ {4}(cc -shared .*)$/m)![1]!
    // The compiler is not under test: where this process runs with a sanitizer preloaded, it leaks,
    // and says so.
    execFileSync('sh', ['-c', line], { cwd: there, env: { PATH: process.env.PATH } })
    const head = `import { SharedMemoryChannel } from 'sabway'\nconst channel = new SharedMemoryChannel()\n`
    const tail = `\nchannel.startReceiving((message) => {
  if (message.length !== 16) return
  console.log('answer', message[0], message[8])
  channel.cleanup()
})\nchannel.ref().send(new Uint8Array([42]))\n`
    const printed = run('plugin.mjs', head + blocks('js')[3]! + tail)
    assert.match(printed, /^info {"greeting":"hello"}$/m)
    assert.match(printed, /^answer 1 42$/m)
  })

  it('lists every error code, and no other', () => {
    const table = readme.slice(readme.indexOf('## Errors'), readme.indexOf('## Speed'))
    const shown = [...table.matchAll(/`(?:ERR_SABWAY)?(_[A-Z_]+)`/g)].map((found) => found[1]!)
    const header = readFileSync(join(folder, 'native/include/sabway/error.h'), 'utf8')
    const codes = [...header.matchAll(/"ERR_SABWAY(_[A-Z_]+)"/g)].map((found) => found[1]!)
    const whole = shown.map((name) => (codes.includes(name) ? name : `_PLUGIN${name}`))
    assert.deepEqual(whole.sort(), codes.filter((code) => code !== '_UNKNOWN').sort())
  })
})
