import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers'
import { Region, type SharedMemoryChannel } from 'sabway'
import { open } from '../support/channels.js'
import { check, message, SEED, TOTAL } from '../support/flood.js'
import { itNative } from '../support/host.js'
import { Thread } from '../support/threads.js'
import { aWhile, until } from '../support/wait.js'

/** In a flood, each thread falls asleep and has to be woken this many times. */
const RESTS = 50

/** Send messages 0 to count - 1 and check the echo of each. */
async function flood(channel: SharedMemoryChannel, count: number): Promise<void> {
  let sent = 0
  let received = 0
  let failure: unknown
  channel.startReceiving(
    (bytes, start, end) => {
      try {
        if (failure === undefined) check(received, bytes.subarray(start, end))
      } catch (error) {
        failure = error
      }
      received++
    },
    { copy: false },
  )
  const rest = Math.ceil(count / RESTS)
  for (let stage = rest; sent < count; stage += rest) {
    const goal = Math.min(stage, count)
    await new Promise<void>((resolve) => {
      const more = () => {
        while (sent < goal && channel.trySend(message(sent))) sent++
        if (sent === goal || failure !== undefined) resolve()
        else setImmediate(more)
      }
      more()
    })
    let last = -1
    while (received < sent && failure === undefined) {
      last = received
      await until(() => received > last, `message ${received} of ${count}, ${sent} sent`)
    }
    if (failure !== undefined) throw failure
    if (stage % (rest * 5) === 0) await aWhile()
  }
  assert.equal(received, count)
}

describe(`a flood of ${TOTAL} messages of 0 B to 64 KiB, sequence, size and CRC of each checked (seed ${SEED})`, () => {
  const check = (channel: SharedMemoryChannel) => {
    const region = Region.open(channel.handle as never)
    region.check()
    region.close()
  }

  itNative('to a native worker and back', async function () {
    this.timeout(600_000)
    const channel = open(1 << 20, 1 << 18)
    channel.startWorker({ builtin: 'echo' })
    const count = Math.ceil(TOTAL * 0.4)
    await flood(channel, count)
    const { sent, received } = channel.stats()
    assert.deepEqual([sent.messages, received.messages, sent.bytes], [count, count, received.bytes])
    await until(() => channel.stats().worker!.sent === count, "the worker's own count")
    assert.equal(channel.stats().worker!.received, count)
    check(channel)
  })

  it('to another JavaScript thread, which checks too, and back', async function () {
    this.timeout(600_000)
    const channel = open(1 << 18, 1 << 20)
    const thread = new Thread('flood', channel.handle)
    const count = Math.ceil(TOTAL * 0.1)
    await Promise.race([flood(channel, count), thread.ended().then(() => assert.fail('the thread ended'))])
    assert.deepEqual([channel.stats().sent.messages, channel.stats().received.messages], [count, count])
    check(channel)
  })
})
