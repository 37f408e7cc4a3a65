// A worker's side of a task pool: see wire.ts.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { abortController, now as clock, immediate, parentThread } from '../base/host.js'
import { formatFor } from '../channel/parts.js'
import { encoding } from '../codec/format.js'
import { AllocatedMemory } from '../heap/allocated-memory.js'
import { type Delivery, MultiProducerQueue } from '../queues/multi-producer.js'
import { Region } from '../region/region.js'
import { type Item, itemCodec } from './items.js'
import {
  attemptsOf,
  DONE,
  FAILED,
  FETCH,
  isAbout,
  LOST,
  ofPool,
  POSTED,
  PROGRESS,
  partsOf,
  placeOf,
  QUEUED,
  RUNNING,
  SKIPPED,
  type Start,
  stateOf,
  type Tells,
  type Told,
  wordOf,
} from './wire.js'

/** What the worker's function is given beside the value: the task that it works for. */
export interface Task {
  /** How often it was begun before, by workers that have died. */
  readonly attempt: number
  /**
   * Was it given up? Also seen by a function that does not come back to its event loop for long.
   */
  readonly cancelled: boolean
  /** Aborted when the task is given up, as soon as the function comes back to its event loop. */
  readonly signal: AbortSignal
  /**
   * Call the `onProgress` of the run. False: the pool has not yet taken as many reports as there is
   * room for, and this one is dropped. Errors: ERR_SABWAY_NOT_ENCODABLE, ERR_SABWAY_CLOSED.
   */
  progress(value: unknown): boolean
  /**
   * The value, to be returned by the function: what the list has of it is moved to the pool's
   * thread, not copied.
   */
  transfer<Value extends object>(value: Value, transfer: readonly object[]): Value
}

/** What a worker does with each value. */
export type TaskFunction<Input, Output> = (value: Input, task: Task) => Output | Promise<Output>

/** Milliseconds for which tasks that do not wait follow each other before the event loop's turn. */
const TURN_MS = 4

/**
 * Do the tasks of the SharedPool that has started this worker, each by a call of `run`: what it
 * returns, or what its promise resolves to, is the task's answer; what it throws, the task's error.
 * Called once, when the worker's program begins. The worker ends when the pool is closed. Errors:
 * ERR_SABWAY_INVALID_TYPE; ERR_SABWAY_INVALID_STATE: no thread has started this one.
 */
export function serveTasks<Input = never, Output = unknown>(run: TaskFunction<Input, Output>): void {
  check.callback(run, 'run')
  const parent = parentThread()
  if (parent === null)
    throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'serveTasks is for the workers that a SharedPool starts')
  let server: Server | null = null
  const tell = (message: Tells, transfer: readonly object[] = []) => parent.post(message, transfer)
  const stop = parent.listen((data) => {
    const message = ofPool<Start | Told>(data)
    if (message?.sabwayTasks !== 'start') {
      if (message !== null) server?.told(message)
      return
    }
    if (server !== null) return
    server = new Server(message, run as TaskFunction<unknown, unknown>, tell)
    void server.serve().then(() => {
      stop()
      tell({ sabwayTasks: 'ended' })
    })
  })
}

/** A task that this worker has begun. */
class Run implements Task {
  readonly attempt: number
  readonly number: number
  readonly #server: Server
  #controller: AbortController | null = null
  /** What is moved with that answer. */
  moved: { value: unknown; list: readonly object[] } | null = null

  constructor(server: Server, number: number, attempt: number) {
    this.#server = server
    this.number = number
    this.attempt = attempt
  }

  get cancelled(): boolean {
    return !this.#server.isRunning(this.number)
  }

  get signal(): AbortSignal {
    this.#controller ??= abortController()
    if (this.cancelled) this.#controller.abort()
    return this.#controller.signal
  }

  progress(value: unknown): boolean {
    return this.#server.answers.tryEnqueue([this.number, PROGRESS, value])
  }

  transfer<Value extends object>(value: Value, transfer: readonly object[]): Value {
    this.moved = { value, list: check.array(transfer, 'transfer') as readonly object[] }
    return value
  }

  abort(): void {
    this.#controller?.abort()
  }
}

class Server {
  readonly answers: MultiProducerQueue<Item>
  readonly #tasks: MultiProducerQueue<Item>
  readonly #places: Int32Array
  readonly #region: Region
  readonly #start: Start
  readonly #run: TaskFunction<unknown, unknown>
  readonly #tell: (message: Tells, transfer?: readonly object[]) => void
  readonly #running = new Map<number, Run>()
  /** Those that wait for their value. */
  readonly #fetching = new Map<number, (value: unknown) => void>()

  constructor(start: Start, run: TaskFunction<unknown, unknown>, tell: Server['tell']) {
    this.#start = start
    this.#run = run
    this.#tell = tell
    this.#region = Region.open(start.region)
    const { heap } = this.#region
    const codec = itemCodec(formatFor(start.codec))
    this.#tasks = new MultiProducerQueue<Item>(heap, start.tasks, { codec })
    this.answers = new MultiProducerQueue<Item>(heap, start.answers, { codec })
    this.#places = new AllocatedMemory(heap, start.places).getArray(Int32Array)
  }

