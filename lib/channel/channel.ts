// The public surface of a channel: checks of arguments, values to bytes, and life. The work is done
// by the parts that it owns:
//
//   ChannelParticipant  what the event loop calls, receiving, and what becomes of the other side
//   Producer            the ring that this side sends into
//   SendQueue           what waits in front of that ring
//   Batcher             small messages that are published together
//   Consumer            the ring that this side receives from
//   NativeWorker        a native thread on the other side, that this object started
//
// States: state.ts. Both roles are taken by `attach`, and on first use of each direction by `new`.
//
// From `send` to the ring: SendQueue.send, Producer.trySend, one call of the core. From the ring to
// the callback: ChannelParticipant.work, Delivery.work, Consumer.pump, and for each message the
// closure that Delivery made of the callback.
//
// A side that is let go by `cleanup` has ended for good; one that is let go by `detach`, or by a
// crash, can be taken again, and goes on behind what was published and released (producer.ts,
// consumer.ts).
import type { ChannelHandle } from '../base/channel-handle.js'
import * as check from '../base/check.js'
import { copyOut } from '../base/copy.js'
import { LazyEnding, SabwayError } from '../base/errors.js'
import { type ChannelEventMap, ListenerTarget } from '../base/events.js'
import * as host from '../base/host.js'
import type { SharedBytes } from '../base/shared-bytes.js'
import { cloneHint, hide, INSPECT, inspected } from '../base/summary.js'
import type { Format } from '../codec/format.js'
import { SW_RENDERER } from '../generated/abi.js'
import { block, NOTHING } from '../loop/block.js'
import { nativePart } from '../loop/parts.js'
import type { ChannelPlace } from '../region/channel-place.js'
import { channelToken } from '../region/handle.js'
import { isolated } from '../region/isolation.js'
import type { Region } from '../region/region.js'
import type { Batcher } from './batch.js'
import { BlockingReceive } from './blocking-receive.js'
import type { Consumer, DrainCallback, MessageCallback, ToMessage } from './consumer.js'
import type { BuiltinWorker, PluginWorker } from './native-worker.js'
import type { AttachOptions, ChannelOptions, ChannelStats, InnerOptions, Side, StartOptions } from './options.js'
import { ChannelParticipant } from './participant.js'
import { nativeWorkers, partsFor } from './parts.js'
import type { ChannelPort } from './port.js'
import type { Producer, WriteCallback } from './producer.js'
import type { WaitOptions } from './receiver.js'
import type { SendOptions, SendQueue } from './send-queue.js'
import { attachTo, BATCH, Setup } from './setup.js'
import type { ChannelState } from './state.js'

const DEFAULT_BYTES = 1 << 20
const VALUES = 'a codec'
const CLONE_HINT = 'A channel stays in its thread: post channel.handle, and attach to that there. It'

/** How long [Symbol.asyncDispose] lets the queue drain, in milliseconds. */
const DISPOSE_MS = 5000
/** How often [Symbol.asyncDispose] looks whether the other side is still held, in milliseconds. */
const LOOK_AGAIN_MS = 50

/**
 * Two rings in one piece of shared memory: messages go both ways between this JavaScript thread and
 * a native thread, or another JavaScript thread, or another process, without being serialised. One
 * thread at a time sends, and one receives, on each side.
 *
 * Its events are those of ChannelEventMap.
 */
export class SharedMemoryChannel<T = Uint8Array> extends ListenerTarget<ChannelEventMap<T>> {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = cloneHint(CLONE_HINT)
  /** @internal */ declare readonly region: Region
  readonly side: Side
  readonly #participant: ChannelParticipant<T>
  readonly #state: ChannelState
  readonly #producer: Producer
  readonly #queue: SendQueue
  readonly #consumer: Consumer
  readonly #batcher: Batcher | null
  /** What takes single messages: `#batcher`, or `#queue`. */
  readonly #sender: Batcher | SendQueue
  readonly #format: Format | null
  readonly #blocking: BlockingReceive<T>
  readonly #ownsRegion: boolean
  readonly #copiedBecause: string | undefined
  readonly #leaveRegion: () => void
  /** Can a participant that does not hold the other side now learn of the channel, and take it? */
  #lent: boolean
  #onQueueEmpty: (() => void) | null = null
  #readable: ReadableStream<T> | null = null
  #writable: WritableStream<T> | null = null

