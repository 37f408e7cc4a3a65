// A task on the side of the pool's thread: see shared-pool.ts.
import { type Context, context, type Timer } from '../base/host.js'
import type { RunOptions } from './options.js'

/** A call of `run`. */
export class Call {
  value: unknown
  readonly options: RunOptions
  /** Of its reports; null: it has none. */
  readonly context: Context | null
  /** 0: it waits in this thread. */
  task = 0
  /** Its value was moved away. */
  moved = false
  timer: Timer | null = null
  ignoreSignal: (() => void) | null = null
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void

  constructor(
    value: unknown,
    options: RunOptions,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.value = value
    this.options = options
    // one for each call is more than what a short task costs
    this.context = options.onProgress === undefined ? null : context()
    this.#resolve = resolve
    this.#reject = reject
  }

  resolve(value: unknown): void {
    this.#end()
    this.#resolve(value)
  }

  reject(error: unknown): void {
    this.#end()
    this.#reject(error)
  }

  #end(): void {
    this.timer?.cancel()
    this.ignoreSignal?.()
  }
}
