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

/** What a program of bench/baselines is made of. */
export interface Program {
  /** Its file, without `.c`. */
  readonly name: string
  /** The allocator and so on that it is compiled for. */
  readonly define?: string
  /** A file in C++ beside it, compiled for the same. */
  readonly beside?: string
  readonly library?: string
  /** What Debian calls what it needs. */
  readonly debian?: string
}

/** Compiled as the addon is: with the default compiler, at -O3. Returns its path. */
function compile({ name, define, beside, library, debian }: Program): string {
  const folder = `${root}build/programs`
  mkdirSync(folder, { recursive: true })
  const listed = readFileSync(`${root}native/sources.txt`, 'utf8').trim().split('\n')
  const sources = [...listed, ...SYSTEM].map((file) => `${root}native/${file}`)
  const out = `${folder}/${[name, define].filter(Boolean).join('-')}`
  const flags = ['-O3', '-DNDEBUG']
  const defines = define ? [`-D${define}`] : []
  const c = [...flags, '-std=c11', `-I${root}native`, `-I${root}native/include`, ...defines]
  const objects = beside === undefined ? [] : [`${out}.o`]
  const libraries = ['pthread', 'dl', 'rt', ...objects.map(() => 'stdc++'), library].flatMap((one) =>
    one ? [`-l${one}`] : [],
  )
  const run = (tool: string, args: string[]) => execFileSync(tool, args, { stdio: 'pipe' })
  try {
    if (beside !== undefined)
      run('c++', [...flags, ...defines, '-c', `${root}bench/baselines/${beside}`, '-o', objects[0]!])
    run('cc', [...c, `${root}bench/baselines/${name}.c`, ...sources, ...objects, '-o', out, ...libraries])
  } catch (error) {
    if (debian !== undefined && /No such file|cannot find -l/.test(String(error))) throw new Error(`needs ${debian}`)
    throw error
  }
  return out
}

export class NativeProgram implements Benchmark {
  private child!: ChildProcess
  private answers!: AsyncIterator<string>
  private lines!: Interface

  constructor(
    readonly name: string,
    readonly ours: boolean,
    private readonly program: Program,
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
    if (done === true) throw new Error(`${this.program.name} has ended without an answer`)
    return { seconds: Number(value) }
  }

  async close(): Promise<void> {
    this.child.stdin!.end()
    await once(this.child, 'exit')
  }
}
