// What waiting costs: an idle channel, and wake-ups under load.
import { setTimeout as sleep } from 'node:timers/promises'
import { SharedMemoryChannel } from 'sabway'

export interface Cost {
  name: string
  value: number
  unit: string
}

const IDLE_MS = 10_000
const MILLION = 1_000_000

/** A channel between this event loop and a native thread, open and idle. */
async function idle(): Promise<Cost[]> {
  const channel = new SharedMemoryChannel()
  channel.startReceiving(() => {})
  channel.startWorker({ builtin: 'echo' })
  await sleep(500)
  const slept = () => channel.stats().wait.parks + channel.stats().worker!.parks
  const [parks, cpu] = [slept(), process.cpuUsage()]
  await sleep(IDLE_MS)
  const { user, system } = process.cpuUsage(cpu)
  const wakes = slept() - parks
  channel.cleanup()
  return [
    {
      name: 'idle channel, both sides',
      value: Number(((user + system) / IDLE_MS / 10).toFixed(3)),
      unit: '% of a core',
    },
    { name: 'idle channel, both sides', value: wakes, unit: `wake-ups in ${IDLE_MS / 1000} s` },
  ]
}

function toNative(wait: 'spin' | 'balanced'): Cost {
  const channel = new SharedMemoryChannel(1 << 20, 4096)
  channel.startWorker({ builtin: 'sink', wait })
  const message = new Uint8Array(64)
  for (let sent = 0; sent < MILLION; ) if (channel.trySend(message)) sent++
  const { wait: own, worker } = channel.stats()
  channel.cleanup()
  return { name: `a million messages to a native sink, ${wait}`, value: own.wakes + worker!.wakes, unit: 'wake calls' }
}

async function fromNative(): Promise<Cost> {
  const channel = new SharedMemoryChannel(4096, 1 << 20)
  let left = MILLION
  await new Promise<void>((resolve) => {
    channel.startReceiving(() => --left === 0 && resolve(), { copy: false })
    channel.startWorker({ builtin: 'source', size: 64, count: MILLION })
    channel.ref()
  })
  const { wait, worker } = channel.stats()
  channel.cleanup()
  return { name: 'a million messages to an event loop', value: wait.wakes + worker!.wakes, unit: 'wake calls' }
}

export async function wakeCosts(): Promise<Cost[]> {
  return [...(await idle()), toNative('spin'), toNative('balanced'), await fromNative()]
}
