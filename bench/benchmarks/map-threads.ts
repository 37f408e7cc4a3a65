// One map, which threads read and change at once: nine values are read for each that is replaced.
// All threads but this one work; this one sleeps until they are done.
import { Worker } from 'node:worker_threads'
import { MemoryHeap, SharedMap, type SharedObjectMemory } from 'sabway'
import { STALLED_MS } from '../harness/messages.js'
import type { Benchmark, Run } from './benchmark.js'
import { ENTRIES } from './maps.js'

const ROOM = 2 ** 30

export interface Shared {
  heap: ReturnType<MemoryHeap['getSharedMemory']>
  map: SharedObjectMemory
  words: Int32Array
  /** Where in the keys each thread begins. */
  from: number
}

/** Of `words`: the number of the run that may go on, and how many threads wait and have ended. */
export const [GO, READY, DONE, FAILED] = [0, 16, 32, 48]

export interface Order {
  run: number
  count: number
}

export class MapThreads implements Benchmark {
  private workers: Worker[] = []
  private readonly words = new Int32Array(new SharedArrayBuffer(256))
  private runs = 0

  constructor(
    readonly name: string,
    readonly ours: boolean,
    private readonly threads: number,
  ) {}

  async open(): Promise<void> {
    const heap = new MemoryHeap({ size: ROOM })
    const map = new SharedMap<number, number>(heap)
    for (let key = 0; key < ENTRIES; key++) map.set(key, 1.5)
    const { threads, words } = this
    for (let i = 0; i < threads; i++) {
      const from = Math.floor((ENTRIES / threads) * i)
      const shared: Shared = { heap: heap.getSharedMemory(), map: map.getSharedMemory(), words, from }
      this.workers.push(new Worker(new URL('./map-threads-worker.js', import.meta.url), { workerData: shared }))
    }
    await Promise.all(this.workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
  }

  async run(count: number): Promise<Run> {
    const { workers, words } = this
    const order: Order = { run: ++this.runs, count: Math.ceil(count / workers.length) }
    words.fill(0, READY)
    for (const worker of workers) worker.postMessage(order)
    until(words, READY, workers.length)
    const begin = process.hrtime.bigint()
    Atomics.store(words, GO, order.run)
    Atomics.notify(words, GO)
    until(words, DONE, workers.length)
    const end = process.hrtime.bigint()
    if (Atomics.load(words, FAILED) !== 0) throw new Error('a thread has failed')
    return { seconds: ((Number(end - begin) / 1e9) * count) / (order.count * workers.length) }
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()))
  }
}

/** Sleeps until the word is `wanted`. */
export function until(words: Int32Array, at: number, wanted: number): void {
  for (let seen = Atomics.load(words, at); seen !== wanted; seen = Atomics.load(words, at)) {
    if (Atomics.wait(words, at, seen, STALLED_MS) === 'timed-out') throw new Error('a thread has stalled')
  }
}

export function count(words: Int32Array, at: number): void {
  Atomics.add(words, at, 1)
  Atomics.notify(words, at)
}
