// Writes random bytes over shared memory, for as long as it lives: over all of it, or where it hurts most.
import { workerData } from 'node:worker_threads'
import { abi } from '../support/abi.js'
import { random } from '../support/bytes.js'

export interface ScribblerData {
  memory: WebAssembly.Memory
  seed: number
  /** all: the whole region. control: header, endpoints and rings. frames: what the rings hold. instances: the blocks of the wasm cores. */
  where: 'all' | 'control' | 'frames' | 'instances'
  /** It waits for this word, and says in the next one that it has begun. */
  gate: Int32Array<SharedArrayBuffer>
}

const { memory, seed, where, gate } = workerData as ScribblerData
const bytes = new Uint8Array(memory.buffer)
const words = new Int32Array(memory.buffer)
const chance = random(seed)
const below = (limit: number) => Math.floor(chance() * limit)

const INSTANCES_AT = 65536
const RINGS_END = abi.SW_HEAP_AT + abi.sw_channel.sizeof
const spans: Record<ScribblerData['where'], [from: number, to: number][]> = {
  all: [[0, bytes.length]],
  control: [
    [0, 64],
    [abi.sw_region_header.sizeof, abi.sw_region_header.sizeof + 4 * abi.sw_endpoint.sizeof],
    [abi.SW_HEAP_AT, RINGS_END],
  ],
  frames: [[RINGS_END, bytes.length]],
  instances: [[INSTANCES_AT, INSTANCES_AT + 2 * 16384]],
}

/** Numbers that are nearly right do more harm than others. */
function value(): number {
  const kind = below(6)
  if (kind === 0) return below(256)
  if (kind === 1) return -below(4096)
  if (kind === 2) return below(65536) & ~7
  if (kind === 3) return 1 << below(32)
  if (kind === 4) return words[below(words.length)]!
  return below(2 ** 32) | 0
}

function scribble(): void {
  const [from, to] = spans[where][below(spans[where].length)]!
  const at = from + below(to - from)
  if (below(3) === 0) bytes[at] = below(256)
  else words[at >>> 2] = value()
}

Atomics.wait(gate, 0, 0)
Atomics.store(gate, 1, 1)
for (;;) {
  for (let i = 0; i < 1000; i++) scribble()
}
