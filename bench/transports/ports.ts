// postMessage between two JavaScript threads: copied, transferred, and batched by hand into
// transferred buffers. What is in flight is bounded by acknowledgements, or a sender in a hurry
// would fill the memory.
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { makeMessages, mix, sumWords, Watchdog, wordAt } from '../harness/messages.js'
import { type EventEnd, pingByEvents, pongByEvents } from '../harness/round-trips.js'
import type { Job, Load, Transport } from './transport.js'

/** What of a MessagePort the roles need: another process's channel has it, too. */
export type Port = Pick<MessagePort, 'postMessage' | 'on'>

type Roles = Transport<MessagePort>['roles']

export function portTransport<R extends Roles>(roles: R): Transport<MessagePort> & { roles: R } {
  return {
    make() {
      const { port1, port2 } = new MessageChannel()
      return { end: port1, remote: port2, transfer: [port2] }
    },
    open: (port: MessagePort) => port,
    close: (port) => port.close(),
    roles,
  }
}

// ---- one postMessage per message ----

/** Messages that may be on their way. */
const windowFor = (size: number) => Math.min(4096, Math.max(8, 8_388_608 / size))

/** Of a message and its place in the list. */
export type Post = (port: MessagePort, message: Uint8Array, place: number) => void

const postCopy: Post = (port, message) => port.postMessage(message)

const postTransfer: Post = (port, message) => {
  const own = message.slice()
  port.postMessage(own, [own.buffer])
}

export function sender(post: Post) {
  return (port: MessagePort, { size }: Load): Job => {
    const messages = makeMessages(size)
    let acknowledge: (count: number) => void = () => {}
    port.on('message', (count: number) => acknowledge(count))
    return (count) =>
      new Promise((resolve) => {
        let sent = 0
        let limit = Math.min(count, windowFor(size))
        const pump = () => {
          for (; sent < limit; sent++) {
            const place = sent % messages.length
            post(port, messages[place]!, place)
          }
        }
        acknowledge = (received) => {
          limit = Math.min(count, received + windowFor(size))
          if (received === count) resolve()
          else pump()
        }
        pump()
      })
  }
}

export function receiver<Value>(wordOf: (size: number) => (value: Value) => number) {
  return (port: MessagePort, { size }: Load): Job => {
    const every = windowFor(size) >> 2
    const word = wordOf(size)
    let take: (value: Value) => void = () => {}
    port.on('message', (value: Value) => take(value))
    return (count) =>
      new Promise((resolve) => {
        let hash = 0
        let got = 0
        take = (value) => {
          hash = mix(hash, word(value))
          got++
          if (got % every === 0 || got === count) port.postMessage(got)
          if (got === count) resolve({ count, hash, sum: 0 })
        }
      })
  }
}

const receive = receiver(() => (message: Uint8Array) => wordAt(message, 0))

// ---- many messages in one transferred buffer ----

const BATCH_BYTES = 65_536
const BATCHES = 16
const PREFIX = 4
/** Up to this many bytes, a loop copies faster than TypedArray.set. */
const LOOP_UP_TO = 12

/** Word 0 of a batch: how many bytes are used. Then, for each message, its length and its bytes. */
function fill(batch: ArrayBuffer, messages: Uint8Array[], from: number, count: number): number {
  const bytes = new Uint8Array(batch)
  const words = new Int32Array(batch)
  let sent = from
  let at = PREFIX
  for (let k = from % messages.length; sent < count; sent++) {
    const message = messages[k]!
    const length = message.length
    if (at + PREFIX + length > bytes.length) break
    words[at >>> 2] = length
    at += PREFIX
    if (length <= LOOP_UP_TO) for (let i = 0; i < length; i++) bytes[at + i] = message[i]!
    else bytes.set(message, at)
    at += length
    if (++k === messages.length) k = 0
  }
  words[0] = at
  return sent
}

function sendBatches(port: MessagePort, { size }: Load): Job {
  const messages = makeMessages(size)
  const bytes = Math.max(BATCH_BYTES, size + 2 * PREFIX)
  // The receiver sends each buffer back: that is the acknowledgement, and nothing is allocated.
  const idle = Array.from({ length: BATCHES }, () => new ArrayBuffer(bytes))
  let pump = () => {}
  port.on('message', (batch: ArrayBuffer) => {
    idle.push(batch)
    pump()
  })
  return (count) =>
    new Promise((resolve) => {
      let sent = 0
      pump = () => {
        while (sent < count && idle.length !== 0) {
          const batch = idle.pop()!
          sent = fill(batch, messages, sent, count)
          port.postMessage(batch, [batch])
        }
        if (sent === count && idle.length === BATCHES) resolve()
      }
      pump()
    })
}

function receiveBatches(port: MessagePort): Job {
  let take: (batch: ArrayBuffer) => void = () => {}
  port.on('message', (batch: ArrayBuffer) => take(batch))
  return (count) =>
    new Promise((resolve) => {
      let hash = 0
      let sum = 0
      let got = 0
      take = (batch) => {
        const bytes = new Uint8Array(batch)
        const words = new Int32Array(batch)
        const end = words[0]!
        for (let at = PREFIX; at < end; got++) {
          const length = words[at >>> 2]!
          at += PREFIX
          hash = mix(hash, wordAt(bytes, at))
          sum = (sum + sumWords(words, at >>> 2, (at + length) >>> 2)) | 0
          at += length
        }
        port.postMessage(batch, [batch])
        if (got === count) resolve({ count, hash, sum })
      }
    })
}

// ---- round trips ----

function eventEnd(port: MessagePort): EventEnd {
  let take: (message: Uint8Array) => void = () => {}
  port.on('message', (message: Uint8Array) => take(message))
  return {
    send: (message) => port.postMessage(message),
    listen: (given) => {
      take = given
    },
  }
}

/** The next message, without the event loop. */
function poll(port: MessagePort): Uint8Array {
  const watchdog = new Watchdog()
  for (;;) {
    const got = receiveMessageOnPort(port)
    if (got !== undefined) return got.message
    watchdog.check()
  }
}

function pingPolling(port: MessagePort, { size }: Load): Job {
  const message = new Uint8Array(size)
  return (count) => {
    const times = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const before = performance.now()
      port.postMessage(message)
      poll(port)
      times[i] = performance.now() - before
    }
    return times
  }
}

function pongPolling(port: MessagePort): Job {
  return (count) => {
    for (let i = 0; i < count; i++) port.postMessage(poll(port))
  }
}

export const portTransports = {
  'MessagePort polled': portTransport({ ping: pingPolling, pong: pongPolling }),
  'postMessage copy': portTransport({ send: sender(postCopy), receive }),
  'postMessage transfer': portTransport({ send: sender(postTransfer), receive }),
  'postMessage, own batches': portTransport({ send: sendBatches, receive: receiveBatches }),
  'postMessage event loops': portTransport({
    ping: (port, load) => pingByEvents(eventEnd(port), load),
    pong: (port, load) => pongByEvents(eventEnd(port), load),
  }),
}
