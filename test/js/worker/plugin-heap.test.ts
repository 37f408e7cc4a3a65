// A plugin in the heap of its channel's region: blocks, names and a mutex that JavaScript has, too.
import assert from 'node:assert/strict'
import { type AllocatedMemory, Mutex, Region, type SabwayError, SharedMemoryChannel } from 'sabway'
import { keep, open } from '../support/channels.js'
import { plugin } from '../support/paths.js'
import { closeLater } from '../support/regions.js'
import { until } from '../support/wait.js'

describe('a plugin and the heap', () => {
  for (const share of ['threads', 'processes'] as const) {
    it(`counts under a mutex that JavaScript locks, too, in a region that ${share} share`, async () => {
      const region = closeLater(Region.create({ size: 2 ** 22, share }))
      const channel = keep(new SharedMemoryChannel(4096, 4096, { region }))
      const ledger = region.heap.allocF64(2)
      const words = ledger.getArray(BigInt64Array, 0, 2)
      const mutex = new Mutex(region.heap)
      region.set('ledger', ledger)
      region.set('lock', mutex)
      const failed: string[] = []
      channel.addEventListener('error', ({ error }) => failed.push((error as SabwayError).message))
      channel.startWorker({ plugin: plugin('ledger'), onLog: (line) => failed.push(line.text) })
      const answers: Uint8Array[] = []
      channel.startReceiving((message) => answers.push(message))
      const count = 3000
      channel.send(new Uint8Array(Uint32Array.of(count).buffer))
      let counted = 0
      while (answers.length === 0 || counted < 500) {
        const lock = counted % 2 === 0 ? mutex.lock() : await mutex.lockAsync()
        assert.equal(words[0], words[1])
        words[0] = words[0]! + 1n
        words[1] = words[1]! + 1n
        lock.release()
        if (++counted % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
        if (failed.length !== 0) break
      }
      assert.deepEqual(failed, [])
      assert.deepEqual([...words], [BigInt(count + counted), BigInt(count + counted)])
      const block = region.get('from the plugin') as AllocatedMemory
      assert.equal(block.pointer, new Uint32Array(answers[0]!.slice().buffer)[0])
      assert.ok(block.getArray(Uint8Array, 0, 100).every((byte) => byte === 7))
      channel.stopWorker()
      block.free()
      region.heap.check()
    })
  }

  it('ends with a mutex: the next holder is told', async () => {
    const region = closeLater(Region.create({ size: 2 ** 22 }))
    const channel = keep(new SharedMemoryChannel(4096, 4096, { region }))
    const mutex = new Mutex(region.heap)
    region.set('lock', mutex)
    channel.startWorker({ plugin: plugin('ledger') })
    channel.send(new Uint8Array(0))
    const told = () => {
      const lock = mutex.lock()
      if (lock.ownerDied) lock.consistent()
      lock.release()
      return lock.ownerDied
    }
    await until(told, 'the news')
  })

  it('is told when there is no heap', () => {
    const channel = open()
    assert.throws(() => channel.startWorker({ plugin: plugin('ledger') }), {
      code: 'ERR_SABWAY_PLUGIN_OPEN',
      message: /the region has no heap/,
    })
  })

  it('loads when it was built for the version before the heap', async () => {
    const channel = open()
    channel.startWorker({ plugin: plugin('old-abi') })
    const answers: Uint8Array[] = []
    channel.startReceiving((message) => answers.push(message))
    channel.send(Uint8Array.of(1, 2, 3))
    await until(() => answers.length === 1, 'the echo')
    assert.deepEqual(answers[0], Uint8Array.of(1, 2, 3))
  })
})
