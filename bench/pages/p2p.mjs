// Two peers in a page, over WebRTC: the page's own data channel, or managers of Sabway.
// benchmarks/p2p-webrtc.ts opens it and asks it to `run`.
import { P2PManager, P2PQueue, P2PWebRTC } from '/dist/browser-p2p.mjs'

const BYTES = 64
/** Messages between two turns of the event loop: a frame's. */
const FRAME = 200
/** Bytes that may wait in a connection. */
const WAITING = 1 << 20
const CONFIGURATION = { iceServers: [] }

const turns = new MessageChannel()
let next = () => {}
turns.port1.onmessage = () => next()
const turn = () =>
  new Promise((resolve) => {
    next = resolve
    turns.port2.postMessage(null)
  })

const payload = new Uint8Array(BYTES)
const numbered = (n) => {
  new DataView(payload.buffer).setUint32(0, n, true)
  return payload
}
const numberOf = (data) => new DataView(data.buffer, data.byteOffset).getUint32(0, true)

/** Those that come are counted from 0; `until` resolves when so many have. */
class Arrivals {
  seen = 0
  #wanted = -1
  #tell = () => {}

  came(number) {
    if (number !== this.seen) throw new Error(`message ${number} came in place of ${this.seen}`)
    if (++this.seen === this.#wanted) this.#tell()
  }

  until(count) {
    this.#wanted = count
    return new Promise((resolve) => {
      this.#tell = resolve
      if (this.seen === count) resolve()
    })
  }
}

// ---- the page's own ----

async function bare() {
  const [from, to] = [new RTCPeerConnection(CONFIGURATION), new RTCPeerConnection(CONFIGURATION)]
  from.onicecandidate = ({ candidate }) => candidate && to.addIceCandidate(candidate)
  to.onicecandidate = ({ candidate }) => candidate && from.addIceCandidate(candidate)
  const channel = from.createDataChannel('bench')
  let arrivals = new Arrivals()
  to.ondatachannel = (event) => {
    event.channel.binaryType = 'arraybuffer'
    event.channel.onmessage = ({ data }) => arrivals.came(numberOf(new Uint8Array(data)))
  }
  await from.setLocalDescription()
  await to.setRemoteDescription(from.localDescription)
  await to.setLocalDescription()
  await from.setRemoteDescription(to.localDescription)
  await new Promise((resolve) => {
    channel.onopen = resolve
  })
  channel.bufferedAmountLowThreshold = WAITING / 2
  return async (count) => {
    arrivals = new Arrivals()
    const all = arrivals.until(count)
    for (let n = 0; n < count; ) {
      for (const end = Math.min(count, n + FRAME); n < end; n++) channel.send(numbered(n))
      if (channel.bufferedAmount > WAITING)
        await new Promise((resolve) => {
          channel.onbufferedamountlow = resolve
        })
      else await turn()
    }
    await all
  }
}

// ---- Sabway's ----

class Signals {
  #there = new Map()

  connect(id) {
    return {
      start: (events) => {
        for (const [other, { joined }] of this.#there) {
          joined(id)
          queueMicrotask(() => events.joined(other))
        }
        this.#there.set(id, events)
      },
      send: (peer, text) => queueMicrotask(() => this.#there.get(peer)?.message(id, text)),
      close: () => this.#there.delete(id),
    }
  }
}

async function managed(batch, fromQueue) {
  const signals = new Signals()
  const shape = { slots: 4096 }
  const [from, to] = ['from', 'to'].map(
    (id) =>
      new P2PManager({
        transport: new P2PWebRTC({
          id,
          signaller: signals.connect(id),
          configuration: CONFIGURATION,
          maxBuffered: WAITING,
        }),
        queue: shape,
        batch,
        frameInterval: Number.POSITIVE_INFINITY,
        maxBacklog: 2 ** 20,
        maxPendingBytes: 2 ** 28,
        limits: { messagesPerSecond: 1e9, bytesPerSecond: 1e12 },
      }),
  )
  while (from.peers.length === 0 || to.peers.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  const reader = P2PQueue.attach(to.getP2PChannelQueue(0), shape).reader('incoming')
  const writer = P2PQueue.attach(from.getP2PChannelQueue(0), shape).writer('outgoing')
  return async (count) => {
    const arrivals = new Arrivals()
    // What an engine does each frame.
    const receive = () => {
      to.frame()
      reader.read(({ data }) => arrivals.came(numberOf(data)))
    }
    for (let n = 0; n < count; ) {
      for (const end = Math.min(count, n + FRAME); n < end; n++) {
        if (fromQueue) {
          if (!writer.write('', 0, numbered(n))) throw new Error('the queue is full')
        } else if (!from.sendP2PMessage('to', 0, true, numbered(n))) throw new Error('a message was dropped')
      }
      if (fromQueue && !from.sendP2PMessage('to', 0, true)) throw new Error('a message was dropped')
      from.frame()
      receive()
      await turn()
      // By a timer: a turn for each look would take the processor from the network.
      while (from.stats().peers[0].pendingBytes > 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    while (arrivals.seen < count) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      from.frame()
      receive()
    }
  }
}

const KINDS = {
  bare,
  single: () => managed('none', false),
  batched: () => managed('frame', false),
  drained: () => managed('none', true),
}

let send
globalThis.open = async (kind) => {
  send = await KINDS[kind]()
}
/** Seconds. */
globalThis.run = async (count) => {
  const begin = performance.now()
  await send(count)
  return (performance.now() - begin) / 1000
}
