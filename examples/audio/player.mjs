// The page's part: it makes the channels and passes their handles on. It sends and receives no
// samples itself.
import { SharedMemoryChannel } from '../../dist/browser.mjs' // 'sabway', with a bundler
import { BLOCK_BYTES, LEVEL_BYTES } from './blocks.mjs'

const FRAME_HEADER = 8

/** @typedef {{ peak: number, blocks: number, late: number }} Level */

/** The next message that a worker or a port posts. @param {any} from */
const next = (from) =>
  new Promise((resolve, reject) => {
    from.onmessage = (/** @type {MessageEvent} */ { data }) => resolve(data)
    from.onerror = reject
  })

/**
 * Start the synthesizer. Resolves when the first blocks are in the ring.
 * @param {number} rate samples per second
 * @param {{ ahead?: number, blocks?: number }} [options] how many blocks the ring holds, at least,
 *   and how many are made at all
 */
export async function startSynth(rate, { ahead = 32, blocks = Number.POSITIVE_INFINITY } = {}) {
  const samples = new SharedMemoryChannel(Math.max(4096, ahead * (BLOCK_BYTES + FRAME_HEADER)), 4096)
  const levels = new SharedMemoryChannel(4096, 4096)
  const worker = new Worker(new URL('synth.mjs', import.meta.url), { type: 'module' })
  worker.postMessage({ samples: samples.handle, rate, blocks })
  await next(worker)
  return {
    samples,
    levels,
    /** The last level that has come since the last call, or null. */
    level: levelsOf(levels),
    stop() {
      worker.terminate()
      samples.cleanup()
      levels.cleanup()
    },
  }
}

/**
 * @param {SharedMemoryChannel} levels
 * @returns {() => Level | null}
 */
function levelsOf(levels) {
  const { buffer } = levels.handle.memory
  const floats = new Float32Array(buffer)
  const words = new Uint32Array(buffer)
  /** @type {Level | null} */
  let last = null
  /** @param {unknown} _bytes @param {number} start @param {number} end */
  const take = (_bytes, start, end) => {
    if (end - start !== LEVEL_BYTES) return
    const at = start / 4
    last = {
      peak: Math.max(last?.peak ?? 0, floats[at] ?? 0),
      blocks: words[at + 1] ?? 0,
      late: words[at + 2] ?? 0,
    }
  }
  return () => {
    last = null
    levels.drain(take)
    return last
  }
}

/**
 * A node that plays what the synthesizer makes. One at a time: `end` lets go, and the next goes on
 * where this one stopped.
 * @param {BaseAudioContext} context
 * @param {{ samples: SharedMemoryChannel, levels: SharedMemoryChannel }} synth
 */
export async function startPlayer(context, { samples, levels }) {
  await context.audioWorklet.addModule(new URL('worklet.mjs', import.meta.url))
  const node = new AudioWorkletNode(context, 'player', {
    numberOfInputs: 0,
    outputChannelCount: [1],
    processorOptions: { samples: samples.handle, levels: levels.handle },
  })
  node.connect(context.destination)
  return {
    node,
    /**
     * Resolves to what it has done: blocks rendered, how many of them came too late, calls to wake
     * other threads meanwhile.
     */
    async end() {
      const ended = next(node.port)
      node.port.postMessage('end')
      const done = await ended
      node.disconnect()
      return done
    },
  }
}
