// A reference signaller for P2PWebRTC: rooms of peers over WebSockets, which are told of each other
// and pass texts to each other until they are connected.
//
//   node examples/p2p-signaller/server.mjs [port]
//
// A peer names its room and itself in the address: ws://127.0.0.1:8787/?room=lobby&id=alice. A real
// program asks for a proof of that, such as a ticket of its login, in `mayJoin`: under its id here
// a peer is known to all others.
import { pathToFileURL } from 'node:url'
import { WebSocketServer } from 'ws'

const ID = /^[\w.-]{1,32}$/

/** Everything that a peer can use up has a bound. */
const BOUNDS = {
  /** Peers in a room. */
  roomSize: 32,
  rooms: 1000,
  /** Bytes of one message, and messages of a peer in a second. */
  messageBytes: 40_000,
  messagesPerSecond: 500,
  /** Bytes that wait for a peer that does not read. */
  waitingBytes: 1_000_000,
  /** Milliseconds after which a peer that answers no ping is gone. */
  silence: 10_000,
}

/**
 * Resolves with { port, close() }. Codes with which sockets are closed: 4000 room or id are not
 * usable, 4001 the id is taken, 4002 the room or the server is full, 4003 it may not join, 4004 it
 * has sent what no peer sends, or too much.
 */
export async function serveSignals({ port = 8787, host = '127.0.0.1', mayJoin = () => true, bounds = {} } = {}) {
  const most = { ...BOUNDS, ...bounds }
  const rooms = new Map()
  const server = new WebSocketServer({ port, host, maxPayload: most.messageBytes })

  const tell = (socket, message) => {
    if (socket.bufferedAmount > most.waitingBytes) socket.terminate()
    else socket.send(JSON.stringify(message))
  }

  server.on('connection', (socket, request) => {
    const { searchParams } = new URL(request.url, 'ws://signaller')
    const [name, id] = [searchParams.get('room') ?? '', searchParams.get('id') ?? '']
    const room = rooms.get(name) ?? new Map()
    socket.on('error', () => {}) // 'close' follows
    if (!ID.test(name) || !ID.test(id)) return socket.close(4000, 'room and id: 1 to 32 of A-Z a-z 0-9 _ . -')
    if (!mayJoin(request, name, id)) return socket.close(4003, 'not allowed')
    if (room.has(id)) return socket.close(4001, 'the id is taken')
    if (room.size >= most.roomSize || (!rooms.has(name) && rooms.size >= most.rooms)) return socket.close(4002, 'full')

    rooms.set(name, room)
    tell(socket, { type: 'peers', peers: [...room.keys()] })
    for (const other of room.values()) tell(other, { type: 'joined', peer: id })
    room.set(id, socket)

    let second = 0
    let messages = 0
    socket.isHeard = true
    socket.on('pong', () => {
      socket.isHeard = true
    })
    socket.on('message', (data, isBinary) => {
      const now = Math.floor(performance.now() / 1000)
      messages = now === second ? messages + 1 : 1
      second = now
      const signal = isBinary ? undefined : parsed(data)
      if (signal === undefined || messages > most.messagesPerSecond)
        return socket.close(4004, 'no signals, or too many')
      const other = room.get(signal.to)
      if (other !== undefined) tell(other, { type: 'signal', from: id, text: signal.text })
    })
    socket.on('close', () => {
      room.delete(id)
      if (room.size === 0) rooms.delete(name)
      for (const other of room.values()) tell(other, { type: 'left', peer: id })
    })
  })

  const pings = setInterval(() => {
    for (const socket of server.clients) {
      if (!socket.isHeard) socket.terminate()
      socket.isHeard = false
      socket.ping()
    }
  }, most.silence)
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject))
  return {
    port: server.address().port,
    close() {
      clearInterval(pings)
      for (const socket of server.clients) socket.terminate()
      server.close()
    },
  }
}

function parsed(data) {
  try {
    const { to, text } = JSON.parse(String(data))
    return typeof to === 'string' && typeof text === 'string' ? { to, text } : undefined
  } catch {
    return undefined
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { port } = await serveSignals({ port: Number(process.argv[2] ?? 8787) })
  console.log(`ws://127.0.0.1:${port}/?room=<room>&id=<id>`)
}
