// Two threads, one kind: this thread has one role and a worker the other.
import { Worker } from 'node:worker_threads'
import { type Check, makeMessages, verify } from '../harness/messages.js'
import type { Job, Kind, Link, Load, Role, WorkerResult, WorkerTask } from './kind.js'
import { kinds } from './kinds.js'

export interface Run {
  seconds: number
  /** Of round trips: milliseconds of each. */
  times?: Float64Array
  /** How often the threads lost their processors to other programs. */
  switches?: number
}

/** Something that is measured. */
export interface Contender {
  readonly name: string
  readonly ours: boolean
  open(): Promise<void>
  /** Move `count` messages, or make as many round trips. */
  run(count: number): Promise<Run>
  close(): Promise<void>
}

/** A worker that has not ended by then has failed. */
const CLOSE_MS = 2000

export const OTHER: Record<Role, Role> = { send: 'receive', receive: 'send', ping: 'pong', pong: 'ping' }

/** What a run came to, from what both ends say of it: one clock for all threads and processes. */
export function settled(
  role: Role,
  here: WorkerResult,
  there: WorkerResult,
  messages: Uint8Array[],
  count: number,
): Run {
  if (there.error !== undefined) throw new Error(there.error)
  const whole = Number(here.end - here.begin) / 1e9
  if (here.outcome instanceof Float64Array) return { seconds: whole, times: here.outcome }
  verify((here.outcome ?? there.outcome) as Check, messages, count)
  const [from, to] = role === 'send' ? [here.begin, there.end] : [there.begin, here.end]
  return { seconds: Number(to - from) / 1e9 }
}

export class Pair implements Contender {
  private worker!: Worker
  private link!: Link<unknown>
  private job!: Job
  private readonly control = new Int32Array(new SharedArrayBuffer(4))
  private messages!: Uint8Array[]
  private runs = 0
  private settle: { resolve(result: WorkerResult): void; reject(error: Error): void } | null = null

  constructor(
    private readonly kindName: string,
    private readonly role: Role,
    private readonly load: Load,
    readonly name = kindName,
    readonly ours = kindName.startsWith('sabway'),
  ) {}

  async open(): Promise<void> {
    const kind = kinds[this.kindName] as Kind<unknown>
    this.messages = makeMessages(this.load.size, this.load.lead)
    this.link = kind.make(this.load)
    const { remote, transfer } = this.link
    const workerData: WorkerTask = {
      kind: this.kindName,
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
    this.job = kind.roles[this.role]!(this.link.end, this.load)
  }

  async run(count: number): Promise<Run> {
    const run = ++this.runs
    const finished = this.fromWorker()
    this.worker.postMessage({ run, count })
    while (Atomics.load(this.control, 0) !== run);
    const begin = process.hrtime.bigint()
    const outcome = await this.job(count)
    const end = process.hrtime.bigint()
    return settled(this.role, { begin, end, outcome }, await finished, this.messages, count)
  }

  async close(): Promise<void> {
    const exited = new Promise((resolve) => this.worker.once('exit', resolve))
    const timer = setTimeout(() => this.worker.terminate(), CLOSE_MS)
    this.settle = null
    this.worker.postMessage({ run: 0, count: 0 })
    await exited
    clearTimeout(timer)
    kinds[this.kindName]!.close(this.link.end as never)
  }

  private fromWorker(): Promise<WorkerResult> {
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject }
    })
  }
}
