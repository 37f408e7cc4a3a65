// ringbuf.js between two JavaScript threads: messages of one size, without frames, so that it need not carry their lengths.
import { RingBuffer } from 'ringbuf.js'
import { capacityFor, type Job, type Kind, type Load } from './kind.js'
import { makeMessages, mix, Patience, wordAt } from './messages.js'

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
    const patience = new Patience()
    for (let i = 0, k = 0; i < count; i++) {
      while (out.push(messages[k]!, size) === 0) patience.miss()
      if (++k === messages.length) k = 0
    }
  }
}

function receive(rings: Rings, { size }: Load): Job {
  const message = new Uint8Array(size)
  return (count) => {
    let hash = 0
    const patience = new Patience()
    for (let i = 0; i < count; i++) {
      while (rings.in.pop(message, size) === 0) patience.miss()
      hash = mix(hash, wordAt(message, 0))
    }
    return { count, hash, sum: 0 }
  }
}

function ping(rings: Rings, { size }: Load): Job {
  const message = new Uint8Array(size)
  const answer = new Uint8Array(size)
  return (count) => {
    const times = new Float64Array(count)
    const patience = new Patience()
    let before = performance.now()
    for (let i = 0; i < count; i++) {
      message[0] = i
      rings.out.push(message, size)
      while (rings.in.pop(answer, size) === 0) patience.miss()
      if (answer[0] !== (i & 0xff)) throw new Error(`the answer to ${i & 0xff} is ${answer[0]}`)
      const now = performance.now()
      times[i] = now - before
      before = now
    }
    return times
  }
}

function pong(rings: Rings, { size }: Load): Job {
  const message = new Uint8Array(size)
  return (count) => {
    const patience = new Patience()
    for (let i = 0; i < count; i++) {
      while (rings.in.pop(message, size) === 0) patience.miss()
      rings.out.push(message, size)
    }
  }
}

const ringbuf: Kind<Rings> = {
  make({ size }) {
    const out = storage(size)
    const back = storage(size)
    return { end: { out: ring(out), in: ring(back) }, remote: { out: back, in: out } }
  },
  open: (remote: { out: SharedArrayBuffer; in: SharedArrayBuffer }) => ({ out: ring(remote.out), in: ring(remote.in) }),
  close: () => {},
  roles: { send, receive, ping, pong },
}

export const ringbufKinds = { 'ringbuf.js': ringbuf }
