// Two processes: this one has one role, and a forked process-pair-child.ts the other.
import { type ChildProcess, fork, type Serializable } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createServer, connect as dial, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SharedMemoryChannel } from 'sabway'
import { makeMessages, Watchdog, wordAt } from '../harness/messages.js'
import { type Port, portTransports } from '../transports/ports.js'
import {
  type Crowd,
  type CrowdSize,
  closeCrowd,
  crowdRoles,
  crowds,
  makeCrowd,
  openCrowd,
  sabwayTransports,
} from '../transports/sabway.js'
import { socketRoles } from '../transports/sockets.js'
import { capacityFor, type Job, type Load, type Role, type WorkerResult } from '../transports/transport.js'
import { type Benchmark, OTHER, type Run, resultOf } from './benchmark.js'

/** One way to get messages from process to process. */
interface ProcessTransport<End> {
  /** This end, and what the other process opens. */
  make(load: Load, child: ChildProcess): Promise<{ end: End; remote: string }>
  open(remote: string): Promise<End>
  close(end: End): void
  roles: Partial<Record<Role, (end: End, load: Load) => Job>>
}

export interface ChildTask {
  transport: string
  role: Role
  load: Load
  remote: string
}

const overMemory = (roles: object): ProcessTransport<SharedMemoryChannel> => ({
  async make({ size }) {
    const bytes = 'ping' in roles ? 65_536 : capacityFor(size)
    const channel = new SharedMemoryChannel(bytes, bytes, { share: 'processes' })
    return { end: channel, remote: channel.token }
  },
  open: async (token) => SharedMemoryChannel.attach(token, { side: 'native' }),
  close: (channel) => channel.cleanup(),
  roles,
})

const overCrowd = (size: CrowdSize): ProcessTransport<Crowd> => ({
  async make() {
    const end = makeCrowd(size, { share: 'processes' })
    return { end, remote: JSON.stringify([end.channel, ...end.idle].map(({ token }) => token)) }
  },
  open: async (tokens) => openCrowd(JSON.parse(tokens)),
  close: closeCrowd,
  roles: crowdRoles,
})

/**
 * What travels over the processes' own channel and is not the benchmark's: messages, and counts of
 * them.
 */
const isData = (message: unknown) => typeof message === 'number' || message instanceof Uint8Array

function portOf(other: Pick<ChildProcess, 'send' | 'on'>): Port {
  return {
    postMessage: (message: unknown) => other.send!(message as Serializable),
    on: (_: 'message', take: (message: never) => void) =>
      other.on('message', (message) => {
        if (isData(message)) take(message as never)
      }),
  } as unknown as Port
}

const overFork = (roles: object): ProcessTransport<Port> => ({
  make: async (_, child) => ({ end: portOf(child), remote: '' }),
  open: async () => portOf(process as never),
  close: () => {},
  roles,
})

let sockets = 0

const overSocket = (roles: object): ProcessTransport<Socket> => ({
  make() {
    const path = join(tmpdir(), `sabway-bench-${process.pid}-${sockets++}`)
    const server = createServer()
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
    return new Promise((resolve) => {
      server.listen(path, () => {
        // The other process connects once it has the path: this end is there a moment later.
        const end = accepted.then((socket) => {
          server.close()
          rmSync(path, { force: true })
          return socket
        })
        resolve({ end: end as never, remote: path })
      })
    })
  },
  open: (path) =>
    new Promise((resolve, reject) => {
      const socket: Socket = dial(path, () => resolve(socket))
      socket.on('error', reject)
    }),
  close: (socket) => socket.destroy(),
  roles,
})

const SABWAY = [
  'sabway trySend, drain',
  'sabway send, startReceiving (own copies)',
  'sabway spinning',
  'sabway event loops',
]

export const processTransports: Record<string, ProcessTransport<never>> = {
  ...Object.fromEntries(SABWAY.map((name) => [name, overMemory(sabwayTransports[name]!.roles)])),
  ...Object.fromEntries(Object.entries(crowds).map(([name, size]) => [name, overCrowd(size)])),
  "fork, 'advanced'": overFork(portTransports['postMessage copy'].roles),
  "fork, 'advanced', event loops": overFork(portTransports['postMessage event loops'].roles),
  'unix socket': overSocket(socketRoles.plain),
  'unix socket, own batches': overSocket(socketRoles.batched),
  'unix socket, event loops': overSocket(socketRoles.roundTrips),
} as never

