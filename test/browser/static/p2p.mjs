// A peer in a page: connects by the reference signaller, and counts what comes.

import { P2PManager, P2PQueue, P2PWebRTC } from '/dist/browser-p2p.mjs'
import { webSocketSignaller } from '/examples/p2p-signaller/client.mjs'

let manager
let transport
const events = []

/**
 * An engine in WebAssembly, whose queue lies in its own memory, and which runs when the page draws.
 * Its answers go to all.
 */
let engine
globalThis.startEngine = async (reliable) => {
  const response = await fetch('/build/programs/engine.wasm')
  const { instance } = await WebAssembly.instantiate(await response.arrayBuffer())
  engine = { ...instance.exports, frames: 0, answered: 0 }
  if (engine.open() !== 0) throw new Error('the engine has no queue')
  manager.sendEachFrame(ENGINE, reliable, null)
  const draw = () => {
    engine.answered += engine.frame()
    engine.frames++
    manager.frame()
    requestAnimationFrame(draw)
  }
  requestAnimationFrame(draw)
}
globalThis.engineStats = () => ({
  frames: engine.frames,
  answered: engine.answered,
  isItsMemory: manager.getP2PChannelQueue(ENGINE) === engine.memory.buffer,
})
globalThis.growEngine = () => engine.grow()

const ENGINE = 7
const SLOTS = 64
/** The engine's memory has one queue; other channels have memory of their own. */
const makeQueue = (channel) =>
  channel === ENGINE && engine !== undefined
    ? P2PQueue.attach(engine.memory.buffer, { slots: SLOTS, byteOffset: engine.at() })
    : new P2PQueue({ slots: SLOTS })

globalThis.join = (url, id) => {
  transport = new P2PWebRTC({
    id,
    signaller: webSocketSignaller(url, { room: 'test', id }),
    configuration: { iceServers: [] },
    backoff: { least: 50, most: 500 },
  })
  manager = new P2PManager({
    transport,
    queue: { slots: SLOTS },
    makeQueue,
    frameInterval: 5,
    maxBacklog: 2 ** 20,
    maxPendingBytes: 2 ** 28,
    limits: { messagesPerSecond: 1e9, bytesPerSecond: 1e12 },
  })
  manager.addEventListener('peer-joined', ({ peer }) => events.push(`${peer} joined`))
  manager.addEventListener('peer-left', ({ peer }) => events.push(`${peer} left`))
}
globalThis.peers = () => manager.peers.sort()
globalThis.told = () => events
globalThis.refused = () => ({ ...transport.stats(), ...manager.stats().dropped })
/** Numbered messages to all, in chunks, so that the page goes on. */
globalThis.sendAll = async (channel, reliable, count, first = 0) => {
  let sent = 0
  for (let n = 0; n < count; n++) {
    const bytes = new Uint8Array(64)
    new DataView(bytes.buffer).setUint32(0, first + n, true)
    if (manager.sendP2PMessage(null, channel, reliable, bytes)) sent++
    if (n % 500 === 499) await new Promise((resolve) => setTimeout(resolve))
  }
  return sent
}
const seen = new Map()
const numbers = new Map()
/** By sender: how many came, whether each was above the one before, and what is missing. */
globalThis.received = (channel) => {
  for (const { from, data } of manager.readP2PMessagesOnChannel(channel)) {
    const key = `${from} ${channel}`
    const found = seen.get(key) ?? { count: 0, inOrder: true, last: -1, highest: -1, again: 0 }
    seen.set(key, found)
    const number = new DataView(data.buffer, data.byteOffset).getUint32(0, true)
    const known = numbers.get(key) ?? new Set()
    numbers.set(key, known)
    if (known.has(number)) found.again++
    known.add(number)
    found.highest = Math.max(found.highest, number)
    found.missing = found.highest + 1 - known.size
    found.count++
    if (number <= found.last) found.inOrder = false
    found.last = number
  }
  return Object.fromEntries(seen)
}
globalThis.dropped = () => manager.stats().dropped
globalThis.leave = () => manager.close()
