// Two threads and one transport: this thread has one role and a worker the other.
import { Worker } from 'node:worker_threads'
import { makeMessages } from '../harness/messages.js'
import { transports } from '../transports/all.js'
import type { Job, Link, Load, Role, Transport, WorkerResult, WorkerTask } from '../transports/transport.js'
import { type Benchmark, OTHER, type Run, resultOf } from './benchmark.js'

/** A worker that has not ended by then has failed. */
const CLOSE_MS = 2000

export class ThreadPair implements Benchmark {
  private worker!: Worker
  private link!: Link<unknown>
  private job!: Job
  private readonly control = new Int32Array(new SharedArrayBuffer(4))
  private messages!: Uint8Array[]
  private runs = 0
  private settle: { resolve(result: WorkerResult): void; reject(error: Error): void } | null = null

  constructor(
    private readonly transportName: string,
    private readonly role: Role,
    private readonly load: Load,
    readonly name = transportName,
    readonly ours = transportName.startsWith('sabway'),
  ) {}

  async open(): Promise<void> {
    const transport = transports[this.transportName] as Transport<unknown>
    this.messages = makeMessages(this.load.size, this.load.lead)
    this.link = transport.make(this.load)
    const { remote, transfer } = this.link
    const workerData: WorkerTask = {
      transport: this.transportName,
      role: OTHER[this.role],
      load: this.load,
      remote,
      control: this.control,
    }
    this.worker = new Worker(new URL('../harness/worker.js', import.meta.url), {
      workerData,
      transferList: transfer as never,
    })
    this.worker.on('error', (error) => this.settle?.reject(error))
    this.worker.on('exit', () => this.settle?.reject(new Error('the worker has ended')))
    this.worker.on('message', (result: WorkerResult) => this.settle?.resolve(result))
    await this.fromWorker()
    this.job = transport.roles[this.role]!(this.link.end, this.load)
  }

  async run(count: number): Promise<Run> {
    const run = ++this.runs
    const finished = this.fromWorker()
    this.worker.postMessage({ run, count })
    while (Atomics.load(this.control, 0) !== run);
    const begin = process.hrtime.bigint()
    const outcome = await this.job(count)
    const end = process.hrtime.bigint()
    return resultOf(this.role, { begin, end, outcome }, await finished, this.messages, count)
  }

  async close(): Promise<void> {
    const exited = new Promise((resolve) => this.worker.once('exit', resolve))
    const timer = setTimeout(() => this.worker.terminate(), CLOSE_MS)
    this.settle = null
    this.worker.postMessage({ run: 0, count: 0 })
    await exited
    clearTimeout(timer)
    transports[this.transportName]!.close(this.link.end as never)
  }

  private fromWorker(): Promise<WorkerResult> {
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject }
    })
  }
}
