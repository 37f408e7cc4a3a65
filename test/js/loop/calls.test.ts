// How many functions of the library run for one message: a layer that only forwards would show.
import assert from 'node:assert/strict'
import { runChild } from '../support/children.js'

/** With messages of 64 bytes for which the ring has room, once the ring's end is known. */
const MOST: Record<string, number> = {
  send: 15,
  trySend: 15,
  sendBatch: 6,
  drain: 0,
  receive: 2,
  'receive in place': 1,
  receiveSync: 20,
}

describe('calls that a message takes', () => {
  it('are no more than they were, on each way, and one more shows', async () => {
    const { code, stdout, stderr } = await runChild('counting.js')
    assert.deepEqual([code, stderr], [0, ''])
    const { 'send through a layer': layered, ...counts } = JSON.parse(stdout) as Record<string, string[]>
    assert.ok(layered!.length > MOST.send!, `with a planted layer: ${layered}`)
    assert.deepEqual(Object.keys(counts).sort(), Object.keys(MOST).sort())
    for (const [way, names] of Object.entries(counts)) {
      assert.ok(names.length <= MOST[way]!, `${way}: ${names.length} calls, ${names}`)
    }
  })
})
