// What a page loads that imports the library: minified by two bundlers, and compressed as servers
// do it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { rolldown } from 'rolldown'
import { root } from '../support/paths.js'

/** Sends and receives bytes, and nothing else. */
const page = (entry: string) => `
import { SharedMemoryChannel } from '${entry}'
const channel = new SharedMemoryChannel()
channel.startReceiving((bytes) => console.log(bytes))
channel.send(Uint8Array.of(1))`

type Bundler = (input: string) => Promise<string>

const BUNDLERS: Record<string, Bundler> = {
  async rolldown(input) {
    const bundle = await rolldown({ input, platform: 'browser' })
    const { output } = await bundle.generate({ format: 'esm', minify: true })
    await bundle.close()
    assert.equal(output.length, 1)
    return output[0].code
  },
  async esbuild(input) {
    const options = { bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022' } as const
    const { outputFiles } = await build({ ...options, entryPoints: [input], write: false })
    return outputFiles[0]!.text
  },
}

/** Bytes, by entry point, and whether the codecs are among them. */
const ENTRIES = [
  { entry: 'sabway/bytes', most: 31_150, codecs: false },
  { entry: 'sabway', most: 54_100, codecs: true },
]

describe('what a page loads', () => {
  for (const [name, bundle] of Object.entries(BUNDLERS)) {
    for (const { entry, most, codecs } of ENTRIES) {
      it(`is at most ${most} bytes of '${entry}', bundled by ${name}`, async () => {
        // inside the package, which it names
        const folder = mkdtempSync(fileURLToPath(new URL('build/size-', root)))
        try {
          const input = join(folder, 'page.mjs')
          writeFileSync(input, page(entry))
          const code = await bundle(input)
          const size = gzipSync(code, { level: 9 }).length
          assert.ok(size <= most, `${size} bytes`)
          assert.equal(/not encoded with the codec .msgpack/.test(code), codecs)
        } finally {
          rmSync(folder, { recursive: true })
        }
      })
    }
  }
})
