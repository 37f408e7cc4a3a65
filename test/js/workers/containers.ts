// A thread, or a process, that changes a string, a vector and a list at random until it is told to
// stop, or until it has done that often enough.
import { setImmediate } from 'node:timers'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { MemoryHeap, type MemoryHeapMemory, SharedList, SharedString, SharedVector } from 'sabway'
import { integers } from '../support/bytes.js'

export interface ContainersTask {
  shared: MemoryHeapMemory | string
  /** Pointers: of a string, a vector of numbers, one of three numbers, and a list of two. */
  containers: [string: number, vector: number, wide: number, list: number]
  /** Of this participant: from 1 to 7. */
  number: number
  /** How many elements an earlier participant of that number may have inserted. */
  inserted?: number
  turns: number
}

/** What a participant has done. */
export interface ContainersDone {
  pushed: number
  popped: number
  added: number
  set: number
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as ContainersTask
const say = (message: unknown) => (isMainThread ? process.send!(message) : parentPort!.postMessage(message))

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`participant ${task.number}: ${what}`)
}

/** A text whose letters are all the same, and which tells its participant. */
const textOf = (turn: number) => String.fromCodePoint(0x60 + task.number).repeat(1 + (turn % 60) * (turn % 7))

function checkText(text: string): void {
  if (text.length > 0) must(text === text[0]!.repeat(text.length), `a torn text: ${text}`)
}

function checkElement(element: Float32Array): void {
  must(element[0] === element[1] && element[1] === element[2], `a torn element: ${element}`)
}

function run(): void {
  const heap = new MemoryHeap(task.shared)
  const [stringAt, vectorAt, wideAt, listAt] = task.containers
  const string = new SharedString(heap, stringAt)
  const vector = new SharedVector<Int32Array>(heap, vectorAt)
  const wide = new SharedVector<Float32Array, Float32Array>(heap, wideAt)
  const list = new SharedList(heap, listAt)
  const next = integers(task.number)
  const done: ContainersDone = { pushed: 0, popped: 0, added: 0, set: 0 }
  let inserted = task.inserted ?? 0
  say('begun')
  for (let turn = 0; turn < task.turns; turn++) {
    const what = next() % 16
    if (what === 0) string.value = textOf(turn)
    else if (what === 1) {
      const before = string.value
      checkText(before)
      if (string.compareAndSet(before, textOf(turn))) done.set++
    } else if (what < 5) {
      // a long run fills no heap
      if (vector.length < 100_000) {
        vector.push(task.number)
        done.pushed++
      }
    } else if (what === 5) {
      // each of 8 participants may pop behind this look, and the first element stays
      if (vector.length > 8 && vector.pop() !== undefined) done.popped++
    } else if (what === 6) {
      vector.add(0, 1)
      done.added++
    } else if (what === 7) {
      const value = vector.get(1 + (next() % 100))
      must(value === undefined || (value >= 1 && value <= 8), `an element that was not pushed: ${value}`)
    } else if (what === 8) wide.length < 1000 && wide.push([turn, turn, turn])
    else if (what === 9) wide.pop()
    else if (what === 10) {
      checkElement(wide.get(next() % 5) ?? new Float32Array(3))
    } else if (what === 11) {
      try {
        if (next() % 2 === 0) wide.set(next() % 3, [-turn, -turn, -turn])
        else wide.deleteIndex(next() % 3)
      } catch (error) {
        must((error as { code?: string }).code === 'ERR_SABWAY_OUT_OF_RANGE', String(error))
      }
    } else if (what < 14) list.length < 1000 && list.insert([task.number, ++inserted])
    else if (what === 14) list.deleteIndex(next() % 4)
    else {
      const last = new Map<number, number>()
      let count = 0
      for (const { data, deleteCurrent } of list) {
        const [from, number] = [data[0]!, data[1]!]
        must(from >= 1 && from <= 8 && number > (last.get(from) ?? 0), `an element out of its order: ${data}`)
        last.set(from, number)
        if (count++ === 30) break
        if (next() % 4 === 0) deleteCurrent()
      }
    }
  }
  heap.region.close()
  say(done)
}

// A page sees the end of a thread only once that has yielded.
setImmediate(run)
