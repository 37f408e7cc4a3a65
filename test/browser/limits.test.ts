// How many channels Chromium has addresses for, and what gives them back.
import assert from 'node:assert/strict'
import { allOf, type DropArguments } from '../js/support/drops.js'
import { bundle } from './support/bundle.js'
import { serve } from './support/server.js'
import { staged } from './support/stage.js'

type Where = 'page' | 'worker'
type Tasks = Record<Where, (task: string, given: unknown) => Promise<unknown>>

/** More than there is room for. */
const MANY = 150

describe('channels in Chromium: how many, and what dropped ones give back', () => {
  const visit = staged('chromium', async () => {
    await bundle({ limits: 'test/browser/page/limits.ts' })
    const html = '<!doctype html><title>limits</title><script type="module" src="/limits.js"></script>'
    return serve({ '/': { html } }, ['build/browser'])
  })

  async function run<T>(where: Where, task: string, given?: DropArguments): Promise<T> {
    const { page, errors, close } = await visit('/')
    try {
      const result = await page.evaluate(
        (where, task, given) => (globalThis as unknown as { tasks: Tasks }).tasks[where](task, given),
        where,
        task,
        given as unknown,
      )
      assert.deepEqual(errors, [])
      return result as T
    } finally {
      await close()
    }
  }

  for (const where of ['page', 'worker'] as const) {
    for (const group of ['atOnce', 'pairsAtOnce'] as const) {
      it(`${where}: dropped ones give their addresses back in the run of code that dropped them (${group})`, async () => {
        const made = await run(where, 'drops', { group, share: 'threads', over: 'turn', count: MANY })
        assert.deepEqual(made, allOf(group, MANY))
      })
    }

    it(`${where}: those that had still something to do give them back in later turns`, async () => {
      const made = await run(where, 'drops', { group: 'afterTurns', share: 'threads', over: 'turns', count: MANY })
      assert.deepEqual(made, allOf('afterTurns', MANY))
    })

    it(`${where}: the error for one too many says how many there are, how many there can be, and the ways out`, async () => {
      const { count, code, message } = await run<{ count: number; code: string; message: string }>(where, 'fill')
      assert.equal(code, 'ERR_SABWAY_OUT_OF_MEMORY')
      assert.ok(count >= 100 && count < MANY, `${count} channels`)
      assert.ok(message.includes(`this thread holds ${count}: call cleanup() of channels`), message)
      assert.match(
        message,
        /room for about 120 .*Firefox for about 1,000.*let the event loop turn.*many channels in one region/,
      )
    })
  }

  it('a worker that loads the library and attaches takes no addresses', async () => {
    assert.deepEqual(await run('page', 'attachWithNoneLeft'), { said: 'echoed', length: 100, full: true })
  })
})
