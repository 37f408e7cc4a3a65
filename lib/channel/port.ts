// A MessagePort over a channel: structured values, and MessagePorts that travel along. A port that
// is transferred stays in its thread; on the other side stands a new one, and the channel carries
// what is posted between the two.
//
// A frame:  u8 kind | u8 id of the format | u16 zero | u32 number of the port | the value
import * as check from '../base/check.js'
import { copyOut } from '../base/copy.js'
import { SabwayError } from '../base/errors.js'
import { ListenerTarget } from '../base/events.js'
import * as host from '../base/host.js'
import { cloneHint, INSPECT, inspected } from '../base/summary.js'
import { type Format, formatWithId, type PortsIn, type PortsOut } from '../codec/codec.js'
import { msgpackFormat } from '../codec/msgpack.js'
import type { DrainCallback } from './consumer.js'

const HEADER = 8
const MESSAGE = 1
const CLOSE = 2
/** The port that channel.port() gives. */
const ROOT = 0

/** Shows that the library makes the port: channel.port() is the only way to one. */
export const PORT: unique symbol = Symbol('port')
const CLONE_HINT = 'A port of a channel stays in its thread: post channel.handle, and attach to that there. It'

/** A MessagePort of Node can also be told not to hold the process. */
type HostPort = MessagePort & { ref?(): void; unref?(): void }

/** The part of its channel by which a port receives. */
export interface PortChannel {
  receiveForPort(callback: DrainCallback): void
  stopForPort(): void
  readonly keepAlive: { askForPort(keep: boolean): void }
  report(error: SabwayError): void
}

/** The part of its channel by which a port sends. */
export interface PortSender {
  /** The format of its values; any other of those that come with Sabway is understood, too. */
  readonly format: Format | null
  /** The parity of the numbers that this side gives: 0 or 1. */
  readonly parity: number
  send(parts: readonly Uint8Array[]): void
  /** One that must not get lost, however much is queued. */
  sendAlways(message: Uint8Array): void
}

export interface ChannelPortEventMap {
  message: MessageEvent
  messageerror: MessageEvent
  close: Event
}

type Handler<E> = ((this: ChannelPort, event: E) => void) | null

/**
 * Behaves like a MessagePort: values are cloned, `onmessage` or `start()` begins the receiving, and
 * while it receives it keeps the process alive, unless `unref` was called. `postMessage` never
 * waits: what finds no room is queued, up to the channel's `maxQueued`.
 */
export class ChannelPort extends ListenerTarget<ChannelPortEventMap> {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = cloneHint(CLONE_HINT)
  readonly #channel: PortChannel
  readonly #sender: PortSender
  readonly #format: Format
  readonly #bridges = new Map<number, HostPort>()
  /** The number of the next port that leaves. */
  #next: number
  #listening = false
  #started = false
  /** What came before `start`, while a transferred port already had this one receive. */
  readonly #early: Uint8Array[] = []
  #closed = false
  #mayKeepAlive = true
  #keepsAlive = false
  #onmessage: Handler<MessageEvent> = null
  #onmessageerror: Handler<MessageEvent> = null

  /** @internal */
  constructor(made: typeof PORT, channel: PortChannel, sender: PortSender) {
    super()
    if (made !== PORT) throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', 'ports come from channel.port()')
    this.#channel = channel
    this.#sender = sender
    const { format } = sender
    if (format?.takes === 'all')
      throw new SabwayError(
        'ERR_SABWAY_INVALID_STATE',
        `the values of a port would travel without the channel's codec, '${format.name}'; use send and receive`,
      )
    // which every host understands
    this.#format = format !== null && format.id !== 0 ? format : msgpackFormat
    this.#next = 2 + sender.parity
  }

