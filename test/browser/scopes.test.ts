// Which scopes can share memory, and what is said in the others: docs/guide/browsers.md shows the
// same.
import assert from 'node:assert/strict'
import type { BrowserName } from './support/browsers.js'
import { BROWSERS } from './support/selection.js'
import { type Page, serve } from './support/server.js'
import { staged } from './support/stage.js'

const CORP = { 'cross-origin-resource-policy': 'cross-origin' }
const scope = '<!doctype html><title>scope</title><script type="module" src="/scope.mjs"></script>'
const scopes = '<!doctype html><title>scopes</title><body><script type="module" src="/scopes.mjs"></script>'
const pages: Record<string, Page> = {
  '/': { html: scopes },
  '/scope': { html: scope, headers: CORP },
  '/exposed/': { html: scopes, exposed: true },
  '/exposed/scope': { html: scope, headers: CORP, exposed: true },
}

interface Answer {
  result?: unknown
  error?: { name: string; code: string; message: string }
  echo?: number[]
}

const ISOLATE = /Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp/
const OPAQUE = /its origin is opaque/
const SHARED_WORKER = /a SharedWorker shares memory with no page, whatever its headers/
const SERVICE_WORKER = /a service worker shares memory with no page and no worker, whatever its headers/

interface Row {
  /** What `handle` is there: given, or refused with this text. */
  handle: 'given' | RegExp
  /** What becomes of the page's handle there. */
  attach: 'echoes' | 'messageerror'
}

/** Firefox isolates what is within an isolated page, too, where Chromium does not. */
const refusedIn = (browser: BrowserName, text: RegExp): Row['handle'] => (browser === 'chromium' ? text : 'given')

/** Out of a page that is isolated. */
const isolatedIn = (browser: BrowserName): Record<string, Row> => ({
  'a dedicated worker': { handle: 'given', attach: 'echoes' },
  'a worker from a blob:': { handle: 'given', attach: 'echoes' },
  'a worker from a data: URL': {
    handle: refusedIn(browser, /a data: worker .* can attach to the handle/),
    attach: 'echoes',
  },
  'a SharedWorker': { handle: SHARED_WORKER, attach: 'messageerror' },
  'a service worker': { handle: SERVICE_WORKER, attach: 'messageerror' },
  'an iframe': { handle: 'given', attach: 'echoes' },
  'an iframe of another origin': {
    handle: refusedIn(browser, /needs allow="cross-origin-isolated"/),
    attach: 'messageerror',
  },
  'an iframe of another origin, allowed': { handle: 'given', attach: 'messageerror' },
  'an iframe with a sandbox': { handle: refusedIn(browser, OPAQUE), attach: 'messageerror' },
  'a window that the page opened': { handle: 'given', attach: 'echoes' },
})

/** Out of one that is not. */
const EXPOSED: Record<string, RegExp> = {
  'a dedicated worker': /the page that started this worker is not .* serve the page with/,
  'a worker from a blob:': /the page that started this worker is not .* serve the page with/,
  'a worker from a data: URL': /a data: worker has an origin of its own/,
  'a SharedWorker': SHARED_WORKER,
  'an iframe': /since the page around it is not; serve the top page with/,
  'an iframe of another origin': /of another origin than the page around it/,
  'an iframe with a sandbox': OPAQUE,
  'a window that the page opened': /this page is not cross-origin isolated; serve it with/,
}

for (const name of BROWSERS)
  describe(`scopes of ${name}`, () => {
    const visit = staged(name, () => serve(pages, ['test/browser/static', '.']))

    /** What the page's scripts answer: an expression of static/scopes.mjs. */
    async function evaluate<T>(path: string, expression: string): Promise<T> {
      const { page, errors, close } = await visit(path)
      try {
        await page.waitForFunction("'askScope' in globalThis")
        return (await page.evaluate(expression)) as T
      } finally {
        assert.deepEqual(errors, [])
        await close()
      }
    }

    const askAll = (path: string, kind: string) =>
      evaluate<{ within: Answer; handle: Answer; attach: Answer | null }>(path, `askAll(${JSON.stringify(kind)})`)

    function assertRefused(answer: Answer, text: RegExp): void {
      assert.equal(answer.error?.code, 'ERR_SABWAY_NOT_ISOLATED', JSON.stringify(answer))
      assert.match(answer.error.message, text)
      assert.ok(answer.error.message.length < 400)
    }

    for (const [kind, row] of Object.entries(isolatedIn(name))) {
      const [gives, takes] = [row.handle === 'given', row.attach === 'echoes']
      it(`${kind} of an isolated page: ${gives ? 'gives' : 'refuses'} a handle, ${takes ? 'takes' : 'does not get'} the page's`, async () => {
        const { within, handle, attach } = await askAll('/', kind)
        assert.deepEqual(within, { result: [1, 2, 3] }, 'a channel that is not shared works')
        if (row.handle === 'given') assert.deepEqual(handle, { result: ['sabway', 'module', 'memory'] })
        else assertRefused(handle, row.handle)
        assert.deepEqual(attach, takes ? { result: 'attached', echo: [1, 2, 3] } : { result: 'messageerror' })
      })
    }

    for (const [kind, text] of Object.entries(EXPOSED)) {
      it(`${kind} of a page that is not isolated: refuses a handle, and says what helps`, async () => {
        const { within, handle } = await askAll('/exposed/', kind)
        assert.deepEqual(within, { result: [1, 2, 3] }, 'a channel that is not shared works')
        assertRefused(handle, text)
      })
    }

    it('a page that is not isolated is told how to be', async () => {
      assertRefused(await evaluate('/exposed/', "answer({ ask: 'handle' })"), ISOLATE)
    })

    it('another tab is never told the handle', async () => {
      assert.deepEqual(await evaluate('/', 'shareWithTab()'), [name === 'chromium' ? 'null' : 'messageerror'])
    })
  })
