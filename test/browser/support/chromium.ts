// Debian's Chromium, driven by playwright-core. SABWAY_CHROMIUM names another one.
import { type Browser, chromium, type LaunchOptions, type Page } from 'playwright-core'

const EXECUTABLE = process.env.SABWAY_CHROMIUM ?? '/usr/bin/chromium'

/** No sandbox: Chromium refuses to run as root with one, and containers have no user namespaces. V8's own sandbox stays on. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
]

export function launch({ args = [], ...options }: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: [...ARGS, ...args], ...options })
}

/** A new page, and what went wrong in it. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(`${error.stack ?? error}`))
  page.on('crash', () => errors.push('the page crashed'))
  await page.goto(url)
  return { page, errors }
}
