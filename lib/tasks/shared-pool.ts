// The public class of task pools, for the thread that has one: see wire.ts.
import { abortedError, onAbort } from '../base/abort.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { abortController, after, asyncDispose, type HostWorker, hostWorker } from '../base/host.js'
import { formatFor } from '../channel/parts.js'
import { encoding } from '../codec/format.js'
import type { AllocatedMemory } from '../heap/allocated-memory.js'
import { MultiProducerQueue } from '../queues/multi-producer.js'
import { Region } from '../region/region.js'
import { Call } from './call.js'
import { type Item, itemCodec } from './items.js'
import { checkedPool, checkedRun, NO_OPTIONS, type RunOptions, type SharedPoolOptions } from './options.js'
import {
  attemptsOf,
  DONE,
  type ErrorParts,
  errorOf,
  FAILED,
  FETCH,
  GIVEN,
  LOST,
  numberOf,
  OVER,
  ofPool,
  POSTED,
  PROGRESS,
  placeOf,
  QUEUED,
  RUNNING,
  type Start,
  stateOf,
  type Tells,
  type Told,
  wordOf,
  workerOf,
} from './wire.js'

/** Workers that end before they serve, one after the other, until the pool is given up. */
const MOST_FAILURES = 3

/** A worker, and what is known of it. */
interface Member {
  readonly worker: HostWorker
  ended: boolean
  error: unknown
}

/**
 * Workers that do tasks: `run` gives a value to the next one that is free, and resolves to what its
 * function makes of it. Values go through one queue in shared memory, from which the workers take
 * them; no thread in between gives them out.
 */
export class SharedPool<Input = unknown, Output = unknown> {
  readonly #options: Required<Omit<SharedPoolOptions, 'workerOptions'>> & { workerOptions: object }
  readonly #region: Region
  readonly #tasks: MultiProducerQueue<Item>
  readonly #answers: MultiProducerQueue<Item>
  readonly #block: AllocatedMemory
  readonly #places: Int32Array
  /** Places that have no task, and how often each was used. */
  readonly #vacant: number[]
  readonly #uses: number[]
  readonly #calls = new Map<number, Call>()
  readonly #waiting = new Set<Call>()
  readonly #members: Member[] = []
  #failures = 0
  /** Ends a receiving that has nothing to wait for any more. */
  #rest: AbortController | null = null
  #receiving = false
  #closing = false
  /** Why no call can be answered any more. */
  #over: SabwayError | null = null
  #onRest: (() => void)[] = []
  #onEnd: (() => void)[] = []

  /**
   * Starts the workers. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_MEMORY; ERR_SABWAY_UNSUPPORTED: there are no
   * workers here. What the constructor of Worker throws is the cause of an
   * ERR_SABWAY_INVALID_ARGUMENT.
   */
  constructor(options: SharedPoolOptions) {
    this.#options = checkedPool(options)
    const { capacity, size, codec, workers } = this.#options
    this.#region = Region.create({ size })
    const { heap } = this.#region
    const items = { capacity, codec: itemCodec(formatFor(codec)) }
    this.#tasks = new MultiProducerQueue<Item>(heap, { ...items, delivery: 'ack' })
    this.#answers = new MultiProducerQueue<Item>(heap, items)
    this.#block = heap.allocUI32(capacity + workers)
    this.#places = this.#block.getArray(Int32Array)
    this.#places.fill(OVER)
    this.#vacant = Array.from({ length: capacity }, (_, place) => capacity - 1 - place)
    this.#uses = new Array(capacity).fill(0)
    try {
      for (let i = 0; i < workers; i++) this.#members.push(this.#begin(i))
    } catch (error) {
      this.destroy()
      throw error
    }
  }

  /** How many workers there are. */
  get workers(): number {
    return this.#members.length
  }

  /** Calls of `run` that are not answered yet, those that wait in this thread among them. */
  get pending(): number {
    return this.#calls.size + this.#waiting.size
  }

  /** Those that wait in this thread, because `capacity` others are under way. */
  get queued(): number {
    return this.#waiting.size
  }

