// One side of a channel in a process of its own: on its main thread, or on a worker thread.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Region, type SabwayError, SharedMemoryChannel, type Side } from 'sabway'
import { useUpFiles } from '../support/files.js'
import { numbered, numberOf } from '../support/numbered.js'

export interface PeerTask {
  /**
   * echo: send back what comes. source: send numbered messages, `from` this one on. sink: check
   * numbered messages, and say how many came. make: make the channel, say its token. hold: attach,
   * and do nothing. burst: send `count` messages, say so, and do nothing.
   */
  does: 'echo' | 'source' | 'sink' | 'make' | 'hold' | 'burst'
  token?: string
  side?: Side
  name?: string
  /**
   * Which thread: this process's first, or a worker, which opens the token itself or gets a handle.
   */
  thread?: 'main' | 'worker' | 'handle'
  from?: number
  count?: number
  /** After it was made, leave no descriptor that could be opened. */
  files?: 'none'
  /** Largest content of numbered messages. */
  content?: number
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as PeerTask & { handle?: never }
const say = (message: unknown) => (isMainThread ? process.send!(message) : parentPort!.postMessage(message))
const { content = 200, count = 0 } = task

function attach(): SharedMemoryChannel {
  const channel = SharedMemoryChannel.attach(task.handle ?? task.token!, { side: task.side ?? 'native' })
  channel.addEventListener('peer-died', () => say('peer-died'))
  channel.addEventListener('close', () => channel.cleanup())
  return channel.ref()
}

function attempt(): SharedMemoryChannel | null {
  try {
    return attach()
  } catch (error) {
    const { code, errno, message } = error as SabwayError
    say({ code, errno, message })
    process.exitCode = 1
    process.channel?.unref()
    return null
  }
}

function source(channel: SharedMemoryChannel): void {
  let next = task.from ?? 0
  const more = () => {
    for (let i = 0; i < 100; i++) {
      if (!channel.trySend(numbered(next, next % content))) break
      next++
    }
    setImmediate(more)
  }
  more()
}

function sink(channel: SharedMemoryChannel): void {
  let next = task.from ?? 0
  channel.startReceiving((message) => {
    const number = numberOf(message)
    if (number !== next) say({ wrong: number, expected: next })
    next = number + 1
    if (next === count) say({ received: next })
  })
}

function here(): void {
  if (task.does === 'make') {
    const made = new SharedMemoryChannel(65536, 65536, {
      share: 'processes',
      ...(task.name && { name: task.name }),
    }).ref()
    made.addEventListener('peer-died', () => say('peer-died'))
    for (let i = 0; i < count; i++) made.send(numbered(i, i % content))
    if (task.files === 'none') useUpFiles()
    say(made.token)
    setInterval(() => made.closed, 1000) // holds it
    return
  }
  const channel = attempt()
  if (channel === null) return
  if (task.does === 'echo') channel.startReceiving((message) => channel.send(message))
  if (task.does === 'sink') sink(channel)
  for (let i = 0; task.does === 'burst' && i < count; i++) channel.send(numbered(i, i % content))
  process.on('message', (order) => (order === 'detach' ? channel.detach() : channel.cleanup()))
  process.channel?.unref()
  say('ready')
  if (task.does === 'source') source(channel)
}

if (isMainThread && (task.thread ?? 'main') !== 'main') {
  const region = task.thread === 'handle' ? Region.open(task.token!) : null
  const data = region === null ? task : { ...task, handle: region.handle }
  const worker = new Worker(new URL(import.meta.url), { workerData: data })
  worker.on('message', say)
} else {
  here()
}
