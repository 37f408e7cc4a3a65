// examples/electron's page in Chromium: frames from a native thread of this process, on the page's
// graphics context.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'puppeteer-core'
import { SharedMemoryChannel } from 'sabway'
import { plugin } from '../js/support/paths.js'
import { openPage } from './support/browsers.js'
import { bundle, root } from './support/bundle.js'
import { cageLog, launchCage, tellIdentity } from './support/cage.js'
import { type Site, serve } from './support/server.js'

const html = readFileSync(join(root, 'examples/electron/public/index.html'), 'utf8').replace('page.js', 'example.js')
const FRAME = { width: 320, height: 180 }

describe("examples/electron's page, in the cage", () => {
  let site: Site
  let browser: Browser
  let channel: SharedMemoryChannel

  before(async () => {
    await bundle({ example: 'test/browser/page/example.ts' })
    site = await serve({ '/': { html } }, ['build/browser'])
    channel = new SharedMemoryChannel(4096, 1 << 22, { share: 'processes' })
    channel.startWorker({ plugin: plugin('frames'), ...FRAME, rate: 30 })
    browser = await launchCage(channel, [
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
      '--ignore-gpu-blocklist',
    ])
  })

  after(async () => {
    await browser?.close()
    await site?.close()
    channel?.cleanup()
  })

  it('shows the frames with WebGL, uploaded from the shared memory, none missed', async () => {
    const { page, errors } = await openPage(browser, site.origin)
    await tellIdentity(page, channel)
    const { byteLength } = channel.handle.memory.buffer
    await page.evaluate(
      (bytes) => (globalThis as unknown as { startExample(n: number): Promise<void> }).startExample(bytes),
      byteLength,
    )
    const state = () => page.$eval('#state', ({ textContent }) => textContent!)
    await page
      .waitForFunction(() => /frame [1-9]\d+,/.test(document.getElementById('state')!.textContent!))
      .catch(async (error) => {
        throw new Error(`${await state()}; ${cageLog()}; ${errors.join()}`, { cause: error })
      })
    assert.match(await state(), /^shared: .* 0 missed$/)
    const pixels = await page.evaluate(() => {
      const canvas = document.getElementById('frames') as HTMLCanvasElement
      const gl = canvas.getContext('webgl2')!
      const { width, height } = canvas
      const all = new Uint8Array(width * height * 4)
      gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, all)
      return { width, height, row: [...all.subarray(0, 40)] }
    })
    assert.deepEqual([pixels.width, pixels.height], [FRAME.width, FRAME.height])
    // The plugin's gradient: red goes up by one per pixel, green by two, blue is what red lacks.
    for (let x = 0; x < 10; x++) {
      const [red, green, blue, alpha] = pixels.row.slice(4 * x, 4 * x + 4)
      assert.deepEqual([red, green, blue, alpha], [(pixels.row[0]! + x) & 255, (2 * red!) & 255, 255 - red!, 255])
    }
    await page.screenshot({ path: join(root, 'build/browser/example.png') })
    assert.deepEqual(errors, [])
  })
})
