// The ways to load the library, and two copies of it in one program.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { collect, keep, open } from '../support/channels.js'
import { assertError } from '../support/errors.js'
import { plugin, root } from '../support/paths.js'
import { Thread } from '../support/threads.js'
import { until } from '../support/wait.js'

const cjs = createRequire(import.meta.url)('sabway') as typeof import('sabway')

describe('the library', () => {
  it("is there for require('sabway') in the root of the repository", () => {
    const script = `
      const { SharedMemoryChannel, crc32c } = require('sabway')
      const channel = new SharedMemoryChannel(65536, 65536).ref()
      channel.startWorker({ builtin: 'echo' })
      channel.startReceiving((message) => {
        console.log(Buffer.from(message).toString(), crc32c(message).toString(16))
        channel.cleanup()
      })
      channel.send(Buffer.from('123456789'))`
    const output = execFileSync(process.execPath, ['-e', script], { cwd: fileURLToPath(root), encoding: 'utf8' })
    assert.equal(output, '123456789 e3069283\n')
  })

  it("is there for import('sabway') in the root of the repository", () => {
    const script = `import * as sabway from 'sabway'; console.log(Object.keys(sabway).sort().join())`
    const options = ['--input-type=module', '-e', script]
    const output = execFileSync(process.execPath, options, { cwd: fileURLToPath(root), encoding: 'utf8' })
    assert.equal(output.trim(), Object.keys(cjs).sort().join())
  })

  it('has an entry without the addon for browsers, which says so', async () => {
    const thread = new Thread('browser', new URL('dist/browser.mjs', root).href)
    assert.equal(await thread.next(), 'atomics')
    assertError(await thread.next(), 'ERR_SABWAY_NO_ADDON', /it is the browser build/)
    for (let i = 0; i < 20; i++) {
      thread.tell(pattern(i, 1000))
      assert.deepEqual(await thread.next(), pattern(i, 1000))
    }
  })
})

describe('the ESM and the CommonJS copy in one program', () => {
  const openCjs = () => keep(new cjs.SharedMemoryChannel(65536, 65536) as never)

  it('are two, and both work, each with its native workers', async () => {
    assert.notEqual(cjs.SharedMemoryChannel, SharedMemoryChannel)
    const channels = [open(65536, 65536), openCjs(), open(65536, 65536), openCjs()]
    const lines: string[][] = channels.map(() => [])
    channels.forEach((channel, i) => {
      if (i < 2) channel.startWorker({ builtin: 'echo' })
      else channel.startWorker({ plugin: plugin('logger'), onLog: ({ text }) => lines[i]!.push(text) })
    })
    const echoes = channels.map(collect)
    for (let n = 0; n < 200; n++) {
      channels.forEach((channel, i) => {
        channel.send(i < 2 ? pattern(n * 10 + i, n) : new TextEncoder().encode(`${i}`))
      })
      if (n % 50 === 0) await until(() => echoes[0]!.length === n + 1 && echoes[1]!.length === n + 1, 'echoes')
    }
    await until(() => echoes[0]!.length === 200 && echoes[1]!.length === 200, 'all echoes')
    for (const i of [0, 1]) {
      echoes[i]!.forEach((echo, n) => {
        assert.deepEqual(echo, pattern(n * 10 + i, n))
      })
    }
    await until(() => lines[2]!.length === 201 && lines[3]!.length === 201, 'the log lines of both')
    assert.deepEqual([lines[2]![200], lines[3]![200]], ['1 bytes: 2', '1 bytes: 3'])
  })

  it('talk to each other', async () => {
    const renderer = open(4096, 4096)
    const native = keep(cjs.SharedMemoryChannel.attach(renderer.handle, { side: 'native' }) as never)
    const down = collect(native)
    const up = collect(renderer)
    for (let i = 0; i < 100; i++) {
      renderer.send(pattern(i, i * 10))
      native.send(pattern(i, i * 20))
    }
    await until(() => down.length === 100 && up.length === 100, 'both directions')
    assert.deepEqual([down[99], up[99]], [pattern(99, 990), pattern(99, 1980)])
  })

  it('throw errors of the same code', () => {
    const renderer = open()
    keep(cjs.SharedMemoryChannel.attach(renderer.handle, { side: 'native' }) as never)
    let error: unknown
    try {
      SharedMemoryChannel.attach(renderer.handle, { side: 'native' })
    } catch (thrown) {
      error = thrown
    }
    assertError(error, 'ERR_SABWAY_SIDE_TAKEN', /one producer on each side/)
  })
})
