// Ends without cleanup while a native worker floods. How: the first argument.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'

const how = isMainThread ? process.argv[2] : 'in a worker thread'
const ENOUGH = 10_000

const channel = new SharedMemoryChannel(65536, 65536)
channel.startWorker({ builtin: 'source', size: 100, onLog: () => {} })

let count = 0
function receive(atEnough: () => void): void {
  channel.ref() // else the process may end between two messages
  channel.startReceiving(() => {
    if (++count === ENOUGH) atEnough()
  })
}

process.on('exit', (code) => {
  if (isMainThread) console.log(`code ${code}, ${count >= ENOUGH ? 'enough' : count} received`)
})

if (how === 'never received') console.log('started')
else if (how === 'stopReceiving')
  receive(() => {
    channel.stopReceiving()
    channel.unref()
  })
else if (how === 'process.exit') receive(() => process.exit(0))
else if (how === 'process.exit outside') {
  receive(() => {})
  const look = setInterval(() => {
    if (count < ENOUGH) return
    clearInterval(look)
    process.exit(0)
  }, 1)
} else if (how === 'throw') {
  receive(() => {
    throw new Error('thrown in a callback')
  })
} else if (how === 'worker threads') {
  for (let i = 0; i < 3; i++) {
    const worker = new Worker(new URL(import.meta.url))
    worker.on('message', () => {
      count += ENOUGH / 2
      if (count >= ENOUGH * 1.5) process.exit(0)
    })
  }
} else if (how === 'in a worker thread') {
  receive(() => parentPort!.postMessage('flooded'))
} else throw new Error(`how? ${how}`)
