// A thread, or a process, that uses a lock or signal as it is told.
import { setImmediate } from 'node:timers'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import {
  MemoryHeap,
  type MemoryHeapMemory,
  Mutex,
  SharedBarrier,
  SharedCondition,
  SharedEvent,
  SharedOnce,
  SharedRwLock,
  SharedSemaphore,
  SharedSpinLock,
  SharedWaitGroup,
} from 'sabway'

export interface SyncTask {
  shared: MemoryHeapMemory | string
  /**
   * What it does, with the object at `pointer`, a second one at `other`, and words at `words`.
   * Those
   * that hold something say so, and keep it until they are ended.
   */
  sync: keyof typeof DEEDS
  pointer: number
  other?: number
  words: number
  count?: number
  /** Of `contend`: the class, and which word counts the turns. */
  of?: 'Mutex' | 'SharedRwLock' | 'SharedSemaphore' | 'SharedSpinLock'
  index?: number
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as SyncTask
const say = (message: unknown) => (isMainThread ? process.send!(message) : parentPort!.postMessage(message))
const heap = new MemoryHeap(task.shared)
const words = new Int32Array(heap.buffer, task.words, 4)
const count = task.count ?? 1

/** Plain accesses: only the lock orders them. */
function countUp(): void {
  const value = words[0]!
  words[0] = value + 1
  if (words[1] !== value) throw new Error(`two are inside: ${words[1]} is not ${value}`)
  words[1] = value + 1
}

const DEEDS = {
  waitEvent() {
    const event = new SharedEvent(heap, task.pointer)
    say('waits')
    event.wait()
    return 'set'
  },
  setEvent() {
    new SharedEvent(heap, task.pointer).set()
    return 'set'
  },
  async permits() {
    const semaphore = new SharedSemaphore(heap, task.pointer)
    for (let i = 0; i < count; i++) {
      const permit = i % 2 === 0 ? semaphore.acquire() : await semaphore.acquireAsync()
      const inside = Atomics.add(words, 0, 1) + 1
      if (inside > semaphore.permits) throw new Error(`${inside} are inside`)
      Atomics.sub(words, 0, 1)
      permit.release()
    }
    return 'done'
  },
  holdPermit() {
    new SharedSemaphore(heap, task.pointer).acquire()
    return 'holds'
  },
  async consume() {
    const semaphore = new SharedSemaphore(heap, task.pointer)
    for (let i = 0; i < count; i++) {
      if (i % 2 === 0) semaphore.acquire().consume()
      else (await semaphore.acquireAsync()).consume()
      Atomics.add(words, 0, 1)
    }
    return 'done'
  },
  /** Takes what is put into words[0], under the mutex `other`. */
  async takeAll() {
    const condition = new SharedCondition(heap, task.pointer)
    const mutex = new Mutex(heap, task.other!)
    for (let i = 0; i < count; i++) {
      const lock = mutex.lock()
      while (words[0] === 0) {
        if (i % 2 === 0) condition.wait(lock)
        else await condition.waitAsync(lock)
      }
      words[0]!--
      words[1]!++
      lock.release()
    }
    return 'done'
  },
  waitCondition() {
    const condition = new SharedCondition(heap, task.pointer)
    const lock = new Mutex(heap, task.other!).lock()
    say('waits')
    condition.wait(lock)
    lock.release()
    return 'notified'
  },
  /** Until words[3] is set. */
  contend() {
    const take = {
      Mutex: () => new Mutex(heap, task.pointer).lock(),
      SharedRwLock: () => new SharedRwLock(heap, task.pointer).writeLock(),
      SharedSemaphore: () => new SharedSemaphore(heap, task.pointer).acquire(),
      SharedSpinLock: () => new SharedSpinLock(heap, task.pointer).lock(),
    }[task.of!]
    while (Atomics.load(words, 3) === 0) {
      const held = take()
      Atomics.add(words, task.index!, 1)
      held.release()
    }
    return 'done'
  },
  async write() {
    const lock = new SharedRwLock(heap, task.pointer)
    for (let i = 0; i < count; i++) {
      const held = i % 2 === 0 ? lock.writeLock() : await lock.writeLockAsync()
      countUp()
      held.release()
    }
    return 'done'
  },
  async read() {
    const lock = new SharedRwLock(heap, task.pointer)
    for (let i = 0; i < count; i++) {
      const held = i % 2 === 0 ? lock.readLock() : await lock.readLockAsync()
      if (words[0] !== words[1]) throw new Error(`a writer is inside: ${words[0]} is not ${words[1]}`)
      held.release()
    }
    return 'done'
  },
  holdRead() {
    new SharedRwLock(heap, task.pointer).readLock()
    return 'holds'
  },
  holdWrite() {
    new SharedRwLock(heap, task.pointer).writeLock()
    words[0] = words[0]! + 1 // and not the other one
    return 'holds'
  },
  async meet() {
    const barrier = new SharedBarrier(heap, task.pointer)
    let last = 0
    for (let i = 0; i < count; i++) {
      Atomics.add(words, 0, 1)
      last += Number(i % 2 === 0 ? barrier.wait() : await barrier.waitAsync())
      if (Atomics.load(words, 0) < (i + 1) * barrier.parties) throw new Error('not all had arrived')
      barrier.wait() // before the next round adds to it
    }
    return last
  },
  join() {
    new SharedBarrier(heap, task.pointer).join()
    return 'joined'
  },
  claim() {
    new SharedWaitGroup(heap, task.pointer).claim()
    return 'claimed'
  },
  part() {
    const part = new SharedWaitGroup(heap, task.pointer).claim()
    Atomics.add(words, 0, 1)
    part.done()
    return 'done'
  },
  once() {
    new SharedOnce(heap, task.pointer).run(() => {
      if (Atomics.add(words, 0, 1) !== 0) throw new Error('it was done twice')
    })
    return words[0]
  },
  beginOnce() {
    new SharedOnce(heap, task.pointer).run(() => {
      say('began')
      Atomics.wait(words, 3, 0)
    })
  },
  spin() {
    const lock = new SharedSpinLock(heap, task.pointer)
    for (let i = 0; i < count; i++) {
      const held = lock.lock()
      countUp()
      held.release()
    }
    return 'done'
  },
  holdSpin() {
    new SharedSpinLock(heap, task.pointer).lock()
    return 'holds'
  },
}

const KEEPS = ['holdPermit', 'holdRead', 'holdWrite', 'join', 'claim', 'holdSpin']

setImmediate(async () => {
  say(await DEEDS[task.sync]())
  if (KEEPS.includes(task.sync)) setInterval(() => {}, 1000)
  else heap.region.close()
})
