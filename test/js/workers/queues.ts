// A thread, or a process, that puts numbered values into a queue, or takes them and tells which.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { MemoryHeap, type MemoryHeapMemory, MultiProducerQueue } from 'sabway'

export interface QueuesTask {
  shared: MemoryHeapMemory | string
  queue: number
  /** A producer has a number, from 1. */
  number?: number
  count?: number
  /** A consumer of a queue with acknowledgement that keeps what it has. */
  keeps?: boolean
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as QueuesTask
const say = (message: unknown) => (isMainThread ? process.send!(message) : parentPort!.postMessage(message))

const heap = new MemoryHeap(task.shared)
const queue = new MultiProducerQueue<string>(heap, task.queue)
say('begun')
if (task.number !== undefined) {
  for (let i = 0; i < task.count!; i++) queue.enqueueSync(`${task.number}:${i}:${'x'.repeat(i % 50)}`)
} else if (task.keeps) {
  const { value } = await (queue as MultiProducerQueue<string>).receive()
  say(value)
  await new Promise(() => setInterval(() => {}, 1000))
} else {
  const seen: string[] = []
  for await (const value of queue) seen.push(value)
  say(seen)
}
heap.region.close()
if (isMainThread) process.disconnect()
