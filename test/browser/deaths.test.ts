// Ends that only a Web Lock tells of: workers, iframes and windows that go without a word, and
// every way of waiting for them.
import assert from 'node:assert/strict'
import { DIED } from '../js/support/wait-ways.js'
import { bundle } from './support/bundle.js'
import { BROWSERS } from './support/selection.js'
import { serve } from './support/server.js'
import { stagedPage } from './support/stage.js'

const html = (script: string) =>
  `<!doctype html><title>deaths</title><body><script type="module" src="${script}"></script>`

for (const name of BROWSERS)
  describe(`the end of a scope without the addon, in ${name}`, () => {
    const page = stagedPage(name, async () => {
      await bundle({ deaths: 'test/browser/page/deaths.ts', 'deaths-peer': 'test/browser/page/deaths-peer.ts' })
      const pages = {
        '/': { html: html('/deaths.js') },
        '/peer': { html: html('/deaths-peer.js') },
        '/empty': { html: '<!doctype html><title>empty</title>' },
      }
      return serve(pages, ['build/browser'])
    })
    const { ask } = page

    const cases: [what: string, kind: string, how: string, nested: boolean][] = [
      ['a worker that is terminated', 'worker', 'waits', false],
      ['a worker that closes itself', 'worker', 'closes itself', false],
      ["a worker's worker, with its terminated parent", 'worker', 'waits', true],
      ['an iframe that is removed', 'iframe, removed', 'waits', false],
      ['an iframe that goes elsewhere', 'iframe, navigated', 'waits', false],
      ['an iframe that is reloaded', 'iframe, reloaded', 'waits', false],
      ['a window that is closed', 'popup, closed', 'waits', false],
      ['a window that is reloaded', 'popup, reloaded', 'waits', false],
      ['a window that closes itself', 'popup, closed', 'closes itself', false],
    ]
    for (const [what, kind, how, nested] of cases) {
      it(`of ${what} ends every wait`, async () => {
        assert.deepEqual(await ask('waitForEnd', kind, how, nested), DIED)
      })
    }

    it('by cleanup is told as an end of the stream, not as a death', async () => {
      const ended = (await ask('waitForEnd', 'worker', 'cleanup', false)) as Record<string, string[]>
      assert.deepEqual(
        Object.values(ended)
          .flat()
          .filter((what) => /DIED|died/.test(what)),
        [],
      )
    })

    it('gives its side and its place back: others take them, again and again', async () => {
      assert.equal(await ask('takeAgain', 8), 2) // the page's channel, and the region that counts
    })

    it('in the middle of a flood leaves whole messages, and the next one goes on', async () => {
      assert.deepEqual(await ask('endFloods', 6), [])
    })

    it('is not seen in a thread that blocks and lives', async () => {
      assert.deepEqual(await ask('leaveBlocked', 4000), ['true', 'message', 'ERR_SABWAY_CLOSED'])
    })

    it('of both sides is found out by the attempt to take one', async () => {
      assert.deepEqual(await ask('restartBoth'), ['ERR_SABWAY_SIDE_TAKEN'])
    })

    it('is not claimed where there are no locks, and `replace` takes the side', async () => {
      await page.opened.page.evaluateOnNewDocument('delete Navigator.prototype.locks')
      await page.opened.page.reload()
      const seen = await ask('replaceDead')
      assert.deepEqual(seen, ['message 1', 'true', 'ERR_SABWAY_SIDE_TAKEN', 'message 2'])
    })
  })