  /**
   * Capacities in bytes, 4 KiB to 512 MiB, rounded up to powers of two; each is also the largest
   * message.
   */
  constructor(rendererToNativeBytes?: number, nativeToRendererBytes?: number, options?: ChannelOptions<T>)
  /** @internal */
  constructor(setup: Setup)
  constructor(first: number | Setup = DEFAULT_BYTES, second: number = DEFAULT_BYTES, options?: ChannelOptions<T>) {
    super()
    const { parts } = Setup.is(first) ? first : Setup.create(first, second, options)
    const { region, place, batch, format } = parts
    this.side = place.side === SW_RENDERER ? 'renderer' : 'native'
    this.#lent = parts.named
    hide(this, { region })
    this.#format = format
    this.#ownsRegion = parts.ownsRegion
    this.#copiedBecause = parts.copiedBecause
    let participant: ChannelParticipant<T>
    try {
      participant = new ChannelParticipant<T>(parts, toMessage(format), this)
    } catch (error) {
      parts.undo?.()
      throw error
    }
    this.#participant = participant
    this.#state = participant.state
    this.#producer = participant.producer
    this.#queue = participant.queue
    this.#consumer = participant.consumer
    this.#batcher =
      batch === undefined ? null : new (partsFor(BATCH).Batcher)(this.#producer, this.#queue, batch, participant)
    this.#sender = this.#batcher ?? this.#queue
    this.#blocking = new BlockingReceive(participant)
    const end = () => this.#end('its region was closed')
    this.#leaveRegion = parts.ownsRegion ? region.onClose(end) : region.host(end)
    if (region.processes || region.copied !== undefined) nativePart.loaded?.listenForDeaths(participant)
  }

  /**
   * Take a side of a channel: that another thread made, with the handle it sent, or another
   * process, with the token. A side that was detached, or whose holder died, can be taken again;
   * one that was cleaned up cannot. With `replace` also one that is held. Errors: those of
   * Region.open, ERR_SABWAY_SIDE_TAKEN, ERR_SABWAY_CLOSED, and ERR_SABWAY_UNSUPPORTED (`replace`
   * where the memory is copied).
   */
  static attach<T = Uint8Array>(from: ChannelHandle | string, options: AttachOptions<T>): SharedMemoryChannel<T> {
    return SharedMemoryChannel.over<T>(...attachTo(from, options))
  }

  /** @internal Is it a channel that this copy of the library has made? */
  static isMade(value: object): value is SharedMemoryChannel {
    return #lent in value
  }

  /** @internal Where it is. */
  get place(): ChannelPlace {
    return this.#participant.place
  }

  /** @internal A channel object for a side, which takes its roles on first use. */
  static idle<T = Uint8Array>(region: Region, side: Side, options: InnerOptions): SharedMemoryChannel<T> {
    return new SharedMemoryChannel<T>(Setup.join(region, side, options))
  }

  /**
   * @internal Take a side of the region's channel. The region is closed when that fails, and with
   * the channel.
   */
  static over<T = Uint8Array>(region: Region, side: Side, options: InnerOptions): SharedMemoryChannel<T> {
    let channel: SharedMemoryChannel<T> | undefined
    try {
      channel = SharedMemoryChannel.idle<T>(region, side, options)
      const { peer } = channel.#participant
      if (options.replace) peer.evictHolders()
      channel.#takeBothRoles()
      peer.ringHolders()
      return channel
    } catch (error) {
      const taken = (error as SabwayError).code === 'ERR_SABWAY_SIDE_TAKEN'
      if (taken && channel !== undefined) channel.#participant.peer.suspectHolders()
      if (channel === undefined) region.release()
      else channel.detach() // lets go of the region, which else would end the side's streams
      throw error
    }
  }

  /** One direction may have ended, by its stream: then that one stays ended. */
  #takeBothRoles(): void {
    const sending = whyEnded(this.#producer)
    const receiving = whyEnded(this.#consumer)
    if (sending !== null && receiving !== null) {
      this.region.mustHaveChannel(this.place)
      throw new SabwayError(
        'ERR_SABWAY_CLOSED',
        `the side '${this.side}' was cleaned up, which ends its streams; make a new channel, and use detach() to let go of a side that will be taken again`,
      )
    }
    this.#state.sendingOver = sending !== null
    this.#state.receivingOver = receiving && { error: receiving }
  }

  /**
   * Structured-cloneable: send it to another thread, which passes it to `attach`. Errors:
   * ERR_SABWAY_NOT_ISOLATED in a browser, which says what this scope lacks.
   */
  get handle(): ChannelHandle {
    isolated()
    this.#lent = true
    const handle = this.region.channelHandle(this.place)
    return this.#format === null ? handle : Object.assign(handle, { codec: this.#format.name })
  }

  /**
   * For another process of this user, which passes it to `attach`: see Region.token. Errors:
   * ERR_SABWAY_INVALID_STATE.
   */
  get token(): string {
    const token = channelToken(this.region.token, this.place)
    this.#lent = true
    return token
  }

  /**
   * Called whenever the send queue has become empty, like the 'drain' event. Errors, when it is
   * set: ERR_SABWAY_INVALID_TYPE.
   */
  get onQueueEmpty(): (() => void) | null {
    return this.#onQueueEmpty
  }

  set onQueueEmpty(callback: (() => void) | null) {
    if (callback !== null && callback !== undefined) check.callback(callback, 'onQueueEmpty')
    const inContext = host.context()
    this.#onQueueEmpty = callback ?? null
    this.#participant.onDrain = callback ? () => inContext(callback) : null
  }

  // ---- sending ----

  /**
   * Send, or queue a copy when the ring is full: the queue drains by itself, in order. True when
   * nothing had to be queued. Errors: ERR_SABWAY_MESSAGE_TOO_LARGE, ERR_SABWAY_CLOSED,
   * ERR_SABWAY_SIDE_TAKEN, ERR_SABWAY_INVALID_TYPE, with a codec ERR_SABWAY_NOT_ENCODABLE; and
   * ERR_SABWAY_QUEUE_FULL when the queue would exceed `maxQueued`: then nothing of the message is
   * queued.
   */
  send(message: T): boolean {
    if (this.#format === null) return this.#sender.send(message as Uint8Array)
    return this.#sendParts(this.#format.encode(message))
  }

  #sendParts(parts: readonly Uint8Array[]): boolean {
    if (parts.length === 1) return this.#sender.send(parts[0]!)
    this.#batcher?.flush()
    return partsFor(VALUES).sendParts(this.#producer, this.#queue, parts)
  }

  #encode(message: T): Uint8Array {
    const format = this.#format
    return format === null ? (message as Uint8Array) : partsFor(VALUES).encoded(this.#producer, format, message)
  }

  /** Send only if there is room now and nothing is queued before it. Errors: as `send`. */
  trySend(message: T): boolean {
    return this.#sender.trySend(this.#format === null ? (message as Uint8Array) : this.#encode(message))
  }

  /**
   * Resolves when the message is in the ring. Rejects as `send` throws, and with ERR_SABWAY_TIMEOUT
   * or ERR_SABWAY_ABORTED: then it was not sent. ERR_SABWAY_QUEUE_FULL only where calls that
   * nothing awaited wait with as much as `maxQueued` allows.
   */
  async sendDirect(message: T, options?: SendOptions): Promise<void> {
    return this.#sendDirect(message, check.patience(options, 'send options'), true)
  }

  #sendDirect(message: T, patience: SendOptions, bounded: boolean): Promise<void> {
    const bytes = this.#encode(message)
    this.#batcher?.flush()
    if (this.#queue.hasUntoldDeath) this.#participant.lookAtPeer() // a successor may have come
    return this.#queue.sendDirect(bytes, patience, bounded)
  }

  /**
   * Send the list's messages up to the first that finds no room, all at once. Returns how many.
   * Errors: as `send`, and then none of them was sent: what is wrong behind the first ones is for
   * the next call to tell.
   */
  sendBatch(list: readonly T[]): number {
    check.array(list, 'the list of messages')
    this.#batcher?.flush()
    if (this.#format === null) return this.#producer.sendBatch(list as readonly Uint8Array[])
    return this.#producer.sendBatch(partsFor(VALUES).encodedList(this.#producer, this.#format, list))
  }

  /**
   * Room in the ring to write a message of up to `length` bytes in place, 8-byte aligned; null when
   * there is none now.
   */
  reserve(length: number): SharedBytes | null {
    // one larger than the ring has an error of its own
    check.integer(length, 'length', 0, Number.MAX_SAFE_INTEGER)
    this.#batcher?.flush()
    const at = this.#producer.reserve(length)
    return at === 0 ? null : new Uint8Array(this.region.bytes.buffer, at, length)
  }

  /** Send the first `length` bytes (default: all) of what was reserved. */
  commit(length?: number): void {
    this.#producer.commit(length)
  }

  /** Forget what was reserved. */
  abandon(): void {
    this.#producer.abandon()
  }

  /**
   * Have the callback write one message of up to `length` bytes into the ring in place, and send
   * it: the counterpart of `drain`. It is given the region's bytes (always the same view, so that
   * `new Float32Array(bytes.buffer)` need be made only once), and where the message lies: `start`
   * is a multiple of 8. It returns how many bytes the message has, from 0 to `length`; undefined:
   * all of them. False, and no call, when there is no room now, or something is queued before it.
   * Wait-free, and nothing is allocated. What the callback throws is thrown on, and nothing is
   * sent; nor is it when the callback cleans up the channel. Nothing can be sent from inside it.
   * Errors: as `send`; ERR_SABWAY_OUT_OF_RANGE and ERR_SABWAY_INVALID_TYPE also for what the
   * callback returns; ERR_SABWAY_INVALID_STATE while a reservation or another `write` is open.
   */
  write(length: number, callback: WriteCallback): boolean {
    check.integer(length, 'length', 0, Number.MAX_SAFE_INTEGER) // as in `reserve`
    check.callback(callback, 'callback')
    this.#batcher?.flush()
    return this.#producer.write(length, callback)
  }

  // ---- receiving ----

  /**
   * Give every message to the callback, a few milliseconds' worth per turn of the event loop, until
   * stopReceiving.
   */
  startReceiving(callback: MessageCallback<T>, options?: StartOptions & { copy?: true | 'pooled' }): void
  startReceiving(callback: DrainCallback, options: StartOptions & { copy: false }): void
  startReceiving(callback: MessageCallback<T> | DrainCallback, options?: StartOptions): void {
    this.#participant.startReceiving(callback, options)
  }

  stopReceiving(): void {
    this.#participant.stopReceiving()
  }

  /**
   * The next message, as a copy of its own. Several calls are served in order, each message goes to
   * one of them, and one that was given up takes none. Keeps the process alive while it waits,
   * unless `unref` was called. Rejects with ERR_SABWAY_TIMEOUT, _ABORTED (cause: the signal's
   * reason), _CLOSED, _CORRUPT, _INVALID_STATE (startReceiving is in effect), and _PEER_DIED: the
   * other side ended without closing, and all that it sent was received. That is told once; the
   * next call waits for a successor.
   */
  receive(options?: WaitOptions): Promise<T> {
    return this.#participant.receive(options)
  }

  /**
   * `for await (const message of channel)`: ends when the other side is done, throws as `receive`
   * rejects. Leaving the loop leaves the rest in the ring.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    this.#state.receivingUsed = true
    return this.#participant.receiver.iterate()
  }

  /**
   * Give the messages that are there now (at most `max`) to the callback in place: valid during the
   * call, and the peer can still change them. Returns how many.
   */
  drain(callback: DrainCallback, max = Number.POSITIVE_INFINITY): number {
    check.callback(callback, 'callback')
    check.count(max, 'max')
    this.#state.mustReceive()
    this.#state.receivingUsed = true
    return this.#consumer.drain(callback, max)
  }

  /**
   * The next message. Blocks this thread until there is one, `timeout` milliseconds at most: then
   * null. Other events of this thread wait, too. Where null can be a message, which a codec makes
   * possible, `tryReceive` tells the two apart. Errors: ERR_SABWAY_CLOSED when the other side is
   * done and all it sent has been received, ERR_SABWAY_PEER_DIED as `receive`, unless `timeout` is
   * 0, ERR_SABWAY_CORRUPT, ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_SIDE_TAKEN, ERR_SABWAY_INVALID_STATE
   * while startReceiving has a callback, and on a page's main thread and an audio thread, which may
   * not block, unless `timeout` is 0; with a codec ERR_SABWAY_NOT_DECODABLE.
   */
  receiveSync(timeout = Number.POSITIVE_INFINITY): T | null {
    const message = this.#receiveBlocking(timeout)
    return message === NOTHING ? null : message
  }

  /**
   * As `{ message }` the next message, whatever it is, or null when none comes within `timeout`
   * milliseconds (default 0). Errors: as `receiveSync`.
   */
  tryReceive(timeout = 0): { message: T } | null {
    const message = this.#receiveBlocking(timeout)
    return message === NOTHING ? null : { message }
  }

  #receiveBlocking(timeout: number): T | typeof NOTHING {
    check.milliseconds(timeout, 'timeout')
    this.#state.mustReceive()
    this.#consumer.openForTaking()
    this.#state.receivingUsed = true
    this.#participant.block()
    return block(this.region, this.#participant.waiter, this.#blocking, timeout)
  }

  // ---- streams ----

  /**
   * The messages as a stream: made on first use, then always the same. It holds none back: a
   * message leaves the ring when it is read. It closes when the other side is done. Cancelling it
   * ends this direction: the other side's sends fail with ERR_SABWAY_CLOSED.
   */
  get readable(): ReadableStream<T> {
    this.#readable ??= partsFor('readable').makeReadable(this.#participant)
    return this.#readable
  }

  /**
   * A stream of messages to send: made on first use, then always the same. A chunk is written when
   * it is in the ring, so a writer that waits for `ready`, as pipeTo does, is slowed down by a slow
   * receiver. Closing it ends this direction after all that was written; aborting it gives up what
   * waits. The other direction goes on.
   */
  get writable(): WritableStream<T> {
    this.#writable ??= partsFor('writable').makeWritable({
      // One chunk at a time: the stream's own queue is bounded by its `ready`.
      sendDirect: async (message, options) => this.#sendDirect(message, options, false),
      drained: () => this.#queue.drained(),
      close: (reason) => this.#closeSending(reason),
    })
    return this.#writable
  }

  // ---- a MessagePort ----

  /**
   * A MessagePort over this channel, always the same: structured values, for Comlink and the like.
   * It takes all messages once started. Errors: ERR_SABWAY_NOT_LOADED with sabway/bytes;
   * ERR_SABWAY_INVALID_STATE where the channel's codec encrypts, which a port would go around.
   */
  port(): ChannelPort {
    const participant = this.#participant
    participant.port ??= partsFor('port()').makePort(participant, {
      format: this.#format,
      parity: this.side === 'renderer' ? 0 : 1,
      send: (parts) => this.#sendParts(parts),
      sendAlways: (message) => {
        this.#batcher?.flush()
        this.#queue.sendAlways(message)
      },
    })
    return participant.port
  }

  #closeSending(reason: string): void {
    if (this.#state.sendingOver) return
    this.#state.sendingOver = true
    this.#flushLast()
    this.#queue.fail(new LazyEnding('ERR_SABWAY_CLOSED', reason))
    this.#producer.close()
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
   * Start a native thread on the other side: a built-in handler, or a plugin. Returns when it is
   * open. Errors: ERR_SABWAY_PLUGIN_NOT_FOUND, _SYMBOL, _ABI, _OPEN; ERR_SABWAY_SIDE_TAKEN,
   * ERR_SABWAY_NO_ADDON.
   */
  startWorker(options: BuiltinWorker | PluginWorker): void {
    if (this.#state.closed) throw new SabwayError('ERR_SABWAY_CLOSED', 'cleanup was called')
    nativeWorkers().startWorker(this.#participant, options)
  }

  /**
   * End the native thread after the messages it has already been sent; another may take its side.
   * Waits for a plugin that is busy.
   */
  stopWorker(): void {
    this.#participant.worker?.stop()
  }

  // ---- life ----

  get closed(): boolean {
    return this.#state.closed
  }

  /**
   * Keep the process alive while the channel is open. Without it a channel does so while it
   * receives (startReceiving, a 'message' listener, a pending `receive`, a loop, a port) and the
   * other side is not done, and while messages are queued that a living participant can take.
   */
  ref(): this {
    this.#participant.keepAlive.ask(true)
    return this
  }

  /** Receiving is no reason to keep the process alive any more, until `ref` is called. */
  unref(): this {
    this.#participant.keepAlive.ask(false)
    return this
  }

  stats(): ChannelStats {
    const received = this.#consumer.stats()
    const { messages, bytes, capacity, used } = this.#producer.stats()
    const worker = this.#participant.worker?.stats()
    const { waiter, peer } = this.#participant
    const { policy, parks } = waiter
    return {
      side: this.side,
      sent: { messages, bytes, ...this.#queue.stats(), capacity, used },
      received,
      peer: !this.#state.closed && peer.isAlive,
      ...(worker === undefined ? {} : { worker }),
      wait: { policy, mechanism: waiter.mechanism(peer.receiver), parks, wakes: this.region.wakes },
      wakes: this.region.binding === null ? 'atomics' : 'addon',
      ...(this.#copiedBecause === undefined
        ? { transport: 'shared' }
        : { transport: 'copied', copied: this.#copiedBecause }),
    }
  }

  /**
   * Close this side: the other one still gets what was sent, then 'close'. What is queued is given
   * up (sendDirect rejects), the native worker is stopped and joined, the memory let go.
   * Idempotent; allowed inside callbacks.
   */
  cleanup(): void {
    this.#end('cleanup was called')
  }

  #end(reason: string): void {
    if (this.#state.closed) return
    this.#state.closed = true
    this.#closeSending(reason)
    this.#participant.endReceiving(reason, true)
    this.#letGo(true)
  }

  /**
   * Let go of this side without an end of the stream: the other side is not told, and the next
   * `attach` goes on where this one stopped, with what was not received yet. What is queued and
   * finds no room now is given up (sendDirect rejects), a native worker that this object started is
   * stopped. Afterwards the object is closed. Idempotent; allowed inside callbacks.
   */
  detach(): void {
    if (this.#state.closed) return
    this.#state.closed = true
    this.#flushLast()
    if (this.#queue.pending) this.#queue.flush()
    this.#queue.fail(new LazyEnding('ERR_SABWAY_CLOSED', 'detach was called'))
    this.#producer.leave()
    this.#participant.endReceiving('detach was called', false)
    this.#letGo(false)
  }

  /** `ended`: for good, so that the channel can be freed. */
  #letGo(ended: boolean): void {
    const alone = !this.#lent || this.#participant.worker !== null
    this.stopWorker()
    this.#leaveRegion()
    this.#participant.end()
    if (ended) this.region.freeChannel(this.place, alone)
    if (this.#ownsRegion) this.region.release()
  }

  /** Send now what `batch` holds back. */
  flush(): void {
    this.#batcher?.flush()
  }

  [host.dispose](): void {
    this.cleanup()
  }

  /**
   * Lets what is queued be sent first, for at most five seconds and while a living participant can
   * take it; then `cleanup`.
   */
  async [host.asyncDispose](): Promise<void> {
    const end = host.now() + DISPOSE_MS
    while (this.#queue.pending && this.#participant.peer.isAlive && host.now() < end) {
      const settled = this.#queue.drained().catch(() => {}) // given up is settled, too
      await Promise.race([settled, new Promise((resolve) => host.after(LOOK_AGAIN_MS, resolve as () => void))])
    }
    this.cleanup()
  }

  // ---- what it says of itself ----

  get [Symbol.toStringTag](): string {
    return 'SharedMemoryChannel'
  }

  /**
   * What JSON.stringify and console.log show; `stats()` tells more. Another thread needs `handle`,
   * another process `token`.
   */
  toJSON(): { side: Side; share: 'threads' | 'processes'; codec: string; closed: boolean } {
    const share = this.region.processes ? 'processes' : 'threads'
    return { side: this.side, share, codec: this.#format?.name ?? 'bytes', closed: this.#state.closed }
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
    this.#participant.listenersChanged(type, this.listenerCount(type))
  }
}

/** Take the role of one direction. Returns why that has ended; null when it has not. */
function whyEnded(role: { open(): void }): SabwayError | null {
  try {
    role.open()
    return null
  } catch (error) {
    if ((error as SabwayError).code !== 'ERR_SABWAY_CLOSED') throw error
    return error as SabwayError
  }
}

function toMessage<T>(format: Format | null): ToMessage<T> {
  return format === null
    ? (copyOut as ToMessage<never>)
    : (bytes, start, end) => format.decode(bytes.subarray(start, end)) as T
}
