// What a process can do that its host limits: says of each step that it works, or its error.
import { Region, type SabwayError, SharedMemoryChannel } from 'sabway'
import { useUpFiles } from '../support/files.js'

/**
 * threads, processes: messages between two sides, in this process; with a name: named. token: make
 * a region, and say its token. copied: why a named region is copied. open: join another process's.
 * files: use up the descriptors. addresses: use up the address space.
 */
export type Step =
  | 'threads'
  | 'processes'
  | 'named'
  | 'copied'
  | 'files'
  | 'addresses'
  | { token: string }
  | { open: string }

export interface LimitsTask {
  steps: Step[]
}

const { steps } = JSON.parse(process.argv[2]!) as LimitsTask
const name = `limits-${process.pid}`
const channels: SharedMemoryChannel[] = []
const keep = <T>(kept: unknown[], made: T): T => {
  kept.push(made)
  return made
}
const kept: unknown[] = []

async function messages(options: object, address: (channel: SharedMemoryChannel) => never): Promise<void> {
  const one = keep(channels, new SharedMemoryChannel(4096, 4096, options))
  const other = keep(channels, SharedMemoryChannel.attach(address(one), { side: 'native' }))
  for (let i = 0; i < 20; i++) {
    setTimeout(() => one.send(Uint8Array.of(i)), 5)
    const [received] = await other.receive({ timeout: 20_000 })
    if (received !== i) throw new Error(`received ${received} in place of ${i}`)
  }
}

function useUpAddresses(): void {
  try {
    for (;;) kept.push(new WebAssembly.Memory({ initial: 0, maximum: 1, shared: true }))
  } catch (error) {
    if ((error as Error).name !== 'RangeError') throw error
  }
}

async function take(step: Step): Promise<unknown> {
  if (typeof step === 'object') {
    if ('open' in step) return void keep(kept, Region.open(step.open))
    const options = { share: 'processes', ...(step.token !== '' && { name: step.token }) } as const
    return keep(channels, new SharedMemoryChannel(4096, 4096, options)).token
  }
  switch (step) {
    case 'threads':
      return messages({}, (channel) => channel.handle as never)
    case 'processes':
      return messages({ share: 'processes' }, (channel) => channel.token as never)
    case 'named':
      return messages({ share: 'processes', name }, (channel) => channel.token as never)
    case 'copied':
      return keep(channels, new SharedMemoryChannel(4096, 4096, { share: 'processes', name })).stats().copied
    case 'files':
      return useUpFiles()
    case 'addresses':
      return useUpAddresses()
  }
}

for (const step of steps) {
  try {
    process.send!((await take(step)) ?? 'works')
  } catch (error) {
    const { code, errno, message, stack } = error as SabwayError
    process.send!(code === undefined ? { stack } : { code, errno, message })
  }
}
process.once('message', () => {
  for (const channel of channels) channel.cleanup()
  process.disconnect()
})
