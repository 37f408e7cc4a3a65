// Regions that processes share take nothing with them: no mapping, no descriptor, no name.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { Region, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { keep, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { collectGarbage, collectUntil } from '../support/gc.js'
import { openShared, Peer, sharedMappings } from '../support/processes.js'
import { memory, openFiles, Thread, threadsCalled } from '../support/threads.js'
import { until } from '../support/wait.js'

const CYCLES = 1000

describe('life of a region that processes share', () => {
  beforeEach(() => collectUntil(() => sharedMappings() === 0, 'nothing left of the test before'))

  it(`opening and closing it ${CYCLES} times leaks neither mappings nor descriptors nor threads`, async function () {
    this.timeout(180_000)
    const maker = openShared(4096, 4096)
    const cycle = () => {
      const made = new SharedMemoryChannel(4096, 4096, { share: 'processes' })
      const other = SharedMemoryChannel.attach(made.token, { side: 'native' })
      made.send(pattern(1, 100))
      assert.equal(takeAll(other).length, 1)
      other.cleanup()
      made.cleanup()
      Region.open(maker.token).close()
    }
    const settle = async (mappings: number) => {
      await collectUntil(() => sharedMappings() <= mappings, `${mappings} mappings, not ${sharedMappings()}`)
    }
    for (let i = 0; i < 20; i++) cycle()
    await settle(1)
    const files = openFiles()
    const size = memory('VmSize')
    for (let i = 0; i < CYCLES; i++) {
      cycle()
      if (i % 20 === 19) collectGarbage() // each holds 10 GiB of addresses until it is collected
      if (i % 100 === 99) await settle(1)
    }
    await settle(1)
    await until(() => openFiles() === files, `${files} open files`)
    assert.equal(threadsCalled('sabway-listener'), 1)
    assert.ok(memory('VmSize') - size < 64 * 2 ** 30, 'address space')
  })

  it('dropped without cleanup, the collector takes it, and the other process keeps its own', async () => {
    const files = openFiles()
    const peer = new Peer({ does: 'make', count: 10 })
    const token = await peer.next<string>()
    const during = openFiles()
    const drop = () => {
      for (let i = 0; i < 5; i++) Region.open(token)
    }
    drop()
    assert.equal(sharedMappings(), 1) // one Region for one memory
    assert.equal(openFiles(), during + 1)
    await collectUntil(() => sharedMappings() === 0, 'no mapping')
    await collectUntil(() => openFiles() === during, 'no descriptor')
    const channel = keep(SharedMemoryChannel.attach(token, { side: 'native' }))
    assert.equal(takeAll(channel).length, 10)
    await peer.kill()
    channel.cleanup()
    // stdio of forks may linger
    await until(() => openFiles() <= files + 1, 'no descriptor of the other process')
  })

  it('spares a dropped channel that receives', async () => {
    let got = 0
    const peer = new Peer({ does: 'make', count: 10 })
    const token = await peer.next<string>()
    const weak = new WeakRef(
      (() => {
        const channel = SharedMemoryChannel.attach(token, { side: 'native' })
        channel.startReceiving(() => got++)
        return channel
      })(),
    )
    await until(() => got === 10, 'its messages')
    for (let i = 0; i < 10; i++) {
      collectGarbage()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.equal(sharedMappings(), 1)
    weak.deref()!.cleanup()
    await collectUntil(() => sharedMappings() === 0, 'no mapping')
  })

  it('closing it in one process leaves the other intact', async () => {
    const channel = openShared()
    const peer = new Peer({ does: 'hold', token: channel.token })
    await peer.next()
    const second = Region.open(channel.token)
    second.close()
    second.close()
    assert.equal(channel.stats().peer, true)
    channel.send(pattern(1, 10))
  })

  it('worker threads share the one mapping, also when the maker has closed its place', async () => {
    const size = 2 ** 21
    const files = openFiles()
    const start = () => {
      const region = Region.create({ size, share: 'processes' })
      new SharedMemoryChannel(4096, 4096, { region }).cleanup()
      return { region, threads: [1, 2, 3].map(() => new Thread('hold-region', region.handle)), token: region.token }
    }
    let started: Partial<ReturnType<typeof start>> = start()
    const { threads, token } = started as ReturnType<typeof start>
    for (const thread of threads) assert.deepEqual(await thread.next(), { size })
    assert.equal(sharedMappings(), 1)
    started.region!.close()
    started = {}
    for (const thread of threads) {
      thread.tell('check')
      assert.equal(await thread.next(), 'sound')
    }
    throwsError(() => Region.open(token), 'ERR_SABWAY_REGION_GONE', /descriptor/)
    for (const thread of threads) await thread.terminate()
    await collectUntil(() => sharedMappings() === 0, 'no mapping')
    assert.ok(openFiles() <= files)
  })

  it('a thread that is terminated takes its regions and its listener with it', async () => {
    const listeners = threadsCalled('sabway-listener')
    const thread = new Thread('open-regions', { count: 20 })
    assert.deepEqual(await thread.next(), { made: 20 })
    assert.equal(threadsCalled('sabway-listener'), listeners + 1)
    await thread.terminate()
    await until(() => threadsCalled('sabway-listener') === listeners, 'its listener to end')
    await collectUntil(() => sharedMappings() === 0, 'no mapping')
  })

  it('a name is there while its maker is', () => {
    const name = `test-${process.pid}-life`
    const path = `/dev/shm/sabway.${name}`
    const channel = openShared(4096, 4096, name)
    assert.ok(existsSync(path))
    throwsError(() => openShared(4096, 4096, name), 'ERR_SABWAY_NAME_TAKEN', /another name/)
    const other = keep(SharedMemoryChannel.attach(channel.token, { side: 'native' }))
    channel.send(pattern(3, 30))
    channel.cleanup()
    assert.ok(!existsSync(path))
    assert.deepEqual(takeAll(other), [pattern(3, 30)])
    throwsError(() => Region.open(channel.token), 'ERR_SABWAY_REGION_GONE', /it was closed/)
  })
})
