// One thread tells several workers the same: by a SharedBroadcast, or by a BroadcastChannel. A run
// ends when all have received all. What is in flight in a BroadcastChannel is bounded by what the
// slowest worker has received, or its messages would fill the memory.
import { BroadcastChannel, Worker } from 'node:worker_threads'
import { SharedBroadcast } from 'sabway'
import { expected, makeMessages, STALLED_MS } from '../harness/messages.js'
import type { Benchmark, Run } from './benchmark.js'
import { until } from './map-threads.js'

const RING = 1 << 20
/** Messages of a BroadcastChannel that may be on their way, and between two words about them. */
export const [WINDOW, EVERY] = [4096, 1024]

export type Means = 'SharedBroadcast' | 'BroadcastChannel'

export interface Shared {
  means: Means
  /** Of a SharedBroadcast what it is in, of a BroadcastChannel its name. */
  from: unknown
  words: Int32Array
  size: number
  /** Which worker it is: its words are those from `wordsOf(worker)` on. */
  worker: number
}

/** Of `words`: how many workers are ready. Of a worker: what it has received, and its hash. */
export const [READY, RECEIVED, HASH] = [0, 0, 1]
export const wordsOf = (worker: number) => 16 * (worker + 1)

export interface Order {
  count: number
}

export class FanOut implements Benchmark {
  private workers: Worker[] = []
  private readonly words: Int32Array
  private readonly messages: Uint8Array[]
  private broadcast!: SharedBroadcast<Uint8Array>
  private channel!: BroadcastChannel

  constructor(
    readonly name: Means,
    readonly ours: boolean,
    private readonly subscribers: number,
    private readonly size: number,
  ) {
    this.words = new Int32Array(new SharedArrayBuffer(4 * wordsOf(subscribers)))
    this.messages = makeMessages(size)
  }

  async open(): Promise<void> {
    const { name: means, words, size } = this
    let from: unknown = `sabway bench ${process.pid}`
    if (means === 'BroadcastChannel') this.channel = new BroadcastChannel(from as string)
    else {
      this.broadcast = new SharedBroadcast({ capacity: RING })
      from = this.broadcast.getSharedMemory()
    }
    for (let worker = 0; worker < this.subscribers; worker++) {
      const workerData: Shared = { means, from, words, size, worker }
      this.workers.push(new Worker(new URL('./fan-out-worker.js', import.meta.url), { workerData }))
    }
    await Promise.all(this.workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
  }

  async run(count: number): Promise<Run> {
    const { words, workers } = this
    words.fill(0)
    const order: Order = { count }
    for (const worker of workers) worker.postMessage(order)
    until(words, READY, workers.length)
    const begin = process.hrtime.bigint()
    if (this.name === 'BroadcastChannel') this.post(count)
    else this.send(count)
    for (let worker = 0; worker < workers.length; worker++) until(words, wordsOf(worker) + RECEIVED, count)
    const end = process.hrtime.bigint()
    const { hash } = expected(this.messages, count)
    for (let worker = 0; worker < workers.length; worker++)
      if (words[wordsOf(worker) + HASH] !== hash) throw new Error('a worker has received something else')
    return { seconds: Number(end - begin) / 1e9 }
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()))
    this.channel?.close()
  }

  private send(count: number): void {
    const { broadcast, messages } = this
    for (let i = 0; i < count; i++) {
      const message = messages[i % messages.length]!
      if (!broadcast.tryBroadcast(message)) broadcast.broadcastSync(message, { timeout: STALLED_MS })
    }
  }

  private post(count: number): void {
    const { channel, messages } = this
    for (let i = 0; i < count; i++) {
      if (i % EVERY === 0) this.waitForRoom(i)
      channel.postMessage(messages[i % messages.length]!)
    }
  }

  /** Sleeps until all workers have received all but a window. */
  private waitForRoom(sent: number): void {
    for (let worker = 0; worker < this.workers.length; worker++) {
      const at = wordsOf(worker) + RECEIVED
      for (let seen = Atomics.load(this.words, at); seen < sent - WINDOW + EVERY; seen = Atomics.load(this.words, at))
        if (Atomics.wait(this.words, at, seen, STALLED_MS) === 'timed-out') throw new Error('a worker has stalled')
    }
  }
}
