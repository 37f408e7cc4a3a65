// Random words over shared memory: over all of it, or where it hurts most.
import { abi } from './abi.js'
import { random } from './bytes.js'

/**
 * all: the whole region. control: header, endpoints and rings. frames: what the rings hold.
 * instances: the blocks of the wasm cores.
 */
export type Where = 'all' | 'control' | 'frames' | 'instances'

const INSTANCES_AT = 65536
const RINGS_END = abi.SW_HEAP_AT + abi.sw_channel.sizeof

/** Returns what writes one word, or one byte. */
export function scribbler(memory: { readonly buffer: ArrayBufferLike }, seed: number, where: Where): () => void {
  const bytes = new Uint8Array(memory.buffer)
  const words = new Int32Array(memory.buffer)
  const chance = random(seed)
  const below = (limit: number) => Math.floor(chance() * limit)
  const spans: Record<Where, [from: number, to: number][]> = {
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

  return () => {
    const [from, to] = spans[where][below(spans[where].length)]!
    const at = from + below(to - from)
    if (below(3) === 0) bytes[at] = below(256)
    else words[at >>> 2] = value()
  }
}
