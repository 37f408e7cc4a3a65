// Fairness of locks and of select: how often each of several contenders gets its turn. None of the
// bounds depends on times: they are of the order of grants, or far from what chance would bring.
import assert from 'node:assert/strict'
import {
  MemoryHeap,
  Mutex,
  SharedChannel,
  SharedRwLock,
  SharedSemaphore,
  SharedSpinLock,
  select,
  selectSync,
} from 'sabway'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'
import { until } from '../support/wait.js'
import type { SyncTask } from '../workers/sync.js'

let heap: MemoryHeap
beforeEach(() => {
  heap = new MemoryHeap({ size: 2 ** 22 })
  closeLater(heap.region)
})

interface Held {
  release(): void
}

/** Each contender takes and gives back, until there were so many grants: how many each had. */
async function contend(takes: readonly (() => Promise<Held>)[], grants: number): Promise<number[]> {
  const counts = takes.map(() => 0)
  let total = 0
  await Promise.all(
    takes.map(async (take, i) => {
      while (total < grants) {
        const held = await take()
        total++
        counts[i]!++
        await Promise.resolve() // the others ask for it meanwhile
        held.release()
      }
    }),
  )
  return counts
}

const spread = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts)

describe('contenders in one thread', () => {
  const KINDS: Record<string, () => () => Promise<Held>> = {
    'a Mutex': () => {
      const mutex = new Mutex(heap)
      return () => mutex.lockAsync()
    },
    'a SharedRwLock, to write': () => {
      const lock = new SharedRwLock(heap)
      return () => lock.writeLockAsync()
    },
    'a SharedSemaphore': () => {
      const semaphore = new SharedSemaphore(heap, { permits: 1 })
      return () => semaphore.acquireAsync()
    },
  }
  for (const [name, make] of Object.entries(KINDS)) {
    it(`for ${name} have their turns one after the other: none is ahead by more than two`, async () => {
      const take = make()
      const counts = await contend(new Array(5).fill(take), 1000)
      assert.ok(spread(counts) <= 2, `${counts}`)
    })
  }
})

describe('threads', () => {
  const KINDS = {
    Mutex: () => new Mutex(heap),
    SharedRwLock: () => new SharedRwLock(heap),
    SharedSemaphore: () => new SharedSemaphore(heap, { permits: 1 }),
    SharedSpinLock: () => new SharedSpinLock(heap),
  }
  for (const [name, make] of Object.entries(KINDS)) {
    it(`that want a ${name} all the time get it again and again, each of them`, async () => {
      const words = heap.allocI32(4)
      const { pointer } = make()
      const threads = [0, 1, 2].map((index) => {
        const task: SyncTask = {
          shared: heap.getSharedMemory(),
          words: words.pointer,
          sync: 'contend',
          pointer,
          of: name as NonNullable<SyncTask['of']>,
          index,
        }
        return new Thread('sync', task)
      })
      await until(() => [0, 1, 2].every((i) => Atomics.load(words.data, i) >= 20), '20 turns of each thread', 50_000)
      Atomics.store(words.data, 3, 1)
      for (const thread of threads) assert.equal(await thread.next(), 'done')
    })
  }
})

describe('select', () => {
  const TURNS = 2000

  /** Each of `count` would be chosen in TURNS / count turns: by chance never in less than this. */
  function areFair(counts: readonly number[]): void {
    const least = (0.75 * TURNS) / counts.length
    for (const count of counts) assert.ok(count >= least, `${counts}`)
  }

  for (const [name, choose] of Object.entries({ select, selectSync })) {
    it(`chooses each of the cases that can be done as often as the others: ${name}`, async () => {
      const channels = [0, 1, 2, 3].map(() => new SharedChannel<number>(heap, { capacity: 2 }))
      const full = channels.slice(0, 2)
      for (const channel of full) channel.trySend(1)
      const counts = [0, 0, 0, 0]
      for (let i = 0; i < TURNS; i++) {
        // two that can be received from, and two that can be sent to
        const cases = channels.map((channel, k) => (k < 2 ? { receive: channel } : { send: channel, value: i }))
        const { index } = await choose(cases)
        counts[index]!++
        if (index < 2) channels[index]!.trySend(i)
        else channels[index]!.tryReceive()
      }
      areFair(counts)
    })
  }

  it('has a case among many that cannot be done at once', async () => {
    const idle = Array.from({ length: 7 }, () => new SharedChannel<number>(heap, { capacity: 1 }))
    const channel = new SharedChannel<number>(heap, { capacity: 1 })
    for (let i = 0; i < 100; i++) {
      channel.trySend(i)
      const { index, value } = await select(
        [...idle.slice(0, 3), channel, ...idle.slice(3)].map((receive) => ({ receive })),
      )
      assert.deepEqual([index, value], [3, i])
    }
  })
})
