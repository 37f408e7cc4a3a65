// JavaScript threads for tests: each runs one file of test/js/workers. And what Linux tells about
// this process.
import { readdirSync, readFileSync } from 'node:fs'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { until, within } from './wait.js'

/**
 * Is the end of such a participant told, however it ends? Without the addon a Web Lock tells it,
 * which Node 20 has not.
 */
export const tellsEnd = (participant: string): boolean =>
  participant !== 'a thread without the addon' || 'locks' in (globalThis.navigator ?? {})

const running: Worker[] = []

export class Thread {
  readonly worker: Worker
  readonly #messages: unknown[] = []
  #wake: () => void = () => {}
  readonly #exit: Promise<number>
  #failure: Error | undefined
  #over = false

  constructor(name: string, workerData: unknown, options: WorkerOptions = {}) {
    this.worker = new Worker(new URL(`../workers/${name}.js`, import.meta.url), { workerData, ...options })
    running.push(this.worker)
    this.worker.on('message', (message) => {
      this.#messages.push(message)
      this.#wake()
    })
    this.worker.on('error', (error) => {
      this.#failure = error as Error
    })
    this.#exit = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        this.#over = true
        this.#wake()
        resolve(code)
      })
    })
  }

  /** The next message it posts. */
  async next<T>(what = 'a message from the worker thread'): Promise<T> {
    while (this.#messages.length === 0) {
      if (this.#over) throw this.#failure ?? new Error(`the thread ended; awaited: ${what}`)
      await within(
        new Promise<void>((resolve) => {
          this.#wake = resolve
        }),
        what,
      )
    }
    return this.#messages.shift() as T
  }

  tell(message: unknown): void {
    this.worker.postMessage(message)
  }

  /** Its exit code, when it ends by itself. */
  async ended(): Promise<number> {
    const code = await within(this.#exit, 'the end of the worker thread')
    if (this.#failure !== undefined) throw this.#failure
    return code
  }

  async terminate(): Promise<void> {
    await within(this.worker.terminate(), 'worker.terminate()')
  }
}

export async function terminateAll(): Promise<void> {
  await Promise.all(running.splice(0).map((worker) => worker.terminate()))
}

/** Names of the threads of this process. */
function threadNames(): string[] {
  return readdirSync('/proc/self/task').flatMap((id) => {
    try {
      return [readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()]
    } catch {
      return [] // it ended meanwhile
    }
  })
}

/** How many native workers of Sabway run in this process. */
export const nativeThreads = (): number => threadsCalled('sabway-worker')

export const threadsCalled = (name: string): number => threadNames().filter((other) => other === name).length

/** A thread that was joined may still be listed for a moment. */
export const nativeThreadsAre = (count: number): Promise<void> =>
  until(() => nativeThreads() === count, `${count} native threads`)

export const allThreads = (): number => readdirSync('/proc/self/task').length

export const openFiles = (): number => readdirSync('/proc/self/fd').length

/** A line of /proc/self/status in bytes: VmRSS, VmSize. */
export function memory(line: 'VmRSS' | 'VmSize'): number {
  const match = new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(match?.[1]) * 1024
}
