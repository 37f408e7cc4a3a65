// The synthesizer, in a worker: it renders into the ring itself, as far ahead as the ring is long.
import { SharedMemoryChannel } from '../../dist/browser.mjs' // 'sabway', with a bundler
import { BLOCK, BLOCK_BYTES } from './blocks.mjs'
import { Voice } from './voice.mjs'

const REFILL_MS = 10

self.onmessage = ({ data: { samples, rate, blocks } }) => {
  const channel = SharedMemoryChannel.attach(samples, { side: 'renderer' })
  const voice = new Voice(rate)
  const floats = new Float32Array(samples.memory.buffer)
  let made = 0

  /** @param {unknown} _bytes @param {number} start */
  const render = (_bytes, start) => voice.render(floats, start / 4, BLOCK)

  // By the clock: the audio thread then never has to ring this one.
  const refill = () => {
    while (made < blocks && channel.write(BLOCK_BYTES, render)) made++
  }
  refill()
  setInterval(refill, REFILL_MS)
  self.postMessage('ready')
}
