// Queues between peers whose sides are threads and processes, some of which are killed.
import assert from 'node:assert/strict'
import { MemoryHeap, Region } from 'sabway'
import { P2PQueue } from 'sabway/p2p'
import { itNative } from '../support/host.js'
import { Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'
import { until } from '../support/wait.js'
import type { P2PDone, P2PTask } from '../workers/p2p.js'

const nothingWrong: P2PDone = { wrong: 0, skipped: 0, bad: 0 }

function tasksOf(queue: P2PQueue) {
  const { slots, slotBytes, timestamps } = queue
  return (job: P2PTask['job'], direction: P2PTask['direction'], first: number, count: number): P2PTask => ({
    p2p: queue.byteOffset,
    buffer: queue.buffer as SharedArrayBuffer,
    options: { slots, slotBytes, timestamps },
    direction,
    job,
    first,
    count,
  })
}

async function begin(task: P2PTask): Promise<Thread> {
  const thread = new Thread('p2p', task)
  assert.equal(await thread.next(), 'begun')
  return thread
}

describe('a queue between peers in two threads', () => {
  for (const options of [{ slots: 2 }, { slots: 7, timestamps: true }, { slots: 256, slotBytes: 512 as const }]) {
    it(`loses nothing in either direction: ${JSON.stringify(options)}`, async () => {
      const task = tasksOf(new P2PQueue(options))
      const count = options.slots * 1000
      const threads = [
        await begin(task('write', 'incoming', 1, count)),
        await begin(task('read', 'incoming', 1, count)),
        await begin(task('write', 'outgoing', 5, count)),
        await begin(task('read', 'outgoing', 5, count)),
      ]
      for (const thread of threads) assert.deepEqual(await thread.next(), nothingWrong)
    })
  }

  it('is continued behind a writer that was terminated: each message once, none in part', async () => {
    const queue = new P2PQueue({ slots: 16 })
    const task = tasksOf(queue)
    const reader = queue.reader('incoming')
    let last = 0
    for (let life = 0; life < 5; life++) {
      const thread = await begin(task('write', 'incoming', last + 1, 1e9))
      const goal = last + 500
      const read = () => {
        for (const { from, channel, data } of reader.take()) {
          assert.equal(channel, ++last)
          assert.equal(from, `peer ${last % 3}`)
          assert.equal(data.length, 4 + (last % 16))
        }
      }
      await until(() => {
        read()
        return last >= goal
      }, `${goal} messages`)
      await thread.terminate()
      read()
      queue.writer('incoming') // puts the count right
      assert.equal(new Int32Array(queue.buffer)[2], 0)
    }
    assert.deepEqual([reader.skipped, reader.bad], [0, 0])
  })

  it('is continued behind a reader that was terminated', async () => {
    const queue = new P2PQueue({ slots: 16 })
    const task = tasksOf(queue)
    const thread = await begin(task('read', 'incoming', 1, 1e9))
    const writer = queue.writer('incoming')
    let n = 0
    const write = () => {
      while (writer.write(`peer ${(n + 1) % 3}`, n + 1, new Uint8Array(4 + ((n + 1) % 16)).fill(1))) n++
    }
    await until(() => {
      write()
      return n > 1000
    }, '1000 messages')
    await thread.terminate()
    write()
    const rest = queue.reader('incoming').take()
    assert.ok(rest.length > 0)
    assert.equal(rest.at(-1)!.channel, n)
    const numbers = rest.map(({ channel }) => channel)
    assert.deepEqual(
      numbers,
      Array.from(rest, (_, i) => n - rest.length + 1 + i),
    )
    assert.deepEqual([writer.room, writer.bad], [15, 0])
  })
})

describe('a queue between peers in the memory of a region', () => {
  itNative('goes on behind processes that are killed: each message once, none in part', async () => {
    const region = closeLater(Region.create({ size: 4 * 2 ** 20, share: 'processes' }))
    const heap = new MemoryHeap(region.token)
    closeLater(heap.region)
    const options = { slots: 16 }
    const { byteOffset } = heap.allocUI8(new P2PQueue(options).byteLength).data
    const queue = P2PQueue.attach(heap.region.buffer, { ...options, byteOffset })
    queue.clear()
    const task = (job: P2PTask['job'], direction: P2PTask['direction'], first: number): P2PTask => {
      return { p2p: byteOffset, token: region.token, options, direction, job, first, count: 1e9 }
    }
    const reader = queue.reader('outgoing')
    let last = 0
    let sent = 0
    for (let life = 0; life < 4; life++) {
      const engine = [new Peer(task('write', 'outgoing', last + 1)), new Peer(task('read', 'incoming', sent + 1))]
      for (const each of engine) assert.equal(await each.next(), 'begun')
      const goal = last + 300
      const writer = queue.writer('incoming')
      const turn = () => {
        while (writer.write(`peer ${(sent + 1) % 3}`, sent + 1, new Uint8Array(4 + ((sent + 1) % 16)))) sent++
        for (const { channel, data } of reader.take()) {
          assert.equal(channel, ++last)
          assert.equal(data.length, 4 + (last % 16))
        }
        return last >= goal
      }
      await until(turn, `${goal} messages`)
      for (const each of engine) await each.kill()
      turn()
      const rest = queue.reader('incoming').take()
      assert.equal(rest.at(-1)!.channel, sent)
      rest.forEach(({ channel }, i) => void assert.equal(channel, sent - rest.length + 1 + i))
    }
    assert.deepEqual([reader.skipped, reader.bad], [0, 0])
  })
})
