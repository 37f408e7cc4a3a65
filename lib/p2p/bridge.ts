// A bridge between channels, queues or broadcasts and streams of NATS: what one side has
// acknowledged the other one has.
import { isUint8Array } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { immediate, microtask } from '../base/host.js'
import { reason } from '../base/shown.js'
import { backoff, backoffOf, hostClock, type P2PBackoff, type P2PClock } from './clock.js'
import { type BridgeEnd, endOf, isOver, listenTo, putterOf, type TakenValue, takerOf } from './ends.js'
import { freshId } from './ids.js'
import { consume, type NatsConsumer, type NatsMessage, type NatsPublisher } from './nats.js'

export interface BridgeOptions<T = Uint8Array> {
  /** Values of the end go to the subject by this: `jetstream(connection)`. */
  publisher?: NatsPublisher
  /** What this brings goes into the end: `await js.consumers.get(stream, name)`. */
  consumer?: NatsConsumer
  /** Makes bytes of a value: values are bytes unless given. */
  encode?: (value: T) => Uint8Array
  /** Makes a value of bytes. What it throws for is counted as `refused`, and gone. */
  decode?: (bytes: Uint8Array) => T
  /** Messages that wait for an acknowledgement, in each direction: 256 unless given. */
  window?: number
  /** Times between attempts: 50 ms to 5 s unless given. */
  backoff?: P2PBackoff
  /** What did not succeed and is tried again, or was refused. */
  onRetry?: (error: SabwayError) => void
  /** The time, for tests. */
  clock?: P2PClock
}

export interface BridgeStats {
  /** Values that the stream has acknowledged. */
  readonly published: number
  /** Values that were taken, and that it has not yet. */
  readonly waiting: number
  /** Messages that the end has, and that were acknowledged. */
  readonly delivered: number
  /** Messages that `decode` refused. */
  readonly refused: number
  readonly retries: number
}

export interface Bridge {
  /**
   * Settles when both directions are over: the end was closed, and what was taken is acknowledged;
   * or the bridge was closed. Rejects with what the end or `encode` threw.
   */
  readonly finished: Promise<void>
  stats(): BridgeStats
  /**
   * Take no more, and wait up to `timeout` milliseconds (5000) for what was taken to be
   * acknowledged. Resolves with the values that were not, in their order, for the program to keep;
   * those of a queue with delivery: 'ack' go back to the queue instead.
   */
  close(options?: { timeout?: number }): Promise<unknown[]>
}

const NAMES = [
  'publisher',
  'consumer',
  'encode',
  'decode',
  'window',
  'backoff',
  'onRetry',
  'clock',
] as const satisfies readonly (keyof BridgeOptions)[]

const BACKOFF = { least: 50, most: 5000 }
const CLOSE_TIMEOUT = 5000

/** A value on its way out. */
interface Going extends TakenValue {
  readonly bytes: Uint8Array
  readonly msgID: string
}

/**
 * At least once, in each direction: a value is published to the subject again until the stream has
 * acknowledged it, under an id by which the stream knows those that it has; and a message is
 * acknowledged when the end has its value. At most `window` are under way: beyond that no more are
 * taken from the end, which is full then, and no more are asked of the server. `subject` is null
 * where nothing goes out. Values that go out keep their order while none is published again;
 * `window: 1` keeps it always. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT,
 * ERR_SABWAY_OUT_OF_RANGE; those of `subscribe` of a broadcast.
 */
export function bridge<T = Uint8Array>(end: BridgeEnd, subject: string | null, options: BridgeOptions<T>): Bridge {
  const given = check.options<BridgeOptions<T>>(options, 'bridge options', NAMES)
  return new Bridging(endOf(end), subject, given as Partial<BridgeOptions<unknown>>).begin()
}

class Bridging {
  readonly #take: ((signal: AbortSignal) => Promise<TakenValue>) | undefined
  readonly #put: ((value: unknown, signal: AbortSignal) => Promise<unknown>) | undefined
  readonly #end: BridgeEnd
  readonly #subject: string
  readonly #publisher: NatsPublisher | undefined
  readonly #consumer: NatsConsumer | undefined
  readonly #encode: (value: unknown) => Uint8Array
  readonly #decode: (bytes: Uint8Array) => unknown
  readonly #window: number
  readonly #backoff: Required<P2PBackoff>
  readonly #onRetry: ((error: SabwayError) => void) | undefined
  readonly #clock: P2PClock
  readonly #name = freshId()
  /** In their order. */
  readonly #waiting = new Set<Going>()
  /** Those of them that are published in the next turn of the event loop. */
  #gathered: (() => void)[] = []
  readonly #abort = new AbortController()
  readonly #stats = { published: 0, delivered: 0, refused: 0, retries: 0 }
  #running: { stop(): void } | undefined
  #gaveUp = false
  /** A message is in hand. */
  #isPutting = false
  /** Told when a value was acknowledged, and when the bridge is closed, or gives up. */
  #changed = new Set<() => void>()

