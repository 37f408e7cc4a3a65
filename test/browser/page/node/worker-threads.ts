// node:worker_threads as far as the tests use it, on dedicated workers of the page.
type Listener = (value: never) => void

/** The last word of a worker that closes itself: pages are told of no exit. */
const CLOSED = 'sabway-test: closed'

class Emitter {
  readonly #listeners: [event: string, listener: Listener][] = []

  on(event: string, listener: Listener): this {
    this.#listeners.push([event, listener])
    return this
  }

  protected emit(event: string, value: unknown): void {
    for (const [name, listener] of this.#listeners) if (name === event) listener(value as never)
  }
}

/** Runs one file of test/js/workers (see ../workers.ts). */
export class Worker extends Emitter {
  readonly #worker: globalThis.Worker
  #over = false

  constructor(url: URL, { workerData }: { workerData?: unknown } = {}) {
    super()
    const name = url.pathname.split('/').at(-1)!.replace(/\.js$/, '')
    const query = 'waitAsync' in Atomics ? '' : '?no-wait-async'
    this.#worker = new globalThis.Worker(`/workers.js${query}`, { type: 'module', name })
    this.#worker.onmessage = ({ data }) => (data === CLOSED ? this.#end(0) : this.emit('message', data))
    this.#worker.onerror = (event) => {
      event.preventDefault() // else it is the page's, too
      // it may run on a while after terminate
      if (!this.#over) this.emit('error', new Error(`in the worker: ${event.message}`))
    }
    this.#worker.postMessage({ workerData })
  }

  postMessage(message: unknown): void {
    this.#worker.postMessage(message)
  }

  async terminate(): Promise<number> {
    this.#worker.terminate()
    this.#end(1)
    return 1
  }

  #end(code: number): void {
    if (this.#over) return
    this.#over = true
    this.emit('exit', code)
  }
}

class ParentPort extends Emitter {
  postMessage(message: unknown): void {
    globalThis.postMessage(message)
  }

  deliver(message: unknown): void {
    this.emit('message', message)
  }

  close(): void {
    globalThis.postMessage(CLOSED)
    globalThis.close()
  }
}

/** Of a process: test/js/workers. */
export const isMainThread = false
export const parentPort = new ParentPort()
export let workerData: unknown

/** Called by ../workers.ts before the worker's file runs. */
export function setWorkerData(data: unknown): void {
  workerData = data
}
