// Makes a channel, sends one message (else others can take both sides), posts the handle, and
// stays.
import { parentPort, workerData } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'

const bytes = workerData?.bytes ?? 65536
const channel = new SharedMemoryChannel(bytes, bytes)
if (!workerData?.silent) channel.send(Uint8Array.of(1, 2, 3))
parentPort!.postMessage(channel.handle)
setInterval(() => channel.stats(), 1000)
