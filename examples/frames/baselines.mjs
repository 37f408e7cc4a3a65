// The same frames by the means that exist without Sabway: a threadsafe function that copies, and a
// worker's postMessage.
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { FrameCheck, Segment } from './check.mjs'
import { framesInRing } from './options.mjs'

/** The first frame may wait this long for a thread to start. */
const START_MS = 5000

// Each sender begins with frame 0, gives frames to onFrame until stop(), and keeps at most `queue`
// of them waiting: as many as Sabway's ring holds. stop() resolves when the last one was given.

function threadsafeFunction({ width, height }, rate, queue, onFrame) {
  const addon = createRequire(import.meta.url)('../../bench/baselines/tsfn_baseline.cjs')
  const ended = new Promise((resolve) => {
    addon.startFrames(0, width, height, rate, queue, (bytes) => (bytes === null ? resolve() : onFrame(bytes)))
  })
  const stop = () => {
    addon.stop()
    return ended
  }
  return { stop, ended }
}

const postMessage = (transfer) => (frame, rate, queue, onFrame) => {
  // [frames taken, stop]: the worker waits on the first when `queue` frames are on their way.
  const words = new Int32Array(new SharedArrayBuffer(8))
  const workerData = { ...frame, rate, queue, transfer, words }
  const worker = new Worker(new URL('./frame-worker.mjs', import.meta.url), { workerData })
  worker.on('message', (bytes) => {
    onFrame(bytes)
    Atomics.add(words, 0, 1)
    Atomics.notify(words, 0)
  })
  const ended = new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('exit', resolve)
  })
  const stop = () => {
    Atomics.store(words, 1, 1)
    Atomics.notify(words, 0)
    return ended
  }
  return { stop, ended }
}

const BASELINES = [
  { name: 'threadsafe function, copy', begin: threadsafeFunction },
  { name: 'worker postMessage, copy', begin: postMessage(false) },
  { name: 'worker postMessage, transfer', begin: postMessage(true) },
]

/** Frames at one rate for some seconds, counted from the first one. */
function stretch(begin, { frame, rate, seconds, check, segment, view, signal }) {
  check.restart()
  return new Promise((resolve, reject) => {
    let until = null
    let timer = setTimeout(end, START_MS)
    // The clock is looked at with each frame too: these senders can keep a busy event loop from its
    // timers for seconds.
    const sender = begin(frame, rate, framesInRing(frame), (bytes) => {
      check.take(bytes, process.hrtime.bigint())
      if (until === null) {
        check.measure(segment)
        until = performance.now() + seconds * 1000
        clearTimeout(timer)
        timer = setTimeout(end, seconds * 1000)
      }
      if (performance.now() >= until) end()
      view.poll()
    })
    sender.ended.catch(reject) // before stop: a worker that failed
    signal.addEventListener('abort', end)
    let ended = false
    function end() {
      if (ended) return
      ended = true
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      check.measure(null)
      sender.stop().then(resolve, reject)
    }
  })
}

async function runBaseline({ name, begin }, { frame, rate, slow, seconds, view, signal }) {
  const check = new FrameCheck(frame)
  const [full, paced] = [new Segment(), new Segment()]
  let fault = null
  view.begin(name, seconds, () => ({ ...check.takeRecent(), fill: null }))
  try {
    const common = { frame, check, view, signal }
    await stretch(begin, { ...common, rate, seconds: seconds * 0.65, segment: full })
    if (!signal.aborted) {
      await stretch(begin, { ...common, rate: slow, seconds: seconds * 0.35, segment: paced })
    }
  } catch (error) {
    fault = error
  }
  view.end()
  return { name, check, full: full.summary(), paced: paced.summary(), fault }
}

/** One after the other, until the signal. */
export async function runBaselines(options) {
  const results = []
  for (const baseline of BASELINES) {
    if (options.signal.aborted) break
    results.push(await runBaseline(baseline, options))
  }
  return results
}
