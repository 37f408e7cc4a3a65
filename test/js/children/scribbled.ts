// Channels whose memory a thread scribbles over while both sides use them. Prints what came of it. Errors of Sabway are
// allowed, and wrong messages; whatever else is thrown ends this process, as a crash or a hang would.
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type BuiltinWorker, SabwayError, SharedMemoryChannel } from 'sabway'
import { random } from '../support/bytes.js'
import type { ScribblerData } from '../workers/scribbler.js'

const [where, seedText, roundsText] = process.argv.slice(2) as [ScribblerData['where'], string, string]
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

/** One channel from its first to its last moment: the other side is a native worker, or JavaScript too. */
async function round(): Promise<void> {
  const channel = new SharedMemoryChannel(4096 << below(5), 4096 << below(5))
  const gate = new Int32Array(new SharedArrayBuffer(8))
  const data: ScribblerData = { memory: channel.handle.memory, seed: below(2 ** 31), where, gate }
  const scribbler = new Worker(new URL('../workers/scribbler.js', import.meta.url), { workerData: data })
  const doings = listened(channel)
  const worker = WORKERS[below(WORKERS.length)]!
  const other = below(3) === 0 ? SharedMemoryChannel.attach(channel.handle, { side: 'native' }) : null
  if (other === null) attempt(() => channel.startWorker(worker))
  else doings.push(...listened(other))
  if (below(2) === 0) attempt(() => channel.startReceiving((message) => message.fill(0)))
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
  let begun = 0
  while (begun === 0 || performance.now() < begun + 40) {
    for (let i = 0; i < 50; i++) attempt(doings[below(doings.length)]!)
    if (begun === 0 && Atomics.load(gate, 1) === 1) begun = performance.now()
    await sleep(below(2))
  }
  // Half of the time the scribbler goes on while the channel ends, and a new worker tries to start.
  if (below(2) === 0) await scribbler.terminate()
  attempt(() => channel.stopWorker())
  attempt(() => channel.startWorker(worker))
  channel.cleanup()
  other?.cleanup()
  await scribbler.terminate()
}

for (let i = 0; i < Number(roundsText); i++) await round()
console.log(JSON.stringify(codes))