/** A forked process that executes what it is sent, and reports each result. */
class Child {
  readonly process = fork(fileURLToPath(new URL('./process-pair-child.js', import.meta.url)), {
    serialization: 'advanced',
  })
  private readonly said: WorkerResult[] = []
  private settle: { resolve(result: WorkerResult): void; reject(error: Error): void } | null = null

  constructor() {
    this.process.on('exit', () => this.settle?.reject(new Error('the other process has ended')))
    this.process.on('message', (message) => {
      if (isData(message)) return
      this.said.push(message as WorkerResult)
      this.settle?.resolve(this.said.shift()!)
    })
  }

  next(): Promise<WorkerResult> {
    if (this.said.length !== 0) return Promise.resolve(this.said.shift()!)
    return new Promise((resolve, reject) => {
      this.settle = {
        resolve: (result) => {
          this.settle = null
          resolve(result)
        },
        reject,
      }
    })
  }
}

export class ProcessPair implements Benchmark {
  private child!: Child
  private end: unknown
  private job!: Job
  private messages!: Uint8Array[]

  constructor(
    private readonly transportName: string,
    private readonly role: Role,
    private readonly load: Load,
    readonly name = transportName,
    readonly ours = transportName.startsWith('sabway'),
  ) {}

  async open(): Promise<void> {
    const transport = processTransports[this.transportName]!
    this.messages = makeMessages(this.load.size, this.load.lead)
    this.child = new Child()
    const { end, remote } = await transport.make(this.load, this.child.process)
    const task: ChildTask = { transport: this.transportName, role: OTHER[this.role], load: this.load, remote }
    const opened = this.child.next()
    this.child.process.send({ task })
    await opened
    this.end = await end
    this.job = transport.roles[this.role]!(this.end as never, this.load)
  }

  async run(count: number): Promise<Run> {
    const began = this.child.next()
    this.child.process.send({ count })
    await began
    const finished = this.child.next()
    const begin = process.hrtime.bigint()
    const outcome = await this.job(count)
    const end = process.hrtime.bigint()
    return resultOf(this.role, { begin, end, outcome }, await finished, this.messages, count)
  }

  async close(): Promise<void> {
    processTransports[this.transportName]!.close(this.end as never)
    this.child.process.kill()
  }
}

// ---- frames: 1080p RGBA ----

export const FRAME = 1920 * 1080 * 4
const FRAME_RING = 1 << 26

/** A native thread of the other process writes frames, this process sees them in place. */
export class NativeFrames implements Benchmark {
  readonly name = 'sabway, native thread, in place'
  readonly ours = true
  private child!: Child
  private channel!: SharedMemoryChannel

  async open(): Promise<void> {
    this.child = new Child()
    this.child.process.send({ frames: { bytes: FRAME, ring: FRAME_RING } })
    const { outcome } = await this.child.next()
    this.channel = SharedMemoryChannel.attach(outcome as unknown as string, { side: 'renderer' })
  }

  async run(count: number): Promise<Run> {
    const began = this.child.next()
    let next = 0
    let wrong = 0
    const take = (bytes: Uint8Array, start: number, end: number) => {
      if (end - start !== FRAME || wordAt(bytes, start) !== next++) wrong++
    }
    const begin = process.hrtime.bigint()
    this.child.process.send({ count })
    const watchdog = new Watchdog()
    while (next < count) if (this.channel.drain(take) === 0) watchdog.check()
    const seconds = Number(process.hrtime.bigint() - begin) / 1e9
    await began
    if (wrong !== 0) throw new Error(`${wrong} frames were wrong`)
    return { seconds }
  }

  async close(): Promise<void> {
    this.channel.cleanup()
    this.child.process.kill()
  }
}

/** The other process sends the same frames over its IPC channel. */
export class ForkFrames extends ProcessPair {
  constructor() {
    super("fork, 'advanced'", 'receive', { size: FRAME, lead: 0 })
  }
}
