// A peer in a page: connects by the reference signaller, and counts what comes.

import { P2PManager, P2PWebRTC } from '/dist/browser-p2p.mjs'
import { webSocketSignaller } from '/examples/p2p-signaller/client.mjs'

let manager
let transport
const events = []

globalThis.join = (url, id) => {
  transport = new P2PWebRTC({
    id,
    signaller: webSocketSignaller(url, { room: 'test', id }),
    configuration: { iceServers: [] },
    backoff: { least: 50, most: 500 },
  })
  manager = new P2PManager({
    transport,
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
globalThis.sendAll = async (channel, reliable, count) => {
  let sent = 0
  for (let n = 0; n < count; n++) {
    const bytes = new Uint8Array(64)
    new DataView(bytes.buffer).setUint32(0, n)
    if (manager.sendP2PMessage(null, channel, reliable, bytes)) sent++
    if (n % 500 === 499) await new Promise((resolve) => setTimeout(resolve))
  }
  return sent
}
const seen = new Map()
/** By sender: how many came, and whether each had a number above the one before. */
globalThis.received = (channel) => {
  for (const { from, data } of manager.readP2PMessagesOnChannel(channel)) {
    const key = `${from} ${channel}`
    const found = seen.get(key) ?? { count: 0, inOrder: true, last: -1 }
    seen.set(key, found)
    const number = new DataView(data.buffer, data.byteOffset).getUint32(0)
    found.count++
    if (number <= found.last) found.inOrder = false
    found.last = number
  }
  return Object.fromEntries(seen)
}
globalThis.leave = () => manager.close()
