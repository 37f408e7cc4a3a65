import { addonMissing, type WorkerStats } from './addon.js'
import * as check from './check.js'
import * as dispatcher from './dispatcher.js'
import { adopt, coreError, SabwayError } from './errors.js'
import { ChannelErrorEvent, type ChannelEventMap, ChannelMessageEvent, ListenerTarget } from './events.js'
import { ERRORS, SW_NATIVE, SW_RENDERER } from './generated/abi.js'
import { type DrainCallback, Incoming, type MessageCallback, type ReceiveOptions } from './incoming.js'
import { Outgoing, type SendOptions } from './outgoing.js'
import { Receiver, type WaitOptions } from './receiver.js'
import { Region } from './region.js'
import { type Pace, type PaceOptions, paceOf } from './schedule.js'
import { makeReadable, makeWritable } from './streams.js'
import { PeerWatch } from './watch.js'

export type Side = 'renderer' | 'native'

export interface ChannelOptions {
  /** Who can take the other side. So far threads of this process: JavaScript threads and native ones. */
  share?: 'threads'
}

/** What travels by postMessage (or workerData) to the thread that takes the other side. */
export interface ChannelHandle {
  readonly sabway: 'channel'
  readonly memory: WebAssembly.Memory
}

export interface StartOptions extends ReceiveOptions, PaceOptions {
  /** Aborting it is stopReceiving. */
  signal?: AbortSignal
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
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
const DEFAULT_BYTES = 1 << 20

/** How long [Symbol.asyncDispose] lets the queue drain, in milliseconds. */
const DISPOSE_MS = 5000
/** And how often it looks whether somebody is still there. */
const LOOK_AGAIN_MS = 50

/**
 * Two rings in one piece of shared memory: messages go both ways between this JavaScript thread and a native thread, or another
 * JavaScript thread, without being serialised. One thread at a time sends, and one receives, on each side.
 *
 * Its events are those of ChannelEventMap.
 */
export class SharedMemoryChannel extends ListenerTarget<ChannelEventMap> implements dispatcher.Participant {
  /** @internal */ readonly region: Region
  readonly side: Side
  readonly #out: Outgoing
  readonly #in: Incoming
  #closed = false
  #worker: dispatcher.WorkerOwner | null = null
  #wantsRef = false
  #holdsRef = false
  readonly #receiver: Receiver<Uint8Array>
  readonly #watch: PeerWatch
  #pace: Pace | null = null
  #stopListening: (() => void) | null = null
  #everReceived = false
  #sendingIsOver = false
  #receivingIsOver = false
  #closeWasTold = false

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
    if (first instanceof Region) {
      this.region = first
      this.side = second as Side
    } else {
      if (options.share !== undefined) check.oneOf(options.share, 'share', ['threads'])
      this.region = Region.forChannel(first, second as number)
      this.side = 'renderer'
    }
    const side = this.side === 'renderer' ? SW_RENDERER : SW_NATIVE
    this.#watch = new PeerWatch(this.region, side)
    const onOpen = () => this.#onRole()
    this.#out = new Outgoing(this.region, side, () => this.#onQueued(), onOpen)
    this.#in = new Incoming(this.region, side, (error) => this.#onEnd(error), onOpen)
    this.#out.onQueueEmpty = () => this.#onDrained()
    this.#receiver = new Receiver(this.#in, null, {
      want: () => dispatcher.activate(this),
      rest: () => this.#rest(),
    })
  }

  /** Take a side of a channel that another thread made, with the handle it sent. Errors: ERR_SABWAY_SIDE_TAKEN and others. */
  static attach(handle: ChannelHandle, options: { side: Side }): SharedMemoryChannel {
    const side = check.oneOf(options?.side, 'side', ['renderer', 'native'])
    const region = Region.open(handle as never)
    try {
      const channel = new SharedMemoryChannel(region, side)
      channel.#out.open()
      channel.#in.open()
      channel.#watch.greet()
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
  startReceiving(callback: MessageCallback, options: StartOptions = {}): void {
    this.#mustBeOpen()
    check.callback(callback, 'callback')
    const { signal } = options
    check.abortSignal(signal)
    if (signal?.aborted) return
    const pace = paceOf(options, dispatcher.canBeRung(this.region), {
      pump: () => this.#pump(),
      ready: () => this.#in.ready(),
      want: () => dispatcher.activate(this),
      rest: () => this.#rest(),
    })
    this.#in.start((message) => {
      callback(message)
      if (this.listenerCount('message') !== 0) this.dispatchEvent(new ChannelMessageEvent(message))
    }, options)
    this.#pace = pace
    this.#everReceived = true
    if (signal !== undefined) {
      const stop = () => this.stopReceiving()
      signal.addEventListener('abort', stop, { once: true })
      this.#stopListening = () => signal.removeEventListener('abort', stop)
    }
    if (pace === null) dispatcher.activate(this)
    else pace.start()
  }

  stopReceiving(): void {
    if (this.#receiver.waiting) return // that is receive's business, and ends with its messages
    this.#in.stop()
    this.#unpace()
    this.#rest()
  }

  #unpace(): void {
    this.#pace?.stop()
    this.#pace = null
    this.#stopListening?.()
    this.#stopListening = null
  }

  /**
   * The next message, as a copy of its own. Several calls are served in order, each message goes to one of them, and one that was
   * given up takes none. Like startReceiving it does not keep the process alive, unless `ref` does.
   * Rejects with ERR_SABWAY_TIMEOUT, _ABORTED (cause: the signal's reason), _CLOSED, _CORRUPT, _INVALID_STATE (startReceiving is in effect).
   */
  receive(options?: WaitOptions): Promise<Uint8Array> {
    this.#everReceived = true
    return this.#receiver.receive(options)
  }

  /** `for await (const message of channel)`: ends when the other side is done. Leaving the loop leaves the rest in the ring. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    this.#everReceived = true
    return this.#receiver.iterate()
  }

  /** Give the messages that are there now (at most `max`) to the callback in place: valid during the call, and the peer can still change them. Returns how many. */
  drain(callback: DrainCallback, max = Number.POSITIVE_INFINITY): number {
    this.#mustBeOpen()
    this.#everReceived = true
    return this.#in.drain(callback, max)
  }

  // ---- streams ----

  #readable: ReadableStream<Uint8Array> | null = null
  #writable: WritableStream<Uint8Array> | null = null

  /**
   * The messages as a stream: made on first use, then always the same. It holds none back: a message leaves the ring when it is
   * read. It closes when the other side is done. Cancelling it ends this direction: the other side's sends fail with ERR_SABWAY_CLOSED.
   */
  get readable(): ReadableStream<Uint8Array> {
    this.#readable ??= makeReadable({
      receive: (options) => this.receive(options),
      takeNow: () => this.#receiver.takeNow(),
      close: (reason) => this.#closeReceiving(reason),
    })
    return this.#readable
  }

  /**
   * A stream of messages to send: made on first use, then always the same. A chunk is written when it is in the ring, so who waits for
   * `ready`, as pipeTo does, is held back by a slow receiver. Closing it ends this direction after all that was written; aborting it
   * gives up what waits. The other direction goes on.
   */
  get writable(): WritableStream<Uint8Array> {
    this.#writable ??= makeWritable({
      sendDirect: (message, options) => this.sendDirect(message, options),
      close: (reason) => this.#closeSending(reason),
    })
    return this.#writable
  }

  #closeReceiving(reason: string): void {
    if (this.#receivingIsOver) return
    this.#receivingIsOver = true
    this.#unpace()
    this.#in.close()
    this.#receiver.end(new SabwayError('ERR_SABWAY_CLOSED', reason))
  }

  #closeSending(reason: string): void {
    if (this.#sendingIsOver) return
    this.#sendingIsOver = true
    this.#out.close(reason)
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
    this.#watch.forget()
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
      peer: !this.#closed && this.#watch.there,
      ...(worker === undefined ? {} : { worker }),
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
    this.#closeSending('cleanup was called')
    this.#closeReceiving('cleanup was called')
    dispatcher.deactivate(this)
    this.stopWorker()
    this.unref()
    this.region.close()
  }

  [Symbol.dispose](): void {
    this.cleanup()
  }

  /** Lets what is queued be sent first, for at most five seconds and while somebody is there to take it; then `cleanup`. */
  async [Symbol.asyncDispose](): Promise<void> {
    const end = performance.now() + DISPOSE_MS
    while (!this.#closed && this.#out.pending && this.#watch.there) {
      const left = end - performance.now()
      if (left <= 0) break
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer)
          this.removeEventListener('drain', done)
          resolve()
        }
        const timer = setTimeout(done, Math.min(left, LOOK_AGAIN_MS))
        this.addEventListener('drain', done)
      })
    }
    this.cleanup()
  }

  // ---- events ----

  /** @internal */
  protected override onListenersChanged(type: string): void {
    if (type === 'close' || type === 'peer-died') this.#onRole()
  }

  /** Does somebody want to be told what becomes of the other side? */
  get #watching(): boolean {
    if (this.#closed || (!this.#in.isOpen && !this.#out.isOpen)) return false
    return (!this.#closeWasTold && this.listenerCount('close') !== 0) || this.listenerCount('peer-died') !== 0
  }

  /** A role was taken, or a listener came or went: only who holds a role is rung. */
  #onRole(): void {
    if (this.#closed) return
    if (this.#watching) dispatcher.activate(this)
    else this.#rest()
  }

  #lookAtPeer(): void {
    if (this.#watch.look()) this.dispatchEvent(new Event('peer-died'))
    if (!this.#watch.readsNoMore || this.#in.receiving) return // who receives is told after the last message
    const allReceived = !this.#everReceived || (this.#watch.sendsNoMore && this.#in.stats().used === 0)
    if (allReceived) this.#tellClose()
  }

  #tellClose(): void {
    if (this.#closeWasTold) return
    this.#closeWasTold = true
    this.dispatchEvent(new Event('close'))
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
    this.#unpace()
    const heard = this.#receiver.end(error ?? closedThere())
    this.#rest()
    if (error !== null && !heard) this.#report(error)
    this.#tellClose()
  }

  /** An error that no call is there to throw. Unheard, it becomes an uncaught exception, not silence. */
  #report(error: SabwayError): void {
    if (this.listenerCount('error') !== 0) this.dispatchEvent(new ChannelErrorEvent(error))
    else
      queueMicrotask(() => {
        throw error
      })
  }

  // ---- what the dispatcher calls ----

  /** @internal */
  work(): boolean {
    const moved = this.#out.pending && this.#out.flush()
    if (this.#watching) this.#lookAtPeer()
    if (this.#pace !== null) this.#pace.turn()
    const received = this.#pace === null && this.#pump()
    this.#rest()
    return moved || received
  }

  #pump(): boolean {
    return !this.#closed && this.#in.pump()
  }

  /** @internal */
  ready(): boolean {
    if (this.#watching) this.#lookAtPeer()
    return (!this.#isPaced && this.#in.ready()) || this.#out.wantSpace()
  }

  /** Do messages wait for a tick that is on its way? */
  get #isPaced(): boolean {
    return this.#pace?.planned ?? false
  }

  #onWorkerExit(id: number, status: number): void {
    if (id !== this.#worker?.id) return
    this.stopWorker() // it has ended by itself: this only joins it
    if (status < 0 && status !== ERRORS.ERR_SABWAY_CLOSED.number)
      this.#report(coreError(status, 'the native worker ended'))
  }

  /** Off the event loop when there is nothing to wait for. */
  #rest(): void {
    const idle = (!this.#in.receiving || this.#isPaced) && !this.#out.pending
    if (idle && !this.#watching) dispatcher.deactivate(this)
    this.#balanceRefs()
  }

  /** A queue that somebody can drain keeps the process alive until it is empty. */
  #balanceRefs(): void {
    const wanted = !this.#closed && (this.#wantsRef || (this.#out.pending && this.#watch.there))
    if (wanted === this.#holdsRef) return
    this.#holdsRef = wanted
    if (wanted) dispatcher.ref()
    else dispatcher.unref()
  }

  #mustBeOpen(): void {
    if (this.#closed) throw closedHere()
  }
}

const closedHere = () => new SabwayError('ERR_SABWAY_CLOSED', 'cleanup was called')
const closedThere = () =>
  new SabwayError('ERR_SABWAY_CLOSED', 'the other side was cleaned up, and all that it sent was received')

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
