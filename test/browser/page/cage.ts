// The page of the cage test: sabway/electron/renderer, and a flood.
import { connect, type SharedMemoryChannel } from '../../../dist/electron/renderer.mjs'
import { random } from '../../js/support/bytes.js'
import { numbered, numberOf } from '../../js/support/numbered.js'
import { cageBridge, pause } from './cage-bridge.js'

let channel: SharedMemoryChannel

interface Flood {
  received: number
  wrong: number
}

/** Send numbers `from` to `to` - 1, and receive as many. */
async function flood(from: number, to: number): Promise<Flood> {
  const chance = random(from + 1)
  const result: Flood = { received: 0, wrong: 0 }
  channel.startReceiving(
    (bytes, start, end) => {
      if (numberOf(bytes.subarray(start, end)) !== from + result.received) result.wrong++
      result.received++
    },
    { copy: false },
  )
  for (let number = from; number < to; ) {
    const message = numbered(number, Math.floor(chance() * (number % 64 === 0 ? 3000 : 200)))
    if (channel.trySend(message)) number++
    else await pause(0)
    if (number % 2000 === 0) await pause(0)
  }
  while (result.received < to - from) await pause(1)
  channel.stopReceiving()
  return result
}

Object.assign(globalThis, {
  async connectCage(bytes: number): Promise<string> {
    Object.assign(globalThis, { sabwayElectron: cageBridge(bytes) })
    channel = await connect()
    return channel.stats().transport
  },
  flood,
  /** Until the process is killed. */
  floodForEver(): void {
    void flood(0, Number.POSITIVE_INFINITY)
  },
})
