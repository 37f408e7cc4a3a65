import { addonMissing, type WorkerStats } from './addon.js'
import * as check from './check.js'
import * as dispatcher from './dispatcher.js'
import { adopt, coreError, SabwayError } from './errors.js'
import { ERRORS, SW_HEAP_AT, SW_NATIVE, SW_RENDERER, sw_channel, sw_ring } from './generated/abi.js'
import { type DrainCallback, Incoming, type MessageCallback, type ReceiveOptions } from './incoming.js'
import { Outgoing, type SendOptions } from './outgoing.js'
import { Region } from './region.js'
import { block, type Mechanism, named, policyNumber, policyOf, reachOf, Waiter, type WaitPolicy } from './waiting.js'

export type Side = 'renderer' | 'native'

export interface ChannelOptions {
  /** Who can take the other side. So far threads of this process: JavaScript threads and native ones. */
  share?: 'threads'
  /** What this side does when it has nothing to do: spin, spin briefly and then sleep (`balanced`, the default), or sleep at once. */
  wait?: WaitPolicy
}

/** What travels by postMessage (or workerData) to the thread that takes the other side. */
export interface ChannelHandle {
  readonly sabway: 'channel'
  readonly memory: WebAssembly.Memory
}

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  text: string
}

interface AnyWorker {
  /** What the native thread does when it has nothing to do (default: as this side of the channel). */
  wait?: WaitPolicy
  /** Given the lines that the handler or plugin logs. */
  onLog?: (line: LogLine) => void
}

/** A handler that comes with Sabway. */
export type BuiltinWorker = AnyWorker &
  ({ builtin: 'echo' } | { builtin: 'sink' } | { builtin: 'source'; size?: number; rate?: number; count?: number })

/** A shared library that exports `sabway_plugin` (native/include/sabway/plugin.h). All other properties go to its open function, as JSON. */
export type PluginWorker = AnyWorker & { plugin: string; [option: string]: unknown }

export interface ChannelStats {
  side: Side
  /** What this thread sent: `queued` messages still wait for room in the ring, of which `used` of `capacity` bytes are taken. */
  sent: ReturnType<Outgoing['stats']>
  received: ReturnType<Incoming['stats']>
  /** Does a live participant hold the other side? */
  peer: boolean
  /** The native worker that this channel started, if it runs. */
  worker?: WorkerStats & { mechanism: Mechanism }
  /** How this thread waits for the other side: by what it is woken, how often it slept, and how many calls it made to wake others. */
  wait: { policy: WaitPolicy; mechanism: Mechanism; parks: number; wakes: number }
  /** How this thread's event loop is woken. */
  wakes: 'addon' | 'atomics'
}

/** The 'error' event: why the channel, or its native worker, failed. */
export class ChannelErrorEvent extends Event {
  constructor(readonly error: SabwayError) {
    super('error')
  }
}

/** The 'message' event of a channel that is receiving. */
export class ChannelMessageEvent extends Event {
  constructor(readonly data: Uint8Array) {
    super('message')
  }
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
const DEFAULT_BYTES = 1 << 20

/**
 * Two rings in one piece of shared memory: messages go both ways between this JavaScript thread and a native thread, or another
 * JavaScript thread, without being serialised. One thread at a time sends, and one receives, on each side.
 *
 * Events: `message` (while receiving), `drain` (the send queue is empty), `close` (the other side is done), `error`.
 */
export class SharedMemoryChannel extends EventTarget implements dispatcher.Participant {
  /** @internal */ readonly region: Region
  readonly side: Side
  /** @internal */ readonly waiter: Waiter
  readonly #out: Outgoing
  readonly #in: Incoming
  #closed = false
  #worker: dispatcher.WorkerOwner | null = null
  #wantsRef = false
  #holdsRef = false
  #errorsAreHeard = false

