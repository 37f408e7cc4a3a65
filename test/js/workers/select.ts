// A thread, or a process, that sends numbers to channels, or receives from them, by select.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { MemoryHeap, type MemoryHeapMemory, SharedChannel, select, selectSync } from 'sabway'

export interface SelectTask {
  shared: MemoryHeapMemory | string
  /** Pointers of the channels. */
  select: number[]
  /** Of this participant. */
  number: number
  /** How many it sends; 0: it receives until all channels are closed. */
  sends: number
  sync?: boolean
  /** It receives at the same time, and until all channels are closed. */
  both?: boolean
}

export interface SelectDone {
  got: number[]
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as SelectTask
function say(message: unknown): void {
  if (isMainThread) process.send!(message)
  else parentPort!.postMessage(message)
}

async function run(): Promise<void> {
  const heap = new MemoryHeap(task.shared)
  let channels = task.select.map((pointer) => new SharedChannel<number>(heap, pointer))
  say('begun')
  const got: number[] = []
  for (let i = 0; i < task.sends && task.both === true; ) {
    const sending = channels.map((send) => ({ send, value: task.number * 1e6 + i }))
    const cases = [...sending, ...channels.map((receive) => ({ receive }))]
    const { index, value } = task.sync ? selectSync(cases) : await select(cases)
    if (index < channels.length) i++
    else got.push(value!)
  }
  if (task.both === true) say('sent')
  for (let i = 0; i < task.sends && task.both !== true; i++) {
    const cases = channels.map((send) => ({ send, value: task.number * 1e6 + i }))
    if (task.sync) selectSync(cases)
    else await select(cases)
  }
  if (task.sends > 0 && task.both !== true) return say('sent')
  while (channels.length > 0) {
    const cases = channels.map((receive) => ({ receive }))
    const { index, value, done } = task.sync ? selectSync(cases) : await select(cases)
    if (done) channels = channels.filter((_, i) => i !== index)
    else got.push(value!)
  }
  say({ got })
}

await run()
if (isMainThread) process.disconnect()
