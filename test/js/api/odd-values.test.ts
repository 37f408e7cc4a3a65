// Whatever a program passes, it gets an answer or a SabwayError that can be read, and the channel
// goes on.
import assert from 'node:assert/strict'
import { runChild } from '../support/children.js'
import { ODD } from '../support/odd.js'
import { SURFACE } from '../support/surface.js'

interface Told {
  calls: number
  failures: string[]
  members: string[]
}

for (const entry of ['index', 'browser', 'main', 'renderer'] as const) {
  describe(`odd values, in the entry point ${entry}`, () => {
    let told: Told

    before(async () => {
      const { code, signal, stdout, stderr } = await runChild('odd-values.js', [entry])
      assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
      told = JSON.parse(stdout)
    })

    it('are answered with a SabwayError of less than 400 characters, or taken', () => {
      assert.ok(Object.keys(ODD).length >= 40)
      assert.ok(told.calls >= 4000, `${told.calls} calls`)
      assert.deepEqual(told.failures, [])
    })

    it('are given to all that is exported', () => {
      assert.deepEqual(told.members, Object.keys(SURFACE[entry]).sort())
    })
  })
}
