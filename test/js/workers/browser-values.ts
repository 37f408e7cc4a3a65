// The entry for browsers: values there are MessagePack. Echoes them.
import { parentPort, workerData } from 'node:worker_threads'

const { SharedMemoryChannel } = (await import(workerData)) as typeof import('sabway')
const channel = new SharedMemoryChannel<unknown>(4096, 4096, { codec: 'structured' })
channel.startReceiving((value) => channel.send(value))
parentPort!.on('message', () => {}) // stay
parentPort!.postMessage(channel.handle)
try {
  new SharedMemoryChannel(4096, 4096, { codec: 'v8' })
} catch (error) {
  const { code, errno, message } = error as { code: string; errno: number; message: string }
  parentPort!.postMessage({ code, errno, message })
}
