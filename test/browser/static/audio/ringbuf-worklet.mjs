// The player of examples/audio with ringbuf.js in place of Sabway: the samples only, no levels.
import { RingBuffer } from '/node_modules/ringbuf.js/dist/index.mjs'

class Player extends AudioWorkletProcessor {
  constructor({ processorOptions: { storage } }) {
    super()
    this.ring = new RingBuffer(storage, Float32Array)
    this.block = new Float32Array(128)
    this.peak = 0
    this.late = 0
  }

  process(_inputs, [[out]]) {
    if (this.ring.pop(this.block) === 0) this.late++
    let { peak } = this
    for (let i = 0; i < 128; i++) {
      const sample = this.block[i]
      out[i] = sample
      if (sample > peak) peak = sample
      else if (-sample > peak) peak = -sample
    }
    this.peak = peak
    return true
  }
}

registerProcessor('ringbuf', Player)
