// The browser build as it is shipped, in pages that are served in the ways that matter to it.
import assert from 'node:assert/strict'
import { BROWSERS } from './support/selection.js'
import { type Page, serve } from './support/server.js'
import { staged } from './support/stage.js'

const html = '<!doctype html><title>served</title><script type="module" src="/served.mjs"></script>'
// Firefox asks for an icon of the page, and calls it an error when it may not.
const csp = (script: string) => ({
  'content-security-policy': `default-src 'none'; img-src 'self'; script-src ${script}`,
})
const pages: Record<string, Page> = {
  '/plain': { html },
  '/csp': { html, headers: csp("'self' 'wasm-unsafe-eval'") },
  '/csp-no-wasm': { html, headers: csp("'self'") },
  '/exposed': { html, exposed: true },
}

interface Result {
  echo?: number[]
  error?: { name: string; code: string; message: string; cause?: string }
}

for (const name of BROWSERS)
  describe(`dist/browser.mjs in a page of ${name}`, () => {
    const visit = staged(name, () => serve(pages, ['test/browser/static', '.']))

    async function roundTrip(path: string): Promise<Result> {
      const { page, errors, close } = await visit(path)
      const result = await page.evaluate(() => (globalThis as unknown as { roundTrip(): Promise<Result> }).roundTrip())
      assert.deepEqual(errors, [])
      await close()
      return result
    }

    it('talks to a dedicated worker', async () => {
      assert.deepEqual(await roundTrip('/plain'), { echo: [1, 2, 3] })
    })

    it("works under a strict Content-Security-Policy with 'wasm-unsafe-eval'", async () => {
      assert.deepEqual(await roundTrip('/csp'), { echo: [1, 2, 3] })
    })

    it("says ERR_SABWAY_NO_WASM, and what to allow, under one without 'wasm-unsafe-eval'", async () => {
      const { error } = await roundTrip('/csp-no-wasm')
      assert.deepEqual([error?.name, error?.code], ['SabwayError', 'ERR_SABWAY_NO_WASM'])
      assert.match(error!.message, /script-src must contain 'wasm-unsafe-eval'/)
      assert.match(error!.cause!, /CompileError/)
    })

    it('says ERR_SABWAY_NOT_ISOLATED, and how to serve it, where memory cannot be shared', async () => {
      const { error } = await roundTrip('/exposed')
      assert.deepEqual([error?.name, error?.code], ['SabwayError', 'ERR_SABWAY_NOT_ISOLATED'])
      assert.match(
        error!.message,
        /Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp/,
      )
    })
  })
