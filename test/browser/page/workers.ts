// Entry of every dedicated worker of the tests: runs the file of test/js/workers that the worker is named after.
import { parentPort, setWorkerData } from './node/worker-threads.js'

const files: Record<string, () => Promise<unknown>> = {
  compiling: () => import('../../js/workers/compiling.js'),
  end: () => import('../../js/workers/end.js'),
  flood: () => import('../../js/workers/flood.js'),
  maker: () => import('../../js/workers/maker.js'),
  refused: () => import('../../js/workers/refused.js'),
}

const early: unknown[] = []
let running = false

globalThis.onmessage = async ({ data }) => {
  if (running) parentPort.deliver(data)
  else early.push(data)
  if (early.length !== 1 || running) return
  setWorkerData(data.workerData)
  await files[self.name]!()
  running = true
  for (const message of early.slice(1)) parentPort.deliver(message)
}
