// Messages into a stream of NATS, each acknowledged, at most so many under way: by a bridge from a
// channel, and by the client alone. The stream is in the server's memory.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JetStreamClient, jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { SharedChannel } from 'sabway'
import { type Bridge, bridge } from 'sabway/p2p'
import type { Benchmark, Run } from './benchmark.js'

const WINDOW = 256
const BYTES = 64
const SUBJECT = 'bench.messages'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

export class Nats implements Benchmark {
  private readonly folder = mkdtempSync(join(tmpdir(), 'sabway-nats-'))
  private server!: ChildProcess
  private connection!: NatsConnection
  private client!: JetStreamClient
  private readonly channel = new SharedChannel<Uint8Array>({ capacity: WINDOW })
  private bridge: Bridge | undefined
  private published = 0
  private readonly data = new Uint8Array(BYTES)

  constructor(
    readonly name: string,
    readonly ours: boolean,
    /** The client names each message, as the bridge does, so that the stream has none twice. */
    private readonly named = true,
  ) {}

  async open(): Promise<void> {
    const port = await freePort()
    this.server = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', this.folder], {
      stdio: 'ignore',
    })
    await Promise.race([
      once(this.server, 'spawn'),
      once(this.server, 'error').then(() => {
        throw new Error('not measured: install nats-server')
      }),
    ])
    this.connection = await connect({ servers: `127.0.0.1:${port}`, waitOnFirstConnect: true, reconnectTimeWait: 50 })
    const manager = await jetstreamManager(this.connection)
    await manager.streams.add({
      name: 'BENCH',
      subjects: [SUBJECT],
      storage: StorageType.Memory,
      max_msgs: 10_000,
      duplicate_window: 2e9,
    })
    this.client = jetstream(this.connection)
    if (this.ours) this.bridge = bridge(this.channel, SUBJECT, { publisher: this.client, window: WINDOW })
  }

  async run(count: number): Promise<Run> {
    const begin = performance.now()
    await (this.bridge === undefined ? this.bare(count) : this.bridged(this.bridge, count))
    return { seconds: (performance.now() - begin) / 1000 }
  }

  private async bridged(through: Bridge, count: number): Promise<void> {
    const end = through.stats().published + count
    for (let n = 0; n < count; n++) if (!this.channel.trySend(this.data)) await this.channel.send(this.data)
    // A turn of the event loop for each look would take the processor from the server.
    while (through.stats().published < end) await new Promise((resolve) => setTimeout(resolve, 1))
  }

  private async bare(count: number): Promise<void> {
    const first = this.published
    let waiting = 0
    let failure: unknown
    let tell = () => {}
    const change = () =>
      new Promise<void>((resolve) => {
        tell = resolve
      })
    for (let n = 0; n < count; n++) {
      waiting++
      this.client.publish(SUBJECT, this.data, this.named ? { msgID: `bench-${first + n}` } : {}).then(
        () => {
          waiting--
          tell()
        },
        (error) => {
          failure = error
          tell()
        },
      )
      while (waiting >= WINDOW && failure === undefined) await change()
    }
    while (waiting > 0 && failure === undefined) await change()
    if (failure !== undefined) throw failure
    this.published += count
  }

  async close(): Promise<void> {
    await this.bridge?.close()
    await this.connection.close()
    this.server.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
