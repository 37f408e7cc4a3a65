// A real Electron, where there is one: ELECTRON=/path/to/electron, or the binary that `npx
// install-electron` downloads. Without one these tests are not run, and say so: what runs
// everywhere is test/electron/stubs.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ElectronApplication, _electron as electron, type Page } from 'playwright-core'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const folder = join(root, 'test/electron/real/app')

function binary(): string | null {
  const given = process.env.ELECTRON
  if (given !== undefined) return given
  const downloaded = join(dirname(createRequire(import.meta.url).resolve('electron/package.json')), 'dist', 'electron')
  return existsSync(downloaded) ? downloaded : null
}

const executable = binary()
const WINDOWS = [
  { mode: 'isolated', transport: 'shared' },
  { mode: 'open', transport: 'shared' },
  { mode: 'sandboxed', transport: 'copied' },
] as const

interface Outcome {
  transport: string
  received: number
  wrong: number
}

/** What Electron loads as one file: the page, and the preload script of a sandboxed window. */
async function bundleApp(): Promise<void> {
  const out = join(root, 'build/electron')
  const page = await rolldown({ input: join(folder, 'page.mjs'), cwd: root, platform: 'browser' })
  await page.write({ file: join(out, 'page.js'), format: 'esm' })
  const preload = await rolldown({ input: join(folder, 'preload.mjs'), cwd: root, external: ['electron'] })
  await preload.write({ file: join(out, 'preload.cjs'), format: 'cjs' })
  await writeFile(
    join(out, 'index.html'),
    '<!doctype html><title>test</title><script type="module" src="page.js"></script>',
  )
}

describe(`Electron (${executable ?? 'not run: no binary; set ELECTRON, or npx install-electron'})`, () => {
  let app: ElectronApplication

  before(async function () {
    if (executable === null) return this.skip()
    await bundleApp()
    app = await electron.launch({ executablePath: executable, args: ['--no-sandbox', folder] })
  })

  after(async () => {
    await app?.close()
  })

  const flood = (page: Page) =>
    page.evaluate(() => (globalThis as unknown as { flood(count: number): Promise<Outcome> }).flood(20_000))

  async function windowOf(mode: string): Promise<Page> {
    for (let i = 0; i < 200; i++) {
      const found = app.windows().find((page) => page.url().includes(mode))
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`no window '${mode}'`)
  }

  for (const { mode, transport } of WINDOWS) {
    it(`floods a native echo worker from a window that is ${mode}: ${transport}, also after a reload`, async () => {
      const page = await windowOf(mode)
      for (let round = 0; round < 3; round++) {
        if (round !== 0) await page.reload()
        await page.waitForFunction(() => 'flood' in globalThis)
        if (mode === 'isolated') assert.equal(await page.evaluate(() => globalThis.crossOriginIsolated), true)
        assert.deepEqual(await flood(page), { transport, received: 20_000, wrong: 0 })
      }
    })
  }
})
