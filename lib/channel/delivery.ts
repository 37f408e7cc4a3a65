// startReceiving: the callback that is given every message, the pace at which that happens, and what ends it.
import { onAbort } from '../base/abort.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { context, needLoop } from '../base/host.js'
import type { Pace, Paced } from '../loop/schedule.js'
import { partsFor } from '../parts.js'
import type { Consumer, DrainCallback, MessageCallback } from './consumer.js'
import type { StartOptions } from './options.js'
import type { Take } from './receiver.js'

interface Recipient extends Paced {
  /** Whether anybody else wants each message, too, and giving it to them. */
  hasListeners(): boolean
  tell(message: unknown): void
  /** A message that could not be decoded: it is passed over. */
  report(error: SabwayError): void
  /** stopReceiving. */
  stop(): void
}

export class Delivery<T> {
  #pace: Pace | null = null
  #deafen: (() => void) | null = null

  constructor(
    private readonly consumer: Consumer,
    private readonly take: Take<T>,
    /** The same for messages that need no ArrayBuffer of their own; null where messages are values of a codec. */
    private readonly takePooled: (() => Take<T>) | null,
    private readonly to: Recipient,
  ) {}

  /** False when the signal was aborted before. */
  start(callback: MessageCallback<T> | DrainCallback, given: StartOptions | undefined): boolean {
    check.callback(callback, 'callback')
    const options = check.options(given, 'startReceiving options', ['signal', 'budget', 'copy', 'schedule', 'poll'])
    const { signal, budget, copy } = options
    check.abortSignal(signal)
    if (budget !== undefined) check.milliseconds(budget, 'budget')
    const { consumer, to } = this
    const { schedule = 'immediate', poll } = options
    const plain = schedule === 'immediate' && poll === undefined
    const pace = plain ? null : partsFor('the option `schedule` or `poll`').paceOf(options, to)
    if (signal?.aborted) return false
    needLoop()
    const give = this.#giving(callback, copy)
    consumer.start(give, options, context())
    this.#pace = pace
    this.#deafen = onAbort(signal, () => to.stop())
    if (pace === null) to.want()
    else pace.start()
    return true
  }

  #giving(callback: MessageCallback<T> | DrainCallback, copy: unknown = true): DrainCallback {
    if (copy === false) return this.#inPlace(callback)
    if (copy === true) return this.#copied(callback as MessageCallback<T>, this.take)
    if (copy === 'pooled' && this.takePooled !== null)
      return this.#copied(callback as MessageCallback<T>, this.takePooled())
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      copy === 'pooled'
        ? "copy: 'pooled' is for bytes, and this channel has a codec, whose values are never pooled"
        : `copy must be true, false or 'pooled', got ${check.shown(copy)}`,
    )
  }

  #inPlace(callback: DrainCallback | MessageCallback<T>): DrainCallback {
    const { to } = this
    return (bytes, start, end) => {
      ;(callback as DrainCallback)(bytes, start, end)
      if (to.hasListeners()) to.tell(bytes.subarray(start, end))
    }
  }

  /** Each message as a value of the receiver's own: a copy, or decoded. */
  #copied(callback: MessageCallback<T>, take: Take<T>): DrainCallback {
    const { to } = this
    return (bytes, start, end) => {
      let message: T
      try {
        message = take(bytes, start, end)
      } catch (error) {
        to.report(error as SabwayError)
        return
      }
      callback(message)
      if (to.hasListeners()) to.tell(message)
    }
  }

  stop(): void {
    this.#pace?.stop()
    this.#pace = null
    this.#deafen?.()
    this.#deafen = null
  }

  /** The event loop has come round. True when something was given. */
  work(): boolean {
    if (this.#pace === null) return this.to.pump()
    this.#pace.turn()
    return false
  }

  /** Do messages wait for a tick that is on its way? Then the event loop need not look. */
  get planned(): boolean {
    return this.#pace?.planned ?? false
  }
}
