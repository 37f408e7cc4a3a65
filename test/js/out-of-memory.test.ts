import assert from 'node:assert/strict'
import { runChild } from './support/children.js'

describe('memory that cannot be had', () => {
  it('is an error with a code; what there is goes on, and what is given back can be had again', async () => {
    const { code, signal, stdout, stderr } = await runChild('out-of-memory.js', [], ['--expose-gc'])
    assert.deepEqual([code, signal, stderr], [0, null, ''])
    const refusal = 'ERR_SABWAY_OUT_OF_MEMORY'
    assert.deepEqual(JSON.parse(stdout), { early: refusal, refused: refusal, again: refusal, some: true })
  })
})
