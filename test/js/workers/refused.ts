// What needs the addon, in a thread that has none.
import { parentPort, workerData } from 'node:worker_threads'
import { crc32c, Region, type RegionHandle, SharedMemoryChannel } from 'sabway'

/** Of a region over a SharedArrayBuffer, or nothing. */
const { handle } = (workerData ?? {}) as { handle?: RegionHandle }
const channel = new SharedMemoryChannel()
const calls: (() => unknown)[] = [() => channel.startWorker({ builtin: 'echo' }), () => crc32c(new Uint8Array(1))]
if (handle !== undefined) {
  calls.push(
    () => Region.open(handle),
    () => Region.over(new SharedArrayBuffer(2 ** 21)),
  )
}
const errors = calls.flatMap((call) => {
  try {
    call()
    return []
  } catch (error) {
    const { code, errno, message } = error as { code: string; errno: number; message: string }
    return [{ code, errno, message }]
  }
})
parentPort!.postMessage(errors)
