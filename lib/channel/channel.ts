import { copyOf } from '../base/brand.js'
import * as check from '../base/check.js'
import { coreError, inFront, SabwayError } from '../base/errors.js'
import { ChannelErrorEvent, type ChannelEventMap, ChannelMessageEvent, ListenerTarget } from '../base/events.js'
import * as host from '../base/host.js'
import type { SharedBytes } from '../base/shared-bytes.js'
import { cloneHint, hide, INSPECT, inspected } from '../base/summary.js'
import type { Format } from '../codec/format.js'
import { ERRORS, SW_NATIVE, SW_RENDERER } from '../generated/abi.js'
import { block, NOTHING } from '../loop/block.js'
import * as dispatcher from '../loop/dispatcher.js'
import { keepAliveReasonOf, setActive } from '../loop/keep-alive.js'
import { nativePart } from '../loop/parts.js'
import { serveAll } from '../loop/relay.js'
import { policyOf, reachOf, type WaitPolicy, WaitState } from '../loop/wait-policy.js'
import { ringWatchers } from '../region/endpoint.js'
import { handleParts } from '../region/handle.js'
import { isolated } from '../region/isolation.js'
import { Region } from '../region/region.js'
import type { Batcher, BatchOptions } from './batch.js'
import { type DrainCallback, Incoming, type MessageCallback } from './consumer.js'
import { Delivery } from './delivery.js'
import type { BuiltinWorker, NativeWorker, PluginWorker } from './native-worker.js'
import type {
  AttachOptions,
  ChannelHandle,
  ChannelOptions,
  ChannelStats,
  InnerOptions,
  Side,
  StartOptions,
} from './options.js'
import { formatFor, nativeWorkers, partsFor } from './parts.js'
import { PeerWatch } from './peer-watch.js'
import type { ChannelPort } from './port.js'
import { Outgoing, type SendOptions, type WriteCallback } from './producer.js'
import { Receiver, type Take, taking, type WaitOptions } from './receiver.js'

const DEFAULT_BYTES = 1 << 20
const BATCH = 'the option `batch`'
const VALUES = 'a codec'
const CLONE_HINT = 'A channel stays in its thread: post channel.handle, and attach to that there. It'

const CHANNEL_OPTIONS = ['region', 'share', 'name', 'codec', 'wait', 'batch', 'maxQueued'] as const
const ATTACH_OPTIONS = ['side', 'codec', 'wait', 'batch', 'maxQueued', 'replace'] as const

const queueBound = (given: number | undefined): number | undefined =>
  given === undefined ? undefined : check.count(given, 'maxQueued')

/** How `over` calls the constructor: no object of a user's is one of these. */
class Inner {
  readonly #made = true

  constructor(
    readonly region: Region,
    readonly side: Side,
    readonly options: InnerOptions,
  ) {}

  static is(value: unknown): value is Inner {
    return typeof value === 'object' && value !== null && #made in value
  }
}

/** How long [Symbol.asyncDispose] lets the queue drain, in milliseconds. */
const DISPOSE_MS = 5000
/** How often [Symbol.asyncDispose] looks whether the other side is still held, in milliseconds. */
const LOOK_AGAIN_MS = 50

/**
 * Two rings in one piece of shared memory: messages go both ways between this JavaScript thread and a native thread, or another
 * JavaScript thread, or another process, without being serialised. One thread at a time sends, and one receives, on each side.
 *
 * Its events are those of ChannelEventMap.
 */
export class SharedMemoryChannel<T = Uint8Array> extends ListenerTarget<ChannelEventMap<T>> {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = cloneHint(CLONE_HINT)
  /** @internal */ declare readonly region: Region
  readonly side: Side
  /** @internal */ declare readonly waiter: WaitState
  readonly #out: Outgoing
  readonly #in: Incoming
  readonly #ownsRegion: boolean
  readonly #batcher: Batcher | null
  /** What takes single messages: `#batcher`, or `#out`. */
  readonly #sender: Batcher | Outgoing
  #closed = false
  #worker: NativeWorker | null = null
  /** The native worker has left the region. */
  #dismiss: (() => void) | null = null
  /** What ref() and unref() have asked for; null: hold the process while this side receives. */
  #wantsRef: boolean | null = null
  #portReceives = false
  #portHolds = false
  readonly #keepAlive = keepAliveReasonOf(this)
  /** startReceiving is in effect only because there are 'message' listeners. */
  #receivesForListeners = false
  readonly #format: Format | null
  readonly #take: Take<T>
  readonly #receiver: Receiver<T>
  readonly #delivery: Delivery<T>
  readonly #watch: PeerWatch
  readonly #leaveRegion: () => void
  #everReceived = false
  #sendingIsOver = false
  /** Why this side reads no more. */
  #receivingIsOver: SabwayError | null = null
  #deathIsUntold = false
  #closeWasTold = false