  /** Capacities in bytes, 4 KiB to 512 MiB, rounded up to powers of two; each is also the largest message. */
  constructor(rendererToNativeBytes?: number, nativeToRendererBytes?: number, options?: ChannelOptions)
  /** @internal */
  constructor(region: Region, side: Side, options: ChannelOptions)
  constructor(
    first: number | Region = DEFAULT_BYTES,
    second: number | Side = DEFAULT_BYTES,
    options: ChannelOptions = {},
  ) {
    super()
    const policy = policyOf(options.wait)
    if (first instanceof Region) {
      this.region = first
      this.side = second as Side
    } else {
      if (options.share !== undefined) check.oneOf(options.share, 'share', ['threads'])
      this.region = Region.forChannel(first, second as number)
      this.side = 'renderer'
    }
    this.waiter = new Waiter(this.region, policy)
    dispatcher.relay(this.region)
    const side = this.side === 'renderer' ? SW_RENDERER : SW_NATIVE
    this.#out = new Outgoing(this.region, side, () => this.#onQueued())
    this.#in = new Incoming(this.region, side, (error) => this.#onEnd(error))
    this.#out.onQueueEmpty = () => this.#onDrained()
  }

  /** Take a side of a channel that another thread made, with the handle it sent. Errors: ERR_SABWAY_SIDE_TAKEN and others. */
  static attach(handle: ChannelHandle, options: { side: Side; wait?: WaitPolicy }): SharedMemoryChannel {
    const side = check.oneOf(options?.side, 'side', ['renderer', 'native'])
    const region = Region.open(handle as never)
    try {
      const channel = new SharedMemoryChannel(region, side, options)
      channel.#out.open()
      channel.#in.open()
      return channel
    } catch (error) {
      region.close()
      throw error
    }
  }

  /** Structured-cloneable: send it to another thread, which passes it to `attach`. */
  get handle(): ChannelHandle {
    return { sabway: 'channel', memory: this.region.memory }
  }

  /** Called whenever the send queue has become empty, like the 'drain' event. */
  onQueueEmpty: (() => void) | null = null

  // ---- sending ----

  /**
   * Send, or queue a copy when the ring is full: the queue drains by itself, in order. True when nothing had to be queued.
   * Errors: ERR_SABWAY_MESSAGE_TOO_LARGE, ERR_SABWAY_CLOSED, ERR_SABWAY_SIDE_TAKEN, ERR_SABWAY_INVALID_TYPE.
   */
  send(message: Uint8Array): boolean {
    return this.#out.send(message)
  }

  /** Send only if there is room now and nothing is queued before it. Errors: as `send`. */
  trySend(message: Uint8Array): boolean {
    return this.#out.trySend(message)
  }

  /** Resolves when the message is in the ring. Rejects as `send` throws, and with ERR_SABWAY_TIMEOUT or ERR_SABWAY_ABORTED: then it was not sent. */
  sendDirect(message: Uint8Array, options: SendOptions = {}): Promise<void> {
    return this.#out.sendDirect(message, options)
  }

  /** Send the list's messages up to the first that finds no room, all at once. Returns how many. Errors: as `send`. */
  sendBatch(list: readonly Uint8Array[]): number {
    return this.#out.sendBatch(list)
  }

  /** Room in the ring to write a message of up to `length` bytes in place, 8-byte aligned; null when there is none now. */
  reserve(length: number): Uint8Array<SharedArrayBuffer> | null {
    return this.#out.reserve(length)
  }

  /** Send the first `length` bytes (default: all) of what was reserved. */
  commit(length?: number): void {
    this.#out.commit(length)
  }

  /** Forget what was reserved. */
  abandon(): void {
    this.#out.abandon()
  }

  // ---- receiving ----

  /** Give every message to the callback, a few milliseconds' worth per turn of the event loop, until stopReceiving. */
  startReceiving(callback: MessageCallback, options: ReceiveOptions = {}): void {
    this.#mustBeOpen()
    check.callback(callback, 'callback')
    this.#in.start((message) => {
      callback(message)
      if (this.#hasMessageListeners) this.dispatchEvent(new ChannelMessageEvent(message))
    }, options)
    dispatcher.activate(this)
  }

  stopReceiving(): void {
    this.#in.stop()
    this.#rest()
  }

  /** Give the messages that are there now (at most `max`) to the callback in place: valid during the call, and the peer can still change them. Returns how many. */
  drain(callback: DrainCallback, max = Number.POSITIVE_INFINITY): number {
    this.#mustBeOpen()
    return this.#in.drain(callback, max)
  }

