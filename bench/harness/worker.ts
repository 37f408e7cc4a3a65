// The other thread of a benchmark between threads, or of the core latency probe.
import { parentPort, workerData } from 'node:worker_threads'
import { transports } from '../transports/all.js'
import type { Transport, WorkerResult, WorkerTask } from '../transports/transport.js'
import { answerProbes } from './core-latency.js'

const port = parentPort!

function serve({ transport: name, role, load, remote, control }: WorkerTask): void {
  const transport = transports[name] as Transport<unknown>
  const end = transport.open(remote as never)
  const job = transport.roles[role]!(end, load)
  port.on('message', async ({ run, count }: { run: number; count: number }) => {
    if (count === 0) {
      transport.close(end)
      return port.close()
    }
    const result: WorkerResult = { begin: 0n, end: 0n, outcome: undefined }
    Atomics.store(control, 0, run)
    try {
      result.begin = process.hrtime.bigint()
      result.outcome = await job(count)
      result.end = process.hrtime.bigint()
    } catch (error) {
      result.error = (error as Error).message
    }
    port.postMessage(result)
  })
  port.postMessage('open')
}

if ('probe' in workerData) answerProbes(workerData.probe)
else serve(workerData)
