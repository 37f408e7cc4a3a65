// Queues in one thread: what comes out, full, closed and waiting ones, and values of all kinds.
import assert from 'node:assert/strict'
import { LockFreeQueue, MultiProducerQueue, PriorityQueue, Region, RingBufferChannel, type SharedQueue } from 'sabway'
import { mayBlock } from '../support/host.js'
import { closeLater } from '../support/regions.js'

const MIB = 2 ** 20
const region = () => closeLater(Region.create({ size: 16 * MIB }))
const code = (name: string) => ({ code: `ERR_SABWAY_${name}` })

type Fifo = SharedQueue<unknown> & { tryEnqueue(value: unknown): boolean }
const KINDS: Record<string, (home: Region | number, capacity: number) => Fifo> = {
  LockFreeQueue: (home, capacity) => new LockFreeQueue(home as Region, { capacity }),
  RingBufferChannel: (home, capacity) => new RingBufferChannel(home as Region, { capacity }),
  MultiProducerQueue: (home, capacity) => new MultiProducerQueue(home as Region, { capacity }),
  'MultiProducerQueue with ack': (home, capacity) =>
    new MultiProducerQueue(home as Region, { capacity, delivery: 'ack' }),
}

for (const [name, make] of Object.entries(KINDS)) {
  describe(name, () => {
    it('gives values out in their order, and says when it is full or empty', () => {
      const queue = make(region(), 3)
      for (let turn = 0; turn < 50; turn++) {
        assert.equal(queue.isEmpty(), true)
        for (let i = 0; i < 3; i++) assert.equal(queue.tryEnqueue(turn + i), true)
        assert.equal(queue.isFull(), true)
        assert.equal(queue.getSize(), 3)
        assert.equal(queue.getCapacity(), 3)
        assert.equal(queue.tryEnqueue(-1), false)
        assert.equal(queue.peek(), turn)
        for (let i = 0; i < 3; i++) assert.equal(queue.tryDequeue(), turn + i)
        assert.equal(queue.tryDequeue(), undefined)
        assert.equal(queue.peek(), undefined)
      }
      queue.free()
      assert.throws(() => queue.tryEnqueue(1), code('FREED'))
      assert.throws(() => queue.tryDequeue(), code('FREED'))
    })

    it('takes values of all kinds, also long ones', () => {
      const home = region()
      const queue = make(home, 4)
      const values: unknown[] = [
        0,
        -0,
        1.5,
        Number.NaN,
        2 ** 40,
        true,
        false,
        null,
        'text',
        'ä\ud800',
        '',
        5n,
        -(2n ** 70n),
      ]
      values.push(new Uint8Array([1, 2, 3]), 'long'.repeat(5000), new Uint8Array(100_000).fill(7), {
        a: [1, { b: 'c' }],
      })
      for (const value of values) {
        assert.equal(queue.tryEnqueue(value), true)
        assert.deepEqual(queue.peek(), value)
        assert.deepEqual(queue.tryDequeue(), value)
      }
      assert.throws(() => queue.tryEnqueue(undefined), code('INVALID_TYPE'))
      assert.throws(() => queue.tryEnqueue(() => {}), code('NOT_ENCODABLE'))
      assert.equal(queue.isEmpty(), true)
      queue.tryEnqueue('left'.repeat(3000))
      assert.equal(home.heap.check({ sweep: true }).length, 0)
      queue.free()
      assert.equal(home.heap.check({ sweep: true }).length, 0)
    })

    it('is drained when it was closed, and then ends', async () => {
      const queue = make(region(), 3)
      queue.tryEnqueue(1)
      queue.tryEnqueue(2)
      assert.equal(queue.isClosed, false)
      queue.close()
      queue.close()
      assert.equal(queue.isClosed, true)
      assert.throws(() => queue.tryEnqueue(3), code('CLOSED'))
      const seen: unknown[] = []
      for await (const value of queue) seen.push(value)
      assert.deepEqual(seen, [1, 2])
      await assert.rejects(queue.dequeueAsync(), code('CLOSED'))
      assert.throws(() => queue.dequeueSync(), code('CLOSED'))
      assert.equal(queue.tryDequeue(), undefined)
    })

    it('serves calls that wait in their order, and lets them go', async () => {
      const queue = make(region(), 2)
      const first = queue.dequeueAsync()
      const second = queue.dequeueAsync()
      const abort = new AbortController()
      const third = queue.dequeueAsync({ signal: abort.signal })
      queue.tryEnqueue('a')
      queue.tryEnqueue('b')
      assert.deepEqual(await Promise.all([first, second]), ['a', 'b'])
      abort.abort()
      await assert.rejects(third, code('ABORTED'))
      await assert.rejects(queue.dequeueAsync({ timeout: 1 }), code('TIMEOUT'))
      assert.throws(() => queue.dequeueSync({ timeout: 1 }), code(mayBlock ? 'TIMEOUT' : 'INVALID_STATE'))
      const last = queue.dequeueAsync()
      queue.close()
      await assert.rejects(last, code('CLOSED'))
    })

    it('is found by a name, and by its memory', () => {
      const home = region()
      const queue = make(home, 3)
      home.set('queue', queue)
      queue.tryEnqueue('by name')
      const found = home.get('queue') as Fifo
      assert.equal(found.constructor, queue.constructor)
      assert.equal(found.tryDequeue(), 'by name')
      home.delete('queue')
    })

    it('is cleared', () => {
      const queue = make(region(), 3)
      for (let i = 0; i < 3; i++) queue.tryEnqueue('x'.repeat(i * 3000))
      queue.clear()
      assert.equal(queue.isEmpty(), true)
      assert.deepEqual(queue.dequeueBatch(5), [])
      assert.equal((queue as RingBufferChannel).enqueueBatch([1, 2, 3, 4]), 3)
      assert.deepEqual(queue.dequeueBatch(2), [1, 2])
      assert.deepEqual(queue.dequeueBatch(2), [3])
    })
  })
}

