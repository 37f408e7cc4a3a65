// The browser build in an AudioWorklet, whose scope has little but the language and WebAssembly.
import assert from 'node:assert/strict'
import type { WorkletOutcome } from './page/worklet-page.js'
import { bundle } from './support/bundle.js'
import { BROWSERS } from './support/selection.js'
import { serve } from './support/server.js'
import { staged } from './support/stage.js'

const COUNT = 1000

for (const name of BROWSERS) {
  describe(`the browser build in an AudioWorklet of ${name}`, () => {
    const visit = staged(name, async () => {
      await bundle({ 'worklet-page': 'test/browser/page/worklet-page.ts' })
      // alone: a worklet's module is one file
      await bundle({ worklet: 'test/browser/page/worklet.ts' })
      const html = '<!doctype html><title>worklet</title><script type="module" src="/worklet-page.js"></script>'
      return serve({ '/': { html } }, ['build/browser'])
    })

    it(`loads, has bytes and values, and echoes ${COUNT} messages block by block`, async () => {
      const { page, errors, close } = await visit('/')
      await page.waitForFunction('globalThis.runWorklet !== undefined')
      const outcome = await page.evaluate(
        (count) => (globalThis as unknown as { runWorklet(count: number): Promise<WorkletOutcome> }).runWorklet(count),
        COUNT,
      )
      assert.deepEqual(outcome, { failures: [], received: COUNT, wrong: 0 })
      assert.deepEqual(errors, [])
      await close()
    })
  })
}
