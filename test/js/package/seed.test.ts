// The usage example of seeds/electron-napi-sharedarraybuffer.md, with its import changed, and the
// features it announces.
import assert from 'node:assert/strict'
import { SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { rejectsWith } from '../support/errors.js'
import { until } from '../support/wait.js'

describe('the seed', () => {
  // biome-ignore format: the lines between the rules are the document's own
  it('runs its usage example as it stands', () => {
    // ----
    // Initialize channel with buffer sizes (in bytes)
    const channel = new SharedMemoryChannel(1024 * 1024, 1024 * 1024);

    // Send a message
    const data = new Uint8Array([1, 2, 3, 4]);
    channel.send(data);

    // Start receiving messages
    channel.startReceiving((message) => {
      console.log('Received message:', message);
    });

    // Clean up resources when done
    channel.cleanup();
    // ----
    assert.equal(channel.closed, true)
  })

  it('moves the message of its example to the native side and back', async () => {
    const channel = new SharedMemoryChannel(1024 * 1024, 1024 * 1024)
    const received: Uint8Array[] = []
    const data = new Uint8Array([1, 2, 3, 4])
    channel.send(data)
    channel.startReceiving((message) => received.push(message))
    channel.startWorker({ builtin: 'echo' })
    await until(() => received.length === 1, 'the echo')
    assert.deepEqual(received, [data])
    channel.cleanup()
  })

  it('has its Direct Send Mode: sending with timeout control', async () => {
    const channel = new SharedMemoryChannel(4096, 4096)
    await channel.sendDirect(pattern(1, 4000), { timeout: 1000 })
    await rejectsWith(
      channel.sendDirect(pattern(2, 4000), { timeout: 5 }),
      'ERR_SABWAY_TIMEOUT',
      /4000 bytes within 5 ms/,
    )
    assert.equal(channel.stats().sent.messages, 1)
    channel.cleanup()
  })

  it('has its Queue Empty Callbacks: operations chained after the queue was processed', async () => {
    const channel = new SharedMemoryChannel(4096, 4096)
    const order: string[] = []
    channel.onQueueEmpty = () => order.push('empty')
    for (let i = 0; i < 5; i++) channel.send(pattern(i, 3000))
    order.push(`queued ${channel.stats().sent.queued}`)
    channel.startWorker({ builtin: 'sink' })
    await until(() => order.length === 2, 'the callback')
    assert.deepEqual(order, ['queued 4', 'empty'])
    assert.equal(channel.stats().sent.queued, 0)
    channel.cleanup()
  })

  it('has its Performance Statistics', async () => {
    const channel = new SharedMemoryChannel(4096, 8192)
    channel.startWorker({ builtin: 'echo' })
    let received = 0
    channel.startReceiving(() => received++)
    for (let i = 0; i < 10; i++) channel.send(pattern(i, 100))
    await until(() => received === 10, 'ten echoes')
    await until(() => channel.stats().sent.used === 0, 'the worker to give the room back')
    const { worker: _, wait, ...stats } = channel.stats()
    assert.deepEqual(stats, {
      side: 'renderer',
      sent: { messages: 10, bytes: 1000, queued: 0, queuedBytes: 0, capacity: 4096, used: 0 },
      received: { messages: 10, bytes: 1000, capacity: 8192, used: 0 },
      peer: true,
      wakes: 'addon',
      transport: 'shared',
    })
    assert.deepEqual([wait.policy, wait.mechanism], ['balanced', 'threadsafe-function'])
    await until(() => channel.stats().worker?.sentBytes === 1000, "the worker's own counts")
    const { parks, wakes, mechanism, ...worker } = channel.stats().worker!
    assert.deepEqual(worker, { received: 10, receivedBytes: 1000, sent: 10, sentBytes: 1000, crc: 0 })
    assert.ok(parks >= 0 && wakes >= 0)
    assert.equal(mechanism, 'futex')
    channel.cleanup()
  })
})
