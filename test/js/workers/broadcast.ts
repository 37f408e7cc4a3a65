// A thread, or a process, that broadcasts numbered texts, or receives them and tells what it got.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { MemoryHeap, type MemoryHeapMemory, SharedBroadcast } from 'sabway'

export interface BroadcastTask {
  shared: MemoryHeapMemory | string
  /** Its pointer. */
  broadcast: number
  /** Of this participant. */
  number: number
  /** How many it broadcasts; 0: it receives until the broadcast is closed. */
  sends: number
  /** By blocking the thread. */
  sync?: boolean
}

/** What a receiver has got. */
export interface BroadcastDone {
  received: number
  missed: number
  /** By sender: the last turn that was received. */
  last: Record<number, number>
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as BroadcastTask
const say = (message: unknown) => (isMainThread ? process.send!(message) : parentPort!.postMessage(message))

/** Of lengths that differ, and which tell sender and turn. */
const textOf = (number: number, turn: number) => `${number}:${turn}:${'x'.repeat((turn * 37) % 400)}`

async function run(): Promise<void> {
  const heap = new MemoryHeap(task.shared)
  const broadcast = new SharedBroadcast<string>(heap, task.broadcast)
  const { number, sends, sync = false } = task
  if (sends > 0) {
    say('begun')
    for (let turn = 1; turn <= sends; turn++) {
      const text = textOf(number, turn)
      if (sync) broadcast.broadcastSync(text)
      else if (!broadcast.tryBroadcast(text)) await broadcast.broadcast(text)
    }
    say('sent')
    return
  }
  broadcast.subscribe()
  say('begun')
  const done: BroadcastDone = { received: 0, missed: 0, last: {} }
  const take = (text: string) => {
    const [from, turn] = text.split(':').map(Number) as [number, number]
    if (text !== textOf(from, turn)) throw new Error(`torn: ${text}`)
    if (turn <= (done.last[from] ?? 0)) throw new Error(`${from}: ${turn} behind ${done.last[from]}`)
    done.last[from] = turn
    done.received++
    done.missed = broadcast.missed
  }
  if (sync) {
    try {
      for (;;) take(broadcast.receiveSync())
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_SABWAY_CLOSED') throw error
    }
  } else {
    for await (const text of broadcast) take(text)
  }
  say(done)
}

await run()
if (isMainThread) process.disconnect()
