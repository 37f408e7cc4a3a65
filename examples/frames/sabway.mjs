// The main run: the plugin's frames, taken in place, while orders go the other way.
import { fileURLToPath } from 'node:url'
import { SharedMemoryChannel } from 'sabway'
import { FrameCheck, Segment } from './check.mjs'
import { decode } from './layout.mjs'
import { ringBytes } from './options.mjs'
import { Steering } from './steering.mjs'
import { sleep } from './time.mjs'

const PLUGIN = fileURLToPath(new URL('../../build/plugins/frames.so', import.meta.url))
const CONTROL_RING = 4096
const FILL_EVERY_MS = 5
const TOO_LARGE = -3

/**
 * How full the ring is: what the plugin has sent and this side has not yet given back. Looked at
 * now and then.
 */
class Fill {
  #last = 0
  #sum = 0
  #count = 0

  constructor(channel) {
    this.channel = channel
  }

  look() {
    const now = performance.now()
    if (now - this.#last < FILL_EVERY_MS) return
    this.#last = now
    const { worker, received } = this.channel.stats()
    if (worker === undefined) return
    this.#sum += Math.min(1, Math.max(0, worker.sentBytes - received.bytes) / received.capacity)
    this.#count++
  }

  /** The mean since it was asked last. */
  take() {
    const mean = this.#count === 0 ? 0 : this.#sum / this.#count
    this.#sum = this.#count = 0
    return mean
  }
}

/**
 * What the plugin is told, and when. Fractions are of the run's time; between the orders, frames
 * come.
 */
async function steer(steering, { frame, rate, slow, seconds, check, full, paced, pause }) {
  const small = { width: Math.ceil(frame.width / 2), height: Math.ceil(frame.height / 2) }
  const count = (segment, size = frame) => ({
    effect: () => {
      check.resize(size)
      check.measure(segment)
    },
  })
  await steering.order('start', {}, count(full))
  await pause(seconds * 0.35)

  // Slowly, no queue forms: the latency is the pipe's own.
  await steering.order('rate', { rate: slow }, count(paced))
  await pause(seconds * 0.25)
  await steering.order('rate', { rate }, count(full))
  await pause(seconds * 0.15)

  await steering.order('size', small, count(null, small))
  await pause(seconds * 0.05)
  // An order that cannot be carried out is acknowledged too, and changes nothing.
  await steering.order('size', { width: 16384, height: 16384 }, { expected: TOO_LARGE })
  await pause(seconds * 0.05)
  await steering.order('size', frame, count(full))
  await pause(seconds * 0.15)
}

/**
 * Runs for `seconds`, or until the signal: the check that the frames went through, the measured
 * segments, the fault.
 */
export async function runSabway({ frame, rate, slow, seconds, view, signal }) {
  const channel = new SharedMemoryChannel(CONTROL_RING, ringBytes(frame))
  const check = new FrameCheck(frame)
  const [full, paced] = [new Segment(), new Segment()]
  const steering = new Steering(channel, (order) => view.order(order))
  const fill = new Fill(channel)
  const broken = new AbortController()
  let fault = null
  let stopping = false
  const fail = (error) => {
    fault ??= error
    steering.fail(error)
    broken.abort()
  }

  channel.addEventListener('error', (event) => fail(event.error))
  const closed = new Promise((resolve) => {
    channel.addEventListener('close', () => {
      if (!stopping) fail(new Error('the plugin ended by itself'))
      resolve()
    })
  })
  const onLog = ({ level, text }) => view.log(`${level}: ${text}`)
  channel.startWorker({ plugin: PLUGIN, ...frame, rate, onLog })

  const take = (message) => {
    const now = process.hrtime.bigint() // first of all: what follows is not the pipe
    const decoded = decode(message)
    if (decoded?.ack) steering.acknowledged(decoded)
    else check.take(message, now, decoded)
    fill.look()
    view.poll()
  }
  channel.startReceiving(
    (bytes, start, end) => {
      try {
        take(bytes.subarray(start, end))
      } catch (error) {
        fail(error)
      }
    },
    { copy: false },
  )

  view.begin('Sabway', seconds, () => ({ ...check.takeRecent(), fill: fill.take() }))
  const early = AbortSignal.any([signal, broken.signal])
  const pause = (time) => sleep(time, early)
  try {
    await steer(steering, { frame, rate, slow, seconds, check, full, paced, pause })
  } catch (error) {
    if (error.name !== 'AbortError') fault ??= error
  }
  try {
    const ended = ({ next }) => {
      stopping = true
      check.measure(null)
      check.expectTotal(next)
    }
    if (!broken.signal.aborted) await steering.order('stop', {}, { effect: ended })
    await Promise.race([closed, sleep(2, broken.signal)])
  } catch (error) {
    if (error.name !== 'AbortError') fault ??= error
  }
  view.end()
  channel.cleanup()
  return { name: 'Sabway', check, full: full.summary(), paced: paced.summary(), fault }
}
