// The page of the cage test: sabway/electron/renderer, with a bridge that stands for Electron's preload script. What the addon
// does there is done here by test/browser/cage/cage.c, which is in this renderer's process.
import { connect, type SharedMemoryChannel } from '../../../dist/electron/renderer.mjs'
import type { Bridge } from '../../../lib/electron/messages.js'
import { random } from '../../js/support/bytes.js'
import { numbered, numberOf } from '../../js/support/numbered.js'
import { generated } from './generated.js'

const { SW_MAGIC, sw_region_header, sw_endpoint } = generated as {
  SW_MAGIC: number
  sw_region_header: { sizeof: number }
  sw_endpoint: { sizeof: number; doorbell: number }
}
const REQUEST = new TextEncoder().encode('SABWAY, PLEASE!\0')

interface Host {
  /** Exposed by the test: the process of this renderer, as the region's endpoints have it, and the test's. */
  identity(): Promise<{ pid: number; startLow: number; startHigh: number; test: number }>
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Ask the library in this process to map the region over a new WebAssembly.Memory. */
async function mapped(bytes: number): Promise<WebAssembly.Memory> {
  const pages = bytes / 65536
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const words = new Uint32Array(memory.buffer)
  new Uint8Array(memory.buffer).set(REQUEST)
  for (let tries = 0; Atomics.load(words, 0) !== SW_MAGIC; tries++) {
    if (tries === 2000) throw new Error('the library in this process did not map the region over the memory')
    await pause(5)
  }
  return memory
}

function bridge(bytes: number): Bridge {
  let words: Int32Array
  let doorbell = 0
  let living: number[] = []
  // Preload has the addon to be rung by; here somebody has to look.
  const look = () => {
    if (doorbell !== 0) Atomics.notify(words, doorbell)
    setTimeout(look, 1)
  }
  return {
    async open() {
      const memory = await mapped(bytes)
      words = new Int32Array(memory.buffer)
      const identity = await (globalThis as unknown as Host).identity()
      living = [identity.pid, identity.test]
      return { transport: 'shared', memory, identity }
    },
    bind(_id, endpoint) {
      doorbell = (sw_region_header.sizeof + endpoint * sw_endpoint.sizeof + sw_endpoint.doorbell) >>> 2
      look()
      return null
    },
    ring() {}, // the library carries it
    alive: (pid) => Number(living.includes(pid)),
    close() {},
  }
}

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
    (message) => {
      if (numberOf(message) !== from + result.received) result.wrong++
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
    Object.assign(globalThis, { sabwayElectron: bridge(bytes) })
    channel = await connect()
    return channel.stats().transport
  },
  flood,
  /** Until the process is killed. */
  floodForEver(): void {
    void flood(0, Number.POSITIVE_INFINITY)
  },
})
