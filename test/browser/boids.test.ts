// examples/boids, as it is served: both kinds of it move boids, and the page draws them.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { OpenPage } from './support/browsers.js'
import { root } from './support/bundle.js'
import { BROWSERS } from './support/selection.js'
import { serve } from './support/server.js'
import { staged } from './support/stage.js'

/** Drawn frames behind which the page shows new times. */
const FRAMES = 60

for (const name of BROWSERS)
  describe(`examples/boids in ${name}`, () => {
    const visit = staged(name, () => serve({}, ['.']))
    let open: OpenPage

    beforeEach(async () => {
      open = await visit('/examples/boids/index.html')
    })

    afterEach(async () => {
      await open.close()
      assert.deepEqual(open.errors, [])
    })

    const text = (id: string) => open.page.$eval(`#${id}`, ({ textContent }) => textContent!)
    const drawn = (kind: string, frames: number) =>
      open.page.waitForFunction(
        (id, least) => Number(document.getElementById(id)!.textContent) >= least,
        {},
        `${kind}-frames`,
        frames,
      )
    /**
     * Pixels that are not the background: about as many as there are boids, some of them hidden.
     */
    const pixels = () =>
      open.page.$eval('#boids', (element) => {
        const canvas = element as HTMLCanvasElement
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
        const words = new Uint32Array(data.buffer)
        const counts = new Map<number, number>()
        for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
        const background = Math.max(...counts.values())
        let hash = 0
        for (const word of words) hash = (Math.imul(hash, 31) + word) | 0
        return { boids: words.length - background, colours: counts.size - 1, hash }
      })

    for (const kind of ['shared', 'copies']) {
      it(`moves 50,000 boids in ${kind === 'shared' ? 'shared memory' : 'copies that are posted'}`, async function () {
        if (kind === 'copies') {
          await drawn('shared', 1)
          await open.page.click('#copies')
        }
        await drawn(kind, FRAMES)
        assert.match(await text('what'), /^50,000 boids, \d workers$/)
        const before = await pixels()
        assert.ok(before.boids > 20_000 && before.boids <= 50_000, `${before.boids} pixels`)
        assert.ok(before.colours > 10, `${before.colours} colours`)
        await drawn(kind, 2 * FRAMES)
        assert.notEqual((await pixels()).hash, before.hash)
        const times = await Promise.all(['handOver', 'step', 'draw', 'frame'].map((each) => text(`${kind}-${each}`)))
        for (const time of times) assert.ok(Number(time) >= 0, time)
        this.test!.title += `: hands over ${times[0]} ms, step ${times[1]}, draw ${times[2]}, frame ${times[3]}`
        const folder = join(root, 'build/browser')
        mkdirSync(folder, { recursive: true })
        await open.page.screenshot({ path: join(folder, `boids-${kind}.png`) })
      })
    }

    it('has boids that flee from the pointer', async () => {
      await drawn('shared', 1)
      const near = () =>
        open.page.$eval('#boids', (element) => {
          const canvas = element as HTMLCanvasElement
          const { data } = canvas.getContext('2d')!.getImageData(270, 270, 60, 60)
          const words = new Uint32Array(data.buffer)
          return words.length - words.filter((word) => word === 0xff1a1008).length
        })
      const before = await near()
      const { x, y } = (await (await open.page.$('#boids'))!.boundingBox())!
      await open.page.mouse.move(x + 290, y + 290)
      await open.page.mouse.move(x + 300, y + 300)
      await drawn('shared', 4 * FRAMES)
      const after = await near()
      assert.ok(after < before / 2, `${before} boids there, ${after} later`)
    })
  })
