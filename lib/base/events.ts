// The events of a channel, and an EventTarget that knows whether anybody listens: what costs
// something per message, or keeps the event loop watching, is done only then.
import { onAbort } from './abort.js'
import { isAbortSignal } from './brand.js'
import type { SabwayError } from './errors.js'
import { BaseEvent, BaseTarget, context } from './host.js'

/** The 'error' event: why the channel, its native worker, or the decoding of one message failed. */
export class ChannelErrorEvent extends BaseEvent {
  constructor(readonly error: SabwayError) {
    super('error')
  }
}

/** The 'message' event of a channel that is receiving. */
export class ChannelMessageEvent<T = Uint8Array> extends BaseEvent {
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

type Listener = TypedListener<Event>
type TypedListener<E> = ((event: E) => void) | { handleEvent(event: E): void }

export interface ListenerOptions {
  capture?: boolean
  /** Called once at most. */
  once?: boolean
  /** Aborting it is removeEventListener. */
  signal?: AbortSignal
  passive?: boolean
}

type Options = boolean | ListenerOptions | undefined

interface Registration {
  callback: Listener
  capture: boolean
  /**
   * What the EventTarget was given: calls back in the async context of the registration; for `once`
   * it first strikes that out.
   */
  given: (event: Event) => unknown
  /** Its signal need not tell any more. */
  deafen: () => void
}

const captures = (options: Options): boolean => (typeof options === 'boolean' ? options : (options?.capture ?? false))

/** What it returns matters: Node makes an uncaught exception of a promise that rejects. */
function call(callback: Listener, target: EventTarget, event: Event): unknown {
  return typeof callback === 'function' ? callback.call(target, event) : callback.handleEvent(event)
}

/** An EventTarget that counts its listeners, with the events of Events. */
export class ListenerTarget<Events> extends BaseTarget {
  readonly #registrations = new Map<string, Registration[]>()

  /** @internal How many listeners this type of event has. */
  protected listenerCount(type: string): number {
    return this.#registrations.get(type)?.length ?? 0
  }

  /** @internal Asked before a listener is added; what it throws keeps the listener out. */
  protected beforeListening(_type: string): void {}

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
      super.addEventListener(kind, callback as never, options as never) // refuses it
      return
    }
    if (signal?.aborted) return
    if (this.#find(kind, callback, capture) !== undefined) return // EventTarget ignores it, too
    this.beforeListening(kind)
    const inContext = context()
    const registration: Registration = {
      callback,
      capture,
      given: (event) => {
        if (once) this.#remove(kind, registration)
        return inContext(call, callback, this, event)
      },
      deafen: () => {},
    }
    // Without the signal and `once`: for those an EventTarget calls this.removeEventListener with a
    // function unknown there.
    super.addEventListener(kind, registration.given, { capture, passive })
    registration.deafen = onAbort(signal, () => this.#remove(kind, registration))
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
    this.#remove(kind, registration)
  }

  #remove(type: string, registration: Registration): void {
    super.removeEventListener(type, registration.given, registration.capture)
    this.#forget(type, registration)
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
