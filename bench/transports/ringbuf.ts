// ringbuf.js between two JavaScript threads: messages of one size, without frames, so that it need
// not carry their lengths.
import { RingBuffer } from 'ringbuf.js'
import { makeMessages, mix, Watchdog, wordAt } from '../harness/messages.js'
import { type PollingEnd, pingByPolling, pongByPolling } from '../harness/round-trips.js'
import { capacityFor, type Job, type Load, type Transport } from './transport.js'

interface Rings {
  out: RingBuffer
  in: RingBuffer
}

/** A whole number of messages: then no push or pop ever moves a part of one. */
function storage(size: number): SharedArrayBuffer {
  const whole = Math.floor(capacityFor(size) / size) * size
  return RingBuffer.getStorageForCapacity(whole, Uint8Array)
}

const ring = (shared: SharedArrayBuffer) => new RingBuffer(shared, Uint8Array)

function send({ out }: Rings, { size }: Load): Job {
  const messages = makeMessages(size)
  return (count) => {
    const watchdog = new Watchdog()
    for (let i = 0, k = 0; i < count; i++) {
      while (out.push(messages[k]!, size) === 0) watchdog.check()
      if (++k === messages.length) k = 0
    }
  }
}

function receive(rings: Rings, { size }: Load): Job {
  const message = new Uint8Array(size)
  return (count) => {
    let hash = 0
    const watchdog = new Watchdog()
    for (let i = 0; i < count; i++) {
      while (rings.in.pop(message, size) === 0) watchdog.check()
      hash = mix(hash, wordAt(message, 0))
    }
    return { count, hash, sum: 0 }
  }
}

function pollingEnd(rings: Rings, { size }: Load): PollingEnd {
  const message = new Uint8Array(size)
  return {
    send: (answer) => rings.out.push(answer, size),
    take: () => (rings.in.pop(message, size) === 0 ? -1 : message[0]!),
  }
}

const ringbuf: Transport<Rings> = {
  make({ size }) {
    const out = storage(size)
    const back = storage(size)
    return { end: { out: ring(out), in: ring(back) }, remote: { out: back, in: out } }
  },
  open: (remote: { out: SharedArrayBuffer; in: SharedArrayBuffer }) => ({ out: ring(remote.out), in: ring(remote.in) }),
  close: () => {},
  roles: {
    send,
    receive,
    ping: (rings, load) => pingByPolling(pollingEnd(rings, load), load),
    pong: (rings, load) => pongByPolling(pollingEnd(rings, load), load),
  },
}

export const ringbufTransports = { 'ringbuf.js': ringbuf }
