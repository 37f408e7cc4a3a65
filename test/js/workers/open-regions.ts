// Makes channels that processes share, receives on them, and waits to be terminated.
import { parentPort, workerData } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'

const { count } = workerData as { count: number }
const made: SharedMemoryChannel[] = []
for (let i = 0; i < count; i++) {
  const channel = new SharedMemoryChannel(4096, 4096, { share: 'processes' })
  channel.startReceiving(() => {})
  made.push(channel.ref())
}
parentPort!.postMessage({ made: made.length })
