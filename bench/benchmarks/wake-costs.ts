// What waiting costs: an idle channel, and wake-ups under load.
import { setTimeout as sleep } from 'node:timers/promises'
import { Region, SharedMemoryChannel } from 'sabway'

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

const IDLE_RING = 4096
const IDLE_REGION = 64 << 20
/** Far from the moment at which the last channel was opened. */
const SETTLE_MS = 2000

/** So many channels of one region, both sides of which wait for what never comes. */
async function crowd(count: number, share: 'threads' | 'processes'): Promise<Cost[]> {
  const region = Region.create({ size: IDLE_REGION, share })
  const channels = Array.from({ length: count }, () => {
    const renderer = new SharedMemoryChannel(IDLE_RING, IDLE_RING, { region })
    return [renderer, SharedMemoryChannel.attach(renderer.handle, { side: 'native' })]
  }).flat()
  for (const channel of channels) channel.startReceiving(() => {})
  await sleep(SETTLE_MS)
  const wakes = () => process.resourceUsage().voluntaryContextSwitches
  const [slept, cpu] = [wakes(), process.cpuUsage()]
  await sleep(IDLE_MS)
  const { user, system } = process.cpuUsage(cpu)
  const woken = wakes() - slept
  for (const channel of channels) channel.cleanup()
  region.close()
  const name = `${count.toLocaleString('en')} idle channels in a region between ${share}, both sides`
  return [
    { name, value: Number(((user + system) / IDLE_MS / 10).toFixed(3)), unit: '% of a core' },
    { name, value: woken, unit: `times asleep in ${IDLE_MS / 1000} s, all threads of the process` },
  ]
}

export async function idleCosts(): Promise<Cost[]> {
  const costs: Cost[] = []
  for (const share of ['threads', 'processes'] as const) {
    for (const count of [1, 1000]) costs.push(...(await crowd(count, share)))
  }
  return costs
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