  /**
   * Send a value. Errors: ERR_SABWAY_NOT_ENCODABLE for what cannot be cloned, such as a function
   * (nothing is sent then, and no port leaves), ERR_SABWAY_MESSAGE_TOO_LARGE,
   * ERR_SABWAY_QUEUE_FULL, ERR_SABWAY_CLOSED when the other side is done. After `close` it does
   * nothing.
   */
  postMessage(value: unknown, transfer: readonly unknown[] | { transfer?: readonly unknown[] } = []): void {
    const list = transferred(transfer)
    if (this.#closed) return
    this.#post(ROOT, value, (port) => list.includes(port))
  }

  get [Symbol.toStringTag](): string {
    return 'ChannelPort'
  }

  /** What JSON.stringify and console.log show. */
  toJSON(): { started: boolean; closed: boolean } {
    return { started: this.#started, closed: this.#closed }
  }

  /** @internal */
  [INSPECT](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    return inspected('ChannelPort', this.toJSON(), options, inspect)
  }

  get onmessage(): Handler<MessageEvent> {
    return this.#onmessage
  }

  set onmessage(handler: Handler<MessageEvent>) {
    if (this.#onmessage !== null) this.removeEventListener('message', this.#onmessage as never)
    this.#onmessage = null
    if (typeof handler !== 'function') return
    this.addEventListener('message', handler as never)
    this.#onmessage = handler
    this.start()
  }

  get onmessageerror(): Handler<MessageEvent> {
    return this.#onmessageerror
  }

  set onmessageerror(handler: Handler<MessageEvent>) {
    if (this.#onmessageerror !== null) this.removeEventListener('messageerror', this.#onmessageerror as never)
    this.#onmessageerror = null
    if (typeof handler !== 'function') return
    this.addEventListener('messageerror', handler as never)
    this.#onmessageerror = handler
  }

  /**
   * Begin to receive. Until then messages wait. Errors: ERR_SABWAY_UNSUPPORTED, where nothing can
   * wait without blocking.
   */
  start(): void {
    if (this.#started || this.#closed) return
    host.needMessageEvents()
    this.#listen()
    this.#started = true
    this.#updateKeepAlive()
    if (this.#early.length === 0) return // a task would hold what may be dropped
    host.microtask(() => {
      while (this.#early.length !== 0) this.#deliver(ROOT, this.#early.shift()!)
    })
  }

  /** Ports that were transferred work before this one is started. */
  #listen(): void {
    if (this.#listening || this.#closed) return
    this.#channel.receiveForPort((bytes, start, end) => this.#receive(bytes.subarray(start, end)))
    this.#listening = true
  }

  /** Both ports get a 'close' event; the channel stays open. */
  close(): void {
    if (this.#closed) return
    try {
      this.#sender.sendAlways(this.#header(CLOSE, ROOT))
    } catch {
      // The other side is done already.
    }
    if (this.#listening) this.#channel.stopForPort()
    this.end()
  }

  /** Keep the process alive while this port receives: as it does from the start. */
  ref(): this {
    this.#mayKeepAlive = true
    this.#updateKeepAlive()
    return this
  }

  unref(): this {
    this.#mayKeepAlive = false
    this.#updateKeepAlive()
    return this
  }

  /** @internal The channel is done, or the other port was closed. */
  end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#updateKeepAlive()
    for (const bridge of this.#bridges.values()) bridge.close()
    this.#bridges.clear()
    host.microtask(() => this.dispatchEvent(new host.BaseEvent('close')))
  }

  #updateKeepAlive(): void {
    const wanted = this.#started && this.#mayKeepAlive && !this.#closed
    if (wanted === this.#keepsAlive) return
    this.#keepsAlive = wanted
    this.#channel.keepAlive.askForPort(wanted)
  }

  // ---- out ----

  #header(kind: number, number: number): Uint8Array {
    const header = new Uint8Array(HEADER)
    header[0] = kind
    header[1] = this.#format.id
    new DataView(header.buffer).setUint32(4, number, true)
    return header
  }

  /** Ports leave their owner only when all of the message could be encoded and sent. */
  #post(number: number, value: unknown, mayTravel: (port: MessagePort) => boolean): void {
    const leaving = new Map<MessagePort, number>()
    const ports: PortsOut = {
      numberOf: (port) => {
        if (!mayTravel(port)) {
          throw new SabwayError(
            'ERR_SABWAY_NOT_ENCODABLE',
            'a MessagePort must be in the transfer list: postMessage(value, [port])',
          )
        }
        host.needMoving()
        const known = leaving.get(port)
        if (known !== undefined) return known
        leaving.set(port, this.#next)
        this.#next += 2
        return this.#next - 2
      },
    }
    this.#sender.send([this.#header(MESSAGE, number), ...this.#format.encode(value, ports)])
    for (const [port, id] of leaving) this.#bridge(id, host.moved(port))
  }

  /** What is posted to this port's other end goes through the channel, and the other way round. */
  #bridge(number: number, port: HostPort): void {
    this.#bridges.set(number, port)
    this.#listen()
    port.onmessage = ({ data }) => {
      try {
        this.#post(number, data, () => true)
      } catch (error) {
        this.#channel.report(error as SabwayError)
      }
    }
    port.addEventListener('close', () => {
      if (!this.#bridges.delete(number)) return
      try {
        this.#sender.sendAlways(this.#header(CLOSE, number))
      } catch {
        // The channel ended first.
      }
    })
    port.unref?.() // the owner's end keeps the process alive while it has a listener
  }

  // ---- in ----

  #receive(message: Uint8Array): void {
    const number = message.length < HEADER ? -1 : new DataView(message.buffer, message.byteOffset).getUint32(4, true)
    const kind = message[0]
    if (kind === CLOSE && message.length === HEADER) this.#closeBridge(number)
    else if (kind === MESSAGE && message.length >= HEADER) {
      const early = number === ROOT && (!this.#started || this.#early.length !== 0)
      if (early) this.#early.push(copyOut(message, 0, message.length))
      else this.#deliver(number, message)
    } else this.#undecodable(new SabwayError('ERR_SABWAY_NOT_DECODABLE', 'it does not come from a port of Sabway'))
  }

  #deliver(number: number, message: Uint8Array): void {
    const arrived: MessagePort[] = []
    const ports: PortsIn = {
      portOf: (id) => {
        if (this.#bridges.has(id)) throw new Error(`port ${id} has arrived already`)
        const { port1, port2 } = host.channel()
        this.#bridge(id, port1)
        arrived.push(port2)
        return port2
      },
    }
    let data: unknown
    try {
      data = formatWithId(message[1]!).decode(message.subarray(HEADER), ports)
    } catch (error) {
      for (const port of arrived) port.close()
      this.#undecodable(error as SabwayError)
      return
    }
    if (number === ROOT) this.dispatchEvent(host.messageEvent('message', data, arrived))
    else this.#bridges.get(number)?.postMessage(data, arrived)
  }

  #undecodable(error: SabwayError): void {
    this.dispatchEvent(host.messageEvent('messageerror', error))
  }

  #closeBridge(number: number): void {
    if (number === ROOT) {
      this.#channel.stopForPort()
      this.end()
      return
    }
    const bridge = this.#bridges.get(number)
    this.#bridges.delete(number)
    bridge?.close()
  }
}

/** The transfer list, given as it is or as an option. */
function transferred(given: unknown): readonly unknown[] {
  if (typeof given !== 'object' || given === null) {
    check.refuse('ERR_SABWAY_INVALID_TYPE', 'transfer must be an array, or { transfer }', given)
  }
  if (check.isArray(given)) return check.reading('transfer', () => [...given])
  const { transfer = [] } = check.options<{ transfer?: readonly unknown[] }>(given, 'postMessage options', ['transfer'])
  return check.reading('transfer', () => [...check.array(transfer, 'transfer')])
}
