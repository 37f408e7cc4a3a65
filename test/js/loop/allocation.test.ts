// What an audio thread calls allocates nothing: a collection would come in the middle of a block.
import assert from 'node:assert/strict'
import { runChild } from '../support/children.js'

describe('memory that calls allocate', () => {
  it('is none in write, send, trySend, drain, receiving in place, and a receiveSync(0) that finds nothing', async () => {
    const { code, stdout, stderr } = await runChild('allocating.js')
    assert.deepEqual([code, stderr], [0, ''])
    const {
      'reserve, which makes a view': views,
      'startReceiving, which copies': copies,
      ...none
    } = JSON.parse(stdout) as Record<string, number>
    assert.ok(views! >= 5, `${views} collections where each call makes a view: they would show`)
    assert.ok(copies! >= 5, `${copies} collections where each message is copied: they would show`)
    assert.equal(Object.keys(none).length, 6)
    for (const [name, collections] of Object.entries(none)) assert.ok(collections <= 1, `${name}: ${collections}`)
  })
})
