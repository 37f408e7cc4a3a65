import { addonMissing, type WorkerStats } from './addon.js'
import * as check from './check.js'
import * as dispatcher from './dispatcher.js'
import { adopt, coreError, SabwayError } from './errors.js'
import { ERRORS, SW_HEAP_AT, SW_NATIVE, SW_RENDERER, sw_channel, sw_ring } from './generated/abi.js'
import { type DrainCallback, Incoming, type MessageCallback, type ReceiveOptions } from './incoming.js'
import { Outgoing, type SendOptions } from './outgoing.js'
import { Region, type ShareOptions } from './region.js'

export type Side = 'renderer' | 'native'

export interface ChannelOptions extends ShareOptions {
  /** Made by Region.create, and still without a channel: it stays the caller's, to close after the channel. */
  region?: Region
}

/** What travels by postMessage (or workerData) to the thread that takes the other side. */
export interface ChannelHandle {
  readonly sabway: 'channel'
  readonly memory: WebAssembly.Memory
  /** Of a channel that processes share. */
  readonly token?: string
}

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  text: string
}

interface AnyWorker {
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
  worker?: WorkerStats
  /** How this thread's event loop is woken. */
  wakes: 'addon' | 'atomics'
  /** 'copied': the memory is not shared with the other side; its messages are copied there, and `copied` says why. */
  transport: 'shared' | 'copied'
  copied?: string
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
 * JavaScript thread, or another process, without being serialised. One thread at a time sends, and one receives, on each side.
 *
 * Events: `message` (while receiving), `drain` (the send queue is empty), `close` (the other side is done), `peer-died` (its process
 * died: what it sent is still received, and another may take its place), `error`.
 */
export class SharedMemoryChannel extends EventTarget implements dispatcher.Participant, dispatcher.Watcher {
  /** @internal */ readonly region: Region
  readonly side: Side
  readonly #out: Outgoing
  readonly #in: Incoming
  readonly #ownsRegion: boolean
  #closed = false
  #worker: dispatcher.WorkerOwner | null = null
  #wantsRef = false
  #holdsRef = false
  #errorsAreHeard = false

  /** Capacities in bytes, 4 KiB to 512 MiB, rounded up to powers of two; each is also the largest message. */
  constructor(rendererToNativeBytes?: number, nativeToRendererBytes?: number, options?: ChannelOptions)
  /** @internal */
  constructor(region: Region, side: Side)
  constructor(
    first: number | Region = DEFAULT_BYTES,
    second: number | Side = DEFAULT_BYTES,
    options: ChannelOptions = {},
  ) {
    super()
    this.#ownsRegion = first instanceof Region || options.region === undefined
    if (first instanceof Region) {
      this.region = first
      this.side = second as Side
    } else {
      this.region = regionFor(first, second as number, options)
      this.side = 'renderer'
    }
    const side = this.side === 'renderer' ? SW_RENDERER : SW_NATIVE
    this.#out = new Outgoing(this.region, side, () => this.#onQueued())
    this.#in = new Incoming(this.region, side, (error) => this.#onEnd(error))
    this.#out.onQueueEmpty = () => this.#onDrained()
    if (this.region.processes) dispatcher.watch(this)
  }

  /**
   * Take a side of a channel: that another thread made, with the handle it sent, or another process, with the token.
   * Errors: those of Region.open, and ERR_SABWAY_SIDE_TAKEN.
   */
  static attach(from: ChannelHandle | string, options: { side: Side }): SharedMemoryChannel {
    const side = check.oneOf(options?.side, 'side', ['renderer', 'native'])
    return SharedMemoryChannel.over(Region.open(from as never), side)
  }

  /** @internal Take a side of the region's channel. The region is closed when that fails, and with the channel. */
  static over(region: Region, side: Side): SharedMemoryChannel {
    try {
      const channel = new SharedMemoryChannel(region, side)
      channel.#out.open()
      channel.#in.open()
      return channel
    } catch (error) {
      region.close()
      throw error
    }
  }