  /**
   * The next message, as a copy. Blocks this thread until there is one, `timeout` milliseconds at most: then null. Other events of
   * this thread wait, too. Errors: ERR_SABWAY_CLOSED when the other side is done and all it sent has been received,
   * ERR_SABWAY_CORRUPT, ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_SIDE_TAKEN, ERR_SABWAY_INVALID_STATE while startReceiving has a
   * callback, and on a page's main thread, which may not block.
   */
  receiveSync(timeout = Number.POSITIVE_INFINITY): Uint8Array | null {
    this.#mustBeOpen()
    check.milliseconds(timeout, 'timeout')
    this.#in.openForTaking()
    try {
      return block(this.region, this.waiter, this.#awaited, timeout)
    } finally {
      if (this.#out.pending) dispatcher.activate(this) // the loop's sleep ended with this one
    }
  }

  readonly #awaited = {
    take: () => this.#in.take(),
    ready: () => this.#in.available() || this.#out.wantSpace(),
    role: () => this.#peer(),
    meanwhile: () => {
      dispatcher.serveAll()
      if (this.#out.pending) this.#out.flush()
    },
  }

  // ---- the native worker ----

  /**
   * Start a native thread on the other side: a built-in handler, or a plugin. Returns when it is open.
   * Errors: ERR_SABWAY_PLUGIN_NOT_FOUND, _SYMBOL, _ABI, _OPEN; ERR_SABWAY_SIDE_TAKEN, ERR_SABWAY_NO_ADDON.
   */
  startWorker(options: BuiltinWorker | PluginWorker): void {
    this.#mustBeOpen()
    const { onLog, builtin, plugin, wait = this.waiter.policy, ...rest } = workerOptions(options)
    const policy = policyNumber(policyOf(wait))
    const { binding } = this.region
    if (binding === null) throw new SabwayError('ERR_SABWAY_NO_ADDON', addonMissing())
    if (this.#worker !== null) {
      throw new SabwayError('ERR_SABWAY_SIDE_TAKEN', 'this channel has a native worker; stopWorker ends it')
    }
    dispatcher.connect()
    try {
      const side = this.side === 'renderer' ? SW_NATIVE : SW_RENDERER
      const id = binding.startWorker({ side, builtin, plugin, json: JSON.stringify(rest), wait: policy })
      this.#worker = {
        id,
        onLog: onLog && ((level, text) => onLog({ level: LEVELS[level] ?? 'info', text })),
        onExit: (status) => this.#onWorkerExit(id, status),
      }
    } catch (error) {
      throw adopt(error)
    }
    dispatcher.own(this.#worker)
  }

  /** End the native thread after the messages it has already been sent; another may take its side. Waits for a plugin that is busy. */
  stopWorker(): void {
    const worker = this.#worker
    if (worker === null) return
    this.#worker = null
    dispatcher.hold(worker)
    this.region.binding?.stopWorker(worker.id)
  }

  // ---- life ----

  get closed(): boolean {
    return this.#closed
  }

  /** Keep the process alive while the channel is open. An idle channel does not, unless asked. */
  ref(): this {
    this.#wantsRef = true
    this.#balanceRefs()
    return this
  }

  unref(): this {
    this.#wantsRef = false
    this.#balanceRefs()
    return this
  }

  stats(): ChannelStats {
    const received = this.#in.stats()
    const sent = this.#out.stats()
    const found = this.#worker === null ? undefined : this.region.binding?.workerStats(this.#worker.id)
    const { reach = 0, ...worker } = found ?? {}
    const { policy, parks } = this.waiter
    return {
      side: this.side,
      sent,
      received,
      peer: !this.#closed && this.#peerIsThere(),
      ...(found === undefined ? {} : { worker: { ...(worker as WorkerStats), mechanism: named(reach, 'futex') } }),
      wait: { policy, mechanism: this.waiter.mechanism(this.#peer()), parks, wakes: this.region.wakes },
      wakes: this.region.binding === null ? 'atomics' : 'addon',
    }
  }

  /**
   * Close this side: the other one still gets what was sent, then 'close'. What is queued is given up (sendDirect rejects), the
   * native worker is stopped and joined, the memory let go. Idempotent; allowed inside callbacks.
   */
  cleanup(): void {
    if (this.#closed) return
    this.#closed = true
    this.#out.close()
    this.#in.close()
    dispatcher.deactivate(this)
    this.stopWorker()
    this.unref()
    this.region.close()
  }

  [Symbol.dispose](): void {
    this.cleanup()
  }

  // ---- events ----

  #hasMessageListeners = false

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    if (args[0] === 'error') this.#errorsAreHeard = true
    if (args[0] === 'message') this.#hasMessageListeners = true
    super.addEventListener(...args)
  }

  #onQueued(): void {
    dispatcher.activate(this)
    this.#balanceRefs()
  }

  #onDrained(): void {
    this.#balanceRefs()
    this.onQueueEmpty?.()
    this.dispatchEvent(new Event('drain'))
  }

  #onEnd(error: SabwayError | null): void {
    this.#in.stop()
    this.#rest()
    if (error !== null) this.#report(error)
    this.dispatchEvent(new Event('close'))
  }

  /** An error that no call is there to throw. Unheard, it becomes an uncaught exception, not silence. */
  #report(error: SabwayError): void {
    if (this.#errorsAreHeard) this.dispatchEvent(new ChannelErrorEvent(error))
    else
      queueMicrotask(() => {
        throw error
      })
  }

  // ---- what the dispatcher calls ----

  /** @internal */
  work(): boolean {
    const moved = this.#out.pending && this.#out.flush()
    const received = !this.#closed && this.#in.pump()
    this.#rest()
    return moved || received
  }

  /** @internal */
  reach(how: number): number {
    return reachOf(this.region, this.#peer(), how)
  }

  /** @internal */
  ready(): boolean {
    return this.#in.ready() || this.#out.wantSpace()
  }

  #onWorkerExit(id: number, status: number): void {
    if (id !== this.#worker?.id) return
    this.stopWorker() // it has ended by itself: this only joins it
    if (status < 0 && status !== ERRORS.ERR_SABWAY_CLOSED.number)
      this.#report(coreError(status, 'the native worker ended'))
  }

  /** Off the event loop when there is nothing to wait for. */
  #rest(): void {
    if (!this.#in.receiving && !this.#out.pending) dispatcher.deactivate(this)
    this.#balanceRefs()
  }

  /** A queue that somebody can drain keeps the process alive until it is empty. */
  #balanceRefs(): void {
    const wanted = !this.#closed && (this.#wantsRef || (this.#out.pending && this.#peerIsThere()))
    if (wanted === this.#holdsRef) return
    this.#holdsRef = wanted
    if (wanted) dispatcher.ref()
    else dispatcher.unref()
  }

  /** The role word of whoever receives on the other side; a side's producer is the same participant, or not there yet. */
  #peer(): number {
    const ring = SW_HEAP_AT + sw_channel.rings + (this.side === 'renderer' ? SW_RENDERER : SW_NATIVE) * sw_ring.sizeof
    return Atomics.load(this.region.words, (ring + sw_ring.consumer) >>> 2)
  }

  #peerIsThere(): boolean {
    return this.region.core.sw_endpoint_role_alive(0, this.#peer()) !== 0
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new SabwayError('ERR_SABWAY_CLOSED', 'cleanup was called')
  }
}

function workerOptions(options: BuiltinWorker | PluginWorker): AnyWorker & { builtin?: string; plugin?: string } {
  const { builtin, plugin, onLog } = (options ?? {}) as { builtin?: unknown; plugin?: unknown; onLog?: unknown }
  if (onLog !== undefined) check.callback(onLog, 'onLog')
  if ((builtin === undefined) === (plugin === undefined)) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      "startWorker takes either { builtin: 'echo' | 'sink' | 'source' } or { plugin: path }",
    )
  }
  if (builtin !== undefined) check.oneOf(builtin, 'builtin', ['echo', 'sink', 'source'])
  else if (typeof plugin !== 'string')
    throw new SabwayError('ERR_SABWAY_INVALID_TYPE', 'plugin must be the path of a shared library')
  return options as never
}