  constructor(end: BridgeEnd, subject: string | null, given: Partial<BridgeOptions<unknown>>) {
    const { publisher, consumer, encode, decode, onRetry } = given
    if (publisher === undefined && consumer === undefined)
      check.refuse('ERR_SABWAY_INVALID_ARGUMENT', 'a bridge needs { publisher }, { consumer } or both', given)
    if (publisher !== undefined) check.callback(publisher.publish, 'publisher.publish')
    if (consumer !== undefined) check.callback(consumer.consume, 'consumer.consume')
    if (publisher !== undefined) this.#take = takerOf(end)
    if (consumer !== undefined) this.#put = putterOf(end)
    for (const [name, each] of Object.entries({ encode, decode, onRetry }))
      if (each !== undefined) check.callback(each, name)
    this.#end = end
    this.#subject = publisher === undefined ? '' : check.text(subject, 'subject', 1024)
    this.#publisher = publisher
    this.#consumer = consumer
    this.#encode = encode ?? copied
    this.#decode = decode ?? ((bytes) => bytes)
    this.#onRetry = onRetry
    this.#window = check.integer(given.window ?? 256, 'window', 1, 2 ** 16)
    this.#backoff = backoffOf(given.backoff, BACKOFF)
    this.#clock = given.clock ?? hostClock
  }

  begin(): Bridge {
    const finished = Promise.all([
      this.#take && this.#publisher ? this.#sendOut(this.#take, this.#publisher) : undefined,
      this.#put && this.#consumer ? this.#takeIn(this.#put, this.#consumer) : undefined,
    ]).then(() => {})
    return {
      finished,
      stats: () => ({ ...this.#stats, waiting: this.#waiting.size }),
      close: async (options) => {
        const { timeout = CLOSE_TIMEOUT } = check.options(options, 'close options', ['timeout'])
        return this.#close(check.milliseconds(timeout, 'timeout'), finished)
      },
    }
  }

  get #closed(): boolean {
    return this.#abort.signal.aborted
  }

  // ---- waiting ----

  #tell(): void {
    const changed = this.#changed
    this.#changed = new Set()
    for (const tell of changed) tell()
  }

