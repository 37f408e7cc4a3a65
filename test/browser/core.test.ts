// The browser build in Chromium: every test that needs no addon, in a page and its dedicated workers.
import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { bundle } from './support/bundle.js'
import { launch, openPage } from './support/chromium.js'
import { type Site, serve } from './support/server.js'

/** What runTests in page/suite.ts returns. */
interface Outcome {
  passed: number
  pending: number
  failures: string[]
}

/** Files of test/js (and page/page.test.ts), each with how many of its tests can run in a page, at least. */
const FILES: Record<string, number> = {
  page: 5,
  send: 10,
  'send-batch': 5,
  'send-direct': 15,
  reserve: 5,
  receive: 15,
  close: 20,
  sizes: 7,
  ownership: 3,
  'too-large': 3,
  'receive-async': 18,
  events: 14,
  batch: 9,
  streams: 10,
  regions: 15,
  errors: 20,
  hostile: 40,
  threads: 6,
  'no-addon': 7,
  flood: 1,
  write: 15,
  rings: 15,
  handles: 5,
}

describe('the browser build in Chromium', () => {
  let browser: Browser
  let site: Site

  before(async () => {
    await bundle({ suite: 'test/browser/page/suite.ts', workers: 'test/browser/page/workers.ts' })
    const scripts = '<script src="/mocha.js"></script><script type="module" src="/suite.js"></script>'
    site = await serve({ '/': { html: `<!doctype html><title>tests</title><div id="mocha"></div>${scripts}` } }, [
      'build/browser',
      'node_modules/mocha',
    ])
    browser = await launch()
  })

  after(async () => {
    await browser?.close()
    await site?.close()
  })

  for (const [file, least] of Object.entries(FILES)) {
    it(`passes the tests of ${file}`, async function () {
      const { page, errors } = await openPage(browser, site.origin)
      try {
        const { passed, pending, failures } = await page.evaluate<Outcome, string>(
          (name) => (globalThis as unknown as { runTests(name: string): Promise<Outcome> }).runTests(name),
          file,
        )
        assert.deepEqual([...failures, ...errors], [])
        assert.ok(passed >= least, `${passed} tests ran, where ${least} can`)
        this.test!.title += `: ${passed} passed${pending === 0 ? '' : `, ${pending} need the addon`}`
      } finally {
        await page.close()
      }
    })
  }
})
