// Calls the addon all the time: worker.terminate() ends it inside a call.
import { parentPort } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'

const channel = new SharedMemoryChannel(65536, 65536)
channel.startWorker({ builtin: 'sink' })
const message = new Uint8Array(5000)
parentPort!.postMessage('busy')
for (;;) {
  channel.trySend(message)
  channel.stats()
  new SharedMemoryChannel(4096, 4096).cleanup()
  try {
    channel.startWorker({ builtin: 'sink' })
  } catch {}
  try {
    channel.startWorker({ plugin: '/nowhere.so' })
  } catch {}
}
