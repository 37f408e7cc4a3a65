// examples/audio, rendered faster than it could be heard: every sample is compared.
import assert from 'node:assert/strict'
import type { OpenPage } from './support/browsers.js'
import { BROWSERS } from './support/selection.js'
import { serve } from './support/server.js'
import { staged } from './support/stage.js'

interface Compared {
  samples: number
  /** Samples that are not, bit by bit, what the voice makes. */
  wrong: number
  /** Samples that are not zero. */
  loud: number
}

interface Rendered extends Compared {
  level: { peak: number; blocks: number; late: number }
}

/** What test/browser/static/audio/test.mjs gives to the page. */
interface Audio {
  render(options: { blocks: number; made: number }): Promise<Rendered>
  replace(options: { blocks: number; each: number }): Promise<Compared & { ends: object[] }>
  wait(options: null): Promise<Record<string, unknown>[]>
  sideBySide(options: { blocks: number; times: number }): Promise<Record<string, (Compared & { ms: number })[]>>
}

const BLOCK = 128
const html =
  '<!doctype html><title>audio</title><script type="module" src="/test/browser/static/audio/test.mjs"></script>'

for (const name of BROWSERS)
  describe(`examples/audio in ${name}`, () => {
    const visit = staged(name, () => serve({ '/audio': { html } }, ['.']))
    let open: OpenPage

    beforeEach(async () => {
      open = await visit('/audio')
      await open.page.waitForFunction('globalThis.audio !== undefined')
    })

    afterEach(async () => {
      await open.close()
      assert.deepEqual(open.errors, [])
    })

    const ask = <Name extends keyof Audio>(call: Name, options: Parameters<Audio[Name]>[0]): ReturnType<Audio[Name]> =>
      open.page.evaluate(
        (asked, given) =>
          (globalThis as unknown as { audio: Record<string, (o: unknown) => unknown> }).audio[asked]!(given),
        call,
        options as object,
      ) as ReturnType<Audio[Name]>

    it('plays every sample, in order', async () => {
      const { samples, wrong, loud, level } = await ask('render', { blocks: 960, made: 960 })
      assert.deepEqual({ samples, wrong }, { samples: 960 * BLOCK, wrong: 0 })
      assert.ok(loud > samples / 2, `${loud} samples are no silence`)
      assert.deepEqual([level.blocks, level.late], [960, 0])
      assert.ok(level.peak > 0.1 && level.peak <= 1, `peak ${level.peak}`)
    })

    it('counts the blocks that came too late, and is silent meanwhile', async () => {
      const { samples, wrong, level } = await ask('render', { blocks: 160, made: 101 })
      assert.deepEqual({ samples, wrong }, { samples: 160 * BLOCK, wrong: 0 })
      assert.deepEqual([level.blocks, level.late], [160, 59])
    })

    it('goes on without a gap in another node, whenever one takes the place of the last', async () => {
      const { samples, wrong, ends } = await ask('replace', { blocks: 480, each: 48 })
      assert.deepEqual({ samples, wrong }, { samples: 480 * BLOCK, wrong: 0 })
      // Whatever the page listens to, no audio thread has made a call to wake it.
      assert.deepEqual(ends, new Array(10).fill({ blocks: 48, late: 0, wakes: 0, told: 48 }))
    })

    it('never waits for a message on the audio thread, whatever the policy', async () => {
      const answers = await ask('wait', null)
      assert.equal(answers.length, 3)
      for (const { parks, drain, ...answer } of answers) {
        assert.deepEqual([parks, drain, answer['receiveSync(0)'], answer['tryReceive()']], [0, 0, null, null])
        for (const call of ['receiveSync()', 'receiveSync(5)', 'tryReceive(5)']) {
          const { code, message } = answer[call] as { code: string; message: string }
          assert.equal(code, 'ERR_SABWAY_INVALID_STATE', call)
          assert.match(
            message,
            /an audio thread must not wait; take what is there: receiveSync\(0\), tryReceive\(\) or drain/,
          )
        }
      }
    })

    it('plays the same as ringbuf.js does', async function () {
      const { sabway, ringbuf } = await ask('sideBySide', { blocks: 4000, times: 5 })
      for (const { samples, wrong } of [...sabway!, ...ringbuf!])
        assert.deepEqual({ samples, wrong }, { samples: 4000 * BLOCK, wrong: 0 })
      const middle = (all: { ms: number }[]) => all.map(({ ms }) => ms).sort((a, b) => a - b)[all.length >> 1]! / 4
      this.test!.title += `: ${middle(sabway!).toFixed(1)} us a block, there ${middle(ringbuf!).toFixed(1)}`
    })
  })
