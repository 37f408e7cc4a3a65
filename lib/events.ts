// The events of a channel, and an EventTarget that knows whether anybody listens: what costs something per message, or keeps
// the event loop watching, is done only then.
import { onAbort } from './abort.js'
import { isAbortSignal } from './brand.js'
import type { SabwayError } from './errors.js'

/** The 'error' event: why the channel, its native worker, or the decoding of one message failed. */
export class ChannelErrorEvent extends Event {
  constructor(readonly error: SabwayError) {
    super('error')
  }
}

/** The 'message' event of a channel that is receiving. */
export class ChannelMessageEvent<T = Uint8Array> extends Event {
  constructor(readonly data: T) {
    super('message')
  }
}

export interface ChannelEventMap<T = Uint8Array> {
  /** A message, while startReceiving is in effect. */
  message: ChannelMessageEvent<T>
  /** The send queue has become empty. */
  drain: Event
  /** The other side is done, and all that it sent has been received. */
  close: Event
  /** Whoever held the other side ended without closing it. Another may take it. */
  'peer-died': Event
  /** What no call was there to throw. Unheard, it becomes an uncaught exception. */
  error: ChannelErrorEvent
}

type Listener = EventListenerOrEventListenerObject
type TypedListener<E> = ((event: E) => void) | { handleEvent(event: E): void }
type Options = boolean | AddEventListenerOptions | undefined

interface Registration {
  callback: Listener
  capture: boolean
  /** What the EventTarget was given: for `once`, a function that also strikes this registration out. */
  given: Listener
  /** Its signal need not tell any more. */
  deafen: () => void
}

const captures = (options: Options): boolean => (typeof options === 'boolean' ? options : (options?.capture ?? false))

/** An EventTarget that counts its listeners, with the events of Events. */
export class ListenerTarget<Events> extends EventTarget {
  readonly #registrations = new Map<string, Registration[]>()

  /** @internal How many listeners this type of event has. */
  protected listenerCount(type: string): number {
    return this.#registrations.get(type)?.length ?? 0
  }

  /** @internal Told whenever the number of listeners of a type has changed. */
  protected onListenersChanged(_type: string): void {}

  override addEventListener<Type extends keyof Events & string>(
    type: Type,
    callback: TypedListener<Events[Type]> | null,
    options?: Options,
  ): void
  override addEventListener(type: string, callback: Listener | null, options?: Options): void
  override addEventListener(type: string, given: unknown, options?: Options): void {
    const callback = given as Listener | null
    if (callback === null || callback === undefined) return
    const { once = false, passive, signal } = typeof options === 'object' && options !== null ? options : {}
    const capture = captures(options)
    const kind = `${type}` // as EventTarget does
    const known = typeof callback === 'function' || typeof callback === 'object'
    if (!known || (signal !== undefined && !isAbortSignal(signal))) {
      super.addEventListener(kind, callback, options) // refuses it
      return
    }
    if (signal?.aborted) return
    if (this.#find(kind, callback, capture) !== undefined) return // EventTarget ignores it, too
    const registration: Registration = { callback, capture, given: callback, deafen: () => {} }
    if (once) {
      registration.given = (event) => {
        this.#forget(kind, registration)
        if (typeof callback === 'function') callback.call(this, event)
        else callback.handleEvent(event)
      }
    }
    super.addEventListener(kind, registration.given, { capture, once, passive })
    registration.deafen = onAbort(signal, () => this.removeEventListener(kind, callback, capture))
    const list = this.#registrations.get(kind)
    if (list === undefined) this.#registrations.set(kind, [registration])
    else list.push(registration)
    this.onListenersChanged(kind)
  }

  override removeEventListener<Type extends keyof Events & string>(
    type: Type,
    callback: TypedListener<Events[Type]> | null,
    options?: Options,
  ): void
  override removeEventListener(type: string, callback: Listener | null, options?: Options): void
  override removeEventListener(type: string, given: unknown, options?: Options): void {
    const callback = given as Listener | null
    const kind = `${type}`
    const registration = callback === null ? undefined : this.#find(kind, callback, captures(options))
    if (registration === undefined) return
    super.removeEventListener(kind, registration.given, options)
    this.#forget(kind, registration)
  }

  #find(type: string, callback: Listener, capture: boolean): Registration | undefined {
    return this.#registrations.get(type)?.find((each) => each.callback === callback && each.capture === capture)
  }

  #forget(type: string, registration: Registration): void {
    const list = this.#registrations.get(type)
    const at = list?.indexOf(registration) ?? -1
    if (at < 0) return
    list!.splice(at, 1)
    registration.deafen()
    this.onListenersChanged(type)
  }
}
