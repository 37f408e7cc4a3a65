// A unix socket by Node's net: each message with its length before it, written one by one or in
// batches of 64 KiB.
import type { Socket } from 'node:net'
import { makeMessages, mix, wordAt } from '../harness/messages.js'
import { type EventEnd, pingByEvents, pongByEvents } from '../harness/round-trips.js'
import type { Job, Load } from './transport.js'

const PREFIX = 4
const BATCH_BYTES = 65_536

/** Calls `take` with every message of the stream. */
function parse(socket: Socket, take: (message: Uint8Array) => void): void {
  let left: Buffer = Buffer.alloc(0)
  let parts: Buffer[] = []
  let missing = 0 // of the message that `parts` begins
  socket.on('data', (chunk: Buffer) => {
    if (missing > chunk.length) {
      parts.push(chunk)
      missing -= chunk.length
      return
    }
    const bytes = parts.length === 0 && left.length === 0 ? chunk : Buffer.concat([left, ...parts, chunk])
    parts = []
    missing = 0
    let at = 0
    while (bytes.length - at >= PREFIX) {
      const length = bytes.readInt32LE(at)
      if (bytes.length - at - PREFIX < length) {
        missing = length - (bytes.length - at - PREFIX)
        break
      }
      at += PREFIX
      take(bytes.subarray(at, at + length))
      at += length
    }
    left = bytes.subarray(at)
  })
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafeSlow(PREFIX + message.length)
  frame.writeInt32LE(message.length)
  frame.set(message, PREFIX)
  return frame
}

/** Writes whatever `make` gives until it gives nothing more, as fast as the socket takes it. */
function pump(socket: Socket, make: () => Buffer | null): Promise<void> {
  return new Promise((resolve) => {
    const more = () => {
      for (;;) {
        const bytes = make()
        if (bytes === null) return resolve()
        if (!socket.write(bytes)) return socket.once('drain', more)
      }
    }
    more()
  })
}

function sendEach(socket: Socket, { size }: Load): Job {
  const frames = makeMessages(size).map(framed)
  return (count) => {
    let sent = 0
    return pump(socket, () => (sent === count ? null : frames[sent++ % frames.length]!))
  }
}

function sendBatches(socket: Socket, { size }: Load): Job {
  const messages = makeMessages(size)
  const bytes = Math.max(BATCH_BYTES, size + PREFIX)
  return (count) => {
    let sent = 0
    return pump(socket, () => {
      if (sent === count) return null
      const batch = Buffer.allocUnsafeSlow(bytes)
      let at = 0
      for (; sent < count && at + PREFIX + size <= bytes; sent++) {
        batch.writeInt32LE(size, at)
        batch.set(messages[sent % messages.length]!, at + PREFIX)
        at += PREFIX + size
      }
      return batch.subarray(0, at)
    })
  }
}

function receive(socket: Socket): Job {
  let take: (message: Uint8Array) => void = () => {}
  parse(socket, (message) => take(message))
  return (count) =>
    new Promise((resolve) => {
      let hash = 0
      let got = 0
      take = (message) => {
        hash = mix(hash, wordAt(message, 0))
        if (++got === count) resolve({ count, hash, sum: 0 })
      }
    })
}

function eventEnd(socket: Socket): EventEnd {
  let take: (message: Uint8Array) => void = () => {}
  parse(socket, (message) => take(message))
  return {
    send: (message) => socket.write(framed(message)),
    listen: (given) => {
      take = given
    },
  }
}

export const socketRoles = {
  plain: { send: sendEach, receive },
  batched: { send: sendBatches, receive },
  roundTrips: {
    ping: (socket: Socket, load: Load) => pingByEvents(eventEnd(socket), load),
    pong: (socket: Socket, load: Load) => pongByEvents(eventEnd(socket), load),
  },
}
