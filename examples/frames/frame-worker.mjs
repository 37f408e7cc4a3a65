// The sender behind the postMessage comparison: renders what the plugin renders, and posts it.
import { parentPort, workerData } from 'node:worker_threads'
import { crc32c } from 'sabway'
import { frameBytes, makeRenderer } from './layout.mjs'

const { width, height, rate, queue, transfer, words } = workerData
const [TAKEN, STOP] = [0, 1]
const render = makeRenderer(width, height, crc32c)
const length = frameBytes(width, height)
const interval = rate > 0 ? 1000 / rate : 0
const stopped = () => Atomics.load(words, STOP) !== 0

function waitForTurn(number) {
  while (!stopped()) {
    const taken = Atomics.load(words, TAKEN)
    if (number - taken < queue) return
    Atomics.wait(words, TAKEN, taken, 50)
  }
}

function waitUntil(due) {
  while (!stopped() && performance.now() < due) Atomics.wait(words, STOP, 0, due - performance.now())
}

// What is posted as a copy is rendered into the same memory again, which is kinder to it; what is
// transferred is gone.
let bytes = transfer ? null : new Uint8Array(length)
const begin = performance.now()
for (let number = 0; !stopped(); number++) {
  waitUntil(begin + number * interval)
  waitForTurn(number)
  if (stopped()) break
  if (transfer) bytes = new Uint8Array(length)
  render(bytes, number)
  parentPort.postMessage(bytes, transfer ? [bytes.buffer] : [])
}
