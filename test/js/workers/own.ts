// A thread that has channels and native workers of its own, and is ended in the middle of it.
import { parentPort } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'

const echoing = new SharedMemoryChannel(65536, 65536)
const flooded = new SharedMemoryChannel(65536, 65536)
let count = 0
const note = () => {
  if (++count === 1000) parentPort!.postMessage('flooding')
}
echoing.startReceiving(note)
flooded.startReceiving(note)
echoing.startWorker({ builtin: 'echo', onLog: () => {} })
flooded.startWorker({ builtin: 'source', size: 100 })
const message = new Uint8Array(200)
const more = () => {
  while (echoing.trySend(message));
  setImmediate(more)
}
more()
