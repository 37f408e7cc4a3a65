// A thread that uses the heap of a region, or its names, as it is told. In a process of its own the
// task is an argument, and the answers go by the channel to the parent.
import { setImmediate } from 'node:timers'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { AllocatedMemory, MemoryHeap, type MemoryHeapMemory, type SharedAllocatedMemory } from 'sabway'
import { random } from '../support/bytes.js'

export interface HeapTask {
  shared: MemoryHeapMemory | string
  /**
   * grow: allocate `count` blocks of `bytes` bytes, each filled with `mark`. churn: allocate and
   * free until told to stop. free: these pointers. write: into the memory that the message names.
   * names: get or make `count` names. name: give the name 'theirs' to a block with 77 in it, and
   * take the name 'ours' away.
   */
  does: 'grow' | 'churn' | 'free' | 'write' | 'names' | 'name'
  count?: number
  bytes?: number
  mark?: number
  pointers?: number[]
  memory?: SharedAllocatedMemory
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as HeapTask
const say = (message: unknown) => (isMainThread ? process.send!(message) : parentPort!.postMessage(message))
const heap = new MemoryHeap(task.shared)
const { count = 0, bytes = 16, mark = 0 } = task

function grow(): void {
  const pointers: number[] = []
  for (let i = 0; i < count; i++) {
    const pointer = heap.alloc(bytes)
    new Uint8Array(heap.buffer, pointer, bytes).fill(mark)
    pointers.push(pointer)
  }
  say({ pointers })
}

/** Each block has its own pointer in its first word: two that overlap would show. */
function churn(): void {
  const next = random(mark + 1)
  const words = new Uint32Array(heap.buffer)
  const held: number[] = []
  const turn = () => {
    for (let i = 0; i < 500; i++) {
      if (held.length < 200 && next() < 0.55) {
        const pointer = heap.alloc(1 + Math.floor(next() * (next() < 0.9 ? 500 : 20_000)))
        words[pointer >>> 2] = pointer
        held.push(pointer)
      } else if (held.length !== 0) {
        const pointer = held.splice(Math.floor(next() * held.length), 1)[0]!
        if (words[pointer >>> 2] !== pointer) throw new Error(`block ${pointer} has ${words[pointer >>> 2]}`)
        heap.free(pointer)
      }
    }
    setImmediate(turn)
  }
  // In a page the end of a thread shows that has yielded to its event loop once.
  setImmediate(() => {
    turn()
    say('churning')
  })
  parentPort?.on('message', () => {
    for (const pointer of held.splice(0)) heap.free(pointer)
    heap.region.close()
    say('freed')
    process.exit()
  })
}

function names(): void {
  const found: number[] = []
  for (let i = 0; i < count; i++) {
    const memory = heap.region.getOrMake(`name ${i}`, () => {
      const made = heap.allocUI32(1)
      made.data[0] = i
      return made
    })
    if (memory.data[0] !== i) throw new Error(`name ${i} has ${memory.data[0]}`)
    found.push(memory.pointer)
  }
  say({ found })
}

function name(): void {
  const { region } = heap
  const theirs = heap.allocUI32(1)
  theirs.data[0] = 77
  region.set('theirs', theirs)
  const has = [region.has('ours'), region.has('nothing')]
  const list = region.list().map((each) => each.name)
  const deleted = [region.delete('ours'), region.delete('nothing')]
  say({ found: (region.get('theirs') as AllocatedMemory).pointer, has, list: list.sort(), deleted })
}

if (task.does === 'grow') grow()
else if (task.does === 'name') name()
else if (task.does === 'churn') churn()
else if (task.does === 'names') names()
else if (task.does === 'write') {
  new AllocatedMemory(heap, task.memory!).data[2] = 5
  say('written')
} else {
  for (const pointer of task.pointers!) heap.free(pointer)
  say('freed')
}
