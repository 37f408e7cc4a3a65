// Programs of public bug reports about comparable libraries: each test names the report whose
// program it is.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { open } from '../support/channels.js'

const MESSAGES = 200

const LAST_WORDS = `
  const { workerData } = require('node:worker_threads')
  import(workerData.library).then(({ SharedMemoryChannel }) => {
    const channel = SharedMemoryChannel.attach(workerData.handle, { side: 'native' })
    channel.addEventListener('message', () => {
      for (let i = 0; i < ${MESSAGES}; i++) channel.send(new Uint8Array([i]))
      process.exit()
    })
    channel.send(new Uint8Array(0))
  })`

describe('public reports', () => {
  it('oven-sh/bun#14144: the last messages of a worker that exits come before the news of its end', async () => {
    const channel = open()
    const told: (number | string)[] = []
    channel.addEventListener('peer-died', () => told.push('peer-died'))
    await new Promise<void>((resolve) => {
      channel.startReceiving(
        (message) => {
          told.push(message.length === 0 ? 'started' : Number(message[0]))
          if (message.length === 0) {
            // The thread is blocked while the worker answers and ends: the death is known before
            // the first answer is taken.
            channel.send(new Uint8Array(1))
            const end = Date.now() + 600
            while (Date.now() < end);
          }
        },
        { budget: 0 },
      )
      const worker = new Worker(LAST_WORDS, {
        eval: true,
        workerData: { handle: channel.handle, library: import.meta.resolve('sabway') },
      })
      void once(worker, 'exit').then(() => resolve())
    })
    while (!told.includes('peer-died') || told.length < MESSAGES + 2) await turn()
    assert.deepEqual(told, ['started', ...Array(MESSAGES).keys(), 'peer-died'])
  })
})
