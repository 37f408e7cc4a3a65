// A thread, or a process, that locks a mutex as it is told.
import { setImmediate } from 'node:timers'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { type Lock, MemoryHeap, type MemoryHeapMemory, Mutex } from 'sabway'

export interface MutexTask {
  shared: MemoryHeapMemory | string
  /** Of the mutex, and of two words that it protects. */
  pointer: number
  words: number
  /**
   * count: lock it `count` times, and count both words up, not at once. hold: lock it, say so, and
   * keep it. die: lock it, count one word up, and end. lend: lock it, say so, and release it when
   * told.
   */
  locks: 'count' | 'hold' | 'die' | 'lend'
  count?: number
  /** By which call: each by all of them in turn, by default. */
  way?: 'lock' | 'tryLock' | 'lockAsync'
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as MutexTask
const say = (message: unknown) => (isMainThread ? process.send!(message) : parentPort!.postMessage(message))
const heap = new MemoryHeap(task.shared)
const mutex = new Mutex(heap, task.pointer)
const words = new Int32Array(heap.buffer, task.words, 2)
const WAYS = ['lock', 'tryLock', 'lockAsync'] as const

async function acquire(way: (typeof WAYS)[number]): Promise<Lock> {
  if (way === 'lock') return mutex.lock()
  if (way === 'lockAsync') return mutex.lockAsync()
  for (;;) {
    const lock = mutex.tryLock()
    if (lock !== null) return lock
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function count(): Promise<void> {
  let died = 0
  for (let i = 0; i < task.count!; i++) {
    const lock = await acquire(task.way ?? WAYS[i % WAYS.length]!)
    if (lock.ownerDied) {
      died++
      words[0] = words[1]!
      lock.consistent()
    }
    // Plain accesses: only the mutex orders them.
    const value = words[0]!
    words[0] = value + 1
    if (words[1] !== value) throw new Error(`two are inside: ${words[1]} is not ${value}`)
    words[1] = value + 1
    lock.release()
  }
  say({ died })
  heap.region.close()
}

if (task.locks === 'count') void count()
else setImmediate(keep) // a page sees the end of a thread only once that has yielded

function keep(): void {
  const lock = mutex.lock()
  if (task.locks === 'lend') {
    parentPort!.on('message', () => {
      lock.release()
      say('released')
    })
  }
  words[0] = words[0]! + 1
  say('locked')
  // What ends it ends it with the mutex.
  if (task.locks !== 'die') setInterval(() => {}, 1000)
  else process.exit()
}
