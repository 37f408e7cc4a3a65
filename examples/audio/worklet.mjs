// The audio thread. It has 2.7 ms for a block (128 frames at 48 kHz), and must neither wait nor
// make garbage in them: what it calls for each block is made once, and `drain` and `write` allocate
// nothing, wait for nothing and ring no doorbell.
import { SharedMemoryChannel } from '../../dist/browser.mjs' // 'sabway', with a bundler
import { BLOCK, LEVEL_BYTES, LEVEL_EVERY } from './blocks.mjs'

class Player extends AudioWorkletProcessor {
  /** @param {{ processorOptions: { samples: any, levels: any } }} options */
  constructor({ processorOptions: { samples, levels } }) {
    super()
    this.samples = SharedMemoryChannel.attach(samples, { side: 'native' })
    this.levels = SharedMemoryChannel.attach(levels, { side: 'native' })
    this.floats = new Float32Array(samples.memory.buffer)
    this.levelFloats = new Float32Array(levels.memory.buffer)
    this.levelWords = new Uint32Array(levels.memory.buffer)
    /** @type {Float32Array} */
    this.out = new Float32Array(0)
    this.peak = 0
    this.blocks = 0
    this.late = 0
    this.playing = true
    this.greeted = this.wakes() // attach tells the other sides that this one has come
    /** @param {unknown} _bytes @param {number} start */
    this.play = (_bytes, start) => this.copy(start / 4)
    /** @param {unknown} _bytes @param {number} start */
    this.tell = (_bytes, start) => this.fill(start / 4)
    this.port.onmessage = () => this.end()
  }

  /** @param {Float32Array[][]} _inputs @param {Float32Array[][]} outputs */
  process(_inputs, outputs) {
    if (!this.playing) return false
    this.out = /** @type {Float32Array} */ (outputs[0]?.[0])
    if (this.samples.drain(this.play, 1) === 0) this.late++ // silence: the output is all zeros
    if (++this.blocks % LEVEL_EVERY === 0 && this.levels.write(LEVEL_BYTES, this.tell)) this.peak = 0
    return true
  }

  /** @param {number} from */
  copy(from) {
    const { floats, out } = this
    let { peak } = this
    for (let i = 0; i < BLOCK; i++) {
      const sample = /** @type {number} */ (floats[from + i])
      out[i] = sample
      if (sample > peak) peak = sample
      else if (-sample > peak) peak = -sample
    }
    this.peak = peak
  }

  /** @param {number} at */
  fill(at) {
    this.levelFloats[at] = this.peak
    this.levelWords[at + 1] = this.blocks
    this.levelWords[at + 2] = this.late
  }

  /** Calls that this thread has made to wake others. */
  wakes() {
    return this.samples.stats().wait.wakes + this.levels.stats().wait.wakes
  }

  /**
   * Lets go of both channels, so that the next node can take this one's place: it goes on with the
   * next block.
   */
  end() {
    this.playing = false
    const { blocks, late } = this
    const wakes = this.wakes() - this.greeted
    this.samples.detach()
    this.levels.detach()
    this.port.postMessage({ blocks, late, wakes })
  }
}

registerProcessor('player', Player)