  /** Capacities in bytes, 4 KiB to 512 MiB, rounded up to powers of two; each is also the largest message. */
  constructor(rendererToNativeBytes?: number, nativeToRendererBytes?: number, options?: ChannelOptions<T>)
  /** @internal */
  constructor(inner: Inner)
  constructor(first: number | Inner = DEFAULT_BYTES, second: number = DEFAULT_BYTES, given?: ChannelOptions<T>) {
    super()
    let policy: WaitPolicy
    let batch: BatchOptions | undefined
    let maxQueued: number | undefined
    if (Inner.is(first)) {
      this.side = first.side
      hide(this, { region: first.region })
      ;({ format: this.#format, batch, maxQueued } = first.options)
      policy = policyOf(first.options.wait)
      this.#ownsRegion = true
    } else {
      const options = check.options(given, 'channel options', CHANNEL_OPTIONS)
      check.ringBytes(first, 'rendererToNativeBytes')
      check.ringBytes(second, 'nativeToRendererBytes')
      policy = policyOf(options.wait)
      maxQueued = queueBound(options.maxQueued)
      if (options.batch !== undefined)
        batch = partsFor(BATCH).batchOptions(options.batch, 2 ** Math.ceil(Math.log2(first)))
      this.#format = formatFor(options.codec)
      hide(this, { region: Region.forChannel(first, second, options) })
      this.#ownsRegion = options.region === undefined
      this.side = 'renderer'
    }
    hide(this, { waiter: new WaitState(this.region, policy) })
    dispatcher.relay(this.region)
    const place = this.region.channel(this.side === 'renderer' ? SW_RENDERER : SW_NATIVE)
    this.#watch = new PeerWatch(this.region, place)
    const onOpen = () => {
      ringWatchers(this.region.words, this.region.endpoint)
      this.#onRole()
    }
    this.#out = new Outgoing(this.region, place, () => this.#onQueued(), onOpen, maxQueued)
    this.#in = new Incoming(this.region, place, (error) => this.#onEnd(error), onOpen)
    this.#out.onQueueEmpty = () => this.#onDrained()
    this.#out.onLoss = (error) => this.#report(error)
    this.#batcher =
      batch === undefined ? null : new (partsFor(BATCH).Batcher)(this.#out, batch, (error) => this.#report(error))
    this.#sender = this.#batcher ?? this.#out
    this.#take = taking<T>(this.#format, this.region.words)
    const loop = {
      want: () => {
        dispatcher.activate(this)
        this.#balanceRefs()
      },
      rest: () => this.#rest(),
      look: () => this.#lookAtPeer(),
    }
    this.#receiver = new Receiver(this.#in, this.#take, loop)
    const pooled = () => partsFor("copy: 'pooled'").takingPooled(this.region.words) as Take<T>
    const takePooled = this.#format === null ? pooled : null
    this.#delivery = new Delivery(this.#in, this.#take, takePooled, {
      ...loop,
      pump: () => {
        if (this.#closed) return false
        this.#lookAtPeer() // with a schedule of its own the channel is seldom on the event loop
        return this.#in.pump()
      },
      ready: () => this.#in.ready(),
      hasListeners: () => this.listenerCount('message') !== 0,
      tell: (message) => this.dispatchEvent(new ChannelMessageEvent(message as T)),
      report: (error) => this.#report(error),
      stop: () => this.stopReceiving(),
    })
    this.copied = this.region.copied
    this.#leaveRegion = this.region.onClose(() => this.#end('its region was closed'))
    if (this.region.processes || this.copied !== undefined) nativePart.loaded?.listenForDeaths(this)
  }

  /**
   * Take a side of a channel: that another thread made, with the handle it sent, or another process, with the token.
   * A side that was detached, or whose holder died, can be taken again; one that was cleaned up cannot. With `replace` also one that
   * is held. Errors: those of Region.open, ERR_SABWAY_SIDE_TAKEN, ERR_SABWAY_CLOSED, and ERR_SABWAY_UNSUPPORTED (`replace` where the
   * memory is copied).
   */
  static attach<T = Uint8Array>(from: ChannelHandle | string, options: AttachOptions<T>): SharedMemoryChannel<T> {
    const found = check.options(options, 'attach options', ATTACH_OPTIONS)
    const { side, batch, wait, codec, replace } = found
    check.oneOf(side, 'side', ['renderer', 'native'])
    if (replace !== undefined) check.flag(replace, 'replace')
    policyOf(wait)
    const maxQueued = queueBound(found.maxQueued)
    if (typeof from === 'string') {
      const format = formatFor(codec) // before a region is open
      return SharedMemoryChannel.over<T>(Region.open(from), side!, { format, batch, wait, maxQueued, replace })
    }
    const handle = handleParts(from)
    const shared = handle.sabway === 'channel' ? (handle.codec ?? 'bytes') : undefined
    const format = formatFor(codec, shared)
    return SharedMemoryChannel.over<T>(Region.joined(handle), side!, { format, batch, wait, maxQueued, replace })
  }

  /** @internal A channel object for a side, which takes its roles on first use. */
  static idle<T = Uint8Array>(region: Region, side: Side, options: InnerOptions): SharedMemoryChannel<T> {
    return new SharedMemoryChannel<T>(new Inner(region, side, options))
  }

  /** @internal Take a side of the region's channel. The region is closed when that fails, and with the channel. */
  static over<T = Uint8Array>(region: Region, side: Side, options: InnerOptions): SharedMemoryChannel<T> {
    let channel: SharedMemoryChannel<T> | undefined
    try {
      channel = SharedMemoryChannel.idle<T>(region, side, options)
      if (options.replace) channel.#watch.replace()
      channel.#takeBothRoles()
      channel.#watch.greet()
      return channel
    } catch (error) {
      const taken = (error as SabwayError).code === 'ERR_SABWAY_SIDE_TAKEN'
      if (taken && channel !== undefined) channel.#watch.suspect()
      channel?.detach() // before the region is closed, which would end the side's streams
      region.close()
      throw error
    }
  }

  /** One direction may have ended, by its stream: then that one stays ended. */
  #takeBothRoles(): void {
    const sending = endedOr(() => this.#out.open())
    const receiving = endedOr(() => this.#in.open())
    if (sending !== null && receiving !== null) {
      throw new SabwayError(
        'ERR_SABWAY_CLOSED',
        `the side '${this.side}' was cleaned up, which ends its streams; make a new channel, and use detach() to let go of a side that will be taken again`,
      )
    }
    this.#sendingIsOver = sending !== null
    this.#receivingIsOver = receiving
  }

  /** Structured-cloneable: send it to another thread, which passes it to `attach`. Errors: ERR_SABWAY_NOT_ISOLATED in a browser, which says what this scope lacks. */
  get handle(): ChannelHandle {
    isolated()
    const codec = this.#format === null ? {} : { codec: this.#format.name }
    return this.region.handleOf({ sabway: 'channel' as const, ...codec })
  }

  /** For another process of this user, which passes it to `attach`: see Region.token. Errors: ERR_SABWAY_INVALID_STATE. */
  get token(): string {
    return this.region.token
  }

  #onQueueEmpty: (() => void) | null = null
  #whenEmpty: (() => void) | null = null

  /** Called whenever the send queue has become empty, like the 'drain' event. Errors, when it is set: ERR_SABWAY_INVALID_TYPE. */
  get onQueueEmpty(): (() => void) | null {
    return this.#onQueueEmpty
  }

  set onQueueEmpty(callback: (() => void) | null) {
    if (callback !== null && callback !== undefined) check.callback(callback, 'onQueueEmpty')
    const inContext = host.context()
    this.#onQueueEmpty = callback ?? null
    this.#whenEmpty = callback ? () => inContext(callback) : null
  }

  /** @internal Set where the other side is reached by copying. */
  copied: string | undefined

  // ---- sending ----

  /**
   * Send, or queue a copy when the ring is full: the queue drains by itself, in order. True when nothing had to be queued.
   * Errors: ERR_SABWAY_MESSAGE_TOO_LARGE, ERR_SABWAY_CLOSED, ERR_SABWAY_SIDE_TAKEN, ERR_SABWAY_INVALID_TYPE, with a codec
   * ERR_SABWAY_NOT_ENCODABLE; and ERR_SABWAY_QUEUE_FULL when the queue would exceed `maxQueued`: then nothing of the message is queued.
   */
  send(message: T): boolean {
    if (this.#format === null) return this.#sender.send(message as Uint8Array)
    return this.sendEncoded(this.#format.encode(message))
  }

  /** @internal */
  sendEncoded(parts: readonly Uint8Array[]): boolean {
    if (parts.length === 1) return this.#sender.send(parts[0]!)
    return partsFor(VALUES).sendParts(this, parts) || this.#out.send(this.#joined(parts))
  }

  #encode(message: T): Uint8Array {
    return this.#format === null ? (message as Uint8Array) : this.#joined(this.#format.encode(message))
  }

  #joined(parts: readonly Uint8Array[]): Uint8Array {
    const { joined, lengthOf } = partsFor(VALUES)
    if (parts.length !== 1) this.#out.mustFit(lengthOf(parts)) // before it is copied together
    return joined(parts)
  }

  /** An encoder may use the same memory again and again, so what it gives is copied. */
  #encodeAll(format: Format, list: readonly T[]): Uint8Array[] {
    const messages: Uint8Array[] = []
    for (let i = 0, count = list.length; i < count; i++) {
      try {
        const bytes = this.#joined(format.encode(list[i]!))
        messages.push(format.id === 0 ? copyOf(bytes, check.message(bytes)) : bytes)
      } catch (error) {
        throw inFront(check.placed(i), error)
      }
    }
    return messages
  }

  /** Send only if there is room now and nothing is queued before it. Errors: as `send`. */
  trySend(message: T): boolean {
    return this.#sender.trySend(this.#encode(message))
  }

  /**
   * Resolves when the message is in the ring. Rejects as `send` throws, and with ERR_SABWAY_TIMEOUT or ERR_SABWAY_ABORTED: then it
   * was not sent. ERR_SABWAY_QUEUE_FULL only where calls that nothing awaited wait with as much as `maxQueued` allows.
   */
  async sendDirect(message: T, options?: SendOptions): Promise<void> {
    return this.#sendDirect(message, check.patience(options, 'send options'), true)
  }

  #sendDirect(message: T, patience: SendOptions, bounded: boolean): Promise<void> {
    const bytes = this.#encode(message)
    this.#batcher?.flush()
    if (this.#out.mourns) this.#lookAtPeer() // a successor may have come
    return this.#out.sendDirect(bytes, patience, bounded)
  }

  /**
   * Send the list's messages up to the first that finds no room, all at once. Returns how many. Errors: as `send`, and then none of
   * them was sent: what is wrong behind the first ones is for the next call to tell.
   */
  sendBatch(list: readonly T[]): number {
    check.array(list, 'the list of messages')
    this.#batcher?.flush()
    if (this.#format === null) return this.#out.sendBatch(list as readonly Uint8Array[])
    return this.#out.sendBatch(this.#encodeAll(this.#format, list))
  }

  /** Room in the ring to write a message of up to `length` bytes in place, 8-byte aligned; null when there is none now. */
  reserve(length: number): SharedBytes | null {
    check.integer(length, 'length', 0, Number.MAX_SAFE_INTEGER) // one larger than the ring has an error of its own
    this.#batcher?.flush()
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

  /**
   * Have the callback write one message of up to `length` bytes into the ring in place, and send it: the counterpart of `drain`. It is
   * given the region's bytes (always the same view, so that `new Float32Array(bytes.buffer)` need be made only once), and where the
   * message lies: `start` is a multiple of 8. It returns how many bytes the message has, from 0 to `length`; undefined: all of them.
   * False, and no call, when there is no room now, or something is queued before it. Wait-free, and nothing is allocated. What the
   * callback throws is thrown on, and nothing is sent; nor is it when the callback cleans up the channel. Nothing can be sent
   * from inside it. Errors: as `send`; ERR_SABWAY_OUT_OF_RANGE and ERR_SABWAY_INVALID_TYPE also for what the callback returns;
   * ERR_SABWAY_INVALID_STATE while a reservation or another `write` is open.
   */
  write(length: number, callback: WriteCallback): boolean {
    check.integer(length, 'length', 0, Number.MAX_SAFE_INTEGER) // as in `reserve`
    check.callback(callback, 'callback')
    this.#batcher?.flush()
    return this.#out.compose(length, callback)
  }

  // ---- receiving ----

  /** Give every message to the callback, a few milliseconds' worth per turn of the event loop, until stopReceiving. */
  startReceiving(callback: MessageCallback<T>, options?: StartOptions & { copy?: true | 'pooled' }): void
  startReceiving(callback: DrainCallback, options: StartOptions & { copy: false }): void
  startReceiving(callback: MessageCallback<T> | DrainCallback, options?: StartOptions): void {
    this.#mustReceive()
    if (this.#receivesForListeners) this.stopReceiving()
    if (this.#delivery.start(callback, options)) this.#everReceived = true
  }

  stopReceiving(): void {
    if (this.#receiver.waiting) return // that is receive's business, and ends with its messages
    this.#receivesForListeners = false
    this.#in.stop()
    this.#delivery.stop()
    this.#rest()
    // No message comes before the news of a death any more; and a watcher goes on sleeping, but not to be rung for messages.
    if (this.#deathIsUntold || this.#watching) dispatcher.activate(this)
  }

  /** A 'message' listener receives, unless something else does, until the last one goes or stopReceiving is called. */
  #onMessageListeners(): void {
    const wanted = this.listenerCount('message') !== 0
    if (this.#receivesForListeners && !wanted) this.stopReceiving()
    if (!wanted || this.#in.receiving || this.#receivingIsOver !== null) return
    this.startReceiving(() => {})
    this.#receivesForListeners = true
  }

  /**
   * The next message, as a copy of its own. Several calls are served in order, each message goes to one of them, and one that was
   * given up takes none. Keeps the process alive while it waits, unless `unref` was called.
   * Rejects with ERR_SABWAY_TIMEOUT, _ABORTED (cause: the signal's reason), _CLOSED, _CORRUPT, _INVALID_STATE (startReceiving is in
   * effect), and _PEER_DIED: the other side ended without closing, and all that it sent was received. That is told once; the
   * next call waits for a successor.
   */
  receive(options?: WaitOptions): Promise<T> {
    this.#everReceived = true
    return this.#receiver.receive(options)
  }

  /**
   * `for await (const message of channel)`: ends when the other side is done, throws as `receive` rejects. Leaving the loop leaves
   * the rest in the ring.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    this.#everReceived = true
    return this.#receiver.iterate()
  }

  /** Give the messages that are there now (at most `max`) to the callback in place: valid during the call, and the peer can still change them. Returns how many. */
  drain(callback: DrainCallback, max = Number.POSITIVE_INFINITY): number {
    check.callback(callback, 'callback')
    check.count(max, 'max')
    this.#mustReceive()
    this.#everReceived = true
    return this.#in.drain(callback, max)
  }

  /**
   * The next message. Blocks this thread until there is one, `timeout` milliseconds at most: then null. Other events of
   * this thread wait, too. Where null can be a message, which a codec makes possible, `tryReceive` tells the two apart.
   * Errors: ERR_SABWAY_CLOSED when the other side is done and all it sent has been received, ERR_SABWAY_PEER_DIED as
   * `receive`, unless `timeout` is 0, ERR_SABWAY_CORRUPT, ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_SIDE_TAKEN,
   * ERR_SABWAY_INVALID_STATE while startReceiving has a
   * callback, and on a page's main thread and an audio thread, which may not block, unless `timeout` is 0; with a codec ERR_SABWAY_NOT_DECODABLE.
   */
  receiveSync(timeout = Number.POSITIVE_INFINITY): T | null {
    const message = this.#await(timeout)
    return message === NOTHING ? null : message
  }

  /** As `{ message }` the next message, whatever it is, or null when none comes within `timeout` milliseconds (default 0). Errors: as `receiveSync`. */
  tryReceive(timeout = 0): { message: T } | null {
    const message = this.#await(timeout)
    return message === NOTHING ? null : { message }
  }

  #await(timeout: number): T | typeof NOTHING {
    check.milliseconds(timeout, 'timeout')
    this.#mustReceive()
    this.#in.openForTaking()
    this.#everReceived = true
    try {
      return block(this.region, this.waiter, this.#awaited, timeout)
    } finally {
      if (this.#out.pending || this.#watching) dispatcher.activate(this) // the loop's sleep ended with this one
    }
  }

  readonly #awaited = {
    take: () => this.#in.take(this.#take),
    ready: () => {
      if (this.#watch.look()) this.#peerHasDied(true)
      return this.#in.available() || this.#out.wantSpace() || this.#receiver.mourns
    },
    role: () => this.#watch.receiver,
    patrol: (closely: boolean) => {
      if (closely ? this.#watch.lookClosely() : this.#watch.look()) this.#peerHasDied(true)
      if (!this.#receiver.mourns || this.#in.available()) return
      throw this.#receiver.takeDeath()
    },
    meanwhile: () => {
      serveAll()
      if (this.#out.pending) this.#out.flush()
    },
  }

  // ---- streams ----

  #readable: ReadableStream<T> | null = null
  #writable: WritableStream<T> | null = null

  /**
   * The messages as a stream: made on first use, then always the same. It holds none back: a message leaves the ring when it is
   * read. It closes when the other side is done. Cancelling it ends this direction: the other side's sends fail with ERR_SABWAY_CLOSED.
   */
  get readable(): ReadableStream<T> {
    this.#readable ??= partsFor('readable').makeReadable({
      receive: (options) => this.receive(options),
      close: (reason) => this.#closeReceiving(reason),
    })
    return this.#readable
  }

  /**
   * A stream of messages to send: made on first use, then always the same. A chunk is written when it is in the ring, so who waits for
   * `ready`, as pipeTo does, is held back by a slow receiver. Closing it ends this direction after all that was written; aborting it
   * gives up what waits. The other direction goes on.
   */
  get writable(): WritableStream<T> {
    this.#writable ??= partsFor('writable').makeWritable({
      // One chunk at a time: the stream's own queue is bounded by its `ready`.
      sendDirect: async (message, options) => this.#sendDirect(message, options, false),
      settled: () => this.#out.settled(),
      close: (reason) => this.#closeSending(reason),
    })
    return this.#writable
  }

  // ---- a MessagePort ----

  #port: ChannelPort | null = null

  /**
   * A MessagePort over this channel, always the same: structured values, for Comlink and the like. It takes all messages once started.
   * Errors: ERR_SABWAY_NOT_LOADED with sabway/bytes.
   */
  port(): ChannelPort {
    this.#port ??= partsFor('port()').makePort({
      format: this.#format,
      parity: this.side === 'renderer' ? 0 : 1,
      send: (parts) => this.sendEncoded(parts),
      sendAlways: (message) => {
        this.#batcher?.flush()
        this.#out.sendAlways(message)
      },
      receive: (callback) => {
        host.needLoop()
        this.#mustReceive()
        this.#in.start((bytes, start, end) => callback(bytes.subarray(start, end)), {}, host.context())
        this.#everReceived = true
        this.#portReceives = true
        dispatcher.activate(this)
      },
      stop: () => {
        this.#portReceives = false
        this.stopReceiving()
      },
      hold: (held) => {
        this.#portHolds = held
        this.#balanceRefs()
      },
      report: (error) => this.#report(error),
    })
    return this.#port
  }

  #closeReceiving(reason: string): void {
    if (this.#receivingIsOver === null) this.#stopForGood(reason, () => this.#in.close())
  }

  /** `letGo` of the consumer's role: nothing more is received through this object. */
  #stopForGood(reason: string, letGo: () => void): void {
    this.#receivingIsOver = new SabwayError('ERR_SABWAY_CLOSED', reason)
    this.#delivery.stop()
    letGo()
    this.#receiver.end(this.#receivingIsOver)
    this.#port?.end()
  }

  #closeSending(reason: string): void {
    if (this.#sendingIsOver) return
    this.#sendingIsOver = true
    this.#flushLast()
    this.#out.close(reason)
  }

  #flushLast(): void {
    try {
      this.#batcher?.flush()
    } catch {
      // Its words were overwritten: they cannot be published.
    }
  }

  // ---- the native worker ----

  /**
   * Start a native thread on the other side: a built-in handler, or a plugin. Returns when it is open.
   * Errors: ERR_SABWAY_PLUGIN_NOT_FOUND, _SYMBOL, _ABI, _OPEN; ERR_SABWAY_SIDE_TAKEN, ERR_SABWAY_NO_ADDON.
   */
  startWorker(options: BuiltinWorker | PluginWorker): void {
    if (this.#closed) throw new SabwayError('ERR_SABWAY_CLOSED', 'cleanup was called')
    const { NativeWorker, needBinding, workerOptions } = nativeWorkers()
    const start = workerOptions(options)
    const binding = needBinding(this.region.binding)
    if (this.#worker !== null) {
      throw new SabwayError('ERR_SABWAY_SIDE_TAKEN', 'this channel has a native worker; stopWorker ends it')
    }
    const side = this.side === 'renderer' ? SW_NATIVE : SW_RENDERER
    const dismiss = this.region.commons.employ()
    try {
      this.#worker = new NativeWorker(binding, side, start, this.waiter.policy, (...end) => this.#onWorkerExit(...end))
      this.#dismiss = dismiss
    } catch (error) {
      dismiss()
      throw error
    }
  }

  /** End the native thread after the messages it has already been sent; another may take its side. Waits for a plugin that is busy. */
  stopWorker(): void {
    const worker = this.#worker
    if (worker === null) return
    this.#worker = null
    worker.stop()
    this.#dismiss!()
    dispatcher.schedule() // what waits for its region can wait there from now on
  }

  // ---- life ----

  get closed(): boolean {
    return this.#closed
  }

  /**
   * Keep the process alive while the channel is open. Without it a channel does so while it receives (startReceiving, a
   * 'message' listener, a pending `receive`, a loop, a port) and the other side is not done, and while messages are queued that
   * a living participant can take.
   */
  ref(): this {
    this.#wantsRef = true
    this.#balanceRefs()
    return this
  }

  /** Receiving is no reason to keep the process alive any more, until `ref` is called. */
  unref(): this {
    this.#wantsRef = false
    this.#balanceRefs()
    return this
  }

  stats(): ChannelStats {
    const received = this.#in.stats()
    const sent = this.#out.stats()
    const worker = this.#worker?.stats()
    const { policy, parks } = this.waiter
    return {
      side: this.side,
      sent,
      received,
      peer: !this.#closed && this.#watch.there,
      ...(worker === undefined ? {} : { worker }),
      wait: { policy, mechanism: this.waiter.mechanism(this.#watch.receiver), parks, wakes: this.region.wakes },
      wakes: this.region.binding === null ? 'atomics' : 'addon',
      ...(this.copied === undefined ? { transport: 'shared' } : { transport: 'copied', copied: this.copied }),
    }
  }

  /**
   * Close this side: the other one still gets what was sent, then 'close'. What is queued is given up (sendDirect rejects), the
   * native worker is stopped and joined, the memory let go. Idempotent; allowed inside callbacks.
   */
  cleanup(): void {
    this.#end('cleanup was called')
  }

  #end(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#closeSending(reason)
    this.#closeReceiving(reason)
    this.#letGo()
  }

  /**
   * Let go of this side without an end of the stream: the other side is not told, and the next `attach` goes on where this one
   * stopped, with what was not received yet. What is queued and finds no room now is given up (sendDirect rejects), a native
   * worker that this object started is stopped. Afterwards the object is closed. Idempotent; allowed inside callbacks.
   */
  detach(): void {
    if (this.#closed) return
    this.#closed = true
    this.#flushLast()
    if (this.#out.pending) this.#out.flush()
    this.#out.leave('detach was called')
    if (this.#receivingIsOver === null) this.#stopForGood('detach was called', () => this.#in.leave())
    this.#letGo()
  }

  #letGo(): void {
    dispatcher.deactivate(this)
    this.stopWorker()
    this.#leaveRegion()
    this.#balanceRefs()
    if (this.#ownsRegion) this.region.close()
  }

  /** Send now what `batch` holds back. */
  flush(): void {
    this.#batcher?.flush()
  }

  [host.dispose](): void {
    this.cleanup()
  }

  /** Lets what is queued be sent first, for at most five seconds and while a living participant can take it; then `cleanup`. */
  async [host.asyncDispose](): Promise<void> {
    const end = host.now() + DISPOSE_MS
    while (this.#out.pending && this.#watch.there && host.now() < end) {
      const settled = this.#out.settled().catch(() => {}) // given up is settled, too
      await Promise.race([settled, new Promise((resolve) => host.after(LOOK_AGAIN_MS, resolve as () => void))])
    }
    this.cleanup()
  }

  // ---- what it says of itself ----

  get [Symbol.toStringTag](): string {
    return 'SharedMemoryChannel'
  }

  /** What JSON.stringify and console.log show; `stats()` tells more. Another thread needs `handle`, another process `token`. */
  toJSON(): { side: Side; share: 'threads' | 'processes'; codec: string; closed: boolean } {
    const share = this.region.processes ? 'processes' : 'threads'
    return { side: this.side, share, codec: this.#format?.name ?? 'bytes', closed: this.#closed }
  }

  /** @internal */
  [INSPECT](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    return inspected('SharedMemoryChannel', this.toJSON(), options, inspect)
  }

  // ---- events ----

  /** @internal */
  protected override beforeListening(type: string): void {
    if (type === 'message' || type === 'close' || type === 'peer-died') host.needLoop()
  }

  /** @internal */
  protected override onListenersChanged(type: string): void {
    if (type === 'close' || type === 'peer-died') this.#onRole()
    if (type === 'message') this.#onMessageListeners()
  }

  /** Are there listeners that want to be told what becomes of the other side? */
  get #watching(): boolean {
    if (this.#closed || (!this.#in.isOpen && !this.#out.isOpen)) return false
    if (!this.#closeWasTold && this.listenerCount('close') !== 0) return true
    const over = this.#watch.readsNoMore && this.#watch.sendsNoMore // what has ended for good has no successor that may die
    return !over && this.listenerCount('peer-died') !== 0
  }

  /** A role was taken, or a listener came or went: only the holder of a role is rung. */
  #onRole(): void {
    if (this.#closed) return
    if (this.#watching) dispatcher.activate(this)
    else this.#rest()
  }

  #lookAtPeer(): void {
    if (this.#watch.look()) this.#peerHasDied()
    else this.#tellDeath()
    if (this.#watch.gone) this.#settleDeath()
    else this.#peerCame()
    if (!this.#watching || !this.#watch.readsNoMore || this.#in.receiving) return // a receiver is told after the last message
    const allReceived = !this.#everReceived || (this.#watch.sendsNoMore && this.#in.stats().used === 0)
    if (allReceived) this.#tellClose()
  }

  #tellClose(): void {
    if (this.#closeWasTold) return
    this.#closeWasTold = true
    this.dispatchEvent(new host.BaseEvent('close'))
  }

  /** The other side's holder has ended without leaving it. `waiting`: a call blocks this thread. */
  #peerHasDied(waiting = false): void {
    const told = this.listenerCount('peer-died') !== 0
    this.#out.peerDied(told)
    this.#receiver.peerDied(told && !waiting)
    this.#deathIsUntold = true
    this.#rest()
    this.#tellDeath()
  }

  /** The news of a death comes behind the dead participant's messages, where this side receives them by itself. */
  #tellDeath(): void {
    if (!this.#deathIsUntold || this.#closed) return
    if (this.#watch.gone && this.#in.receiving && this.#in.available()) return
    this.#deathIsUntold = false
    this.dispatchEvent(new host.BaseEvent('peer-died'))
  }

  #peerCame(): void {
    this.#out.peerCame()
    this.#receiver.peerCame()
  }

  /** What waits for messages of a dead participant is told when all of them were received. */
  #settleDeath(): void {
    this.#receiver.settleDeath()
    if (!this.#portReceives || this.#in.available()) return
    this.#portReceives = false
    this.stopReceiving()
    this.#port?.end()
  }

  #onQueued(): void {
    dispatcher.activate(this)
    this.#balanceRefs()
  }

  #onDrained(): void {
    this.#balanceRefs()
    this.#whenEmpty?.()
    this.dispatchEvent(new host.BaseEvent('drain'))
  }

  #onEnd(error: SabwayError | null): void {
    this.#in.stop()
    this.#delivery.stop()
    const heard = this.#receiver.end(error ?? closedThere())
    this.#port?.end()
    this.#rest()
    if (error !== null && !heard) this.#report(error)
    this.#tellClose()
  }

  /** An error that no call is there to throw. Unheard, it becomes an uncaught exception, not silence. */
  #report(error: SabwayError): void {
    if (this.listenerCount('error') !== 0) this.dispatchEvent(new ChannelErrorEvent(error))
    else
      host.microtask(() => {
        throw error
      })
  }

  // ---- what the dispatcher calls ----

  /** @internal */
  work(): boolean {
    const moved = this.#out.pending && this.#out.flush()
    const received = this.#delivery.work()
    this.#lookAtPeer() // behind the delivery: a dead participant's messages come before the news of it
    this.#rest()
    return moved || received
  }

  /** @internal */
  reach(how: number): number {
    return reachOf(this.region, this.#watch.receiver, how)
  }

  /** @internal Messages that wait for a tick need no ring. */
  get wantsMessages(): boolean {
    return this.#in.receiving && !this.#delivery.planned
  }

  /** @internal */
  ready(): boolean {
    this.#lookAtPeer()
    return (this.wantsMessages && this.#in.ready()) || this.#out.wantSpace()
  }

  /** @internal */
  hasNews(): boolean {
    if (this.#deathIsUntold || this.#watch.hasNews || (this.#watching && this.#watch.readsNoMore)) return true
    if (this.#watch.gone && (this.#portReceives || (this.#receiver.mourns && this.#receiver.waiting))) return true
    try {
      return (this.#in.receiving && !this.#delivery.planned && this.#in.available()) || this.#out.wantSpace()
    } catch {
      return true // its words were overwritten, as the turn will find
    }
  }

  /** @internal */
  wake(): void {
    dispatcher.activate(this)
  }

  /** @internal */
  onPeerDied(number: number): void {
    if (this.#closed || !this.#watch.isMeant(Math.floor(number / 2 ** 32))) return
    const seen = this.#watch.look()
    if (!this.#watch.note(number >>> 0) && !seen) return
    this.#peerHasDied()
    // Once more round: what waits is told when the ring is empty. A listener of 'peer-died' may have cleaned up.
    if (!this.#closed) dispatcher.activate(this)
  }

  /** @internal */
  onCarrierFailed(status: number): void {
    if (!this.#closed) this.#report(coreError(status, 'the memory that processes share'))
  }

  #onWorkerExit(worker: NativeWorker, status: number): void {
    if (worker !== this.#worker) return
    this.stopWorker() // it has ended by itself: this only joins it
    if (status < 0 && status !== ERRORS.ERR_SABWAY_CLOSED.number)
      this.#report(coreError(status, 'the native worker ended'))
  }

  /** Off the event loop when there is nothing to wait for. */
  #rest(): void {
    if (!this.wantsMessages && !this.#out.pending && !this.#watching) dispatcher.deactivate(this)
    this.#balanceRefs()
  }

  /** What keeps the process alive: see `ref`. */
  #balanceRefs(): void {
    const receives = this.#portReceives ? this.#portHolds : this.#in.receiving
    const wanted =
      !this.#closed &&
      ((this.#wantsRef ?? (receives && (!this.#watch.gone || this.#deathIsUntold))) ||
        (this.#out.pending && this.#watch.there))
    setActive(this.#keepAlive, wanted)
  }

  #mustReceive(): void {
    if (this.#receivingIsOver !== null) throw this.#receivingIsOver
  }
}

const closedThere = () =>
  new SabwayError('ERR_SABWAY_CLOSED', 'the other side was cleaned up, and all that it sent was received')

/** Why that direction has ended; null when it has not. */
function endedOr(open: () => void): SabwayError | null {
  try {
    open()
    return null
  } catch (error) {
    if ((error as SabwayError).code !== 'ERR_SABWAY_CLOSED') throw error
    return error as SabwayError
  }
}
