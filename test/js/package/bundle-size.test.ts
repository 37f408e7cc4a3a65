// What a page loads that imports the library: minified by two bundlers, and compressed as servers
// do it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
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
  { entry: 'sabway/bytes', most: 33_800, codecs: false },
  { entry: 'sabway', most: 57_950, codecs: true },
]

/** A name that only the code of the heap has. */
const HEAP = /sw_heap_alloc_aligned/

/** Names that only the code has which compresses and encrypts. */
const WRAPPERS = /sabway encrypted|compression options/

/** Run in Node, what they print is known. */
const HEAP_PAGES = [
  {
    imports: 'MemoryHeap',
    source: `import { MemoryHeap } from 'sabway'
const { heap } = new MemoryHeap({ size: 2 ** 21 }).region
console.log(heap.allocUI32(4).data.length)`,
    prints: '4',
    heap: true,
  },
  {
    imports: 'Region, and no class of the heap',
    source: `import { Region } from 'sabway'
const region = Region.create({ size: 2 ** 21 })
region.set('a name', region.heap.allocUI32(1))
console.log(region.list()[0].kind, region.get('another') === undefined)`,
    prints: 'memory true',
    heap: true,
  },
  {
    imports: 'Mutex',
    source: `import { Mutex } from 'sabway'
import { Region } from 'sabway/bytes'
const region = Region.create({ size: 2 ** 21 })
region.set('a name', new Mutex(region.heap))
console.log(region.list()[0].kind, region.get('a name').tryLock() !== null)`,
    prints: 'mutex true',
    heap: true,
  },
  {
    imports: "channels, and the Region of 'sabway/bytes'",
    source: `import { SharedMemoryChannel } from 'sabway'
import { Region } from 'sabway/bytes'
const region = Region.create({ size: 2 ** 21 })
region.check()
const channel = new SharedMemoryChannel(4096, 4096, { region, codec: 'structured' })
try {
  region.heap
} catch ({ code, message }) {
  console.log(code, message.includes("import Region, MemoryHeap or Mutex from 'sabway'"), channel.trySend({}))
}`,
    prints: 'ERR_SABWAY_NOT_LOADED true true',
    heap: false,
  },
]

async function bundled(bundle: Bundler, source: string, use: (code: string, folder: string) => void): Promise<void> {
  // inside the package, which it names
  const folder = mkdtempSync(fileURLToPath(new URL('build/size-', root)))
  try {
    const input = join(folder, 'page.mjs')
    writeFileSync(input, source)
    use(await bundle(input), folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('what a page loads', () => {
  for (const [name, bundle] of Object.entries(BUNDLERS)) {
    for (const { entry, most, codecs } of ENTRIES) {
      it(`is at most ${most} bytes of '${entry}', bundled by ${name}`, () =>
        bundled(bundle, page(entry), (code) => {
          const size = gzipSync(code, { level: 9 }).length
          assert.ok(size <= most, `${size} bytes`)
          assert.equal(/not encoded with the codec .msgpack/.test(code), codecs)
          assert.doesNotMatch(code, HEAP)
          assert.doesNotMatch(code, WRAPPERS)
        }))
    }

    for (const { imports, source, prints, heap } of HEAP_PAGES) {
      it(`is ${heap ? '' : 'not '}the heap where it imports ${imports}, bundled by ${name}`, () =>
        bundled(bundle, source, (code, folder) => {
          assert.equal(HEAP.test(code), heap)
          const file = join(folder, 'bundle.mjs')
          writeFileSync(file, code)
          const printed = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 30_000 })
          assert.equal(printed, `${prints}\n`)
        }))
    }
  }
})
