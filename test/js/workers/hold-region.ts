// Opens a region by its handle, and says when asked whether it is sound.
import { parentPort, workerData } from 'node:worker_threads'
import { Region } from 'sabway'

const region = Region.open(workerData as never)
parentPort!.postMessage({ size: region.stats().size })
parentPort!.on('message', () => {
  region.check()
  parentPort!.postMessage('sound')
})