  /**
   * What a worker's function makes of the value. Errors: ERR_SABWAY_CLOSED, ERR_SABWAY_QUEUE_FULL,
   * ERR_SABWAY_NOT_ENCODABLE, ERR_SABWAY_MESSAGE_TOO_LARGE; ERR_SABWAY_ABORTED, ERR_SABWAY_TIMEOUT;
   * ERR_SABWAY_PEER_DIED: its worker has ended, for which the cause is the worker's error; and what
   * the function throws, as an error of the same name, message, stack and code.
   */
  run(value: Input, options?: RunOptions): Promise<Output> {
    return new Promise((resolve, reject) => {
      const given = options === undefined ? NO_OPTIONS : checkedRun(options)
      const { signal, timeout } = given
      if (signal?.aborted) throw abortedError(signal)
      if (this.#over !== null) throw this.#over
      if (this.#closing) throw new SabwayError('ERR_SABWAY_CLOSED', 'the pool was closed')
      if (this.#waiting.size >= this.#options.maxQueued) {
        throw new SabwayError(
          'ERR_SABWAY_QUEUE_FULL',
          `${this.#waiting.size} tasks wait already; wait for some of them, or make maxQueued larger`,
        )
      }
      const call = new Call(value, given, resolve as (output: unknown) => void, reject)
      if (timeout !== undefined) call.timer = after(timeout, () => this.#giveUp(call, lateError(timeout)))
      if (signal !== undefined) call.ignoreSignal = onAbort(signal, () => this.#giveUp(call, abortedError(signal)))
      if (this.#waiting.size !== 0 || !this.#send(call)) this.#waiting.add(call)
      this.#receive()
    })
  }

  /** Take no more tasks, and end the workers when those that were given are answered. */
  async close(): Promise<void> {
    this.#closing = true
    if (this.pending !== 0) await new Promise<void>((resolve) => this.#onRest.push(resolve))
    if (this.#members.every(({ ended }) => ended)) return
    this.#tasks.close()
    for (const { worker } of this.#members) worker.hold()
    await new Promise<void>((resolve) => this.#onEnd.push(resolve))
  }

  /** End the workers at once; tasks that are not answered reject with ERR_SABWAY_CLOSED. */
  destroy(): void {
    this.#fail(new SabwayError('ERR_SABWAY_CLOSED', 'the pool was destroyed'))
  }

  [Symbol.dispose](): void {
    this.destroy()
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }

  get [Symbol.toStringTag](): string {
    return 'SharedPool'
  }

  // ---- giving tasks out ----

  /** False: there is no room for it yet. */
  #send(call: Call): boolean {
    const place = this.#vacant.at(-1)
    if (place === undefined) return false
    const task = numberOf(place, ++this.#uses[place]!)
    const item: Item = call.options.transfer === undefined ? [task, GIVEN, call.value] : [task, POSTED]
    Atomics.store(this.#places, place, wordOf(task, 0, 0, QUEUED))
    try {
      if (!this.#tasks.tryEnqueue(item)) return false
    } catch (error) {
      call.reject(error)
      return true
    }
    this.#vacant.pop()
    call.task = task
    this.#calls.set(task, call)
    return true
  }

  #sendMore(): void {
    for (const call of this.#waiting) {
      if (!this.#send(call)) return
      this.#waiting.delete(call)
    }
  }

  // ---- answers ----

  #receive(): void {
    if (this.#receiving || this.pending === 0) return
    this.#receiving = true
    this.#receiveAll().catch((error) => this.#fail(error))
  }

  async #receiveAll(): Promise<void> {
    try {
      while (this.pending !== 0) {
        this.#takeAll()
        if (this.pending === 0 || !(await this.#wait())) break
      }
    } finally {
      this.#receiving = false
    }
    this.#receive() // for a call that came behind the last look
  }

  #takeAll(): void {
    for (let answer = this.#answers.tryDequeue(); answer !== undefined; answer = this.#answers.tryDequeue())
      this.#take(answer)
  }

  /** For an answer, or until there is nothing to wait for. */
  async #wait(): Promise<boolean> {
    this.#rest = abortController()
    try {
      this.#take(await this.#answers.dequeue({ signal: this.#rest.signal }))
      return true
    } catch (error) {
      if ((error as SabwayError).code === 'ERR_SABWAY_ABORTED') return false
      throw error
    } finally {
      this.#rest = null
    }
  }

  #take([task, what, value]: Item): void {
    const call = this.#calls.get(task)
    if (call !== undefined) {
      if (what === PROGRESS) this.#report(call, value)
      if (what === FETCH) this.#post(call, value as number)
      if (what === DONE) this.#succeed(call, value)
      if (what === FAILED) this.#refuse(call, errorOf(value as ErrorParts))
      if (what === LOST) this.#refuse(call, lost(undefined))
    }
    this.#sendMore()
  }

  #report({ options: { onProgress }, context }: Call, value: unknown): void {
    try {
      if (onProgress !== undefined) context!(onProgress, value as never)
    } catch (error) {
      // it is the program's, and stops no other task
      void Promise.reject(error)
    }
  }

  #post(call: Call, worker: number): void {
    const message: Told = { sabwayTasks: 'value', task: call.task, value: call.value }
    try {
      encoding(() => this.#members[worker]?.worker.post(message, call.options.transfer))
      call.moved = true
      call.value = undefined
    } catch (error) {
      this.#giveUp(call, error) // it cannot be cloned, or moved
    }
  }

  /** The place is another task's from now on. Returns what was there. */
  #leave(call: Call): number {
    const place = placeOf(call.task)
    this.#calls.delete(call.task)
    this.#vacant.push(place)
    return Atomics.exchange(this.#places, place, OVER)
  }

  #succeed(call: Call, value: unknown): void {
    this.#leave(call)
    call.resolve(value)
    this.#restIfDone()
  }

  #refuse(call: Call, error: unknown): void {
    this.#leave(call)
    call.reject(error)
    this.#restIfDone()
  }

  #giveUp(call: Call, error: unknown): void {
    if (!this.#waiting.delete(call)) {
      if (this.#calls.get(call.task) !== call) return
      const word = this.#leave(call)
      if (stateOf(word) === RUNNING) this.#stop(call, workerOf(word))
    }
    call.reject(error)
    this.#sendMore()
    this.#restIfDone()
  }

  #stop(call: Call, number: number): void {
    const worker = this.#members[number]?.worker
    const message: Told = { sabwayTasks: 'abort', task: call.task }
    if (call.options.terminate) worker?.terminate()
    else worker?.post(message)
  }

  #restIfDone(): void {
    if (this.pending !== 0) return
    this.#rest?.abort()
    for (const act of this.#onRest.splice(0)) act()
  }

  // ---- workers ----

  #begin(number: number): Member {
    const { file, workerOptions, retries, concurrency, codec } = this.#options
    Atomics.store(this.#places, this.#servesAt(number), 0)
    const worker = check.reading('a worker’s program and options', () =>
      hostWorker(file as string | URL, workerOptions, {
        message: (data) => this.#told(member, data),
        error: (error) => {
          member.error = error
          if (!this.#serves(number)) worker.terminate() // its program could not be loaded
        },
        exit: () => this.#ended(member, number),
      }),
    )
    const member: Member = { worker, ended: false, error: undefined }
    const start: Start = {
      sabwayTasks: 'start',
      region: this.#region.handle,
      tasks: this.#tasks.getSharedMemory(),
      answers: this.#answers.getSharedMemory(),
      places: this.#block.getSharedMemory(),
      worker: number,
      serves: this.#servesAt(number),
      retries,
      concurrency,
      codec,
    }
    worker.post(start)
    return member
  }

  /** In the place of one that has ended. */
  #beginAgain(number: number): void {
    try {
      this.#members[number] = this.#begin(number)
    } catch (error) {
      this.#fail(lost(error)) // the host has no room for another thread
    }
  }

  #told(member: Member, data: unknown): void {
    const message = ofPool<Tells>(data)
    if (message === null) return
    if (message.sabwayTasks === 'ended') {
      member.worker.terminate()
    } else {
      const call = this.#calls.get(message.task)
      if (call === undefined) return
      this.#succeed(call, message.value)
      this.#sendMore()
    }
  }

  #ended(member: Member, number: number): void {
    member.ended = true
    if (!this.#isOver && !this.#hasEnded(number)) {
      this.#takeAll() // what it had answered before
      for (const call of [...this.#calls.values()]) this.#lose(call, member, number)
      this.#failures = this.#serves(number) ? 0 : this.#failures + 1
      if (this.#failures >= MOST_FAILURES) this.#fail(lost(member.error))
      else this.#beginAgain(number)
      return
    }
    if (!this.#members.every(({ ended }) => ended)) return
    this.#region.close()
    for (const act of this.#onEnd.splice(0)) act()
  }

  get #isOver(): boolean {
    return this.#over !== null
  }

  /** Did it end because the pool was closed? */
  #hasEnded(number: number): boolean {
    return this.#closing && this.pending === 0 && this.#serves(number)
  }

  #servesAt(number: number): number {
    return this.#options.capacity + number
  }

  /** Has the worker of that number loaded its program? Also of one that has ended since. */
  #serves(number: number): boolean {
    return Atomics.load(this.#places, this.#servesAt(number)) === 1
  }

  /**
   * A task of a worker that has died: the queue gives it to another, where it may be begun again.
   */
  #lose(call: Call, member: Member, number: number): void {
    const word = Atomics.load(this.#places, placeOf(call.task))
    if (stateOf(word) !== RUNNING || workerOf(word) !== number) return
    if (!call.moved && attemptsOf(word) <= this.#options.retries) return
    this.#refuse(call, lost(member.error))
  }

  #fail(error: SabwayError): void {
    if (this.#over !== null) return
    this.#over = error
    const calls = [...this.#calls.values(), ...this.#waiting]
    this.#calls.clear()
    this.#waiting.clear()
    for (const { worker, ended } of this.#members) if (!ended) worker.terminate()
    for (const call of calls) call.reject(error)
    this.#restIfDone()
    if (this.#members.every(({ ended }) => ended)) this.#region.close()
  }
}

const lateError = (timeout: number) =>
  new SabwayError('ERR_SABWAY_TIMEOUT', `the task was not done within ${timeout} ms`)

const lost = (cause: unknown) =>
  new SabwayError('ERR_SABWAY_PEER_DIED', 'the worker that ran the task has ended; `retries` would begin it again', {
    cause,
  })