  /** Structured-cloneable: send it to another thread, which passes it to `attach`. Errors: ERR_SABWAY_NOT_ISOLATED in a page. */
  get handle(): ChannelHandle {
    check.isolated()
    return { sabway: 'channel', memory: this.region.memory, ...this.region.ticket }
  }

  /** For another process of this user, which passes it to `attach`: see Region.token. Errors: ERR_SABWAY_INVALID_STATE. */
  get token(): string {
    return this.region.token
  }

  /** Called whenever the send queue has become empty, like the 'drain' event. */
  onQueueEmpty: (() => void) | null = null

  /** @internal Set where the other side is reached by copying. */
  copied: string | undefined

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

  // ---- the native worker ----

  /**
   * Start a native thread on the other side: a built-in handler, or a plugin. Returns when it is open.
   * Errors: ERR_SABWAY_PLUGIN_NOT_FOUND, _SYMBOL, _ABI, _OPEN; ERR_SABWAY_SIDE_TAKEN, ERR_SABWAY_NO_ADDON.
   */
  startWorker(options: BuiltinWorker | PluginWorker): void {
    this.#mustBeOpen()
    const { onLog, builtin, plugin, ...rest } = workerOptions(options)
    const { binding } = this.region
    if (binding === null) throw new SabwayError('ERR_SABWAY_NO_ADDON', addonMissing())
    if (this.#worker !== null) {
      throw new SabwayError('ERR_SABWAY_SIDE_TAKEN', 'this channel has a native worker; stopWorker ends it')
    }
    dispatcher.connect()
    try {
      const side = this.side === 'renderer' ? SW_NATIVE : SW_RENDERER
      const id = binding.startWorker({ side, builtin, plugin, json: JSON.stringify(rest) })
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
    const worker = this.#worker === null ? undefined : this.region.binding?.workerStats(this.#worker.id)
    return {
      side: this.side,
      sent,
      received,
      peer: !this.#closed && this.#peerIsThere(),
      ...(worker === undefined ? {} : { worker }),
      wakes: this.region.binding === null ? 'atomics' : 'addon',
      ...(this.copied === undefined ? { transport: 'shared' } : { transport: 'copied', copied: this.copied }),
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
    if (this.#ownsRegion) this.region.close()
  }

  /** @internal Let go of this side without an end of the stream: another can take it, and go on. */
  detach(): void {
    if (this.#closed) return
    this.#closed = true
    this.#in.stop()
    dispatcher.deactivate(this)
    this.unref()
    if (this.#ownsRegion) this.region.close()
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
  ready(): boolean {
    return this.#in.ready() || this.#out.wantSpace()
  }

  /** @internal */
  onPeerDied(roles: number): void {
    const side = this.side === 'renderer' ? SW_RENDERER : SW_NATIVE
    const theirs = (1 << (1 - side)) | (1 << (2 + side)) // their producer and their consumer, as sw_channel_role counts
    if (this.#closed || (roles & theirs) === 0) return
    this.#out.peerDied(new SabwayError('ERR_SABWAY_PEER_DIED', 'while this message waited for room; it was not sent'))
    this.#rest()
    this.dispatchEvent(new Event('peer-died'))
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

  #peerIsThere(): boolean {
    const ring = SW_HEAP_AT + sw_channel.rings + (this.side === 'renderer' ? SW_RENDERER : SW_NATIVE) * sw_ring.sizeof
    const role = Atomics.load(this.region.words, (ring + sw_ring.consumer) >>> 2)
    return this.region.core.sw_endpoint_role_alive(0, role) !== 0
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new SabwayError('ERR_SABWAY_CLOSED', 'cleanup was called')
  }
}

function regionFor(rendererToNative: number, nativeToRenderer: number, options: ChannelOptions): Region {
  const { region } = options
  if (region === undefined) return Region.forChannel(rendererToNative, nativeToRenderer, options)
  if (!(region instanceof Region)) {
    throw new SabwayError('ERR_SABWAY_INVALID_TYPE', 'region must come from Region.create')
  }
  region.carve(rendererToNative, nativeToRenderer)
  return region
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
