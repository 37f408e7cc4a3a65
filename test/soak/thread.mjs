// A JavaScript thread of a soak: sends one sequence and receives another, until it is terminated.
// How far it is stands in memory that outlives it: [sent, received, what is wrong].
import { parentPort, workerData } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'
import { Sequence } from './messages.mjs'

const { handle, seeds, from, progress } = workerData
const channel = SharedMemoryChannel.attach(handle, { side: 'native' })
const outgoing = new Sequence(seeds.outgoing)
const incoming = new Sequence(seeds.incoming)

let sent = from
let waiting = null
function send() {
  for (let i = 0; i < 100; i++) {
    waiting ??= outgoing.make(sent)
    if (!channel.trySend(waiting)) break
    waiting = null
    sent++
    Atomics.store(progress, 0, sent)
  }
  if (sent % 7 === 0) setTimeout(send, 1)
  else setImmediate(send)
}

/** The first is one that an earlier thread has seen and not given back, or the one after. */
let expected = null
let skipped = 0
function first(message) {
  const seen = Atomics.load(progress, 1)
  for (let back = -skipped; back <= Math.min(seen, 4096); back++) {
    if (incoming.wrong(seen - back, message) === null && message.length >= 8) return seen - back
  }
  return null
}

channel.startReceiving((message) => {
  if (expected === null) {
    if (message.length < 8 && Atomics.load(progress, 1) > 0) {
      skipped++ // has no number: the next one tells where we are
      return
    }
    expected = Atomics.load(progress, 1) === 0 ? 0 : first(message)
    if (expected === null) return fail('the first message of a thread is none that it may be')
  }
  const wrong = incoming.wrong(expected, message)
  if (wrong !== null) return fail(wrong)
  expected++
  if (expected > Atomics.load(progress, 1)) Atomics.store(progress, 1, expected)
})

function fail(text) {
  if (Atomics.exchange(progress, 2, 1) === 0) parentPort.postMessage(text)
}

send()
