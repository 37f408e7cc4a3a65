// The bridge to NATS, with a real server that is killed and started again.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { natsBridge } from 'sabway/p2p'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function until(what: string, is: () => boolean): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (is()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail(`not within 30 s: ${what}`)
}

const numbered = (n: number): Uint8Array => new Uint8Array(Int32Array.of(n).buffer)
const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true)

describe('a bridge to NATS', () => {
  let folder: string
  let port: number
  let server: ChildProcess
  let connection: NatsConnection

  const startServer = () => {
    const args = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder]
    server = spawn('nats-server', args, { stdio: 'ignore' })
  }
  const killServer = async () => {
    server.kill('SIGKILL')
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sabway-nats-'))
    port = await freePort()
    startServer()
    connection = await connect({
      servers: `127.0.0.1:${port}`,
      waitOnFirstConnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
    })
    const manager = await jetstreamManager(connection)
    await manager.streams.add({ name: 'GAME', subjects: ['game.>'] })
    await manager.consumers.add('GAME', { durable_name: 'sabway', ack_policy: AckPolicy.Explicit, ack_wait: 2e9 })
  })
  afterEach(async () => {
    await connection.close()
    await killServer()
    rmSync(folder, { recursive: true, force: true })
  })

  async function* numbers(count: number, paused: () => Promise<void> = async () => {}) {
    for (let n = 0; n < count; n++) {
      await paused()
      yield numbered(n)
    }
  }

  it('loses nothing that was acknowledged, nor anything that goes out, when the server is killed', async () => {
    const js = jetstream(connection, { timeout: 1000 })
    const came = new Set<number>()
    let isKilled = false
    const sending = natsBridge({
      name: 'of-the-test',
      window: 16,
      out: {
        messages: numbers(2000, async () => {
          if (!isKilled) return
          await new Promise((resolve) => setTimeout(resolve, 1))
        }),
        publisher: js,
        subject: 'game.test',
      },
    })
    const taking = natsBridge({
      name: 'other',
      into: { send: (bytes) => came.add(numberOf(bytes)), consumer: await js.consumers.get('GAME', 'sabway') },
    })
    await until('some are published', () => sending.stats().published >= 300)
    isKilled = true
    await killServer()
    await new Promise((resolve) => setTimeout(resolve, 300))
    startServer()
    await sending.finished
    await until('all are there', () => came.size === 2000)
    assert.equal(sending.stats().published, 2000)
    assert.equal(sending.stats().waiting, 0)
    assert.ok(sending.stats().retries > 0)
    await taking.close()
    await sending.close()
  })

  it('takes no more from a channel than its window, while nothing is acknowledged', async () => {
    let taken = 0
    const never = { publish: () => new Promise(() => {}) }
    const messages = numbers(100, async () => {
      taken++
    })
    const bridge = natsBridge({ name: 'x', window: 7, out: { messages, publisher: never, subject: 'game.x' } })
    await until('the window is full', () => bridge.stats().waiting === 7)
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(taken, 7)
    assert.equal(bridge.stats().published, 0)
  })

  it('acknowledges what the channel has taken alone: the rest comes again', async () => {
    const js = jetstream(connection)
    for (let n = 0; n < 10; n++) await js.publish('game.test', numbered(n))
    const came: number[] = []
    let refusals = 3
    const consumer = await js.consumers.get('GAME', 'sabway')
    const errors: string[] = []
    const bridge = natsBridge({
      name: 'y',
      backoff: { least: 1, most: 2 },
      onRetry: ({ code }) => errors.push(code),
      into: {
        consumer,
        send: async (bytes) => {
          if (refusals-- > 0) throw new Error('full')
          came.push(numberOf(bytes))
        },
      },
    })
    await until('all have come', () => came.length >= 10)
    assert.deepEqual(
      [...new Set(came)].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    )
    assert.deepEqual(errors, Array(3).fill('ERR_SABWAY_TRANSPORT'))
    await until('acknowledged', () => bridge.stats().delivered === 10)
    await bridge.close()
  })
})
