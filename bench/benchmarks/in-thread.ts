// Work of one thread, in JavaScript: what a heap's blocks and a mutex cost there, and what the same
// costs with what they are measured by.
import { MemPool } from '@thi.ng/malloc'
import { MemoryHeap, Mutex, Region, SharedMemoryChannel } from 'sabway'
import type { Benchmark, Run } from './benchmark.js'

const BYTES = 64
const ROOM = 64 << 20

/** Does its work so many times. Returns the seconds that it took where not all of it counts. */
export type Work = (count: number) => unknown

/** Seconds of the process's own time. */
export function cpuSeconds(work: () => void): number {
  const begin = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(begin)
  return (user + system) / 1e6
}

export interface Allocator {
  alloc(bytes: number): number
  free(at: number): void
}

export const sabway = (): Allocator => new MemoryHeap({ size: ROOM })

export function thing(): Allocator {
  const pool = new MemPool({ size: ROOM })
  return {
    alloc: (bytes) => pool.malloc(bytes),
    free(at) {
      if (!pool.free(at)) throw new Error(`${at} is no block`)
    },
  }
}

/** Each block is freed before the next one is allocated. */
export function pairs(open: () => Allocator): Work {
  const heap = open()
  return (count) => {
    for (let i = 0; i < count; i++) heap.free(heap.alloc(BYTES))
  }
}

/** The oldest of `live` blocks is freed, and another allocated. */
export function queue(open: () => Allocator, live: number): Work {
  const heap = open()
  const blocks = Array.from({ length: live }, () => heap.alloc(BYTES))
  let oldest = 0
  return (count) => {
    for (let i = 0; i < count; i++) {
      heap.free(blocks[oldest]!)
      blocks[oldest] = heap.alloc(BYTES)
      oldest = oldest + 1 === live ? 0 : oldest + 1
    }
  }
}

/** One of `live` blocks, whichever, is freed, and another allocated. */
export function churn(open: () => Allocator, live: number): Work {
  const heap = open()
  const blocks = Array.from({ length: live }, () => heap.alloc(BYTES))
  let random = 1
  return (count) => {
    for (let i = 0; i < count; i++) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) | 0
      const chosen = (random >>> 8) % live
      heap.free(blocks[chosen]!)
      blocks[chosen] = heap.alloc(BYTES)
    }
  }
}

const mutex = () => new Mutex(new MemoryHeap({ size: ROOM }))

export function lock(): Work {
  const mine = mutex()
  return (count) => {
    for (let i = 0; i < count; i++) mine.lock().release()
  }
}

export function tryLock(): Work {
  const mine = mutex()
  return (count) => {
    for (let i = 0; i < count; i++) mine.tryLock()!.release()
  }
}

/** What a lock without any of the mutex's promises comes to. */
export function exchanges(): Work {
  const words = new Int32Array(new SharedArrayBuffer(64))
  return (count) => {
    for (let i = 0; i < count; i++) {
      if (Atomics.compareExchange(words, 0, 0, 1) !== 0) throw new Error('it was locked')
      if (Atomics.compareExchange(words, 0, 1, 0) !== 1) throw new Error('it was not locked')
    }
  }
}

const RING = 4096
const inRegion = (region: Region) => new SharedMemoryChannel(RING, RING, { region })

/** A channel is made in a region that is there, and cleaned up. */
export function channels(): Work {
  const region = Region.create({ size: ROOM })
  return (count) => {
    for (let i = 0; i < count; i++) inRegion(region).cleanup()
  }
}

export function messageChannels(): Work {
  return (count) => {
    for (let i = 0; i < count; i++) new MessageChannel().port1.close()
  }
}

/** A message is sent and received in the middle one of so many channels of a region. */
export function sends(among: number): Work {
  const region = Region.create({ size: ROOM })
  const all = Array.from({ length: among }, () => inRegion(region))
  const renderer = all[among >>> 1]!
  const native = SharedMemoryChannel.attach(renderer.handle, { side: 'native' })
  const message = new Uint8Array(BYTES)
  const ignore = () => {}
  return (count) => {
    for (let left = count; left > 0; native.drain(ignore)) while (left > 0 && renderer.trySend(message)) left--
  }
}

/** Timed in its process's own time: what other programs take of a processor is not counted. */
export class InThread implements Benchmark {
  private work!: Work

  constructor(
    readonly name: string,
    readonly ours: boolean,
    private readonly prepare: () => Work | Promise<Work>,
  ) {}

  async open(): Promise<void> {
    this.work = await this.prepare()
  }

  async run(count: number): Promise<Run> {
    let counted: unknown
    const all = cpuSeconds(() => {
      counted = this.work(count)
    })
    return { seconds: typeof counted === 'number' ? counted : all }
  }

  async close(): Promise<void> {}
}
