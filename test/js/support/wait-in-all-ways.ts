// Waiting for the other side of a channel in all ways at once.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { SharedMemoryChannel } from 'sabway'
import { type Outcome, WAYS, type Way, waitInWay } from './wait-ways.js'

/** A thread of its own makes its channel and blocks. `tell` is given the handle or token. */
async function block(share: 'threads' | 'processes', tell: (from: unknown) => void): Promise<Outcome> {
  const worker = new Worker(new URL('../workers/blocks.js', import.meta.url), { workerData: share })
  const [from] = await once(worker, 'message')
  tell(from)
  const [seen] = await once(worker, 'message')
  return seen as Outcome
}

/**
 * Wait in all ways at once, each on a channel that `make` makes; `tell` is given what the other
 * side attaches to.
 */
export async function waitInAllWays(
  share: 'threads' | 'processes',
  make: () => SharedMemoryChannel,
  tell: (from: readonly unknown[]) => void,
): Promise<Record<Way, Outcome>> {
  const froms: unknown[] = []
  const begin = (from: unknown) => {
    froms.push(from)
    if (froms.length === WAYS.length) tell(froms)
  }
  const on = (wait: (channel: SharedMemoryChannel) => Promise<Outcome>) => {
    const channel = make()
    begin(share === 'threads' ? channel.handle : channel.token)
    return wait(channel)
  }
  const outcomes = {} as Record<Way, Outcome>
  const waits = WAYS.map((way) => (way === 'receiveSync' ? block(share, begin) : on(waitInWay[way])))
  const ended = await Promise.all(waits)
  for (const [i, way] of WAYS.entries()) outcomes[way] = ended[i]!
  return outcomes
}