  /** Until something has changed, or so many milliseconds have passed. */
  async #wait(milliseconds = Number.POSITIVE_INFINITY): Promise<void> {
    let end = () => {}
    await new Promise<void>((resolve) => {
      this.#changed.add(resolve)
      const cancel = milliseconds === Number.POSITIVE_INFINITY ? () => {} : this.#clock.after(milliseconds, resolve)
      end = () => {
        cancel()
        this.#changed.delete(resolve)
      }
    })
    end()
  }

  /** Something failed for the n-th time: the wait before the next one, or until that is over. */
  async #retry(attempt: number, cause: unknown, until: () => boolean): Promise<void> {
    this.#stats.retries++
    this.#report(cause, 'it is tried again')
    const end = this.#clock.now() + backoff(this.#backoff, attempt, this.#clock.random())
    for (let left = end; left > 0 && !until(); left = end - this.#clock.now()) {
      await this.#wait(Math.max(1, end - this.#clock.now()))
    }
  }

  #report(cause: unknown, then: string): void {
    const onRetry = this.#onRetry
    if (onRetry === undefined) return
    const error = new SabwayError('ERR_SABWAY_TRANSPORT', `NATS: ${reason(cause)}; ${then}, and the cause says why`, {
      cause,
    })
    microtask(() => onRetry(error))
  }

  // ---- out ----

  async #sendOut(take: (signal: AbortSignal) => Promise<TakenValue>, publisher: NatsPublisher): Promise<void> {
    const { signal } = this.#abort
    const stopListening = listenTo(this.#end)
    let failure: { error: unknown } | undefined
    for (let n = 0; !this.#closed; n++) {
      while (this.#waiting.size >= this.#window && !this.#closed) await this.#wait()
      if (this.#closed) break
      let taken: TakenValue
      try {
        taken = await take(signal)
      } catch (error) {
        // The other side of a channel may have a successor.
        if (error instanceof SabwayError && error.code === 'ERR_SABWAY_PEER_DIED') continue
        if (!this.#closed && !isOver(error)) failure = { error }
        break
      }
      try {
        this.#publish(publisher, { ...taken, bytes: this.#encode(taken.value), msgID: `${this.#name}-${n}` })
      } catch (error) {
        taken.settle?.(false)
        failure = { error }
        break
      }
    }
    stopListening()
    while (this.#waiting.size > 0 && !this.#gaveUp) await this.#wait()
    if (failure !== undefined) throw failure.error
  }

  #publish(publisher: NatsPublisher, going: Going): void {
    this.#waiting.add(going)
    const attempts = async () => {
      for (let attempt = 0; !this.#gaveUp; attempt++) {
        try {
          await publisher.publish(this.#subject, going.bytes, { msgID: going.msgID })
        } catch (error) {
          if (!this.#gaveUp) await this.#retry(attempt, error, () => this.#gaveUp)
          continue
        }
        if (!this.#waiting.delete(going)) return
        this.#stats.published++
        try {
          going.settle?.(true)
        } catch (cause) {
          // Another consumer has it, or the queue is gone: it comes twice, perhaps.
          this.#report(cause, 'the value was published')
        }
        this.#tell()
        return
      }
    }
    // A client writes to its connection what is published without a pause between: one at a time,
    // each value is a call of the operating system, which costs more than all else.
    if (this.#gathered.push(attempts) > 1) return
    immediate(() => {
      const gathered = this.#gathered
      this.#gathered = []
      for (const begin of gathered) begin()
    })
  }

  // ---- in ----

  async #takeIn(put: (value: unknown, signal: AbortSignal) => Promise<unknown>, consumer: NatsConsumer): Promise<void> {
    for (let attempt = 0; !this.#closed; attempt++) {
      let cause: unknown = new Error('the consumer has ended, or gave no sign of life')
      this.#isPutting = false
      try {
        const received = () => (this.#isPutting ? undefined : this.#stats.delivered + this.#stats.refused)
        const messages = await consume(consumer, this.#window, this.#clock, received)
        this.#running = messages
        if (this.#closed) messages.stop()
        for await (const message of messages) {
          if (this.#closed) break
          this.#isPutting = true
          const goesOn = await this.#deliver(put, message)
          this.#isPutting = false
          if (!goesOn) return
          attempt = 0
        }
      } catch (error) {
        cause = error
      } finally {
        this.#running?.stop()
      }
      if (!this.#closed) await this.#retry(attempt, cause, () => this.#closed)
    }
  }

  /** False: the end takes nothing any more. */
  async #deliver(
    put: (value: unknown, signal: AbortSignal) => Promise<unknown>,
    message: NatsMessage,
  ): Promise<boolean> {
    let value: unknown
    try {
      value = this.#decode(message.data)
    } catch (error) {
      this.#stats.refused++
      message.term()
      this.#report(error, 'the message is refused')
      return true
    }
    for (let attempt = 0; ; attempt++) {
      try {
        await put(value, this.#abort.signal)
        break
      } catch (error) {
        if (!this.#closed && !isOver(error)) await this.#retry(attempt, error, () => this.#closed)
        if (!this.#closed && !isOver(error)) continue
        message.nak()
        return false
      }
    }
    message.ack()
    this.#stats.delivered++
    return true
  }

  // ---- the end ----

  async #close(timeout: number, finished: Promise<void>): Promise<unknown[]> {
    this.#abort.abort()
    this.#running?.stop()
    this.#tell()
    const cancel = this.#clock.after(timeout, () => {
      this.#gaveUp = true
      this.#tell()
    })
    await finished.catch(() => {})
    cancel()
    const unsent: unknown[] = []
    for (const { value, settle } of this.#waiting) {
      if (settle === undefined) unsent.push(value)
      else
        try {
          settle(false)
        } catch {
          // The queue is gone.
        }
    }
    this.#waiting.clear()
    return unsent
  }
}

/** Of bytes alone: a copy, because they may be shared memory, and are published again perhaps. */
function copied(value: unknown): Uint8Array {
  if (isUint8Array(value)) return new Uint8Array(value)
  return check.refuse('ERR_SABWAY_INVALID_TYPE', 'values must be bytes, or the bridge needs { encode }', value)
}
