// Peers over WebRTC: pages with pages, and with Node by werift, by the reference signaller.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'puppeteer-core'
import { P2PManager, P2PWebRTC } from 'sabway/p2p'
import { RTCPeerConnection } from 'werift'
import { WebSocket } from 'ws'
import { launch, type OpenPage, openPage } from './support/browsers.js'
import { root } from './support/bundle.js'
import { BROWSERS } from './support/selection.js'
import { type Site, serve } from './support/server.js'

/** Addresses of this machine as they are: there is no multicast DNS in a container. */
const ARGS = ['--disable-features=WebRtcHideLocalIpsWithMdns']
const example = (file: string) => import(pathToFileURL(join(root, 'examples/p2p-signaller', file)).href)

/** `npm run test:p2p` has 100,000. */
const COUNT = Number(process.env.SABWAY_P2P_MESSAGES ?? 10_000)
const LOSSY = 5000

interface Seen {
  [from: string]: {
    count: number
    inOrder: boolean
    last: number
    /** The highest number, how many below it did not come, and how many came twice. */
    highest: number
    missing: number
    again: number
  }
}

// Firefox tells web pages no address of a container's.
for (const name of BROWSERS.filter((each) => each === 'chromium'))
  describe(`WebRTC in ${name}`, () => {
    let browser: Browser
    let site: Site
    let signals: { port: number; close(): void }
    const pages: OpenPage[] = []

    before(async () => {
      const html = '<!doctype html><script type="module" src="/test/browser/static/p2p.mjs"></script>'
      site = await serve({ '/': { html } }, ['.'])
      browser = await launch(name, { args: ARGS })
    })
    beforeEach(async () => {
      signals = await (await example('server.mjs')).serveSignals({ port: 0 })
    })
    afterEach(async () => {
      for (const each of pages.splice(0)) {
        await each.close()
        assert.deepEqual(each.errors, [])
      }
      signals.close()
    })
    after(async () => {
      await browser.close()
      await site.close()
    })

    const url = () => `ws://127.0.0.1:${signals.port}`

    async function peer(id: string): Promise<OpenPage> {
      const opened = await openPage(browser, `${site.origin}/`)
      pages.push(opened)
      await opened.page.waitForFunction('globalThis.join')
      await ask(opened, 'join', url(), id)
      return opened
    }
    const ask = (opened: OpenPage, call: string, ...args: unknown[]): Promise<unknown> =>
      opened.page.evaluate(
        (call, args) => (globalThis as never as Record<string, (...args: unknown[]) => unknown>)[call]!(...args),
        call,
        args,
      )
    async function until(what: string, is: () => Promise<boolean>): Promise<void> {
      for (let i = 0; i < 2400; i++) {
        if (await is()) return
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      assert.fail(`not within 240 s: ${what}`)
    }
    const hasPeers = (opened: OpenPage, ...ids: string[]) =>
      until(`peers ${ids}`, async () => String(await ask(opened, 'peers')) === ids.join())

    it(`brings ${COUNT} reliable messages from each of three to both others, in order, and counts the others`, async function () {
      this.timeout(300_000)
      const ids = ['a', 'b', 'c']
      const three = await Promise.all(ids.map(peer))
      await Promise.all(three.map((each, i) => hasPeers(each, ...ids.filter((_, k) => k !== i))))
      assert.deepEqual(await Promise.all(three.map((each) => ask(each, 'sendAll', 0, true, COUNT))), [
        COUNT,
        COUNT,
        COUNT,
      ])
      for (const [i, each] of three.entries()) {
        const others = ids.filter((_, k) => k !== i)
        await until('all messages', async () => {
          const seen = (await ask(each, 'received', 0)) as Seen
          return others.every((from) => seen[`${from} 0`]?.count === COUNT)
        })
        const seen = (await ask(each, 'received', 0)) as Seen
        const last = COUNT - 1
        for (const from of others)
          assert.deepEqual(seen[`${from} 0`], {
            count: COUNT,
            inOrder: true,
            last,
            highest: last,
            missing: 0,
            again: 0,
          })
      }
    })

    it('counts what may be lost: all that was sent has come, or is missing between the numbers', async () => {
      const [a, b] = [await peer('a'), await peer('b')]
      await Promise.all([hasPeers(a, 'b'), hasPeers(b, 'a')])
      const sent = (await ask(a, 'sendAll', 1, false, LOSSY)) as number
      const dropped = (await ask(a, 'dropped')) as Record<string, number>
      // What the network did not take is counted by the sender, and none of it for another reason.
      assert.equal(sent + dropped['back-pressure']!, LOSSY)
      // The last one is reliable: what is still under way comes soon after it, or is lost.
      await ask(a, 'sendAll', 2, true, 1)
      await until('the end', async () => ((await ask(b, 'received', 2)) as Seen)['a 2']?.count === 1)
      await new Promise((resolve) => setTimeout(resolve, 300))
      const found = ((await ask(b, 'received', 1)) as Seen)['a 1']!
      assert.ok(found.count > 0 && found.count <= sent, `${found.count} of ${sent}`)
      const lost = sent - found.count
      assert.equal(found.missing + (LOSSY - 1 - found.highest), lost + dropped['back-pressure']!)
      assert.equal(found.again, 0)
    })

    it('connects again with a page that was killed and came back', async () => {
      const [a, b] = [await peer('a'), await peer('b')]
      await hasPeers(a, 'b')
      // Its process ends at once: it says nothing to the signaller, nor to the other page.
      void b.page.goto('chrome://crash').catch(() => {})
      await until('it has crashed', async () => b.errors.length > 0)
      assert.match(b.errors.splice(0).join(), /crashed/)
      const again = await peer('b')
      await hasPeers(again, 'a')
      await until('a has noticed', async () => ((await ask(a, 'told')) as string[]).length === 3)
      assert.deepEqual(await ask(a, 'told'), ['b joined', 'b left', 'b joined'])
      await ask(again, 'sendAll', 0, true, 100)
      await until('messages', async () => ((await ask(a, 'received', 0)) as Seen)['b 0']?.count === 100)
    })

    it('moves messages between the network and an engine in WebAssembly, in its own memory', async () => {
      execFileSync(process.execPath, [join(root, 'scripts/build-engine.mjs')], { stdio: 'ignore' })
      const [a, b] = [await peer('a'), await peer('b')]
      await Promise.all([hasPeers(a, 'b'), hasPeers(b, 'a')])
      await ask(a, 'startEngine', true)
      const answers = async (count: number) => {
        await until(`${count} answers`, async () => ((await ask(b, 'received', 7)) as Seen)['a 7']?.count === count)
        const { inOrder, highest } = ((await ask(b, 'received', 7)) as Seen)['a 7']!
        return { inOrder, highest }
      }
      await ask(b, 'sendAll', 7, true, 1000)
      assert.deepEqual(await answers(1000), { inOrder: true, highest: 1_000_999 })
      // Its memory grows: the queue goes on where it was.
      await ask(a, 'growEngine')
      await ask(b, 'sendAll', 7, true, 2000, 1000)
      assert.deepEqual(await answers(3000), { inOrder: true, highest: 1_002_999 })
      const stats = (await ask(a, 'engineStats')) as { frames: number; answered: number; isItsMemory: boolean }
      assert.deepEqual([stats.answered, stats.isItsMemory], [3000, true])
      assert.ok(stats.frames > 10)
    })

    it('connects a page with Node', async () => {
      const { webSocketSignaller } = await example('client.mjs')
      for (const [ofPage, ofNode] of [
        ['a', 'node'],
        ['zoe', 'node'],
      ] as const) {
        const transport = new P2PWebRTC({
          id: ofNode,
          signaller: webSocketSignaller(url(), { room: 'test', id: ofNode, WebSocket }),
          RTCPeerConnection,
          configuration: { iceServers: [], iceUseIpv6: false, iceAdditionalHostAddresses: ['127.0.0.1'] },
        })
        using manager = new P2PManager({ transport, batch: 'frame' })
        const page = await peer(ofPage)
        await hasPeers(page, 'node')
        assert.equal(await ask(page, 'sendAll', 0, true, 300), 300)
        const came: number[] = []
        await until('messages in Node', async () => {
          came.push(
            ...manager
              .readP2PMessagesOnChannel(0)
              .map(({ data }) => new DataView(data.buffer, data.byteOffset).getUint32(0, true)),
          )
          return came.length >= 300
        })
        assert.deepEqual(came, [...Array(300).keys()])
        for (let n = 0; n < 300; n++) {
          const bytes = new Uint8Array(64)
          new DataView(bytes.buffer).setUint32(0, n, true)
          assert.equal(manager.sendP2PMessage(ofPage, 2, true, bytes), true)
        }
        await until(
          'messages in the page',
          async () => ((await ask(page, 'received', 2)) as Seen)['node 2']?.count === 300,
        )
        assert.equal(((await ask(page, 'received', 2)) as Seen)['node 2']!.inOrder, true)
        await page.close()
        pages.splice(pages.indexOf(page), 1)
      }
    })
  })
