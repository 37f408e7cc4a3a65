// Real servers of NATS on this machine, which tests kill and start again.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream, jetstreamManager, type StreamConfig } from '@nats-io/jetstream'
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node'

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Milliseconds for a test with servers: they elect leaders at their own pace. */
export const PATIENCE = 120_000

export async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 9000; i++) {
    if (await is()) return
    await pause(10)
  }
  assert.fail(`not within 90 s: ${what}`)
}

export class NatsServer {
  readonly port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'sabway-nats-'))
  readonly #args: readonly string[]
  #process: ChildProcess | undefined

  /** `config` is the text of its configuration file, beside the port and JetStream. */
  constructor(port: number, config = '') {
    this.port = port
    const file = join(this.#folder, 'nats.conf')
    const store = JSON.stringify(join(this.#folder, 'store'))
    // What is acknowledged is on the disk: a second is what a server that is killed may lose.
    writeFileSync(
      file,
      `listen: 127.0.0.1:${port}\njetstream { store_dir: ${store}, max_mem: 64MB, max_file: 256MB }\n${config}`,
    )
    this.#args = ['-c', file]
  }

  start(): void {
    this.#process = spawn('nats-server', this.#args, { stdio: 'ignore' })
  }

  async kill(): Promise<void> {
    const running = this.#process
    if (running === undefined) return
    this.#process = undefined
    running.kill('SIGKILL')
    if (running.exitCode === null && running.signalCode === null) await once(running, 'exit')
  }

  async end(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Servers, and connections to them, which end with the test. */
export class Servers {
  readonly all: NatsServer[] = []
  readonly #connections: NatsConnection[] = []

  /** One server. */
  async start(config?: string): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), config)
    this.all.push(server)
    server.start()
    return server
  }

  /** So many that know each other. */
  async cluster(count: number): Promise<void> {
    const ports: number[] = []
    for (let i = 0; i < 2 * count; i++) ports.push(await freePort())
    const routes = ports.slice(count).map((port) => `nats://127.0.0.1:${port}`)
    for (let i = 0; i < count; i++) {
      const config = `server_name: s${i}\ncluster { name: c, listen: 127.0.0.1:${ports[count + i]}, routes: ${JSON.stringify(routes)} }`
      const server = new NatsServer(ports[i]!, config)
      this.all.push(server)
      server.start()
    }
  }

  /** To one of the ports given, or of all servers. */
  async connect(options: ConnectionOptions = {}): Promise<NatsConnection> {
    const connection = await connect({
      servers: this.all.map(({ port }) => `127.0.0.1:${port}`),
      waitOnFirstConnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      ...options,
    })
    this.#connections.push(connection)
    return connection
  }

  async end(): Promise<void> {
    for (const connection of this.#connections.splice(0)) await connection.close()
    for (const server of this.all.splice(0)) await server.end()
  }
}

/** Make a stream, as soon as JetStream is ready. */
export async function addStream(
  connection: NatsConnection,
  config: Partial<StreamConfig> & { name: string },
): Promise<ReturnType<typeof jetstream>> {
  await until(`the stream ${config.name}`, async () => {
    try {
      const manager = await jetstreamManager(connection, { timeout: 2000 })
      await manager.streams.add(config)
      return true
    } catch {
      return false
    }
  })
  return jetstream(connection, { timeout: 1000 })
}

/** The 4 bytes of a number, as bytes. */
export const numbered = (n: number): Uint8Array => new Uint8Array(Int32Array.of(n).buffer)
export const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true)
