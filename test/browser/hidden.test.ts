// A tab that the user does not look at: its frames stand still and its timers nearly so. What is
// sent to it is bounded, and not lost.
import assert from 'node:assert/strict'
import type { Browser, Page } from 'puppeteer-core'
import { launch, openPage } from './support/browsers.js'
import { BROWSERS } from './support/selection.js'
import { type Site, serve } from './support/server.js'

/** What the driver gives Chromium so that hidden tabs go on as if they were seen. */
const UNLIKE_USERS = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
]

interface Told {
  sent: number
  code?: string
  bounded?: boolean
  queued?: number
}

for (const name of BROWSERS) {
  describe(`a hidden tab of ${name}`, () => {
    let browser: Browser
    let site: Site

    before(async () => {
      const html = '<!doctype html><title>hidden</title><script type="module" src="/hidden.mjs"></script>'
      site = await serve({ '/': { html } }, ['test/browser/static', '.'])
      browser = await launch(name, name === 'chromium' ? { ignoreDefaultArgs: UNLIKE_USERS } : {})
    })

    after(async () => {
      await browser?.close()
      await site?.close()
    })

    const came = async (page: Page) =>
      (await page.evaluate('came()')) as { messages: number; astray: number; visible: boolean }
    // Not at its frames, which is what the driver does by itself: a hidden page has none.
    const holds = (page: Page, condition: string) => page.waitForFunction(condition, { polling: 20 })
    const told = async (page: Page, order: string, count = 0) =>
      (await page.evaluate(`told(${JSON.stringify({ order, count })})`)) as Told

    /** A page that receives with these options, hidden behind another. */
    async function hidden(options: string) {
      const { page, errors, close } = await openPage(browser, site.origin)
      await page.waitForFunction("'told' in globalThis")
      await page.evaluate(`receive(${options})`)
      await told(page, 'patiently', 100)
      await holds(page, 'came().messages === 100')
      const front = await page.browserContext().newPage()
      await front.bringToFront()
      await holds(page, '!came().visible')
      return {
        page,
        async end() {
          assert.deepEqual(errors, [])
          await close()
        },
      }
    }

    for (const [pace, options] of [
      ["schedule 'raf'", "{ schedule: 'raf' }"],
      ['poll', '{ poll: { min: 1, max: 16 } }'],
    ] as const) {
      it(`with ${pace}: send is refused when the queue is full, and all before that comes when the page is seen`, async () => {
        const { page, end } = await hidden(options)
        const { sent, code, bounded } = await told(page, 'untilFull')
        assert.deepEqual({ code, bounded }, { code: 'ERR_SABWAY_QUEUE_FULL', bounded: true })
        await page.bringToFront()
        await holds(page, `came().messages === ${sent}`)
        assert.deepEqual(await told(page, 'untilDrained'), { sent, queued: 0 })
        await told(page, 'patiently', 100)
        await holds(page, `came().messages === ${sent + 100}`)
        assert.equal((await came(page)).astray, 0)
        await end()
      })
    }

    it('with the default schedule: messages come while it is hidden', async () => {
      const { page, end } = await hidden('{}')
      const { sent } = await told(page, 'patiently', 2000)
      await holds(page, `came().messages === ${sent}`)
      const { astray, visible } = await came(page)
      assert.deepEqual({ astray, visible }, { astray: 0, visible: false })
      await end()
    })
  })
}
