// Receiving by promise: receive() and the async iterator. A message leaves the ring only for a call
// that asked for one: while calls wait, the consumer's callback takes one message for each of them.
import { abortedError, onAbort } from '../base/abort.js'
import * as check from '../base/check.js'
import { type Ending, SabwayError } from '../base/errors.js'
import { abortController, after, needLoop, now } from '../base/host.js'
import type { SharedBytes } from '../base/shared-bytes.js'
import { NOTHING } from '../loop/block.js'
import { BUDGET_MS, CLOCK_EVERY } from './budget.js'
import { type Consumer, RECEIVING, type ToMessage } from './consumer.js'

export type WaitOptions = check.Patience

/** The part of its channel that a receiver uses. */
export interface ReceiverOwner {
  /** Wait on the event loop for the next message, or do not. */
  want(): void
  rest(): void
  lookAtPeer(): void
}

/** A call of receive() that waits. */
interface PendingReceive<T> {
  resolve(value: T): void
  reject(error: unknown): void
}

const died = () =>
  new SabwayError(
    'ERR_SABWAY_PEER_DIED',
    'the other side ended without closing, and all that it sent was received; another may take its place',
  )

export class Receiver<T> {
  readonly #owner: ReceiverOwner
  readonly #consumer: Consumer
  readonly #toMessage: ToMessage<T>
  readonly #pending: PendingReceive<T>[] = []
  #end: Ending | null = null
  /** The other side's holder died, and no call was told of it. */
  #death: SabwayError | null = null
  /**
   * When a message was last handed to a call that had waited, and how many calls came since the
   * start.
   */
  #runSince = 0
  #calls = 0
  /** A call takes a message that is there already: that message, or NOTHING. */
  #taking = false
  #taken: T | typeof NOTHING = NOTHING

  constructor(owner: ReceiverOwner, consumer: Consumer, toMessage: ToMessage<T>) {
    this.#owner = owner
    this.#consumer = consumer
    this.#toMessage = toMessage
  }

  receive(options?: WaitOptions): Promise<T> {
    return new Promise((resolve, reject) => {
      const { timeout, signal } = check.patience(options, 'receive options')
      if (signal?.aborted) throw abortedError(signal)
      const taken = this.#mayTake() ? this.#take() : NOTHING
      if (taken !== NOTHING) return resolve(taken)
      if (this.#end !== null) throw this.#end.error
      if (this.#death !== null) this.#owner.lookAtPeer() // a successor may have come
      const death = this.#pending.length === 0 ? this.takeDeath() : null
      if (death !== null) throw death
      this.#wait(resolve, reject, timeout, signal)
    })
  }

  #mayTake(): boolean {
    if (this.#pending.length !== 0) return false
    if (this.#end !== null) throw this.#end.error
    if (this.#consumer.receiving) {
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', `${RECEIVING}; call stopReceiving first`)
    }
    if (this.#consumer.handing) return false
    return ++this.#calls % CLOCK_EVERY !== 0 || now() - this.#runSince < BUDGET_MS
  }

  #take(): T | typeof NOTHING {
    this.#taking = true
    try {
      this.#consumer.drain(this.#keep, 1)
      return this.#taken
    } finally {
      this.#taking = false
      this.#taken = NOTHING
    }
  }

  readonly #keep = (bytes: SharedBytes, start: number, end: number): void => {
    this.#taken = this.#toMessage(bytes, start, end, this.#consumer.words)
  }

  #wait(
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
    timeout: number | undefined,
    signal: AbortSignal | undefined,
  ): void {
    const giveUp = (error: SabwayError) => {
      const at = this.#pending.indexOf(call)
      if (at < 0) return
      this.#pending.splice(at, 1)
      this.#stopIfDone()
      call.reject(error)
    }
    needLoop()
    const onTimeout = () => giveUp(new SabwayError('ERR_SABWAY_TIMEOUT', `no message came within ${timeout} ms`))
    const timer = timeout === undefined ? undefined : after(timeout, onTimeout)
    const ignoreSignal = onAbort(signal, () => giveUp(abortedError(signal!)))
    const over = () => {
      timer?.cancel()
      ignoreSignal()
    }
    const call: PendingReceive<T> = {
      resolve: (value) => {
        over()
        resolve(value)
      },
      reject: (error) => {
        over()
        reject(error)
      },
    }
    if (this.#pending.length === 0) {
      this.#consumer.start(this.#hand, BUDGET_MS, null)
      this.#owner.want()
    }
    this.#pending.push(call)
  }

  readonly #hand = (bytes: SharedBytes, start: number, end: number): void => {
    const call = this.#pending.shift()!
    this.#runSince = now()
    this.#stopIfDone()
    let value: T
    try {
      value = this.#toMessage(bytes, start, end, this.#consumer.words)
    } catch (error) {
      call.reject(error)
      return
    }
    call.resolve(value)
  }

  #stopIfDone(): void {
    if (this.#pending.length !== 0) return
    this.#consumer.stop()
    this.#owner.rest()
  }

  /** Do calls wait for messages now? */
  get waiting(): boolean {
    return this.#pending.length !== 0
  }

  /**
   * The other side's holder died: the calls that wait are rejected once the ring is empty (see
   * rejectIfDead), or the next one that would have to wait, when there is none and nothing else has
   * `told` the caller.
   */
  peerDied(told: boolean): void {
    if (!told || this.waiting) this.#death = died()
  }

  /** A successor holds the other side: messages may come again. */
  peerCame(): void {
    this.#death = null
  }

  /** Is there a death that no call was told of? */
  get hasUntoldDeath(): boolean {
    return this.#death !== null
  }

  /** That death, for the call that is told of it. */
  takeDeath(): SabwayError | null {
    const death = this.#death
    this.#death = null
    return death
  }

  /**
   * Reject the calls that wait, if the other side's holder died and all that it had sent was
   * received.
   */
  rejectIfDead(): void {
    if (this.#death === null || !this.waiting || this.#consumer.available()) return
    const death = this.takeDeath()
    const calls = this.#pending.splice(0)
    this.#stopIfDone()
    for (const call of calls) call.reject(death)
  }

  /** No message will come any more. True when that reached a call that waits. */
  end(why: Ending): boolean {
    const heard = this.#taking || this.#pending.length !== 0
    this.#end ??= why
    for (const call of this.#pending.splice(0)) call.reject(this.#end.error)
    return heard
  }

  /**
   * For `for await`: ends when the stream does; leaving the loop takes nothing more out of the
   * ring.
   */
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