  get tell() {
    return this.#tell
  }

  told(message: Told): void {
    const fetching = this.#fetching.get(message.task)
    if (message.sabwayTasks === 'value') fetching?.(message.value)
    else if (fetching !== undefined) fetching(GIVEN_UP)
    else this.#running.get(message.task)?.abort()
  }

  isRunning(task: number): boolean {
    const word = Atomics.load(this.#places, placeOf(task))
    return isAbout(word, task) && stateOf(word) === RUNNING
  }

  /** Do tasks until the pool is closed. */
  async serve(): Promise<void> {
    Atomics.store(this.#places, this.#start.serves, 1)
    await Promise.all(Array.from({ length: this.#start.concurrency }, () => this.#lane()))
    this.#region.close()
  }

  /** One task after the other. */
  async #lane(): Promise<void> {
    let began = clock()
    for (;;) {
      let item = this.#tasks.tryReceive()
      if (item === null) {
        item = await this.#next()
        if (item === null) return
        began = clock()
      }
      const waiting = this.#do(item)
      if (waiting !== null) await waiting
      if (clock() - began < TURN_MS) continue
      await new Promise<void>((resolve) => immediate(resolve))
      began = clock()
    }
  }

  async #next(): Promise<Delivery<Item> | null> {
    try {
      return await this.#tasks.receive()
    } catch (error) {
      if ((error as SabwayError).code === 'ERR_SABWAY_CLOSED') return null
      throw error
    }
  }

  /** Null, or a promise where it waits. */
  #do(item: Delivery<Item>): Promise<void> | null {
    const [task] = item.value
    const attempt = this.#claim(task)
    if (attempt === null) return this.#answer(item, [task, SKIPPED])
    if (attempt === LOST_AGAIN) return this.#answer(item, [task, LOST])
    const run = new Run(this, task, attempt)
    this.#running.set(task, run)
    if (item.value[1] === POSTED) return this.#callWithPosted(item, run)
    return this.#call(item, run, item.value[2])
  }

  async #callWithPosted(item: Delivery<Item>, run: Run): Promise<void> {
    const value = await this.#fetch(run.number)
    await (value === GIVEN_UP ? this.#answer(item, [run.number, SKIPPED]) : this.#call(item, run, value))
  }

  #call(item: Delivery<Item>, run: Run, value: unknown): Promise<void> | null {
    try {
      const output = this.#run(value, run)
      if (!isThenable(output)) return this.#done(item, run, output)
      return Promise.resolve(output).then(
        (result) => this.#done(item, run, result) ?? undefined,
        (error) => this.#failed(item, run, error) ?? undefined,
      )
    } catch (error) {
      return this.#failed(item, run, error)
    }
  }

  #done(item: Delivery<Item>, run: Run, output: unknown): Promise<void> | null {
    try {
      if (run.moved !== null && run.moved.value === output) {
        encoding(() => this.#tell({ sabwayTasks: 'done', task: run.number, value: output }, run.moved!.list))
        this.#running.delete(run.number)
        item.ack()
        return null
      }
      return this.#answer(item, [run.number, DONE, output])
    } catch (error) {
      return this.#failed(item, run, error) // it has no bytes, or cannot be moved
    }
  }

  #failed(item: Delivery<Item>, run: Run, error: unknown): Promise<void> | null {
    return this.#answer(item, [run.number, FAILED, partsOf(error)])
  }

  /** Acknowledged behind the answer: see wire.ts. */
  #answer(item: Delivery<Item>, answer: Item): Promise<void> | null {
    const done = () => {
      this.#running.delete(answer[0])
      item.ack()
    }
    if (!this.answers.tryEnqueue(answer)) return this.answers.enqueue(answer).then(done)
    done()
    return null
  }

  /** The value of a task that is moved, not copied: posted when it is asked for. */
  #fetch(task: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#fetching.set(task, (value) => {
        this.#fetching.delete(task)
        resolve(value)
      })
      const asked: Item = [task, FETCH, this.#start.worker]
      if (!this.answers.tryEnqueue(asked)) this.answers.enqueue(asked).catch(reject)
    })
  }

  /** The number of attempts before this one; null: it is over. */
  #claim(task: number): number | null {
    const place = placeOf(task)
    for (;;) {
      const word = Atomics.load(this.#places, place)
      const state = stateOf(word)
      if (!isAbout(word, task) || (state !== QUEUED && state !== RUNNING)) return null
      const attempts = state === QUEUED ? 0 : attemptsOf(word)
      if (attempts > this.#start.retries) return LOST_AGAIN
      const next = wordOf(task, attempts + 1, this.#start.worker, RUNNING)
      if (Atomics.compareExchange(this.#places, place, word, next) === word) return attempts
    }
  }
}

const LOST_AGAIN = -1

/** In place of a value that the worker asked for: the task was given up before it came. */
const GIVEN_UP = Symbol('given up')

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function'
