// One side of a channel that waits, or that wakes the waiting thread on the other side.
import { parentPort, workerData } from 'node:worker_threads'
import { type ChannelHandle, SharedMemoryChannel, type Side, type WaitPolicy } from 'sabway'
import { pause, sleeps } from '../support/sleepers.js'

export interface WaitsData {
  handle: ChannelHandle
  side: Side
  /**
   * block: receiveSync; loop: startReceiving; send: a message each time the other side sleeps;
   * forever: receiveSync until terminated.
   */
  job: 'block' | 'loop' | 'send' | 'forever'
  count: number
  wait?: WaitPolicy
}

const { handle, side, job, count, wait } = workerData as WaitsData
const channel = SharedMemoryChannel.attach(handle, { side, wait })
const numbers: number[] = []
const note = (message: Uint8Array) => numbers.push(message[0]!)
const post = () => parentPort!.postMessage({ numbers, stats: channel.stats() })

parentPort!.postMessage('ready')
if (job === 'forever') for (;;) channel.receiveSync()
if (job === 'block') {
  while (numbers.length < count) note(channel.receiveSync()!)
  post()
}
if (job === 'loop') {
  channel.startReceiving((message) => {
    if (note(message) === count) post()
  })
}
if (job === 'send') {
  for (let i = 0; i < count; i++) {
    while (!sleeps(handle, side === 'native' ? 'renderer' : 'native')) pause(1)
    channel.send(new Uint8Array(8).fill(i))
  }
  post()
}
// A worker thread whose event loop has nothing to wait for ends, and its side with it.
const stay = setInterval(() => {}, 1 << 30)
parentPort!.once('message', () => clearInterval(stay))
