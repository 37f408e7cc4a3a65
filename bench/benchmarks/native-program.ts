// Work of native code alone: a program of bench/baselines that is compiled here, and told on its
// standard input what to do and how often; it answers with the seconds.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Benchmark, Run } from './benchmark.js'

/** The repository, from build/bench/benchmarks. */
const root = fileURLToPath(new URL('../../../', import.meta.url))
const INCLUDES = [`-I${root}native`, `-I${root}native/include`]
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
  /** It is written in Go: its file is `name.go`, and has nothing of Sabway. */
  readonly go?: true
  /** What Debian calls what it needs. */
  readonly debian?: string
}

const FLAGS = ['-O3', '-DNDEBUG']
const run = (tool: string, args: string[]) => execFileSync(tool, args, { stdio: 'pipe' })

const newest = (folder: string): number =>
  Math.max(...readdirSync(folder, { recursive: true }).map((file) => statSync(`${folder}/${file}`).mtimeMs))

/**
 * Sabway's native code, compiled as the addon is: with the default compiler, at -O3. Once for all
 * programs, and again when a file of it has changed.
 */
function archive(folder: string): string {
  const out = `${folder}/sabway.a`
  if (existsSync(out) && statSync(out).mtimeMs > newest(`${root}native`)) return out
  const listed = readFileSync(`${root}native/sources.txt`, 'utf8').trim().split('\n')
  const objects = [...listed, ...SYSTEM].map((file) => {
    const object = `${folder}/${file.replaceAll('/', '_')}.o`
    run('cc', [...FLAGS, '-std=c11', ...INCLUDES, '-c', `${root}native/${file}`, '-o', object])
    return object
  })
  run('ar', ['rcs', `${out}.new`, ...objects])
  renameSync(`${out}.new`, out)
  return out
}

/** Returns its path. */
function compile({ name, define, beside, library, go, debian }: Program): string {
  const folder = `${root}build/programs`
  mkdirSync(folder, { recursive: true })
  const out = `${folder}/${[name, go ? 'go' : define].filter(Boolean).join('-')}`
  const defines = define ? [`-D${define}`] : []
  const objects = beside === undefined ? [] : [`${out}.o`]
  const libraries = ['pthread', 'dl', 'rt', ...objects.map(() => 'stdc++'), library].flatMap((one) =>
    one ? [`-l${one}`] : [],
  )
  const from = `${root}bench/baselines/`
  try {
    if (go) {
      run('go', ['build', '-o', out, `${from}${name}.go`])
      return out
    }
    if (beside !== undefined) run('c++', [...FLAGS, ...defines, '-c', `${from}${beside}`, '-o', objects[0]!])
    const c = [...FLAGS, '-std=c11', ...INCLUDES, ...defines]
    run('cc', [...c, `${from}${name}.c`, ...objects, archive(folder), '-o', out, ...libraries])
  } catch (error) {
    if (debian !== undefined && /No such file|cannot find -l|ENOENT/.test(String(error)))
      throw new Error(`not measured: install ${debian}`)
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
