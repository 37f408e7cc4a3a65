// Receiving by promise: receive() and the async iterator. Nothing is taken out of the ring that nobody asked for.
import { abortedError, onAbort } from '../base/abort.js'
import * as check from '../base/check.js'
import { copyOut } from '../base/copy.js'
import { SabwayError } from '../base/errors.js'
import { abortController, after, needLoop, now } from '../base/host.js'
import type { SharedBytes } from '../base/shared-bytes.js'
import type { Format } from '../codec/codec.js'
import { type Consumer, type DrainCallback, RECEIVING } from './consumer.js'

export type WaitOptions = check.Patience

/** Milliseconds of messages that were there already, until others have a turn of the event loop. */
const BUDGET_MS = 8
const CLOCK_EVERY = 16

interface Waiter<T> {
  settle(value: T): void
  fail(error: unknown): void
}

/** What becomes of a message's bytes, which are in place. */
export type Take<T> = (bytes: SharedBytes, start: number, end: number) => T

export function taking<T>(format: Format | null, words: Int32Array): Take<T> {
  return format === null
    ? (bytes, start, end) => copyOut(bytes, start, end, words) as T
    : (bytes, start, end) => format.decode(bytes.subarray(start, end)) as T
}

const died = () =>
  new SabwayError(
    'ERR_SABWAY_PEER_DIED',
    'the other side ended without closing, and all that it sent was received; another may take its place',
  )

export class Receiver<T> {
  readonly #waiting: Waiter<T>[] = []
  #end: SabwayError | null = null
  #death: SabwayError | null = null
  #runSince = 0
  #taken = 0
  #taking = false

  constructor(
    private readonly consumer: Consumer,
    /** A message of one's own, from one in place. */
    private readonly take: Take<T>,
    /** Have the event loop pump, and be told that it need not any more; and see whether the other side lives. */
    private readonly loop: { want(): void; rest(): void; look(): void },
  ) {}

  receive(options?: WaitOptions): Promise<T> {
    return new Promise((resolve, reject) => {
      const { timeout, signal } = check.patience(options, 'receive options')
      if (signal?.aborted) throw abortedError(signal)
      const taken: { value: T }[] = this.#mayTake() ? this.#take() : []
      if (taken.length !== 0) return resolve(taken[0]!.value)
      if (this.#end !== null) throw this.#end
      if (this.#death !== null) this.loop.look() // a successor may have come
      const death = this.#waiting.length === 0 ? this.takeDeath() : null
      if (death !== null) throw death
      this.#wait(resolve, reject, timeout, signal)
    })
  }

  #mayTake(): boolean {
    const { consumer } = this
    if (this.#waiting.length !== 0) return false
    if (this.#end !== null) throw this.#end
    if (consumer.receiving) {
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', `${RECEIVING}; call stopReceiving first`)
    }
    if (consumer.handing) return false
    return ++this.#taken % CLOCK_EVERY !== 0 || now() - this.#runSince < BUDGET_MS
  }

  #take(): { value: T }[] {
    const taken: { value: T }[] = []
    const give: DrainCallback = (bytes, start, end) => {
      taken.push({ value: this.take(bytes, start, end) })
    }
    this.#taking = true
    try {
      this.consumer.drain(give, 1)
    } finally {
      this.#taking = false
    }
    return taken
  }

  #wait(
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
    timeout: number | undefined,
    signal: AbortSignal | undefined,
  ): void {
    const giveUp = (error: SabwayError) => {
      const at = this.#waiting.indexOf(waiter)
      if (at < 0) return
      this.#waiting.splice(at, 1)
      this.#stopIfDone()
      waiter.fail(error)
    }
    needLoop()
    const onTimeout = () => giveUp(new SabwayError('ERR_SABWAY_TIMEOUT', `no message came within ${timeout} ms`))
    const timer = timeout === undefined ? undefined : after(timeout, onTimeout)
    const deafen = onAbort(signal, () => giveUp(abortedError(signal!)))
    const over = () => {
      timer?.cancel()
      deafen()
    }
    const waiter: Waiter<T> = {
      settle: (value) => {
        over()
        resolve(value)
      },
      fail: (error) => {
        over()
        reject(error)
      },
    }
    if (this.#waiting.length === 0) this.#start()
    this.#waiting.push(waiter)
  }

  #start(): void {
    this.consumer.start((bytes, start, end) => this.#deliver(bytes, start, end), { budget: BUDGET_MS }, null)
    this.loop.want()
  }

  #deliver(bytes: Uint8Array<SharedArrayBuffer>, start: number, end: number): void {
    const waiter = this.#waiting.shift()!
    this.#runSince = now()
    this.#stopIfDone()
    let value: T
    try {
      value = this.take(bytes, start, end)
    } catch (error) {
      waiter.fail(error)
      return
    }
    waiter.settle(value)
  }

  #stopIfDone(): void {
    if (this.#waiting.length !== 0) return
    this.consumer.stop()
    this.loop.rest()
  }

  /** Do promises wait for messages now? */
  get waiting(): boolean {
    return this.#waiting.length !== 0
  }

  /**
   * The other side's holder died: the calls that wait are rejected once the ring is empty (see settleDeath), or the next one
   * that would have to wait, when there is none and nothing else has `told` the caller.
   */
  peerDied(told: boolean): void {
    if (!told || this.waiting) this.#death = died()
  }

  /** A successor holds the other side: messages may come again. */
  peerCame(): void {
    this.#death = null
  }

  /** Is there a death that the caller is to be told of? */
  get mourns(): boolean {
    return this.#death !== null
  }

  /** That death, which is then told. */
  takeDeath(): SabwayError | null {
    const death = this.#death
    this.#death = null
    return death
  }

  /** Reject the calls that wait, if the other side's holder died and all that it had sent was received. */
  settleDeath(): void {
    if (this.#death === null || !this.waiting || this.consumer.available()) return
    const death = this.takeDeath()
    const waiting = this.#waiting.splice(0)
    this.#stopIfDone()
    for (const waiter of waiting) waiter.fail(death)
  }

  /** No message will come any more. True when that reached somebody who waits. */
  end(error: SabwayError): boolean {
    const heard = this.#taking || this.#waiting.length !== 0
    this.#end ??= error
    for (const waiter of this.#waiting.splice(0)) waiter.fail(this.#end)
    return heard
  }

  /** For `for await`: ends when the stream does; leaving the loop takes nothing more out of the ring. */
  iterate(): AsyncIterableIterator<T> {
    const left = abortController()
    const finish = async (): Promise<IteratorResult<T>> => {
      left.abort()
      return { done: true, value: undefined }
    }
    const iterator: AsyncIterableIterator<T> = {
      next: async () => {
        try {
          return { done: false, value: await this.receive({ signal: left.signal }) }
        } catch (error) {
          const ended = left.signal.aborted || (error as SabwayError).code === 'ERR_SABWAY_CLOSED'
          left.abort()
          if (!ended) throw error
          return { done: true, value: undefined }
        }
      },
      return: finish,
      throw: async (error) => {
        await finish()
        throw error
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }
}
