// Pools of workers that do tasks which need no time: what it costs to give them out and to get
// their answers back. As many are under way as a program would await at once.
import { createRequire } from 'node:module'
import { SharedPool } from 'sabway'
import type { Benchmark, Run } from './benchmark.js'

const WORKERS = 2
const UNDER_WAY = 256

interface Pool {
  run(value: unknown): Promise<unknown>
  end(): Promise<void>
}

/** What is measured of piscina. */
interface Piscina {
  new (options: {
    filename: string
    minThreads: number
    maxThreads: number
    concurrentTasksPerWorker: number
  }): {
    run(value: unknown): Promise<unknown>
    destroy(): Promise<void>
  }
}

const program = (name: string) => new URL(`./${name}.js`, import.meta.url)

export function sabwayPool(): Pool {
  const pool = new SharedPool({ file: program('task-pool-worker'), workers: WORKERS })
  return { run: (value) => pool.run(value), end: () => pool.close() }
}

const name = 'piscina'

/** `tasks`: how many a worker is given at a time; 1 is what it does if it is not told. */
export function piscinaPool(tasks: number): Pool {
  const require = createRequire(import.meta.url)
  try {
    require.resolve(name)
  } catch {
    throw new Error(`not measured: install ${name}`)
  }
  const { Piscina } = require(name) as { Piscina: Piscina }
  const pool = new Piscina({
    filename: program('piscina-worker').href,
    minThreads: WORKERS,
    maxThreads: WORKERS,
    concurrentTasksPerWorker: tasks,
  })
  return { run: (value) => pool.run(value), end: () => pool.destroy() }
}

export class TaskPool implements Benchmark {
  private pool!: Pool
  private readonly value: Uint8Array | null

  constructor(
    readonly name: string,
    readonly ours: boolean,
    private readonly make: () => Pool,
    private readonly size: number,
  ) {
    this.value = size === 0 ? null : new Uint8Array(size).fill(1)
  }

  async open(): Promise<void> {
    this.pool = this.make()
    await this.pool.run(this.value)
  }

  async run(count: number): Promise<Run> {
    const { pool, value, size } = this
    let left = count
    const begin = process.hrtime.bigint()
    const lane = async () => {
      while (left-- > 0) if ((await pool.run(value)) !== size) throw new Error('the answer is another')
    }
    await Promise.all(Array.from({ length: Math.min(UNDER_WAY, count) }, lane))
    return { seconds: Number(process.hrtime.bigint() - begin) / 1e9 }
  }

  async close(): Promise<void> {
    await this.pool.end()
  }
}

/** What the workers do. */
export const task = (value: Uint8Array | null): number => value?.length ?? 0
