// Makes a channel, posts what the other side attaches to, and blocks until no message comes any
// more.
import { parentPort, workerData } from 'node:worker_threads'
import { type SabwayError, SharedMemoryChannel } from 'sabway'

const channel = new SharedMemoryChannel(4096, 4096, { share: workerData })
parentPort!.postMessage(workerData === 'threads' ? channel.handle : channel.token)
const seen: string[] = []
try {
  for (;;) seen.push(channel.receiveSync() === null ? 'null' : 'message')
} catch (error) {
  parentPort!.postMessage([...seen, (error as SabwayError).code])
}
channel.cleanup()
