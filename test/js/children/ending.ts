// Takes the other side of some channels, sends a message through each, and comes to its end, in one
// of many ways. Runs as a process, as a worker thread of one, or as a worker thread of the test.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'

export interface EndingTask {
  /** Handles or tokens. */
  from: readonly unknown[]
  how: 'natural' | 'exit' | 'uncaught' | 'cleanup' | 'waits to be ended'
  /** In a worker thread of the process, which lives on until it is killed. */
  thread?: boolean
}

function begin({ from, how }: EndingTask, say: (what: string) => void): void {
  const channels = from.map((each) => SharedMemoryChannel.attach(each as string, { side: 'native' }))
  for (const channel of channels) channel.send(Uint8Array.of(1))
  say('attached')
  if (how === 'exit') process.exit()
  if (how === 'uncaught') throw new Error('that no listener is told of')
  if (how === 'cleanup') for (const channel of channels) channel.cleanup()
  if (how === 'waits to be ended') setInterval(() => channels, 1 << 30)
}

if (!isMainThread) {
  begin(workerData as EndingTask, (what) => parentPort!.postMessage(what))
} else {
  process.once('message', (task: EndingTask) => {
    const say = (what: string) => process.send!(what)
    if (!task.thread) {
      begin(task, say)
      process.channel?.unref()
      return
    }
    const worker = new Worker(new URL(import.meta.url), { workerData: task })
    worker.on('error', () => {})
    worker.on('message', (what) => {
      say(what)
      if (task.how === 'waits to be ended') worker.terminate()
    })
    setInterval(() => worker, 1 << 30)
  })
}
