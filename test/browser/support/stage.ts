// A browser and a site for all the tests of a `describe`.
import assert from 'node:assert/strict'
import type { Browser } from 'puppeteer-core'
import { type BrowserName, launch, type OpenPage, openPage } from './browsers.js'
import type { Site } from './server.js'

/**
 * Both are there before the first test and gone after the last. Returns what opens a page of the
 * site, by its path.
 */
export function staged(name: BrowserName, begin: () => Promise<Site>): (path: string) => Promise<OpenPage> {
  let browser: Browser | undefined
  let site: Site | undefined

  before(async () => {
    site = await begin()
    browser = await launch(name)
  })

  after(async () => {
    await browser?.close()
    await site?.close()
  })

  return (path) => openPage(browser!, site!.origin + path)
}

/**
 * The page that each test has for itself, and what its script puts on `globalThis` for the test to
 * call.
 */
export interface StagedPage {
  readonly opened: OpenPage
  /** What that function returns. */
  ask(name: string, ...args: unknown[]): Promise<unknown>
}

/**
 * As `staged`, with the page '/' open anew for each test, which fails if the page has reported an
 * error.
 */
export function stagedPage(name: BrowserName, begin: () => Promise<Site>): StagedPage {
  const visit = staged(name, begin)
  let opened: OpenPage

  beforeEach(async () => {
    opened = await visit('/')
  })

  afterEach(async () => {
    await opened.close()
    assert.deepEqual(opened.errors, [])
  })

  return {
    get opened() {
      return opened
    },
    ask: (name, ...args) =>
      opened.page.evaluate(
        (name, args) => (globalThis as never as Record<string, (...args: unknown[]) => unknown>)[name]!(...args),
        name,
        args,
      ),
  }
}
