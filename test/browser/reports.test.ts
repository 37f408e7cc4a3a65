// Programs of public bug reports about shared memory in pages: each test names the report whose
// program it is.
import assert from 'node:assert/strict'
import { BROWSERS } from './support/selection.js'
import { serve } from './support/server.js'
import { stagedPage } from './support/stage.js'

const html = '<!doctype html><title>reports</title><script type="module" src="/reports.mjs"></script>'
const MIB = 2 ** 20
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

for (const name of BROWSERS)
  describe(`public reports, in ${name}`, () => {
    const page = stagedPage(name, () => serve({ '/': { html } }, ['test/browser/static', '.']))
    const { ask } = page

    it('emscripten#8126: a page that is loaded again and again does not run out of memory', async () => {
      for (let i = 0; i < 12; i++) {
        if (i > 0) await page.opened.page.reload()
        assert.deepEqual(await ask('makeSome', 30), upTo(30))
      }
    })

    it('emscripten#20946: eight workers, each with a large memory', async () => {
      assert.deepEqual(await ask('largeOnes', 8, 64 * MIB), upTo(8))
    })

    it("emscripten#21574: a channel's memory does not grow under the views of others", async () => {
      assert.deepEqual(await ask('growing'), { grew: 'RangeError', got: 7 })
    })

    it('WorkSphere#1515: a shared buffer in the list of transfers is refused, and nothing is lost', async () => {
      assert.deepEqual(await ask('transferring'), { said: 'DataCloneError', got: 7 })
    })

    it('whatwg/html#7781: a handle that structuredClone copied is still the same memory', async () => {
      assert.equal(await ask('cloning'), 7)
    })

    it('bun#38447: a worker that blocks without a timeout can be terminated, and another takes its side', async () => {
      assert.deepEqual(await ask('terminatingABlockedOne'), [1, 2])
    })

    it('comlink#653: a worker for each task, more of them than its region has places left', async () => {
      assert.deepEqual(await ask('oneWorkerATask', 8, 3), upTo(8))
    })

    it('web-audio-samples#346: blocks of a size that does not divide the ring', async () => {
      assert.deepEqual(await ask('blocksOfTwoSizes', 500_000), { wrong: 0, lost: false })
    })

    it('diabloweb#274: a part of a wasm memory is sent, and the answer can be transferred', async () => {
      assert.deepEqual(await ask('partsOfAMemory'), { got: [9, 9, 9, 9], left: 0, kept: 65_536 })
    })
  })
