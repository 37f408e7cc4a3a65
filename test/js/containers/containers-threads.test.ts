// Strings, vectors and lists that four threads, or two processes of which one is killed, change at
// random.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { MemoryHeap, Region } from 'sabway'
import { endContainers, makeContainers } from '../support/containers.js'
import { Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'
import type { ContainersDone } from '../workers/containers.js'

const MIB = 2 ** 20

describe('containers that several change', () => {
  it('are whole for four threads, and lose nothing', async () => {
    const heap = new MemoryHeap({ size: 64 * MIB })
    closeLater(heap.region)
    const made = makeContainers(heap)
    const threads = [1, 2, 3, 4].map(
      (number) =>
        new Thread('containers', { shared: heap.getSharedMemory(), containers: made.pointers, number, turns: 30_000 }),
    )
    const all: ContainersDone[] = []
    for (const thread of threads) {
      assert.equal(await thread.next(), 'begun')
      all.push(await thread.next<ContainersDone>())
      assert.equal(await thread.ended(), 0)
    }
    const sum = (of: keyof ContainersDone) => all.reduce((total, done) => total + done[of], 0)
    assert.equal(made.vector.length, 1 + sum('pushed') - sum('popped'))
    assert.equal(made.vector.get(0), sum('added'))
    assert.ok(sum('set') > 0)
    endContainers(made, 0)
  })

  it('are whole for two processes of which one is killed, again and again', async () => {
    const region = closeLater(Region.create({ size: 64 * MIB, share: 'processes' }))
    const made = makeContainers(new MemoryHeap(region.token))
    closeLater(made.heap.region)
    let deaths = 0
    const begin = (number: number) =>
      new Peer({ shared: region.token, containers: made.pointers, number, inserted: deaths * 1e6, turns: 1e9 })
    const steady = begin(1)
    assert.equal(await steady.next(), 'begun')
    for (; deaths < 12; deaths++) {
      const victim = begin(2 + (deaths % 6))
      assert.equal(await victim.next(), 'begun')
      await sleep(10 + (deaths % 4) * 10)
      await victim.kill()
      // the living go on
      made.vector.push(1)
      made.string.value = 'zzzzz'
      made.list.insert([8, 1 + deaths])
      made.list.deleteMatch((data) => data[0] === 8)
    }
    await steady.kill()
    endContainers(made, 2 * (deaths + 1))
  })
})
