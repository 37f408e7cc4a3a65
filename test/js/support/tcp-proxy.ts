// A network between a client and a server of TCP that is slow, holds everything back, or is cut.
import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'

interface Way {
  readonly to: Socket
  /** Chunks, and when they are due. */
  readonly chunks: { at: number; bytes: Buffer }[]
}

export class TcpProxy {
  /** Milliseconds that each way takes. */
  delay = 0
  port = 0
  /** Connections that were made through it. */
  connections = 0
  readonly #target: number
  readonly #sockets = new Set<Socket>()
  readonly #ways = new Set<Way>()
  readonly #timer = setInterval(() => this.#pass(), 2)
  #server: Server | undefined
  #isHeld = false
  #isCut = false

  private constructor(target: number) {
    this.#target = target
  }

  static async to(port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(port)
    const server = createServer((socket) => proxy.#take(socket)).listen(0, '127.0.0.1')
    proxy.#server = server
    await once(server, 'listening')
    proxy.port = (server.address() as { port: number }).port
    return proxy
  }

  /** All packets are dropped: connections stay, and nothing arrives until `release`. */
  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
  }

  /** End all connections; those that are tried meanwhile end at once, until `heal`. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  heal(): void {
    this.#isCut = false
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    this.cut()
    await new Promise((resolve) => this.#server?.close(resolve))
  }

  #take(socket: Socket): void {
    if (this.#isCut) {
      socket.destroy()
      return
    }
    this.connections++
    const other = dial(this.#target, '127.0.0.1')
    for (const [from, to] of [
      [socket, other],
      [other, socket],
    ] as const) {
      const way: Way = { to, chunks: [] }
      this.#sockets.add(from)
      this.#ways.add(way)
      from.setNoDelay(true)
      from.on('data', (bytes) => {
        way.chunks.push({ at: performance.now() + this.delay, bytes })
        this.#pass()
      })
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        this.#ways.delete(way)
        to.destroy()
      })
    }
  }

  #pass(): void {
    if (this.#isHeld) return
    const now = performance.now()
    for (const { to, chunks } of this.#ways) {
      while (chunks.length > 0 && chunks[0]!.at <= now) to.write(chunks.shift()!.bytes)
    }
  }
}
