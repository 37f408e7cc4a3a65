// The other end of server.mjs, as P2PWebRTC takes it: in pages, and in Node from 22 on or with the
// WebSocket of `ws`.
//
//   const signaller = webSocketSignaller('ws://127.0.0.1:8787', { room: 'lobby', id: 'alice' })
//   const transport = new P2PWebRTC({ id: 'alice', signaller })

/**
 * When it is cut off it comes back by itself; connections between peers stay meanwhile.
 * @param {string} url
 * @param {{ room: string, id: string, WebSocket?: typeof globalThis.WebSocket }} options
 * @returns {import('../../dist/browser-p2p.mjs').P2PSignaller}
 */
export function webSocketSignaller(url, { room, id, WebSocket = globalThis.WebSocket }) {
  const address = `${url}/?room=${encodeURIComponent(room)}&id=${encodeURIComponent(id)}`
  /** @type {Set<string>} */
  const there = new Set()
  /** @type {WebSocket} */
  let socket
  let attempts = 0
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  let closed = false

  const connect = (/** @type {import('../../dist/browser-p2p.mjs').P2PSignalEvents} */ events) => {
    socket = new WebSocket(address)
    socket.onmessage = ({ data }) => {
      attempts = 0
      const { type, peer, peers, from, text } = JSON.parse(data)
      if (type === 'signal') events.message(from, text)
      for (const joined of type === 'joined' ? [peer] : (peers ?? [])) {
        there.add(joined)
        events.joined(joined)
      }
      if (type === 'left' && there.delete(peer)) events.left(peer)
    }
    socket.onerror = () => {} // onclose follows
    socket.onclose = ({ code, reason }) => {
      if (closed) return
      for (const peer of there) events.left(peer)
      there.clear()
      // 4001: the server may not have noticed yet that this peer's last socket is gone.
      if (code >= 4000 && code !== 4001) return events.failed(new Error(`the signaller refuses: ${reason}`))
      timer = setTimeout(() => connect(events), Math.min(10_000, 200 * 2 ** attempts++) * (0.5 + Math.random() / 2))
    }
  }

  return {
    start: connect,
    send: (to, text) => {
      if (socket.readyState === 1) socket.send(JSON.stringify({ to, text }))
    },
    close: () => {
      closed = true
      clearTimeout(timer)
      socket?.close()
    },
  }
}
