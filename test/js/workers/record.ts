// A thread, or a process, that changes an object, or an array of objects, as it is told.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { defineObject, MemoryHeap, type MemoryHeapMemory, SharedStructArray } from 'sabway'
import { DEFINITION } from '../support/records.js'

export interface RecordTask {
  shared: MemoryHeapMemory | string
  /** Of the object, or of the array. */
  pointer: number
  /**
   * count: change it `count` times, and as often in vain. add: add to `hits` and `sum` without the
   * lock. hang: write half of a change, say so, and hang. die: the same, and end. rows: as count,
   * in an array, of which two objects change together. rename: as hang, the text of an object with
   * texts. names: count such an object up.
   */
  changes: 'count' | 'add' | 'hang' | 'die' | 'rows' | 'rename' | 'names'
  count?: number
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as RecordTask
const say = (message: unknown) => (isMainThread ? process.send!(message) : parentPort!.postMessage(message))
const Counter = defineObject(DEFINITION)

/** What a test throws in the middle of a change. */
class InVain extends Error {}

function count(heap: MemoryHeap): void {
  const counter = new Counter(heap, task.pointer)
  let seen = 0
  for (let i = 0; i < task.count!; i++) {
    counter.lock((fields) => {
      fields.a += 1
      fields.b += 1
      for (let n = 0; n < 3; n++) fields.c[n]! += 1
    })
    try {
      counter.lock((fields) => {
        fields.c.set([0, 0, 0])
        fields.assign({ a: -1, b: Number.NaN })
        throw new InVain()
      })
    } catch (error) {
      if (!(error instanceof InVain)) throw error
    }
    const { a, b, c } = counter.snapshot()
    if (b !== a || c.some((each) => each !== a % 65536)) throw new Error(`a snapshot has ${a}, ${b}, ${c}`)
    if (a < seen) throw new Error(`a snapshot has ${a}, behind ${seen}`)
    seen = a
  }
}

function rows(heap: MemoryHeap): void {
  const array = new SharedStructArray(heap, Counter, task.pointer)
  for (let i = 0; i < task.count!; i++) {
    const from = i % array.length
    const to = (7 * i + 3) % array.length
    if (from === to) continue
    array.lock((objects) => {
      objects.at(from).a -= i
      objects.at(to).a += i
    })
  }
}

function half(heap: MemoryHeap): void {
  const counter = new Counter(heap, task.pointer)
  counter.lock((fields) => {
    fields.a += 1000
    fields.c[1] = 7
    say('half')
    if (task.changes === 'die') process.exit()
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
  })
}

const Named = defineObject({ name: 'string', hp: 'i32', title: 'string' })

function rename(heap: MemoryHeap): void {
  new Named(heap, task.pointer).lock((fields) => {
    fields.name = 'x'
    fields.name = 'half done'
    say('half')
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
  })
}

function names(heap: MemoryHeap): void {
  const named = new Named(heap, task.pointer)
  for (let i = 0; i < task.count!; i++)
    named.lock((fields) => {
      fields.hp += 1
      fields.name = String(fields.hp)
      fields.title = fields.name
    })
}

const heap = new MemoryHeap(task.shared)

function run(): void {
  if (task.changes === 'count') count(heap)
  else if (task.changes === 'rows') rows(heap)
  else if (task.changes === 'rename') rename(heap)
  else if (task.changes === 'names') names(heap)
  else if (task.changes === 'add') {
    const counter = new Counter(heap, task.pointer)
    for (let i = 0; i < task.count!; i++) {
      counter.atomicAdd('hits', 1)
      counter.atomicAdd('sum', 0.5)
    }
  } else half(heap)
  heap.region.close()
  say('done')
}

// A page sees the end of a thread only once that has yielded behind its joining; Firefox takes some
// turns to give it its lock.
setTimeout(run, isMainThread ? 0 : 20)
