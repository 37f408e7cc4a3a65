// The other thread: of a contender, or of the probe.
import { parentPort, workerData } from 'node:worker_threads'
import type { Kind, WorkerResult, WorkerTask } from '../contenders/kind.js'
import { kinds } from '../contenders/kinds.js'
import { answerProbes } from './probe.js'

const port = parentPort!

function serve({ kind: name, role, load, remote, control }: WorkerTask): void {
  const kind = kinds[name] as Kind<unknown>
  const end = kind.open(remote as never)
  const job = kind.roles[role]!(end, load)
  port.on('message', async ({ run, count }: { run: number; count: number }) => {
    if (count === 0) {
      kind.close(end)
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
