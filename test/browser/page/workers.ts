// Entry of every dedicated worker of the tests: runs the file of test/js/workers that the worker is
// named after.
import { parentPort, setWorkerData } from './node/worker-threads.js'

const files: Record<string, () => Promise<unknown>> = {
  compiling: () => import('../../js/workers/compiling.js'),
  api: () => import('../../js/workers/api.js'),
  end: () => import('../../js/workers/end.js'),
  flood: () => import('../../js/workers/flood.js'),
  heap: () => import('../../js/workers/heap.js'),
  growing: () => import('../../js/workers/growing.js'),
  maker: () => import('../../js/workers/maker.js'),
  mutex: () => import('../../js/workers/mutex.js'),
  polling: () => import('../../js/workers/polling.js'),
  record: () => import('../../js/workers/record.js'),
  refused: () => import('../../js/workers/refused.js'),
  select: () => import('../../js/workers/select.js'),
  sync: () => import('../../js/workers/sync.js'),
  waits: () => import('../../js/workers/waits.js'),
}

/** Those whose end is waited for, though they do not ask for it. */
const ENDING = ['growing', 'select']

// As the page that has made this worker: see page/node/worker-threads.ts.
if (location.search === '?no-wait-async') delete (Atomics as { waitAsync?: unknown }).waitAsync

// In Node a thread ends so before it has done all: workers/mutex.ts does.
Object.assign(process, { exit: () => parentPort.close() })

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
  // in Node a thread that has nothing left to do ends by itself
  if (ENDING.includes(self.name)) parentPort.close()
}
