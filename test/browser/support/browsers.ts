// Debian's Chromium and Firefox, as they are, driven by puppeteer-core: Chromium by its own
// protocol, Firefox by WebDriver BiDi. SABWAY_CHROMIUM and SABWAY_FIREFOX name others.
import puppeteer, { type Browser, type LaunchOptions, type Page } from 'puppeteer-core'

export type BrowserName = 'chromium' | 'firefox'

const EXECUTABLES: Record<BrowserName, string> = {
  chromium: process.env.SABWAY_CHROMIUM ?? '/usr/bin/chromium',
  firefox: process.env.SABWAY_FIREFOX ?? '/usr/bin/firefox-esr',
}

/**
 * No sandbox: Chromium refuses to run as root with one, and containers have no user namespaces.
 * V8's own sandbox stays on.
 */
const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
]

/**
 * The longest that one call into a page may take, in milliseconds: a whole file of tests is one.
 */
const PROTOCOL_TIMEOUT_MS = 300_000

/** The browser, without a window. */
export function launch(name: BrowserName, { args = [], ...options }: LaunchOptions = {}): Promise<Browser> {
  const chromium = name === 'chromium'
  return puppeteer.launch({
    browser: chromium ? 'chrome' : 'firefox',
    executablePath: EXECUTABLES[name],
    args: chromium ? [...CHROMIUM_ARGS, ...args] : args,
    protocolTimeout: PROTOCOL_TIMEOUT_MS,
    ...options,
  })
}

export interface OpenPage {
  page: Page
  /** What went wrong in it. */
  errors: string[]
  close(): Promise<void>
}

/** A new page, in a process of its own. */
export async function openPage(browser: Browser, url: string): Promise<OpenPage> {
  const context = await browser.createBrowserContext()
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String((error as Error)?.stack ?? error)))
  page.on('error', (error) => errors.push(`the page crashed: ${error.message}`))
  await page.goto(url)
  return { page, errors, close: () => context.close() }
}
