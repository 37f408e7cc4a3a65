// What bundlers for pages get: the condition 'browser', for import and for require, without a
// module of Node.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { root } from '../support/paths.js'

const PROGRAM = `
const renderer = new SharedMemoryChannel(4096, 4096, { codec: 'structured' })
const native = SharedMemoryChannel.attach(renderer.handle, { side: 'native' })
renderer.send({ text: 'bundled' })
let code = 'none'
try {
  crc32c(new Uint8Array(1))
} catch (error) {
  code = error.code
}
native.receive().then(({ text }) => console.log(text, code, renderer.stats().wakes))`

const SOURCES = {
  import: `import { crc32c, SharedMemoryChannel } from 'sabway'\n${PROGRAM}`,
  require: `const { crc32c, SharedMemoryChannel } = require('sabway')\n${PROGRAM}`,
}

describe('a bundle for pages', () => {
  for (const [how, source] of Object.entries(SOURCES)) {
    it(`of a program that uses ${how} runs, and asks for no module of Node`, async () => {
      // inside the package, which it names
      const folder = mkdtempSync(fileURLToPath(new URL('build/bundle-', root)))
      try {
        const input = join(folder, how === 'import' ? 'program.mjs' : 'program.cjs')
        writeFileSync(input, source)
        const bundle = await rolldown({
          input,
          platform: 'browser',
          resolve: { conditionNames: ['browser', how] },
          external: /^node:/,
        })
        const { output } = await bundle.write({ file: join(folder, 'bundle.mjs'), format: 'esm' })
        await bundle.close()
        assert.deepEqual(output[0].imports, [])
        const printed = execFileSync(process.execPath, [join(folder, 'bundle.mjs')], {
          encoding: 'utf8',
          timeout: 30_000,
        })
        assert.equal(printed, 'bundled ERR_SABWAY_NO_ADDON atomics\n')
      } finally {
        rmSync(folder, { recursive: true })
      }
    })
  }
})
