// Channels whose memory a thread, or another process, scribbles over while both sides use them.
// Prints what came of it. Errors of Sabway are allowed, and wrong messages; whatever else is thrown
// ends this process, as a crash or a hang would.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type BuiltinWorker, SabwayError, SharedMemoryChannel } from 'sabway'
import { random } from '../support/bytes.js'
import type { ScribblerData } from '../workers/scribbler.js'

const [where, seedText, roundsText, share] = process.argv.slice(2) as [
  ScribblerData['where'],
  string,
  string,
  'threads' | 'processes' | 'a SharedArrayBuffer',
]
const chance = random(Number(seedText))
const below = (limit: number) => Math.floor(chance() * limit)
const codes: Record<string, number> = {}

function count(error: unknown): void {
  if (!(error instanceof SabwayError)) throw error
  codes[error.code] = (codes[error.code] ?? 0) + 1
}

function attempt(act: () => unknown): void {
  try {
    act()
  } catch (error) {
    count(error)
  }
}

const WORKERS: BuiltinWorker[] = [
  { builtin: 'echo' },
  { builtin: 'sink' },
  { builtin: 'source', size: 500 },
  { builtin: 'source', size: 9 },
]

function operations(channel: SharedMemoryChannel): (() => unknown)[] {
  const message = new Uint8Array(4000)
  return [
    () => channel.trySend(message.subarray(0, below(4000))),
    () => channel.sendBatch(Array.from({ length: below(30) }, () => message.subarray(0, below(300)))),
    () => {
      const room = channel.reserve(below(2000))
      room?.fill(1)
      if (room !== null) attempt(() => (below(2) === 0 ? channel.commit() : channel.abandon()))
    },
    () => void channel.sendDirect(message.subarray(0, 100), { timeout: 20 }).catch(count),
    () => channel.drain(() => {}, 100),
    () => channel.stats(),
  ]
}

function listened(channel: SharedMemoryChannel): (() => unknown)[] {
  channel.addEventListener('error', (event) => count((event as unknown as { error: unknown }).error))
  return operations(channel)
}

interface Scribbler {
  start(): void
  hasBegun(): boolean
  end(): Promise<unknown>
}

function scribblingThread(channel: SharedMemoryChannel): Scribbler {
  const gate = new Int32Array(new SharedArrayBuffer(8))
  const data: ScribblerData = { memory: channel.handle.memory, seed: below(2 ** 31), where, gate }
  const worker = new Worker(new URL('../workers/scribbler.js', import.meta.url), { workerData: data })
  return {
    start() {
      Atomics.store(gate, 0, 1)
      Atomics.notify(gate, 0)
    },
    hasBegun: () => Atomics.load(gate, 1) === 1,
    end: () => worker.terminate(),
  }
}

async function scribblingProcess(channel: SharedMemoryChannel): Promise<Scribbler> {
  const file = fileURLToPath(new URL('scribbling.js', import.meta.url))
  const child = fork(file, [channel.token, String(below(2 ** 31)), where], { execArgv: [] })
  const exit = once(child, 'exit')
  await once(child, 'message')
  let begun = false
  child.once('message', () => {
    begun = true
  })
  return {
    start: () => void child.send('go'),
    hasBegun: () => begun,
    end: () => {
      child.kill('SIGKILL')
      return exit
    },
  }
}

/**
 * One channel from its first to its last moment: the other side is a native worker, or JavaScript
 * too.
 */
async function round(): Promise<void> {
  const memory = share === 'a SharedArrayBuffer' ? { buffer: new SharedArrayBuffer(2 ** 21) } : { share }
  const channel = new SharedMemoryChannel(4096 << below(5), 4096 << below(5), memory)
  const scribbler = share === 'processes' ? await scribblingProcess(channel) : scribblingThread(channel)
  const doings = listened(channel)
  const worker = WORKERS[below(WORKERS.length)]!
  const other = below(3) === 0 ? SharedMemoryChannel.attach(channel.handle, { side: 'native' }) : null
  if (other === null) attempt(() => channel.startWorker(worker))
  else doings.push(...listened(other))
  if (below(2) === 0) attempt(() => channel.startReceiving((message) => message.fill(0)))
  scribbler.start()
  let begun = 0
  while (begun === 0 || performance.now() < begun + 40) {
    for (let i = 0; i < 50; i++) attempt(doings[below(doings.length)]!)
    if (begun === 0 && scribbler.hasBegun()) begun = performance.now()
    await sleep(below(2))
  }
  // Half of the time the scribbler goes on while the channel ends, and a new worker tries to start.
  if (below(2) === 0) await scribbler.end()
  attempt(() => channel.stopWorker())
  attempt(() => channel.startWorker(worker))
  channel.cleanup()
  other?.cleanup()
  await scribbler.end()
}

for (let i = 0; i < Number(roundsText); i++) await round()
console.log(JSON.stringify(codes))
