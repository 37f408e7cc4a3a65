// Work of native code alone: a program of bench/baselines that is compiled here, and told on its
// standard input what to do and how often; it answers with the seconds.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Benchmark, Run } from './benchmark.js'

/** The repository, from build/bench/benchmarks. */
const root = fileURLToPath(new URL('../../../', import.meta.url))
const SYSTEM = ['prim/linux/linux.c', 'prim/linux/memory.c', 'prim/posix.c']

/** Compiled as the addon is: with the default compiler, at -O2. */
function compile(program: string): string {
  const folder = `${root}build/programs`
  mkdirSync(folder, { recursive: true })
  const listed = readFileSync(`${root}native/sources.txt`, 'utf8').trim().split('\n')
  const sources = [...listed, ...SYSTEM].map((file) => `${root}native/${file}`)
  const out = `${folder}/${program}`
  const flags = ['-std=c11', '-O2', '-DNDEBUG', `-I${root}native`, `-I${root}native/include`]
  const libraries = ['-lpthread', '-ldl', '-lrt']
  execFileSync('cc', [...flags, `${root}bench/baselines/${program}.c`, ...sources, '-o', out, ...libraries])
  return out
}

export class NativeProgram implements Benchmark {
  private child!: ChildProcess
  private answers!: AsyncIterator<string>
  private lines!: Interface

  constructor(
    readonly name: string,
    readonly ours: boolean,
    private readonly program: string,
    private readonly what: string,
  ) {}

  async open(): Promise<void> {
    this.child = spawn(compile(this.program), { stdio: ['pipe', 'pipe', 'inherit'] })
    this.lines = createInterface({ input: this.child.stdout! })
    this.answers = this.lines[Symbol.asyncIterator]()
  }

  async run(count: number): Promise<Run> {
    this.child.stdin!.write(`${this.what} ${count}\n`)
    const { value, done } = await this.answers.next()
    if (done === true) throw new Error(`${this.program} has ended without an answer`)
    return { seconds: Number(value) }
  }

  async close(): Promise<void> {
    this.child.stdin!.end()
    await once(this.child, 'exit')
  }
}
