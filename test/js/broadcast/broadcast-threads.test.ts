// Broadcasts between threads, and between processes of which some are killed.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { MemoryHeap, Region, SharedBroadcast } from 'sabway'
import { Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'
import { until } from '../support/wait.js'
import type { BroadcastDone, BroadcastTask } from '../workers/broadcast.js'

const MIB = 2 ** 20

describe('a broadcast that several use', () => {
  for (const sync of [false, true]) {
    for (const policy of ['block', 'drop-oldest', 'latest-only'] as const) {
      it(`gives each thread all in order, ${sync ? 'blocking' : 'on event loops'}, with '${policy}'`, async () => {
        const heap = new MemoryHeap({ size: 16 * MIB })
        closeLater(heap.region)
        const broadcast = new SharedBroadcast<string>(heap, { policy, capacity: 8192 })
        const sends = 3000
        const task = (number: number, of: number): BroadcastTask => ({
          shared: heap.getSharedMemory(),
          broadcast: broadcast.pointer,
          number,
          sends: of,
          sync,
        })
        const receivers = [1, 2].map((number) => new Thread('broadcast', task(number, 0)))
        for (const each of receivers) assert.equal(await each.next(), 'begun')
        assert.equal(broadcast.getSubscriberCount(), 2)
        const senders = [3, 4].map((number) => new Thread('broadcast', task(number, sends)))
        for (const each of senders) {
          assert.equal(await each.next(), 'begun')
          assert.equal(await each.next(), 'sent')
          assert.equal(await each.ended(), 0)
        }
        broadcast.close()
        for (const each of receivers) {
          const { received, missed, last } = await each.next<BroadcastDone>()
          if (policy === 'block') assert.equal(received, 2 * sends)
          assert.equal(received + missed, 2 * sends)
          assert.equal(Math.max(last[3] ?? 0, last[4] ?? 0), sends)
          assert.equal(await each.ended(), 0)
        }
        broadcast.free()
        heap.check()
      })
    }
  }

  it('waits for no process that was killed, and loses nothing for those that live', async () => {
    const region = closeLater(Region.create({ size: 16 * MIB, share: 'processes' }))
    const heap = new MemoryHeap(region.token)
    closeLater(heap.region)
    const broadcast = new SharedBroadcast<string>(heap, { capacity: 4096 })
    const task = (number: number, sends: number): BroadcastTask => ({
      shared: region.token,
      broadcast: broadcast.pointer,
      number,
      sends,
    })
    broadcast.subscribe()
    const got = new Map<number, number>()
    const receiving = (async () => {
      for await (const text of broadcast) {
        const [from, turn] = text.split(':').map(Number) as [number, number]
        assert.equal(turn, (got.get(from) ?? 0) + 1)
        got.set(from, turn)
      }
    })()
    for (let deaths = 0; deaths < 6; deaths++) {
      const receiver = new Peer(task(1, 0))
      assert.equal(await receiver.next(), 'begun')
      const sender = new Peer(task(10 + deaths, 1e9))
      assert.equal(await sender.next(), 'begun')
      await until(() => (got.get(10 + deaths) ?? 0) > 50, 'values of a new sender')
      await receiver.kill()
      const before = got.get(10 + deaths)!
      await until(() => got.get(10 + deaths)! > before + 300, 'values behind the death of a subscriber')
      await sleep(deaths * 3)
      await sender.kill()
      await broadcast.broadcast(`${20 + deaths}:1:`)
    }
    broadcast.close()
    await receiving
    for (let deaths = 0; deaths < 6; deaths++) assert.equal(got.get(20 + deaths), 1)
    broadcast.free()
    heap.check()
  })
})
