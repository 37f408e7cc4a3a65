// examples/p2p-game, as it is served: two windows play, talk, and show what the network does.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'puppeteer-core'
import { launch, type OpenPage, openPage } from './support/browsers.js'
import { root } from './support/bundle.js'
import { BROWSERS } from './support/selection.js'
import { type Site, serve } from './support/server.js'

/** Addresses of this machine as they are: there is no multicast DNS in a container. */
const ARGS = ['--disable-features=WebRtcHideLocalIpsWithMdns']

interface Point {
  x: number
  y: number
}

/** What the page has on `globalThis`. */
interface Scope {
  game: { me: Point & { score: number }; players: Map<string, Point & { score: number }>; star: number }
}

// Firefox tells web pages no address of a container's.
for (const name of BROWSERS.filter((each) => each === 'chromium'))
  describe(`examples/p2p-game in ${name}`, () => {
    let browser: Browser
    let site: Site
    let signals: { port: number; close(): void }
    let players: OpenPage[]

    before(async () => {
      site = await serve({}, ['.'])
      signals = await (await import(pathToFileURL(join(root, 'examples/p2p-signaller/server.mjs')).href)).serveSignals({
        port: 0,
      })
      browser = await launch(name, { args: ARGS })
      players = await Promise.all(['ann', 'ben'].map(visit))
      for (const { page } of players) {
        await page.waitForFunction(() => (globalThis as never as Scope).game?.players.size === 1)
      }
    })

    after(async () => {
      await browser?.close()
      signals?.close()
      await site?.close()
    })

    afterEach(() => {
      assert.deepEqual(
        players.flatMap(({ errors }) => errors),
        [],
      )
    })

    const visit = (id: string) =>
      openPage(browser, `${site.origin}/examples/p2p-game/index.html?signals=${signals.port}&id=${id}`)

    /** Moves the pointer over the field, and waits until the player is there. */
    async function go({ page }: OpenPage, { x, y }: Point): Promise<void> {
      const box = (await (await page.$('#field'))!.boundingBox())!
      await page.mouse.move(box.x + x * box.width, box.y + y * box.height)
      await page.waitForFunction(
        (x, y) => {
          const { me } = (globalThis as never as Scope).game
          return Math.hypot(me.x - x, me.y - y) < 0.01
        },
        {},
        x,
        y,
      )
    }

    const seesAt = ({ page }: OpenPage, id: string, { x, y }: Point) =>
      page.waitForFunction(
        (id, x, y) => {
          const player = (globalThis as never as Scope).game.players.get(id)
          return player !== undefined && Math.hypot(player.x - x, player.y - y) < 0.01
        },
        {},
        id,
        x,
        y,
      )

    const text = ({ page }: OpenPage, selector: string) => page.$eval(selector, (element) => element.textContent!)
    const cells = ({ page }: OpenPage) => page.$$eval('#peers td', (all) => all.map((cell) => cell.textContent!))

    it('moves a player in the other window, both ways', async () => {
      const [ann, ben] = players as [OpenPage, OpenPage]
      for (const place of [
        { x: 0.25, y: 0.25 },
        { x: 0.75, y: 0.5 },
      ]) {
        await go(ann, place)
        await seesAt(ben, 'ann', place)
      }
      await go(ben, { x: 0.5, y: 0.75 })
      await seesAt(ann, 'ben', { x: 0.5, y: 0.75 })
    })

    it('gives a star to the player that goes there, in both windows', async () => {
      const [ann, ben] = players as [OpenPage, OpenPage]
      const where = await ann.page.evaluate(async () => {
        const { starAt } = (await import('/examples/p2p-game/game.mjs' as string)) as {
          starAt: (number: number) => Point
        }
        const { game } = globalThis as never as Scope
        return { ...starAt(game.star), star: game.star, score: game.me.score }
      })
      await go(ann, where)
      for (const { page } of [ann, ben]) {
        await page.waitForFunction((star) => (globalThis as never as Scope).game.star > star, {}, where.star)
      }
      await ben.page.waitForFunction(
        (score) => (globalThis as never as Scope).game.players.get('ann')!.score > score,
        {},
        where.score,
      )
    })

    it('brings what is said in its order, as text', async () => {
      const [ann, ben] = players as [OpenPage, OpenPage]
      const said = Array.from({ length: 30 }, (_, n) => `${n} <b>&amp;`)
      for (const [n, line] of said.entries()) {
        const { page } = n % 2 === 0 ? ann : ben
        await page.evaluate((line) => {
          const field = document.getElementById('text') as HTMLInputElement
          field.value = line
          ;(document.getElementById('say') as HTMLFormElement).requestSubmit()
        }, line)
      }
      for (const each of players) {
        await each.page.waitForFunction(
          (count) =>
            [...document.querySelectorAll('#chat p')].filter((p) => /<b>/.test(p.textContent!)).length === count,
          {},
          said.length,
        )
        const lines = await each.page.$$eval('#chat p', (all) => all.map((line) => line.textContent!))
        for (const [rest, id] of ['ann', 'ben'].entries()) {
          assert.deepEqual(
            lines.filter((line) => line.startsWith(`${id} `) && line.includes('<b>')),
            said.filter((_, n) => n % 2 === rest).map((line) => `${id} ${line}`),
          )
        }
      }
    })

    it('shows what is lost, how long messages take, and the depth of the queues', async function () {
      const [ann, ben] = players as [OpenPage, OpenPage]
      const lost = "Number.parseFloat(document.querySelector('#peers td:nth-child(3)').textContent)"
      await ben.page.waitForFunction(`${lost} < 5`)
      await ann.page.$eval('#lose', (element) => {
        const slider = element as HTMLInputElement
        slider.value = '50'
        slider.dispatchEvent(new Event('input'))
      })
      await ben.page.waitForFunction(`${lost} > 25`)
      const [id, , loss, trip] = await cells(ben)
      assert.equal(id, 'ann')
      assert.ok(Number.parseFloat(trip!) > 0, trip)
      for (const id of ['depth', 'sent', 'received', 'dropped']) assert.match(await text(ben, `#${id}`), /^\d+$/)
      await ben.page.waitForFunction(() => Number(document.getElementById('received')!.textContent) > 0)
      this.test!.title += `: ${loss} lost of half, ${trip} there and back`
      const folder = join(root, 'build/browser')
      mkdirSync(folder, { recursive: true })
      await ben.page.setViewport({ width: 1040, height: 480 })
      await ben.page.$eval('#chat', (chat) => chat.replaceChildren())
      for (const [{ page }, line] of [
        [ben, 'That one was mine!'],
        [ann, 'Then take the next one.'],
      ] as const) {
        await page.type('#text', line)
        await page.keyboard.press('Enter')
      }
      await ben.page.waitForFunction(() => /next one/.test(document.getElementById('chat')!.textContent!))
      // docs/images has it.
      await ben.page.screenshot({ path: join(folder, 'p2p-game.webp'), type: 'webp', quality: 80 })
    })

    it('forgets a player that leaves', async () => {
      const [ann, ben] = players.splice(0) as [OpenPage, OpenPage]
      await ann.close()
      await ben.page.waitForFunction(() => (globalThis as never as Scope).game.players.size === 0)
      await ben.page.waitForFunction(() => /ann has left/.test(document.getElementById('chat')!.textContent!))
      assert.deepEqual(ben.errors, [])
    })
  })
