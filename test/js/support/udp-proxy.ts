// A network between peers of WebRTC that loses, delays, doubles and reorders their packets, or is
// cut. Each socket of a peer has a stand-in, which its candidates name to the other peer.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** Where a candidate is reached. Only those of this machine go through the proxy. */
const CANDIDATE = /(candidate:\S+ \d+ udp \d+ )(\S+) (\d+)( typ host)/i

export class UdpProxy {
  /** The part of all packets that is lost, and that comes twice. */
  loss = 0
  doubles = 0
  /** Milliseconds that a packet takes at least, and as many more at most. */
  delay = 0
  /** Nothing arrives. */
  isCut = false
  passed = 0
  lost = 0
  readonly #random: () => number
  readonly #standIns = new Map<number, Promise<Socket>>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #hasEnded = false

  constructor(random: () => number) {
    this.#random = random
  }

  /** A signal with stand-ins in the place of the sockets that it names; undefined: it has none. */
  async through(text: string): Promise<string | undefined> {
    const signal = JSON.parse(text) as { sdp?: string; candidate?: { candidate: string } }
    if (signal.candidate !== undefined) {
      const candidate = await this.#candidate(signal.candidate.candidate)
      if (candidate === undefined) return undefined
      signal.candidate.candidate = candidate
    }
    if (signal.sdp !== undefined) {
      const lines = signal.sdp.split('\r\n')
      const passed = lines.map((line) => (line.startsWith('a=candidate') ? this.#candidate(line) : line))
      signal.sdp = (await Promise.all(passed)).filter((line) => line !== undefined).join('\r\n')
    }
    return JSON.stringify(signal)
  }

  async end(): Promise<void> {
    this.#hasEnded = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const socket of this.#standIns.values()) (await socket).close()
    this.#standIns.clear()
  }

  async #candidate(text: string): Promise<string | undefined> {
    const [all, head, address, port, tail] = CANDIDATE.exec(text) ?? []
    if (all === undefined || address !== '127.0.0.1') return undefined
    const standIn = await this.#standIn(Number(port))
    return text.replace(CANDIDATE, `${head}${address} ${standIn.address().port}${tail}`)
  }

  #standIn(port: number): Promise<Socket> {
    let found = this.#standIns.get(port)
    if (found === undefined) {
      found = this.#open(port)
      this.#standIns.set(port, found)
    }
    return found
  }

  /** What comes to the stand-in goes to the socket that it stands for, by the sender's stand-in. */
  async #open(port: number): Promise<Socket> {
    const socket = createSocket('udp4')
    socket.on('error', () => {}) // of a port that is closed meanwhile
    socket.on('message', (bytes, { port: from }) => void this.#pass(bytes, from, port))
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return socket
  }

  async #pass(bytes: Uint8Array, from: number, to: number): Promise<void> {
    const sender = await this.#standIn(from)
    if (this.isCut || this.#random() < this.loss) {
      this.lost++
      return
    }
    const times = this.#random() < this.doubles ? 2 : 1
    for (let i = 0; i < times; i++) {
      const timer = setTimeout(
        () => {
          this.#timers.delete(timer)
          if (this.#hasEnded || this.isCut) return
          this.passed++
          sender.send(bytes, to, '127.0.0.1')
        },
        this.delay * (1 + this.#random()),
      )
      this.#timers.add(timer)
    }
  }
}
