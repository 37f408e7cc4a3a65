// In which browsers the tests run. `npm run test:browser` runs all of them in both;
// SABWAY_BROWSERS=chromium in that one alone, and SABWAY_BROWSERS=chromium,firefox:some only a
// selection of them in Firefox, as CI does.
import type { BrowserName } from './browsers.js'

const asked = (process.env.SABWAY_BROWSERS ?? 'chromium,firefox').split(',').map((each) => each.split(':'))

for (const [name, how] of asked) {
  if (!['chromium', 'firefox'].includes(name!) || (how !== undefined && how !== 'some')) {
    throw new Error(`SABWAY_BROWSERS takes chromium and firefox, each also with ':some'; got ${name}:${how}`)
  }
}

/** Those in which tests run. */
export const BROWSERS = asked.map(([name]) => name as BrowserName)

/** Does only a selection of the tests run in this browser? */
export const onlySome = (browser: BrowserName): boolean =>
  asked.some(([name, how]) => name === browser && how === 'some')
