// A thread that nothing can ring: no addon, and a host without Atomics.waitAsync.
import { parentPort } from 'node:worker_threads'

delete (Atomics as { waitAsync?: unknown }).waitAsync
const { SharedMemoryChannel } = await import('sabway')
const channel = new SharedMemoryChannel(4096, 4096)
channel.startReceiving((message) => parentPort!.postMessage(message))
parentPort!.on('message', () => {}) // stay
parentPort!.postMessage(channel.handle)
