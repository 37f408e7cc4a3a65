// One side of a channel in a thread of its own: does what it is told, and posts the results.
import { setImmediate } from 'node:timers'
import { parentPort, workerData } from 'node:worker_threads'
import { type ChannelHandle, SharedMemoryChannel, type Side } from 'sabway'

export interface EndData {
  handle: ChannelHandle
  side: Side
  /**
   * echo: answer each message with itself. count: count messages, and post the count now and then.
   * flood: send without end.
   */
  job: 'echo' | 'count' | 'flood' | 'idle'
  /** Of a message of a flood. */
  bytes?: number
  worker?: 'echo' | 'source'
}

const { handle, side, job, bytes = 64 } = workerData as EndData
const channel = SharedMemoryChannel.attach(handle, { side })
channel.addEventListener('close', () => parentPort!.postMessage('close'))

if (job === 'echo') channel.startReceiving((message) => channel.send(message))

let received = 0
if (job === 'count') {
  channel.startReceiving((message) => {
    received++
    parentPort!.postMessage({ received, message })
  })
}

if (job === 'flood') {
  const message = new Uint8Array(bytes)
  const numbers = new Uint32Array(message.buffer, 0, 1)
  const more = () => {
    while (channel.trySend(message)) numbers[0]!++
    setImmediate(more)
  }
  more()
}

/** Send `count` messages, as fast as there is room. */
function sendMany(count: number): void {
  const message = new Uint8Array(bytes)
  for (let sent = 0; sent < count; ) if (channel.trySend(message)) sent++
}

parentPort!.on('message', (order: string | Uint8Array | { flood: number }) => {
  if (typeof order === 'object' && 'flood' in order) sendMany(order.flood)
  else if (typeof order !== 'string') channel.send(order)
  else if (order === 'cleanup') {
    channel.cleanup()
    parentPort!.close()
  } else if (order === 'stats') parentPort!.postMessage(channel.stats())
})
parentPort!.postMessage('ready')
