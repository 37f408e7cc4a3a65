// A browser and a site for all the tests of a `describe`.
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
