// A program that ends while messages are held for a batch: they are sent, as those without batching
// were.
import assert from 'node:assert/strict'
import { SharedMemoryChannel } from 'sabway'
import { keep, takeAll } from '../support/channels.js'
import { runChild } from '../support/children.js'
import { ENDS } from '../support/ends.js'
import { Thread } from '../support/threads.js'

const numbers = (channel: SharedMemoryChannel) => takeAll(channel).map((message) => message[0])
const expected = (count: number) => [0, 1, 2, 9].slice(0, count)

describe('a batch that is held is sent at', () => {
  for (const [how, count] of Object.entries(ENDS)) {
    for (const copy of ['module', 'common']) {
      it(`${how} of a process, ${copy}`, async () => {
        const channel = keep(new SharedMemoryChannel(4096, 4096, { share: 'processes' }))
        const { stderr } = await runChild('batch-end.js', [channel.token, how, copy])
        assert.deepEqual(numbers(channel).sort(), expected(count), stderr)
      })

      it(`${how} of a worker thread, ${copy}`, async () => {
        const channel = keep(new SharedMemoryChannel(4096, 4096))
        const thread = new Thread('batch-end', { from: channel.handle, how, common: copy === 'common' })
        await thread.ended().catch((error: Error) => assert.match(error.message, /on purpose/))
        assert.deepEqual(numbers(channel).sort(), expected(count))
      })
    }
  }

  it('one listener serves all batching channels', () => {
    const before = process.listenerCount('exit')
    for (let i = 0; i < 30; i++) {
      const channel = keep(new SharedMemoryChannel(4096, 4096, { batch: {} }))
      channel.send(Uint8Array.of(i))
    }
    assert.ok(process.listenerCount('exit') - before <= 1, `${process.listenerCount('exit')} listeners`)
  })
})
