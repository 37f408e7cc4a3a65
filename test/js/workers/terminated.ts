// One side of a channel in a thread that is going to be terminated, at any point. What it has done
// so far stands in memory that outlives it.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { type ChannelHandle, SharedMemoryChannel, type Side } from 'sabway'
import { random } from '../support/bytes.js'
import { DONE, numbered, numberOf, SENT, WRONG } from '../support/numbered.js'

export interface TerminatedData {
  handle: ChannelHandle
  side: Side
  /**
   * flood: send numbered messages. take: receive them. both: send to, and receive from, the native
   * echo worker. source: receive from a native one.
   */
  job: 'flood' | 'take' | 'both' | 'source'
  /** Number of the first message to send. */
  from: number
  /** The message at which it ends itself, wherever it is; without it, it is terminated. */
  last?: number
  seed: number
  progress: Int32Array<SharedArrayBuffer>
}

const { handle, side, job, from, last = Number.POSITIVE_INFINITY, seed, progress } = workerData as TerminatedData
const chance = random(seed)
const channel = SharedMemoryChannel.attach(handle, { side })
let next = from

const below = (limit: number) => Math.floor(chance() * limit)
const make = (number: number) => numbered(number, below(below(8) === 0 ? 3000 : 200))

function done(number: number): void {
  if (number > Atomics.load(progress, DONE)) Atomics.store(progress, DONE, number)
  if (number >= last) process.exit()
}

/** In one of the ways there are. Returns how many were sent. */
function sendSome(): number {
  const way = below(4)
  if (way === 0) return channel.sendBatch(Array.from({ length: 1 + below(20) }, (_, i) => make(next + i)))
  const message = make(next)
  if (way === 1) return channel.trySend(message) ? 1 : 0
  const room = channel.reserve(message.length + below(50))
  if (room === null) return 0
  if (way === 2) {
    room.fill(0xee)
    channel.abandon()
    return 0
  }
  room.set(message)
  channel.commit(message.length)
  return 1
}

async function flood(): Promise<void> {
  for (;;) {
    for (let i = 0; i < 200; i++) {
      next += sendSome()
      done(next)
    }
    await nextTurn()
  }
}

/**
 * Each message is the one after the last; the first may be one that an earlier thread has seen but
 * not given back.
 */
function take(numberFor: (message: Uint8Array) => number): void {
  let expected: number | null = null
  channel.startReceiving((message) => {
    const number = numberFor(message)
    const fits = expected === null ? number <= Atomics.load(progress, DONE) : number === expected
    if (number < 0 || !fits) Atomics.store(progress, WRONG, 1)
    expected = number + 1
    done(expected)
  })
  channel.ref()
}

const firstWord = (message: Uint8Array) => new DataView(message.buffer, message.byteOffset).getUint32(0, true)

if (job === 'flood') void flood()
if (job === 'take') take(numberOf)
if (job === 'source') {
  channel.startWorker({ builtin: 'source', size: 64 + below(1000) })
  take(firstWord)
}
if (job === 'both') {
  channel.startWorker({ builtin: 'echo' })
  take(numberOf)
  const send = () => {
    for (let i = 0; i < 100; i++) {
      next += channel.trySend(make(next)) ? 1 : 0
      Atomics.store(progress, SENT, next)
    }
    setImmediate(send)
  }
  send()
}
