// The entry for browsers, in a thread that has loaded no other: both sides of a channel, asleep
// between messages.
import { parentPort, workerData } from 'node:worker_threads'

const { SharedMemoryChannel } = (await import(workerData)) as typeof import('sabway')
const channel = new SharedMemoryChannel(4096, 4096)
const native = SharedMemoryChannel.attach(channel.handle, { side: 'native' })
native.startReceiving((message) => parentPort!.postMessage(message))
parentPort!.on('message', (message: Uint8Array) => channel.send(message))
parentPort!.postMessage(channel.stats().wakes)
try {
  channel.startWorker({ builtin: 'echo' })
} catch (error) {
  const { code, errno, message } = error as { code: string; errno: number; message: string }
  parentPort!.postMessage({ code, errno, message })
}
