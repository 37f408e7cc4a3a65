// Each benchmark runs in a process of its own: what the compiler and the collector learn from one
// cannot help or hurt another.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Benchmark, Run } from '../benchmarks/benchmark.js'

export interface Order {
  task: 'open' | 'run' | 'close'
  count: number
}

export interface Report {
  run?: Run
  error?: string
}

export class ForkedBenchmark implements Benchmark {
  private child!: ChildProcess
  private settle: ((report: Report) => void) | null = null

  constructor(
    private readonly group: string,
    readonly name: string,
    readonly ours: boolean,
  ) {}

  async open(): Promise<void> {
    const program = fileURLToPath(new URL('./forked-child.js', import.meta.url))
    this.child = fork(program, [this.group, this.name], { serialization: 'advanced' })
    this.child.on('message', (report: Report) => this.settle?.(report))
    this.child.on('exit', (code, signal) => this.settle?.({ error: `its process ended (${signal ?? code})` }))
    await this.order({ task: 'open', count: 0 })
  }

  async run(count: number): Promise<Run> {
    return (await this.order({ task: 'run', count })) as Run
  }

  async close(): Promise<void> {
    await this.order({ task: 'close', count: 0 })
    this.child.disconnect()
    this.child.unref()
  }

  /** At once, whatever it does. */
  kill(): void {
    this.child.kill('SIGKILL')
  }

  private order(order: Order): Promise<Run | undefined> {
    return new Promise((resolve, reject) => {
      this.settle = ({ run, error }) => {
        this.settle = null
        if (error === undefined) resolve(run)
        else reject(new Error(error))
      }
      this.child.send(order)
    })
  }
}
