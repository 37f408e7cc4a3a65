// A channel that is rung again and again, beside others that are idle.
import assert from 'node:assert/strict'
import type { Region, SharedMemoryChannel } from 'sabway'
import { attach, open } from './channels.js'
import { sleeps } from './sleepers.js'
import { until } from './wait.js'

/** How often each idle side has slept, before and after. */
export interface Sleeps {
  before: number[]
  after: number[]
  /** How often the side slept that was rung. */
  rung: number
}

/**
 * Have the channel, whose other side answers, rung `trips` times out of its sleep, beside `idle`
 * channels with both sides in this thread: in `region`, or each in one of its own.
 */
export async function besideIdle(
  channel: SharedMemoryChannel,
  idle: number,
  trips: number,
  region?: Region,
): Promise<Sleeps> {
  const sides: SharedMemoryChannel[] = []
  for (let i = 0; i < idle; i++) {
    const renderer = open(4096, 4096, { wait: 'park', ...(region && { region }) })
    sides.push(renderer, attach(renderer, 'native'))
    assert.notEqual(renderer.handle.memory, undefined) // lent: others may be there
  }
  for (const side of sides) side.startReceiving(() => {})
  let answers = 0
  channel.startReceiving(() => answers++)
  await until(() => sides.every((side) => side.stats().wait.parks > 0), 'all to sleep')
  const slept = () => sides.map((side) => side.stats().wait.parks)
  const before = slept()
  for (let trip = 1; trip <= trips; trip++) {
    await until(() => sleeps(channel.handle, channel.side), 'sleep')
    channel.send(new Uint8Array(8))
    await until(() => answers === trip, `answer ${trip}`)
  }
  const result = { before, after: slept(), rung: channel.stats().wait.parks }
  for (const side of sides) side.cleanup()
  return result
}
