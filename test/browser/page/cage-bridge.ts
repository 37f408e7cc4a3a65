// Stands for Electron's preload script in the cage tests. What the addon does there is done here by
// test/browser/cage/cage.c, which is in this renderer's process.
import type { Bridge } from '../../../lib/electron/messages.js'
import { generated } from './generated.js'

const { SW_MAGIC, sw_region_header, sw_endpoint } = generated as {
  SW_MAGIC: number
  sw_region_header: { sizeof: number }
  sw_endpoint: { sizeof: number; doorbell: number }
}
const REQUEST = new TextEncoder().encode('SABWAY, PLEASE!\0')

interface Host {
  /**
   * Exposed by the test: the process of this renderer, as the region's endpoints have it, and the
   * test's.
   */
  identity(): Promise<{ pid: number; startLow: number; startHigh: number; test: number }>
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

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

export function cageBridge(bytes: number): Bridge {
  let words: Int32Array
  let doorbell = 0
  let living: number[] = []
  // Preload is rung by the addon; here a timer has to look.
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
      return { transport: 'shared', memory, identity, codec: 'bytes', channel: { offset: 0, generation: 0 } }
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
