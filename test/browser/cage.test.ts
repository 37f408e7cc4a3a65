// One SharedArrayBuffer in two processes, one of them a Chromium renderer with the V8 sandbox: see
// docs/design/cage.md.
import assert from 'node:assert/strict'
import type { Browser, Page } from 'puppeteer-core'
import { SharedMemoryChannel } from 'sabway'
import { random } from '../js/support/bytes.js'
import { numbered, numberOf } from '../js/support/numbered.js'
import { until, within } from '../js/support/wait.js'
import { openPage } from './support/browsers.js'
import { bundle } from './support/bundle.js'
import { cageLog, launchCage, read, rendererIn, tellIdentity } from './support/cage.js'
import { type Site, serve } from './support/server.js'

const COUNT = 100_000

/** What test/browser/page/cage.ts adds to its window. */
interface CagePage {
  connectCage(bytes: number): Promise<string>
  flood(from: number, to: number): Promise<{ received: number; wrong: number }>
  floodForEver(): void
}

describe('the cage: a Chromium renderer and this process, one memory', () => {
  let site: Site
  let browser: Browser
  let channel: SharedMemoryChannel
  let native: SharedMemoryChannel

  before(async () => {
    await bundle({ cage: 'test/browser/page/cage.ts' })
    site = await serve(
      { '/': { html: '<!doctype html><title>cage</title><script type="module" src="/cage.js"></script>' } },
      ['build/browser'],
    )
    channel = new SharedMemoryChannel(1 << 20, 1 << 20, { share: 'processes' })
    native = SharedMemoryChannel.attach(channel.handle, { side: 'native' })
    browser = await launchCage(channel)
  })

  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.error(cageLog())
  })

  after(async () => {
    await browser?.close()
    await site?.close()
    native?.cleanup()
    channel?.cleanup()
  })

  async function connected(): Promise<{ page: Page; close(): Promise<void> }> {
    const { page, errors, close } = await openPage(browser, site.origin)
    await tellIdentity(page, channel)
    const { byteLength } = channel.handle.memory.buffer
    const transport = await page.evaluate((bytes) => (globalThis as unknown as CagePage).connectCage(bytes), byteLength)
    assert.equal(transport, 'shared')
    assert.deepEqual(errors, [])
    return { page, close }
  }

  /** Both sides send COUNT numbered messages with a checksum, and check what they receive. */
  async function floodBothWays(page: Page): Promise<void> {
    const chance = random(7)
    let received = 0
    let wrong = 0
    native.startReceiving(
      (bytes, start, end) => {
        if (numberOf(bytes.subarray(start, end)) !== received) wrong++
        received++
      },
      { copy: false },
    )
    const theirs = page.evaluate((count) => (globalThis as unknown as CagePage).flood(0, count), COUNT)
    for (let number = 0; number < COUNT; ) {
      const message = numbered(number, Math.floor(chance() * (number % 64 === 0 ? 3000 : 200)))
      if (native.trySend(message)) number++
      else await new Promise(setImmediate)
      if (number % 1000 === 0) await new Promise(setImmediate)
    }
    const all = within(theirs, `the page's part of the flood; here ${received} were received`)
    assert.deepEqual(await all, { received: COUNT, wrong: 0 })
    await until(() => received === COUNT, `${COUNT} messages from the page`)
    assert.equal(wrong, 0)
    native.stopReceiving()
  }

  it("maps the region over the page's WebAssembly.Memory, and floods it both ways", async () => {
    const { page, close } = await connected()
    const { pid } = rendererIn(channel)
    const shared = read(pid, 'maps')
      .split('\n')
      .filter((line) => line.includes('memfd:') && line.includes('rw-s'))
    assert.ok(shared.length >= 2, `the library's own mapping, and the page's: ${shared.join('\n')}`)
    await floodBothWays(page)
    await close()
    // which gives its side back
    await until(() => read(pid, 'cmdline') === '', 'the renderer to end')
  })

  it('tells when the renderer is killed in the middle of a flood; the next one goes on', async () => {
    const { page, close } = await connected()
    const { pid } = rendererIn(channel)
    let died = 0
    native.addEventListener('peer-died', () => died++, { once: true })
    let received = 0
    let wrong = 0
    native.startReceiving((message) => {
      if (numberOf(message) !== received) wrong++
      received++
    })
    await page.evaluate(() => (globalThis as unknown as CagePage).floodForEver())
    await until(() => received > 5000, 'the flood')
    process.kill(pid, 'SIGKILL')
    await until(() => died === 1, "'peer-died'")
    native.stopReceiving()
    let rest = 0
    native.drain((bytes, start, end) => {
      if (numberOf(bytes.subarray(start, end)) !== received + rest) wrong++
      rest++
    })
    assert.equal(wrong, 0, `of ${received} and ${rest} messages`)
    await within(close(), 'the crashed page to close')
    await floodBothWays((await connected()).page)
  })
})
