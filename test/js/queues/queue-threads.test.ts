// Queues between threads and processes, of which some are killed.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { MemoryHeap, MultiProducerQueue, Region } from 'sabway'
import { Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'

const MIB = 2 ** 20

/** By producer, in the order in which one consumer has seen them. */
function numbersOf(seen: string[], number: number): number[] {
  return seen.filter((value) => value.startsWith(`${number}:`)).map((value) => Number(value.split(':')[1]))
}

const isRising = (numbers: number[]) => numbers.every((each, i) => i === 0 || numbers[i - 1]! < each)

describe('queues of several threads and processes', () => {
  it('lose and double nothing, and keep the order of each producer', async () => {
    const heap = new MemoryHeap({ size: 32 * MIB })
    closeLater(heap.region)
    const queue = new MultiProducerQueue<string>(heap, { capacity: 20 })
    const of = (task: object) => new Thread('queues', { shared: heap.getSharedMemory(), queue: queue.pointer, ...task })
    const consumers = [of({}), of({})]
    const producers = [1, 2].map((number) => of({ number, count: 3000 }))
    for (const producer of producers) assert.equal(await producer.ended(), 0)
    queue.close()
    const all: string[][] = []
    for (const consumer of consumers) {
      assert.equal(await consumer.next(), 'begun')
      all.push(await consumer.next<string[]>())
    }
    for (const number of [1, 2]) {
      for (const seen of all) assert.ok(isRising(numbersOf(seen, number)))
      const together = all.flatMap((seen) => numbersOf(seen, number)).sort((a, b) => a - b)
      assert.deepEqual(
        together,
        Array.from({ length: 3000 }, (_, i) => i),
      )
    }
  })

  it('deliver again what a process held that was killed, to a consumer that waits or blocks', async () => {
    const region = closeLater(Region.create({ size: 32 * MIB, share: 'processes' }))
    const queue = new MultiProducerQueue<string>(region, { capacity: 1, delivery: 'ack' })
    for (const way of ['waits', 'has its producer wait, too', 'blocks']) {
      queue.enqueueSync(way)
      const victim = new Peer({ shared: region.token, queue: queue.pointer, keeps: true })
      assert.equal(await victim.next(), 'begun')
      assert.equal(await victim.next(), way)
      const next = way === 'has its producer wait, too' ? queue.enqueue('next') : undefined
      const waiting = way === 'waits' ? queue.receive() : undefined
      await victim.kill()
      if (way === 'blocks') assert.equal(queue.dequeueSync(), way)
      else {
        const delivery = await (waiting ?? queue.receive())
        assert.deepEqual([delivery.value, delivery.deliveries], [way, 2])
        delivery.ack()
      }
      await next
      if (next !== undefined) assert.equal(queue.dequeueSync(), 'next')
    }
  })

  it('deliver again what a process had that was killed', async () => {
    const region = closeLater(Region.create({ size: 32 * MIB, share: 'processes' }))
    const queue = new MultiProducerQueue<string>(region, { capacity: 10, delivery: 'ack' })
    const begin = (task: object) => new Peer({ shared: region.token, queue: queue.pointer, ...task })
    const total = 4000
    const seen = new Set<string>()
    const producing = (async () => {
      for (let i = 0; i < total; i++) {
        await queue.enqueue(`${i}`)
        if (i % 100 === 0) await sleep(1)
      }
      queue.close()
    })()
    const victim = begin({})
    assert.equal(await victim.next(), 'begun')
    await sleep(30)
    await victim.kill()
    for await (const value of queue) seen.add(value)
    await producing
    // what the dead one had acknowledged is gone with it, and nothing else
    const numbers = [...seen].map(Number)
    assert.ok(numbers.includes(total - 1))
    const first = Math.min(...numbers)
    for (let i = first + 1; i < total; i++) assert.ok(seen.has(`${i}`), `${i} is lost`)
    assert.equal(queue.getSize(), 0)
  })
})
