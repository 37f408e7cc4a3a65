// The page: no Node here. Each frame is uploaded to the graphics card from where the native thread
// rendered it.
import { connect } from 'sabway/electron/renderer'
import { decode, encodeOrder, FRAME_HEADER } from '../frames/layout.mjs'
import { Graph } from './graph.mjs'
import { FrameView } from './view.mjs'

const canvas = (/** @type {string} */ id) => /** @type {HTMLCanvasElement} */ (document.getElementById(id))
const state = /** @type {HTMLElement} */ (document.getElementById('state'))

const view = new FrameView(canvas('frames'))
const graph = new Graph(canvas('graph'))
let frames = 0
let bytes = 0
let missed = 0
let next = -1

try {
  const channel = await connect({ name: 'frames' })
  channel.addEventListener('close', () => {
    state.textContent = 'the main process has ended the stream'
  })
  channel.startReceiving(
    (memory, start, end) => {
      const message = memory.subarray(start, end)
      const frame = decode(message)
      if (frame === null || frame.width === undefined) return // an acknowledgement
      if (next >= 0) missed += frame.number - next
      next = frame.number + 1
      view.show(message.subarray(FRAME_HEADER), frame.width, frame.height)
      frames++
      bytes += message.length
    },
    { copy: false }, // in place: valid during this call, which is as long as the upload needs it
  )
  channel.send(encodeOrder(1, 'start')) // after a reload the plugin runs already, and says so
  setInterval(() => {
    const { transport } = channel.stats()
    graph.add(frames * 2)
    state.textContent = `${transport}: ${frames * 2} frames/s, ${((bytes * 2) / 2 ** 20).toFixed(0)} MiB/s, frame ${next - 1}, ${missed} missed`
    frames = bytes = 0
  }, 500)
} catch (error) {
  state.textContent = String(error)
}
