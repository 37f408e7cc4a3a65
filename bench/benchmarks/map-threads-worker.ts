// A thread of map-threads.ts.
import { parentPort, workerData } from 'node:worker_threads'
import { MemoryHeap, SharedMap } from 'sabway'
import { count, DONE, FAILED, GO, type Order, READY, type Shared, until } from './map-threads.js'
import { ENTRIES, KEYS } from './maps.js'

/** Of so many calls one replaces a value. */
const TEN = 10

function serve({ heap, map: shared, words, from }: Shared): void {
  const map = new SharedMap<number, number>(new MemoryHeap(heap), shared)
  const keys = KEYS.numbers(ENTRIES) as number[]
  let at = from
  const work = (calls: number) => {
    let sum = 0
    for (let i = 1; i <= calls; i++) {
      const key = keys[at]!
      if (i % TEN === 0) map.set(key, i)
      else sum += map.get(key)!
      if (++at === keys.length) at = 0
    }
    // All values are numbers.
    if (Number.isNaN(sum)) throw new Error('a value is missing')
  }
  parentPort!.on('message', ({ run, count: calls }: Order) => {
    count(words, READY)
    until(words, GO, run)
    try {
      work(calls)
    } catch (error) {
      console.error(error)
      Atomics.store(words, FAILED, 1)
    }
    count(words, DONE)
  })
  parentPort!.postMessage('open')
}

serve(workerData)