describe('a queue with a region of its own', () => {
  it('runs the samples of the plan', async () => {
    const queue = new LockFreeQueue<number>(1000)
    queue.enqueue(42)
    assert.equal(queue.dequeue(), 42)
    const multiQueue = new MultiProducerQueue<string>(100)
    await multiQueue.enqueue('Task 1')
    await multiQueue.enqueue('Task 2')
    assert.equal(await multiQueue.dequeue(), 'Task 1')
    const priorityQueue = new PriorityQueue<{ id: number }>(100)
    await priorityQueue.enqueue({ id: 1 }, 1)
    await priorityQueue.enqueue({ id: 5 }, 5)
    assert.deepEqual(await priorityQueue.dequeue(), { id: 5 })
    const ringChannel = new RingBufferChannel<number>(1000)
    ringChannel.enqueue(42)
    assert.equal(ringChannel.dequeue(), 42)
    for (const each of [queue, multiQueue, priorityQueue, ringChannel]) each.free()
  })

  it('is opened by its memory, region and all', () => {
    const queue = new MultiProducerQueue<string>(3)
    const other = new MultiProducerQueue<string>(queue.getSharedMemory())
    queue.tryEnqueue('there')
    assert.equal(other.tryDequeue(), 'there')
    other.region!.close()
    queue.free()
  })
})

describe('a PriorityQueue', () => {
  it('gives the highest priority out first, and is stable', () => {
    for (const levels of [undefined, 10]) {
      const queue = new PriorityQueue<string>(
        region(),
        levels === undefined ? { capacity: 20 } : { capacity: 20, levels },
      )
      assert.equal(queue.getCapacity(), levels === undefined ? 20 : 200)
      assert.equal(
        queue.enqueueBatch([
          ['low', 1],
          ['high', 9],
          ['mid', 5],
          ['high too', 9],
          ['low too', 1],
        ]),
        5,
      )
      assert.equal(queue.peek(), 'high')
      assert.deepEqual(queue.dequeueBatch(9), ['high', 'high too', 'mid', 'low', 'low too'])
      assert.throws(() => queue.tryEnqueue('x', Number.NaN), code('OUT_OF_RANGE'))
      if (levels !== undefined) assert.throws(() => queue.tryEnqueue('x', 10), code('OUT_OF_RANGE'))
      else assert.equal(queue.tryEnqueue('x', -1.5), true)
    }
  })
})

describe('values that are acknowledged', () => {
  const make = () => new MultiProducerQueue<string>(region(), { capacity: 2, delivery: 'ack' })

  it('take room until then, and come again when they are refused', async () => {
    const queue = make()
    queue.enqueueBatch(['a', 'b'])
    const a = queue.tryReceive()!
    assert.deepEqual([a.value, a.deliveries], ['a', 1])
    assert.equal(queue.tryEnqueue('c'), false)
    a.nack()
    assert.throws(() => a.ack(), code('INVALID_STATE'))
    const again = await queue.receive()
    assert.deepEqual([again.value, again.deliveries], ['a', 2])
    again.ack()
    assert.equal(queue.tryEnqueue('c'), true)
    {
      const b = queue.tryReceive()!
      b[Symbol.dispose]()
    }
    assert.deepEqual(queue.dequeueBatch(5), ['b', 'c'])
    assert.equal(queue.tryReceive(), null)
  })

  it('come again when a loop is left', async () => {
    const queue = make()
    queue.enqueueBatch(['a', 'b'])
    queue.close()
    for await (const value of queue) if (value === 'b') break
    const seen: string[] = []
    for await (const value of queue) seen.push(value)
    assert.deepEqual(seen, ['b'])
  })

  it('are those of a queue that was made for them', () => {
    const queue = new MultiProducerQueue(region(), { capacity: 1 })
    assert.throws(() => queue.tryReceive(), code('INVALID_STATE'))
  })
})
