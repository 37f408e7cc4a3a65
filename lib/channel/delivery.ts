// startReceiving: the callback that is given every message, when it is called, and what ends it.
//
//   state        the consumer's callback   `#pace`
//   stopped      null, or another's        null
//   immediate    this one's                null: each turn of the event loop hands out messages
//   paced        this one's                a schedule, or intervals, decide when (loop/schedule.ts)
//
// Protocol: the dispatcher calls `work` in each turn. It hands messages out by the consumer's
// `pump`, or tells the pace that the loop has come round; a paced delivery calls `pump` when its
// tick comes. Each message goes through one closure, made by `start`: it makes the caller's message
// of the bytes in place, calls the callback, and then the 'message' listeners, if there are any.
//
// What a crash leaves: messages that were handed out but not yet released come again to the next
// consumer (consumer.ts). The delivery itself has nothing in shared memory.
import { onAbort } from '../base/abort.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { ChannelMessageEvent } from '../base/events.js'
import { context, needLoop } from '../base/host.js'
import type { Pace, Paced } from '../loop/schedule.js'
import type { Consumer, DrainCallback, MessageCallback, ToMessage } from './consumer.js'
import type { StartOptions } from './options.js'
import { partsFor } from './parts.js'

/** The part of its channel that a delivery uses. */
export interface DeliveryOwner {
  /** Wait on the event loop for the next message, or do not. */
  want(): void
  rest(): void
  lookAtPeer(): void
  stopReceiving(): void
  tell(event: Event): void
  /** A message that could not be decoded: it is passed over. */
  report(error: SabwayError): void
}

export class Delivery<T> implements Paced {
  /** Are there 'message' listeners? A flag, because it is asked for each message. */
  hasListeners = false
  readonly #owner: DeliveryOwner
  readonly #consumer: Consumer
  readonly #toMessage: ToMessage<T>
  /** Are messages values of a codec? Those are never pooled. */
  readonly #coded: boolean
  #pace: Pace | null = null
  #ignoreSignal: (() => void) | null = null

  constructor(owner: DeliveryOwner, consumer: Consumer, toMessage: ToMessage<T>, coded: boolean) {
    this.#owner = owner
    this.#consumer = consumer
    this.#toMessage = toMessage
    this.#coded = coded
  }

  /** False when the signal was aborted before. */
  start(callback: MessageCallback<T> | DrainCallback, given: StartOptions | undefined): boolean {
    check.callback(callback, 'callback')
    const options = check.options(given, 'startReceiving options', ['signal', 'budget', 'copy', 'schedule', 'poll'])
    const { signal, budget, copy } = options
    check.abortSignal(signal)
    if (budget !== undefined) check.milliseconds(budget, 'budget')
    const { schedule = 'immediate', poll } = options
    const plain = schedule === 'immediate' && poll === undefined
    const pace = plain ? null : partsFor('the option `schedule` or `poll`').paceOf(options, this)
    if (signal?.aborted) return false
    needLoop()
    const give = copy === false ? this.#inPlace(callback as DrainCallback) : this.#copied(callback as never, copy)
    this.#consumer.start(give, options.budget, context())
    this.#pace = pace
    this.#ignoreSignal = onAbort(signal, () => this.#owner.stopReceiving())
    if (pace === null) this.#owner.want()
    else pace.start()
    return true
  }

  #inPlace(callback: DrainCallback): DrainCallback {
    return (bytes, start, end) => {
      callback(bytes, start, end)
      if (this.hasListeners) this.#tell(bytes.subarray(start, end))
    }
  }

  /** Each message as a value of the receiver's own: a copy, or decoded. */
  #copied(callback: MessageCallback<T>, copy: unknown): DrainCallback {
    const toMessage = this.#toMessageFor(copy)
    const { words } = this.#consumer
    return (bytes, start, end) => {
      let message: T
      try {
        message = toMessage(bytes, start, end, words)
      } catch (error) {
        this.#owner.report(error as SabwayError)
        return
      }
      callback(message)
      if (this.hasListeners) this.#tell(message)
    }
  }

  #toMessageFor(copy: unknown): ToMessage<T> {
    if (copy === undefined || copy === true) return this.#toMessage
    if (copy === 'pooled' && !this.#coded) return partsFor("copy: 'pooled'").copyPooled as ToMessage<T>
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      copy === 'pooled'
        ? "copy: 'pooled' is for bytes, and this channel has a codec, whose values are never pooled"
        : `copy must be true, false or 'pooled', got ${check.shown(copy)}`,
    )
  }

  #tell(message: unknown): void {
    this.#owner.tell(new ChannelMessageEvent(message))
  }

  stop(): void {
    this.#pace?.stop()
    this.#pace = null
    this.#ignoreSignal?.()
    this.#ignoreSignal = null
  }

  /** The event loop has come round. True when something was handed out. */
  work(): boolean {
    if (this.#pace === null) return this.pump()
    this.#pace.turn()
    return false
  }

  /** Do messages wait for a tick that is on its way? Then the event loop need not look. */
  get planned(): boolean {
    return this.#pace?.planned ?? false
  }

  // ---- what a pace calls ----

  pump(): boolean {
    this.#owner.lookAtPeer() // a paced channel is seldom on the event loop, which looks otherwise
    return this.#consumer.pump()
  }

  ready(): boolean {
    return this.#consumer.ready()
  }

  want(): void {
    this.#owner.want()
  }

  rest(): void {
    this.#owner.rest()
  }
}
