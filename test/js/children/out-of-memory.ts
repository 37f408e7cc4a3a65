// Address space runs out while channels are made: an error with a code, and the process goes on.
// Prints how it went.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { SharedMemoryChannel } from 'sabway'
import { collectUntil } from '../support/gc.js'
import { until } from '../support/wait.js'

/** V8 sets up to 10 GiB of addresses aside for each WebAssembly.Memory. */
const SPARE = 55 * 2 ** 30

function limitAddresses(spare: number): void {
  const size = Number(/^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024
  execFileSync('prlimit', ['--pid', String(process.pid), `--as=${size + spare}:`])
}

function open(): SharedMemoryChannel {
  const channel = new SharedMemoryChannel(8192, 8192)
  channel.startWorker({ builtin: 'echo' })
  return channel
}

async function mustWork(channel: SharedMemoryChannel): Promise<void> {
  let got = 0
  channel.startReceiving((message) => {
    got += message.length
  })
  channel.send(new Uint8Array(100))
  await until(() => got === 100, 'the echo')
  channel.stopReceiving()
}

/** The code of what is thrown; undefined when nothing is. */
function failure(act: () => unknown): unknown {
  try {
    act()
    return undefined
  } catch (error) {
    return (error as { code?: unknown }).code ?? String(error)
  }
}

// Even the first one, for which the core is compiled, fails as it should.
limitAddresses(2 ** 30)
const early = failure(open)
limitAddresses(SPARE)

/**
 * Make channels until there is no memory for another. In a function of its own, so that nothing
 * holds them afterwards.
 */
async function exhaust() {
  const made: SharedMemoryChannel[] = []
  let refused: unknown
  while (refused === undefined && made.length < 20_000) refused = failure(() => made.push(open()))
  const again = failure(open)
  await mustWork(first)
  await Promise.all(made.slice(-3).map(mustWork))
  const some = made.length > 0
  for (const channel of made) channel.cleanup()
  return { refused, again, some }
}

const first = open()
const results = await exhaust()
let last: SharedMemoryChannel | undefined
await collectUntil(() => failure(() => (last = open())) === undefined, 'room for a new channel')
await mustWork(last!)
await mustWork(first)
console.log(JSON.stringify({ early, ...results }))
last!.cleanup()
first.cleanup()
