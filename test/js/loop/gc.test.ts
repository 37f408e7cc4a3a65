// Garbage collection: what is no longer referenced goes, native threads and memory with it; what
// still works stays.
import assert from 'node:assert/strict'
import { Region, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { attach, collect, open } from '../support/channels.js'
import { runChild } from '../support/children.js'
import { collectGarbage, collectUntil } from '../support/gc.js'
import { plugin } from '../support/paths.js'
import { memory, nativeThreads, nativeThreadsAre, Thread } from '../support/threads.js'
import { aWhile, turns, until } from '../support/wait.js'

const GiB = 2 ** 30

/** Makes a channel that only the collector will ever end. */
const drop = (use: (channel: SharedMemoryChannel) => void): void => use(new SharedMemoryChannel(65536, 65536))

describe('garbage collection', () => {
  it('of a channel ends its native worker, also in the middle of a flood', async () => {
    const names: string[] = []
    const gone = new FinalizationRegistry<string>((name) => names.push(name))
    drop((channel) => {
      channel.startWorker({ builtin: 'source', size: 1000 })
      gone.register(channel, 'flood')
    })
    drop((channel) => {
      channel.startWorker({ builtin: 'echo' })
      channel.send(pattern(1, 10))
      gone.register(channel, 'idle')
    })
    await nativeThreadsAre(2)
    await collectUntil(() => nativeThreads() === 0, 'both native threads to end')
    await collectUntil(() => names.length === 2, 'both channels to be finalized')
    assert.deepEqual(names.sort(), ['flood', 'idle'])
  })

  it('of a channel whose plugin has stopped by itself', async () => {
    let gone = false
    const registry = new FinalizationRegistry<null>(() => {
      gone = true
    })
    drop((channel) => {
      registry.register(channel, null)
      channel.startWorker({ plugin: plugin('stopper') })
      channel.send(Uint8Array.of(115))
    })
    await nativeThreadsAre(0)
    await collectUntil(() => gone, 'the channel to be finalized')
  })

  it('spares a channel that receives, though nothing else references it', async () => {
    let count = 0
    let end = () => {}
    drop((channel) => {
      const weak = new WeakRef(channel)
      end = () => weak.deref()!.cleanup()
      channel.startReceiving(() => count++)
      channel.startWorker({ builtin: 'source', size: 100, rate: 5000 })
    })
    for (let i = 0; i < 30; i++) {
      collectGarbage()
      const before = count
      await until(() => count > before, 'messages to go on')
    }
    await nativeThreadsAre(1)
    end()
    await nativeThreadsAre(0)
  })

  it('spares a channel that sleeps while it receives', async () => {
    const native = open()
    const received: Uint8Array[] = []
    const start = () => attach(native, 'native').startReceiving((message) => received.push(message))
    start()
    for (let i = 0; i < 10; i++) {
      await aWhile()
      collectGarbage()
      await turns(5)
      native.send(pattern(i, 10))
      await until(() => received.length === i + 1, `message ${i}`)
    }
  })

  it("spares a channel whose worker's log lines have a listener", async () => {
    const lines: string[] = []
    let send = (_: Uint8Array) => {}
    let end = () => {}
    drop((channel) => {
      const weak = new WeakRef(channel)
      send = (message) => weak.deref()!.send(message)
      end = () => weak.deref()!.cleanup()
      channel.startWorker({ plugin: plugin('logger'), onLog: ({ text }) => lines.push(text) })
    })
    for (let i = 0; i < 10; i++) {
      collectGarbage()
      await turns(5)
      send(Uint8Array.of(48 + i))
      await until(() => lines.length === i + 2, `line ${i}`)
    }
    end()
    await until(() => lines.includes('closed'), 'the last line')
    await collectUntil(() => nativeThreads() === 0, 'the native thread to end')
  })

  it('spares a channel whose queue is not empty', async () => {
    const renderer = open(4096)
    const start = () => {
      const native = SharedMemoryChannel.attach(renderer.handle, { side: 'native' })
      for (let i = 0; i < 50; i++) native.send(pattern(i, 100_000))
    }
    start()
    for (let i = 0; i < 10; i++) {
      collectGarbage()
      await turns(5)
    }
    const received = collect(renderer)
    await until(() => received.length === 50, 'what was queued')
    received.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, 100_000))
    })
  })

  it('of fifty channels gives their memory back', async () => {
    collectGarbage()
    await turns(5)
    const before = memory('VmSize')
    for (let i = 0; i < 50; i++) drop((dropped) => dropped.send(pattern(i, 10)))
    assert.ok(memory('VmSize') > before + GiB, 'each reserves address space')
    await collectUntil(() => memory('VmSize') < before + GiB, 'fifty regions to be unmapped')
  })

  it('frees their places in a region that another still holds', async () => {
    const channel = open()
    for (let i = 0; i < 40; i++) attach(channel, 'native').detach()
    const held: Region[] = [] // what nothing holds may be collected in the middle of the loop
    for (let i = 0; i < 40; i++) {
      held.push(Region.open(channel.handle as never))
      assert.equal(held.at(-1)!.stats().participants, 2) // this thread opens it once
    }
    held.length = 0
    const participants = () => {
      const region = Region.open(channel.handle as never)
      const count = region.stats().participants
      region.close()
      return count
    }
    await collectUntil(() => participants() === 2, 'the places to be free')
  })

  it('frees the side of a channel that another still holds', async () => {
    const channel = open()
    const take = () => SharedMemoryChannel.attach(channel.handle, { side: 'native' }).stats().side
    assert.equal(take(), 'native')
    await collectUntil(() => {
      try {
        return take() === 'native' // held until the collector has come around
      } catch {
        return false
      }
    }, 'the side to be free')
  })

  for (const flags of [[], ['--no-addons']]) {
    it(`of channels that only their own thread can reach ${flags}`, async () => {
      const { code, signal, stdout, stderr } = await runChild('collected.js', [], ['--expose-gc', ...flags])
      assert.deepEqual([code, signal, stderr], [0, null, ''])
      assert.deepEqual(JSON.parse(stdout), { pairs: 2, byHandle: 1, left: ['peer-died', 'peer-died'] })
    })

    it(`spares a channel that receives, once its handle was posted, though it slept before ${flags}`, async () => {
      const received: Uint8Array[] = []
      const start = async () => {
        const channel = new SharedMemoryChannel(4096, 4096)
        channel.startReceiving((message) => received.push(message))
        await aWhile()
        return new Thread('end', { handle: channel.handle, side: 'native', job: 'idle' }, { execArgv: [...flags] })
      }
      const thread = await start()
      assert.equal(await thread.next('ready'), 'ready')
      for (let i = 0; i < 5; i++) {
        await aWhile()
        collectGarbage()
        await turns(5)
        thread.tell(pattern(i, 10))
        await until(() => received.length === i + 1, `message ${i}`)
      }
      thread.tell('cleanup')
      assert.equal(await thread.ended(), 0)
    })
  }

  it('of a channel that receives, once a thread that had its handle has ended it', async () => {
    let gone = false
    const registry = new FinalizationRegistry<void>(() => {
      gone = true
    })
    const start = () => {
      const channel = new SharedMemoryChannel(4096, 4096)
      registry.register(channel)
      channel.startReceiving(() => {})
      for (const type of ['close', 'peer-died'] as const) channel.addEventListener(type, () => {})
      return new Thread('end', { handle: channel.handle, side: 'native', job: 'idle' })
    }
    const thread = start()
    assert.equal(await thread.next('ready'), 'ready')
    thread.tell('cleanup')
    await collectUntil(() => gone, 'the channel to be collected')
  })
})
