import assert from 'node:assert/strict'
import { runChild } from './support/children.js'

describe('memory that cannot be had', () => {
  it('is an error with a code; what there is goes on, and what is given back can be had again', async () => {
    const { code, signal, stdout, stderr } = await runChild('out-of-memory.js', [], ['--expose-gc'])
    assert.deepEqual([code, signal, stderr], [0, null, ''])
    const refusal = 'ERR_SABWAY_OUT_OF_MEMORY'
    assert.deepEqual(JSON.parse(stdout), { early: refusal, refused: refusal, again: refusal, some: true })
  })

  for (const over of ['turn', 'turns']) {
    for (const [share, flags] of [
      ['threads', []],
      ['threads', ['--no-addons']],
      ['processes', []],
      ['processes', ['--disable-wasm-trap-handler']],
    ] as [string, string[]][]) {
      it(`is had again from 2,000 dropped channels, ${share}, in one ${over} ${flags}`, async () => {
        const { code, signal, stdout, stderr } = await runChild('dropped.js', [share, over], flags)
        assert.deepEqual([code, signal, stdout, stderr], [0, null, '2000\n', ''])
      })
    }
  }
})
