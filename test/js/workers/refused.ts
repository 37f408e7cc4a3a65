// What needs the addon, in a thread that has none.
import { parentPort } from 'node:worker_threads'
import { crc32c, SharedMemoryChannel } from 'sabway'

const channel = new SharedMemoryChannel()
const errors = [() => channel.startWorker({ builtin: 'echo' }), () => crc32c(new Uint8Array(1))].flatMap((call) => {
  try {
    call()
    return []
  } catch (error) {
    const { code, errno, message } = error as { code: string; errno: number; message: string }
    return [{ code, errno, message }]
  }
})
parentPort!.postMessage(errors)
