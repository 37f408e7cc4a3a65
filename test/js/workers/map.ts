// A thread, or a process, that uses a map as it is told.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { MemoryHeap, type MemoryHeapMemory, SharedMap, type SharedObjectMemory } from 'sabway'

/** One call on a key of the history: [key, value (0: none), when it began, when it ended, read]. */
export type Happened = [key: number, value: number, began: number, ended: number, read: boolean]

export interface MapTask {
  shared: MemoryHeapMemory | string
  map: SharedObjectMemory
  /**
   * add: add 1 to the keys 0 to 9 in turn, `count` times. update: the same by update. insert: put
   * `count` keys of its own, each once. random: as `count` random calls on keys of its own, and
   * check each against a Map. history: `count` calls on eight keys, and tell them. churn: change
   * the first keys without end. watch: check that 1,000 keys are there, until told. evict: put
   * `count` keys.
   */
  uses: 'add' | 'update' | 'insert' | 'random' | 'history' | 'churn' | 'watch' | 'evict'
  count: number
  /** Tells it from the other threads. */
  mark: number
  /** A word that counts moments, for a history. */
  clock?: number
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as MapTask
const say = (message: unknown) => (isMainThread ? process.send!(message) : parentPort!.postMessage(message))
const heap = new MemoryHeap(task.shared)
const map = new SharedMap<string | number, unknown>(heap, task.map)
const { count, mark } = task

/** xorshift: another sequence for each mark. */
let state = (mark + 1) * 2654435761
function random(below: number): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % below
}

const KEYS: Record<string, (i: number) => string | number> = {
  number: (i) => 100 + mark * 1e6 + i,
  text: (i) => `${mark}: ${i}`,
}

function randomCalls(): void {
  const expected = new Map<string | number, unknown>()
  for (let i = 0; i < count; i++) {
    const key = KEYS[random(2) === 0 ? 'number' : 'text']!(random(300))
    const value = random(3) === 0 ? 'x'.repeat(random(200)) : i
    const what = random(4)
    if (what === 0) {
      if (map.delete(key) !== expected.delete(key)) throw new Error(`delete of ${key}`)
    } else if (what === 1) {
      if (map.get(key) !== expected.get(key)) throw new Error(`get of ${key}: ${map.get(key)}`)
    } else if (what === 2) {
      if (map.has(key) !== expected.has(key)) throw new Error(`has of ${key}`)
    } else {
      map.set(key, value)
      expected.set(key, value)
    }
  }
  for (const [key, value] of expected) {
    if (map.get(key) !== value) throw new Error(`${key} is ${map.get(key)}, not ${value}`)
    map.delete(key)
  }
}

function history(): Happened[] {
  const words = new Int32Array(heap.buffer)
  const moment = () => Atomics.add(words, task.clock! >>> 2, 1)
  const happened: Happened[] = []
  for (let i = 0; i < count; i++) {
    const key = random(8)
    const read = random(2) === 0
    const value = mark * 1e6 + i + 1
    const began = moment()
    const got = read ? ((map.get(key) as number | undefined) ?? 0) : void map.set(key, value)
    happened.push([key, read ? (got as number) : value, began, moment(), read])
  }
  return happened
}

async function watch(): Promise<void> {
  let stop = false
  parentPort!.once('message', () => {
    stop = true
  })
  let rounds = 0
  say('watching')
  while (!stop) {
    for (let i = 0; i < 1000; i++) {
      if (map.get(-1 - i) !== i) throw new Error(`key ${-1 - i} is ${map.get(-1 - i)}`)
    }
    const seen = new Set<unknown>()
    for (const [key] of map) {
      if (seen.has(key)) throw new Error(`key ${key} twice`)
      seen.add(key)
    }
    for (let i = 0; i < 1000; i++) if (!seen.has(-1 - i)) throw new Error(`key ${-1 - i} was left out`)
    rounds++
    await new Promise((resolve) => setTimeout(resolve))
  }
  say(rounds)
}

function churn(): void {
  say('churning')
  for (let i = 0; ; i++) {
    const key = random(200)
    if (i % 5 === 0) map.delete(key)
    else if (i % 7 === 0) map.set(key, 'y'.repeat(random(300)))
    else map.set(key, i)
    // so that it grows
    if (i % 3 === 0) map.set(mark * 1e7 + i, i)
  }
}

function leave(message: unknown): void {
  heap.region.close()
  say(message)
}

if (task.uses === 'add') {
  for (let i = 0; i < count; i++) map.add(i % 10)
  leave('done')
} else if (task.uses === 'update') {
  for (let i = 0; i < count; i++) map.update(i % 10, (value) => ((value as number | undefined) ?? 0) + 1)
  leave('done')
} else if (task.uses === 'insert' || task.uses === 'evict') {
  for (let i = 0; i < count; i++) map.set(mark * 1e6 + i, i)
  leave('done')
} else if (task.uses === 'random') {
  randomCalls()
  leave('done')
} else if (task.uses === 'history') {
  leave(history())
} else if (task.uses === 'watch') {
  void watch()
} else {
  churn()
}
